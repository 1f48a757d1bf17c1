"""Rows of CSV and its like: text in every field, the index is the line in the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from emergekit.errors import LoadError

__all__ = ["as_delimiter", "read_delimited"]

_OTHERS = (";", "\t", "|", ",")
_NAMES = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_LONGEST_FIELD = 2**31 - 1  # what the csv module takes on every platform
_COMMA_NUMBER = re.compile(r"(?:^|;)\s*\d+,\d+\s*(?:;|$)", re.MULTILINE)


def as_delimiter(given: str | None) -> str | None:
    r"""Return the one character that separates fields, from what a user wrote.

    Raises
    ------
    LoadError
        If it is not one character, nor a name of one.

    Examples
    --------
    >>> as_delimiter("tab"), as_delimiter(";")
    ('\t', ';')
    """
    if given is None:
        return None
    mark = _NAMES.get(str(given).lower(), str(given))
    if len(mark) != 1 or mark in '"\r\n':
        raise LoadError(
            f"delimiter={given!r} does not separate fields: it is one character, such as ';', or "
            f"one of tab, comma, semicolon, pipe, space."
        )
    return mark


def read_delimited(path: Path, text: str, delimiter: str) -> pd.DataFrame:
    """Return the rows of a text whose fields are separated by `delimiter`.

    Raises
    ------
    LoadError
        If the quoting is broken, a line has too many or too few fields, or the header is one
        field that another delimiter would split.
    """
    numbered = _numbered(path, text, delimiter)
    _, header = next(numbered, (0, list[str]()))
    header = [name.strip() for name in header]
    _check_delimiter(path, text, header, delimiter)
    rows, numbers = [], []
    for number, row in numbered:
        if len(row) != len(header):
            remedy = f"mend that line, or put quotation marks around fields that hold '{delimiter}'"
            if header[0].startswith(("#", "sep=")):
                remedy = f"'{header[0][:60]}' is no header, so drop what stands above the header"
            raise LoadError(
                f"{path}: line {number} has {len(row)} fields, but the header has {len(header)}; "
                f"{remedy}."
            )
        rows.append(row)
        numbers.append(number)
    table = pd.DataFrame(rows, columns=header, index=numbers, dtype=object)
    return table.loc[:, [_is_filled(table, place) for place in range(len(header))]]


def _numbered(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank, with the line it starts on."""
    # Universal newlines are off: U+2028, U+0085 and form feeds belong to the field they stand in.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    with _long_fields():
        while True:
            try:
                row = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                raise LoadError(
                    f"{path}: line {lines.line_num} breaks the quoting ({error}); close its quotes."
                ) from None
            if row:
                yield before + 1, row
            before = lines.line_num


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be as long as they are: an answer of a model has no 131,072 characters limit."""
    usual = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _check_delimiter(path: Path, text: str, header: list[str], delimiter: str) -> None:
    if len(header) != 1:
        return
    other = next((mark for mark in _OTHERS if mark != delimiter and mark in header[0]), None)
    if other:
        commas = _COMMA_NUMBER.search(text) if other == ";" else None
        more = ", and decimal=',' for its decimal commas (--decimal ,)" if commas else ""
        raise LoadError(
            f"{path}: the header '{header[0][:60]}' is one field when split at {delimiter!r}; "
            f"it looks split at {other!r}, so pass delimiter={other!r} (or --delimiter {other!r})"
            f"{more}."
        )


def _is_filled(table: pd.DataFrame, place: int) -> bool:
    """Return whether a column has a name or a value: a comma at the end of lines makes neither."""
    return bool(table.columns[place]) or bool(table.iloc[:, place].str.strip().ne("").any())
