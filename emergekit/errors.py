"""Errors and warnings of emergekit.

::

    ValueError
    ├── TableError    a table breaks its schema: column, row, value, remedy
    │   └── LoadError    a file cannot be read: file, line, field, remedy
    └── FitError      a law cannot be fitted to these rows
    UserWarning
    └── FitWarning    the fit is worth having, but read this first

Every message says what is wrong, where, and how to mend it, in one sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["FitError", "FitWarning", "LoadError", "TableError", "nearest", "shown", "unknown"]


class TableError(ValueError):
    """A table breaks its schema; the message names column, row, value and remedy."""


class LoadError(TableError):
    """A file cannot be read; the message names file, line, field and remedy."""


class FitError(ValueError):
    """A law cannot be fitted to the rows it was given."""


class FitWarning(UserWarning):
    """A fit came out, but something about it should be read before its numbers are used."""


def nearest(name: object, known: Iterable[object]) -> str | None:
    """Return the member of `known` most like `name`, whatever its case, or None.

    Examples
    --------
    >>> nearest("Taks", ["model", "task", "score"])
    'task'
    """
    by_folded = {str(entry).casefold(): str(entry) for entry in known}
    close = difflib.get_close_matches(str(name).casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def unknown(what: str, name: object, known: Iterable[object]) -> str:
    """Return the sentence that says `name` is not one of the `known`, nearest match first.

    Examples
    --------
    >>> unknown("engine", "proceses", ["serial", "processes"])
    "Unknown engine 'proceses'; did you mean 'processes'? Known: serial, processes."
    """
    names = [str(entry) for entry in known]
    match = nearest(name, names)
    hint = f"; did you mean '{match}'?" if match else "."
    return f"Unknown {what} '{name}'{hint} Known: {', '.join(names)}."


def shown(value: object) -> str:
    """Return a value as messages show it: text in quotes, long text cut.

    Examples
    --------
    >>> shown("n/a"), shown(0.5)
    ("'n/a'", '0.5')
    """
    if not isinstance(value, str):
        return str(value)
    return f"'{value[:60]}...'" if len(value) > 60 else f"'{value}'"
