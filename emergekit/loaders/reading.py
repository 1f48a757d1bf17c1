"""Read the files of a folder, many small ones at once, each failure on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders.assembling import Gathered, tables_of
from emergekit.loaders.finding import Found
from emergekit.tables import Schema, Tables

__all__ = ["Part", "read_all"]

_MANY = 50_000  # rows that are held as mappings before they become a table


@dataclass(frozen=True)
class Part:
    """Tables, and the file that each of their rows comes from."""

    tables: Tables
    files: Sequence[tuple[Path, Mapping[str, int]]]
    """The files, in order, and how many rows of each table are theirs."""

    def origins(self, schema: Schema) -> Iterator[str]:
        """Yield the file of each row of a table."""
        for file, counts in self.files:
            yield from (str(file) for _ in range(counts[schema.name]))


def read_all(found: Found, options: Mapping[str, Any]) -> tuple[list[Part], list[Note]]:
    """Return what could be read of the files that were found, and why the rest could not.

    Raises
    ------
    LoadError
        If `columns` names something that no file has.
    """
    parts, failures, held = list[Part](), list[Note](), list[Gathered]()
    renamed = set[str]()

    def flush() -> None:
        if held:
            parts.extend(_made(held, failures))
            held.clear()

    for file, reader in found.choices:
        try:
            rows = reader.gathered(file)
            if rows is not None:
                held.append(rows)
            else:
                flush()
                tables = reader.tables(file, {"found": renamed, **options})
                parts.append(_part(file, tables))
        except TableError as error:
            failures.append(("error", str(file), "", str(error)))
        if sum(rows.n_rows for rows in held) >= _MANY:
            flush()
    flush()
    for theirs in options.get("columns") or {}:
        if theirs not in renamed:
            raise LoadError(
                f"columns= names '{theirs}', which none of the {len(found.choices)} files has; "
                f"write it as their header does."
            )
    return parts, failures


def _part(file: Path, tables: Tables) -> Part:
    counts = {name: len(table) for name, table in vars(tables).items()}
    return Part(tables, [(file, counts)])


def _made(held: Sequence[Gathered], failures: list[Note]) -> list[Part]:
    """Return the tables of the files together; where one breaks, of each half, to find it."""
    try:
        tables = tables_of(held)
    except TableError as error:
        if len(held) > 1:
            middle = len(held) // 2
            return _made(held[:middle], failures) + _made(held[middle:], failures)
        failures.append(("error", str(held[0].path), "", str(error)))
        return []
    if len(held) == 1:
        return [_part(held[0].path, tables)]
    return [Part(tables, [(rows.path, _counts(rows)) for rows in held])]


def _counts(rows: Gathered) -> dict[str, int]:
    return {
        "models": len(rows.models),
        "samples": len(rows.samples or ()),
        "results": len(rows.results or ()),
    }
