"""What a report is made of: sections, each with words, a figure and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd
from matplotlib.figure import Figure

__all__ = ["Note", "Section", "Sheet"]

Note: TypeAlias = "tuple[str, str, str, str]"
"""Severity, file, field, message: a row of the notes."""


@dataclass(frozen=True)
class Sheet:
    """A table of a report.

    Parameters
    ----------
    name : str
        Name of its CSV file, which holds all of it.
    table : DataFrame
        The table.
    show : tuple of str
        Columns that the page shows, in this order; all of them if empty.
    caption : str
        What it says, in a sentence above it.
    """

    name: str
    table: pd.DataFrame
    show: tuple[str, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Parameters
    ----------
    name : str
        Short name, for links.
    title : str
        Heading.
    words : tuple of str
        Paragraphs.
    sheets : tuple of Sheet
        Tables, below the figure.
    figure : Figure, optional
        Drawn below the words.
    caption : str
        What the figure shows, for readers who see it and for those who do not.
    terms : tuple of (str, str)
        Names of columns and what they mean.
    lines : tuple of (str, str)
        What a run prints at its end: a name and a value.
    points : tuple of str
        A list, below the words.
    """

    name: str
    title: str
    words: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    figure: Figure | None = None
    caption: str = ""
    terms: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    points: tuple[str, ...] = ()
