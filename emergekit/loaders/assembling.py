"""Make tables out of the rows that readers found in files: of one, or of thousands at once.

A table costs more to make than a small file to read. So a reader may `gather` the rows of a file,
and those of many files become tables together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders.merging import agreed
from emergekit.tables import (
    MODELS,
    RESULTS,
    SAMPLES,
    Column,
    Schema,
    Tables,
    notes_table,
    validate,
)

__all__ = ["Gathered", "assembled", "tables_of"]

Row = Mapping[str, Any]
_FILE = "\x1ffile"  # tells rows of several files apart while their keys are checked


@dataclass(frozen=True)
class Gathered:
    """The rows that a reader found in one file.

    Parameters
    ----------
    path : Path
        The file.
    models, samples, results : sequence of mappings
        Rows, each a mapping from columns to values; what is absent is None, NaN or left out, and a
        column that is absent in every row is not made. Models that several rows speak of become
        one row. Results whose score is absent or infinite are left out with a note; their `source`
        is the name of the file unless a row names one. Samples and results that are given may not
        both be empty.
    notes : list of (severity, file, field, message)
        What was odd.
    lines : sequence of int, optional
        The line of each sample, for messages.

    Raises
    ------
    LoadError
        If there are no scores, samples or models.
    """

    path: Path
    models: Sequence[Row] = ()
    samples: Sequence[Row] | None = None
    results: Sequence[Row] | None = None
    notes: list[Note] = field(default_factory=list)
    lines: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Leave out results without a score, and refuse a file of which nothing is left."""
        given = self.results or []
        scored = [row for row in given if _is_finite(row.get("score"))]
        for row in given if len(scored) < len(given) else ():
            if not (_is_finite(row.get("score")) or pd.isna(row.get("score"))):
                said = f"{row['score']} is no score; {_named(row)} was left out"
                self.notes.append(("warning", str(self.path), "score", said))
        absent = [row for row in given if pd.isna(row.get("score"))]
        if absent:
            said = f"{len(absent)} without a score left out, such as {_named(absent[0])}"
            self.notes.append(("info", str(self.path), "score", said))
        if self.results is not None:
            object.__setattr__(self, "results", scored)
        asked = self.samples is not None or self.results is not None or not self.models
        if asked and not (self.samples or scored):
            what = "there are no scores in it"
            if given:
                what = f"no score in it is a number ({_named(given[0])} is {given[0]['score']})"
            raise LoadError(f"{self.path}: {what}; check that the evaluation ended.")

    @property
    def n_rows(self) -> int:
        """Rows of all three tables."""
        return len(self.models) + len(self.samples or ()) + len(self.results or ())


def assembled(
    path: Path,
    *,
    models: Iterable[Row] = (),
    samples: Iterable[Row] | None = None,
    results: Iterable[Row] | None = None,
    notes: Sequence[Note] = (),
    lines: Sequence[int] | None = None,
) -> Tables:
    """Return the tables that hold the rows of one file, as `Gathered` describes them.

    Raises
    ------
    LoadError
        If a row breaks its schema, two rows have the same key, or there is no row at all.
    """
    return tables_of(
        [
            Gathered(
                path,
                list(models),
                None if samples is None else list(samples),
                None if results is None else list(results),
                list(notes),
                None if lines is None else list(lines),
            )
        ]
    )


def tables_of(parts: Sequence[Gathered]) -> Tables:
    """Return the tables that hold the rows of these files, checked against their schemas.

    Raises
    ------
    LoadError
        If a row breaks its schema, or two rows of one file have the same key. Where there are
        several files it does not say which; make the tables of each to know.
    """
    samples = [(part, part.samples or []) for part in parts]
    results = [
        (part, [{"source": part.path.name} | dict(row) for row in part.results or ()])
        for part in parts
    ]
    lines = parts[0].lines if len(parts) == 1 else None
    return Tables(
        models=_models([(part, part.models) for part in parts]),
        samples=_table(samples, SAMPLES, lines),
        results=_table(results, RESULTS),
        notes=notes_table(note for part in parts for note in part.notes),
    )


def _is_finite(score: Any) -> bool:
    """Return whether a score can be one: JSON reads 1e999 as infinite."""
    return not pd.isna(score) and score not in (math.inf, -math.inf)


def _named(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("task", "subtask", "metric") if row.get(name))


def _models(rows: Sequence[tuple[Gathered, Sequence[Row]]]) -> pd.DataFrame:
    """Return the models; of one file, one row for each."""
    table = _table(rows, MODELS, are_unique=False)
    if table.empty or len(rows) > 1:
        return table
    places = [f"row {number} of its models" for number in range(1, len(table) + 1)]
    try:
        return agreed(table, places)
    except TableError as error:
        raise LoadError(f"{rows[0][0].path}: {error}") from None


def _table(
    parts: Sequence[tuple[Gathered, Sequence[Row]]],
    schema: Schema,
    lines: Sequence[int] | None = None,
    are_unique: bool = True,
) -> pd.DataFrame:
    """Return the rows as a table of the schema, its columns in the schema's order."""
    rows = [row for _, own in parts for row in own]
    if not rows:
        empty: pd.DataFrame = getattr(Tables(), schema.name)
        return empty
    names = dict.fromkeys(name for row in rows for name in row)
    ordered = [n for n in schema.names if n in names] + [n for n in names if n not in schema.names]
    index = pd.Index(lines if lines is not None else range(1, len(rows) + 1))
    columns = {name: pd.Series([row.get(name) for row in rows], index) for name in ordered}
    needed = schema.required
    table = pd.DataFrame(
        {n: values for n, values in columns.items() if n in needed or not values.isna().all()},
        index=index,
    )
    where = str(parts[0][0].path)
    checked, keyed = table, schema
    if not are_unique:
        checked = table.assign(model=_numbered(table["model"]))
    elif len(parts) > 1:
        files = [number for number, (_, own) in enumerate(parts) for _ in own]
        checked, keyed = table.assign(**{_FILE: files}), _with_files(schema)
    try:
        validate(checked, keyed, where=where, row="line" if lines is not None else "row")
    except TableError as error:
        raise LoadError(str(error)) from None
    return table.reset_index(drop=True)


def _with_files(schema: Schema) -> Schema:
    return replace(schema, columns=(*schema.columns, Column(_FILE, "any", "file", key=True)))


def _numbered(models: pd.Series) -> pd.Series:
    """Return names that differ in each row, so that only the kinds of the others are checked."""
    numbers = pd.Series(range(len(models)), index=models.index).astype(str)
    return models.where(models.isna(), models.astype(str) + " " + numbers)
