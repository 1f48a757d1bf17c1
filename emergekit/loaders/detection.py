"""Find the reader for a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from emergekit.errors import LoadError, unknown
from emergekit.loaders import table
from emergekit.tables import Tables

__all__ = ["READERS", "choose_reader", "readable"]

Reader = Callable[..., Tables]

READERS: Mapping[str, tuple[Callable[[Path], float], Reader]] = MappingProxyType(
    {table.NAME: (table.can_read, table.read)}
)


def readable(path: Path) -> bool:
    """Return whether any reader would take this file."""
    return any(can_read(path) > 0 for can_read, _ in READERS.values())


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
