"""Reporting: one page that says what the tables show."""

from __future__ import annotations

from emergekit.reporting.page import report

__all__ = ["report"]
