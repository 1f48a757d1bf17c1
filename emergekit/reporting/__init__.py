"""Reporting: one table, and one page, that say what the tables show."""

from __future__ import annotations

from emergekit.reporting.reports import Page, report
from emergekit.reporting.summary import emergence_table

__all__ = ["emergence_table", "Page", "report"]  # noqa: RUF022  pipeline order
