"""What was seen on the way: the section of notes, and what must not be missed."""

from __future__ import annotations

import pandas as pd

from emergekit.reporting.section import Section, Sheet
from emergekit.reporting.words import counted

__all__ = ["CURVE", "errors_in_words", "notes_section"]

CURVE = "curve"
"""Field of the notes on curves that were refused."""
_FIRST = 3


def notes_section(notes: pd.DataFrame) -> Section:
    """Return the section of notes, errors first; its file is there even without a note."""
    order = notes["severity"].map({"error": 0, "warning": 1}).fillna(2)
    table = notes.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
    said = "What was seen on the way, errors first." if len(table) else "Nothing odd was seen."
    return Section("notes", "Notes", (said,), (Sheet("notes", table),))


def errors_in_words(notes: pd.DataFrame, n_files: int | None = None) -> tuple[str, ...]:
    """Return one sentence on each kind of error among the notes, the first few of them named.

    Parameters
    ----------
    notes : DataFrame
        Severity, file, field, message.
    n_files : int, optional
        How many files were to be read.
    """
    errors = notes[notes["severity"].eq("error")]
    curves = errors["field"].eq(CURVE)
    files = errors["file"].astype(bool) & ~curves
    sentences = []
    if files.any():
        n = errors.loc[files, "file"].nunique()
        which = f"{n} of {counted(n_files, 'file')}" if n_files else counted(n, "file")
        sentences.append(f"{which} could not be read: {_messages(errors[files])}")
    if curves.any():
        n = int(curves.sum())
        said = _messages(errors[curves])
        sentences.append(f"{counted(n, 'curve')} could not be described: {said}")
    sentences += errors.loc[~files & ~curves, "message"].astype(str).to_list()
    return tuple(sentences)


def _messages(errors: pd.DataFrame) -> str:
    """Return the messages in a row, the first ones and how many more there are."""
    messages = [str(message).rstrip(".") for message in errors["message"]]
    more = len(messages) - _FIRST
    return "; ".join(messages[:_FIRST]) + (f"; and {more} more in the notes." if more > 0 else ".")
