"""Make the tables of a file out of the rows that its reader found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders.merging import agreed
from emergekit.tables import MODELS, RESULTS, SAMPLES, Schema, Tables, notes_table, validate

__all__ = ["assembled"]

Row = Mapping[str, Any]


def assembled(
    path: Path,
    *,
    models: Iterable[Row] = (),
    samples: Iterable[Row] | None = None,
    results: Iterable[Row] | None = None,
    notes: Sequence[Note] = (),
    lines: Sequence[int] | None = None,
) -> Tables:
    """Return the tables that hold these rows, checked against their schemas.

    Parameters
    ----------
    path : Path
        The file that was read.
    models, samples, results : iterable of mappings
        Rows, each a mapping from columns to values; what is absent is None, NaN or left out, and a
        column that is absent in every row is not made. Models that several rows speak of become
        one row. Results without a score are left out with a note; their `source` is the name of
        the file unless a row names one.
        Samples and results that are given may not be empty.
    notes : sequence of (severity, file, field, message)
        What was odd.
    lines : sequence of int, optional
        The line of each sample, for messages.

    Raises
    ------
    LoadError
        If a row breaks its schema, two rows have the same key, or there is no row at all.
    """
    notes = list(notes)
    scored, unscored = _with_score(results or ())
    if unscored:
        said = f"{len(unscored)} without a score left out, such as {_named(unscored[0])}"
        notes.append(("info", str(path), "score", said))
    made = Tables(
        models=_models(path, list(models)),
        samples=_table(path, list(samples or ()), SAMPLES, lines),
        results=_table(path, [{"source": path.name} | dict(row) for row in scored], RESULTS),
        notes=notes_table(notes),
    )
    asked = samples is not None or results is not None or not len(made.models)
    if asked and not (len(made.samples) or len(made.results)):
        what = "no score in it is a number" if unscored else "there are no scores in it"
        raise LoadError(f"{path}: {what}; check that the evaluation ended.")
    return made


def _with_score(results: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    scored, unscored = list[Row](), list[Row]()
    for row in results:
        (unscored if pd.isna(row.get("score")) else scored).append(row)
    return scored, unscored


def _named(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("task", "subtask", "metric") if row.get(name))


def _models(path: Path, rows: Sequence[Row]) -> pd.DataFrame:
    table = _table(path, rows, MODELS, are_unique=False)
    if table.empty:
        return table
    try:
        return agreed(table, [f"row {number} of its models" for number in range(1, len(rows) + 1)])
    except TableError as error:
        raise LoadError(f"{path}: {error}") from None


def _table(
    path: Path,
    rows: Sequence[Row],
    schema: Schema,
    lines: Sequence[int] | None = None,
    are_unique: bool = True,
) -> pd.DataFrame:
    """Return the rows as a table of the schema, its columns in the schema's order."""
    if not rows:
        empty: pd.DataFrame = getattr(Tables(), schema.name)
        return empty
    names = list(dict.fromkeys(name for row in rows for name in row))
    ordered = [n for n in schema.names if n in names] + [n for n in names if n not in schema.names]
    columns = {name: [row.get(name) for row in rows] for name in ordered}
    index = pd.Index(lines if lines is not None else range(1, len(rows) + 1))
    table = pd.DataFrame(
        {name: pd.Series(values, index) for name, values in columns.items()}, index=index
    )
    gone = [n for n in table if n not in schema.required and table[n].isna().all()]
    table = table.drop(columns=gone)
    checked = table if are_unique else table.assign(model=_numbered(table["model"]))
    try:
        validate(checked, schema, where=str(path), row="line" if lines is not None else "row")
    except TableError as error:
        raise LoadError(str(error)) from None
    return table.reset_index(drop=True)


def _numbered(models: pd.Series) -> pd.Series:
    """Return names that differ in each row, so that only the kinds of the others are checked."""
    numbers = pd.Series(range(len(models)), index=models.index).astype(str)
    return models.where(models.isna(), models.astype(str) + " " + numbers)
