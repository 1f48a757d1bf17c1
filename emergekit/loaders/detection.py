"""Find the reader for a file, and check the options that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emergekit.errors import LoadError, nearest, unknown
from emergekit.loaders import table
from emergekit.loaders.tabular.naming import OURS
from emergekit.tables import Tables

__all__ = ["READERS", "check_options", "choose_reader", "readable"]

Reader = Callable[..., Tables]

READERS: Mapping[str, tuple[Callable[[Path], float], Reader]] = MappingProxyType(
    {table.NAME: (table.can_read, table.read)}
)
# What other programs call our options.
_ELSEWHERE = MappingProxyType(
    {"sep": "delimiter", "separator": "delimiter", "dec": "decimal", "rename": "columns"}
)
_OURS_ONLY = ("path", "found")


def readable(path: Path) -> bool:
    """Return whether any reader would take this file, spreadsheets aside."""
    return any(can_read(path) >= 0.5 for can_read, _ in READERS.values())


def check_options(format: str | None, columns: object, options: Mapping[str, Any]) -> None:
    """Refuse options that no reader takes, with the nearest that one does.

    Raises
    ------
    LoadError
        If the format or an option is unknown, or has a value of the wrong kind.
    """
    if format is not None and format not in READERS:
        raise LoadError(unknown("format", format, READERS))
    readers = [READERS[format]] if format else list(READERS.values())
    known = {name for _, read in readers for name in inspect.signature(read).parameters}
    taken = sorted(known.difference(_OURS_ONLY))
    for name, value in options.items():
        if name not in taken:
            raise LoadError(_unknown_option(name, value, taken))
    for name, pairs in (("columns", columns), ("constants", options.get("constants"))):
        if pairs is not None and not isinstance(pairs, Mapping):
            raise LoadError(f"{name}= is a mapping of names, not {type(pairs).__name__}.")
    for theirs, ours in columns.items() if isinstance(columns, Mapping) else ():
        if not isinstance(theirs, str) or not isinstance(ours, str):
            raise LoadError(
                f"columns= maps a name in the file to one of ours, not {theirs!r} to {ours!r}."
            )
    for name, value in (options.get("constants") or {}).items():
        if value is not None and not isinstance(value, str | int | float | bool):
            raise LoadError(
                f"constants= gives '{name}' {type(value).__name__}; it takes one text or number."
            )


def _unknown_option(name: str, value: object, known: list[str]) -> str:
    if name in OURS:
        return f"Unknown option '{name}' of load; did you mean constants={{{name!r}: {value!r}}}?"
    match = _ELSEWHERE.get(name) or nearest(name, known)
    hint = f"; did you mean '{match}'?" if match else "."
    return f"Unknown option '{name}' of load{hint} Known: {', '.join(known)}."


def choose_reader(path: Path, format: str | None = None) -> Reader:
    """Return the reader of that format, or the one that is surest of the file.

    Raises
    ------
    LoadError
        If the format is unknown, or no reader takes the file.
    """
    if format is not None:
        if format not in READERS:
            raise LoadError(unknown("format", format, READERS))
        return READERS[format][1]
    name = max(READERS, key=lambda name: READERS[name][0](path))
    if READERS[name][0](path) <= 0:
        raise LoadError(
            f"{path}: no reader knows this kind of file; known formats: {', '.join(READERS)} "
            f"(CSV, TSV, JSON, JSONL, parquet)."
        )
    return READERS[name][1]
