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
import sys
from collections.abc import Iterable

__all__ = [
    "FitError",
    "FitWarning",
    "LoadError",
    "TableError",
    "kind_of",
    "nearest",
    "no_frame",
    "shown",
    "unknown",
]

# How other tables become pandas; the first method that they have is named.
_TO_PANDAS = (
    ("compute", ".compute()"),  # dask
    ("to_pandas", ".to_pandas()"),  # polars, Arrow, pandas on Spark
    ("toPandas", ".toPandas()"),  # Spark
    ("collect", ".collect().to_pandas()"),  # polars, lazy
    ("to_frame", ".to_frame()"),  # a Series
)


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


def kind_of(value: object) -> str:
    """Return the type of a value as its users import it; what is built in has no module.

    Examples
    --------
    >>> from pathlib import PurePosixPath
    >>> kind_of({}), kind_of(None), kind_of(PurePosixPath("x"))
    ('dict', 'NoneType', 'pathlib.PurePosixPath')
    """
    kind = type(value)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    parts = kind.__module__.split(".")
    paths = [".".join(parts[: n + 1]) for n in range(len(parts))]
    # dask.dataframe.dask_expr._collection.DataFrame is known as dask.dataframe.DataFrame.
    public = (p for p in paths if getattr(sys.modules.get(p), kind.__name__, None) is kind)
    return f"{next(public, kind.__module__)}.{kind.__qualname__}"


def no_frame(value: object) -> str:
    """Return the sentence that says a value is no pandas DataFrame, and how it becomes one.

    Examples
    --------
    >>> no_frame([])
    'expected a pandas DataFrame, not list; make one with pandas.DataFrame(...).'
    """
    calls = (call for name, call in _TO_PANDAS if callable(getattr(type(value), name, None)))
    call = next(calls, None)
    remedy = f"convert it with {call}" if call else "make one with pandas.DataFrame(...)"
    return f"expected a pandas DataFrame, not {kind_of(value)}; {remedy}."
