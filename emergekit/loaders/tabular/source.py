"""The file that is being read: what messages call it, and the notes taken on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from emergekit.errors import LoadError, shown
from emergekit.loaders.tabular.files import file_kind, is_typed
from emergekit.tables import notes_table

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """A file, and how it is spoken of.

    Parameters
    ----------
    path : Path
        The file.
    decimal : str
        Decimal mark of numbers in text.
    """

    path: Path
    decimal: str = "."
    _notes: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def row(self) -> str:
        """What a row is called: the line of a text file, else the row."""
        return "row" if file_kind(self.path) in ("json", "parquet") else "line"

    @property
    def is_typed(self) -> bool:
        """Whether the file tells text from numbers by itself."""
        return is_typed(self.path)

    @property
    def notes(self) -> pd.DataFrame:
        """The notes so far, as a table."""
        return notes_table(self._notes)

    def note(self, column: str, message: str, severity: str = "info") -> None:
        """Take a note on a column."""
        self._notes.append((severity, str(self.path), column, message))

    def error(self, message: str) -> LoadError:
        """Return the error that says `message` of this file."""
        return LoadError(f"{self.path}: {message}")

    def at(self, values: pd.Series) -> str:
        """Return the place and value of the first of `values`, such as: line 3 holds 'x'."""
        place, value = next(iter(values.items()))
        return f"{self.row} {place} holds {shown(value)}"
