"""Reporting: one page that says what the tables show."""

from __future__ import annotations

from emergekit.reporting.reports import Page, report

__all__ = ["Page", "report"]
