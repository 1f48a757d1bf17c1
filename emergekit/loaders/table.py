"""Read tables of scores, models or samples: CSV, TSV, JSON, JSONL, parquet; long, or wide.

A wide table has one column per model, named by it. Everything else is long: one row a score, with
the columns of our schemas under their own names, in any case, or renamed by `columns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emergekit.errors import LoadError, TableError, nearest, shown
from emergekit.loaders.files import file_kind, read_rows
from emergekit.loaders.units import fractions, size_in_name
from emergekit.tables import MODELS, RESULTS, SAMPLES, Schema, Tables, notes_table, validate

__all__ = ["NAME", "can_read", "read"]

NAME = "table"

_MISSING = {"", "na", "n/a", "nan", "null", "none", "-"}
_KINDS = {column.name: column.kind for s in (MODELS, SAMPLES, RESULTS) for column in s.columns}
_OURS = tuple(_KINDS)
_SCALES = [c.name for c in MODELS.columns if not c.key]

Note = tuple[str, str, str, str]


def can_read(path: Path) -> float:
    """Return how sure this reader is, from 0 to 1, that the file is for it."""
    return 0.5 if path.is_file() and file_kind(path) else 0.0


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    percent: bool | None = None,
) -> Tables:
    """Return the tables of one file.

    Parameters
    ----------
    path : Path
        The file.
    columns : mapping, optional
        Names in the file to names in our schemas.
    constants : mapping, optional
        Columns that the file lacks and their one value, such as ``{"metric": "exact_match"}``.
    delimiter : str, optional
        What separates fields; "," in .csv and a tab in .tsv if None.
    percent : bool, optional
        Whether scores of shares (accuracy and its like) are percentages; None looks.

    Returns
    -------
    Tables
        Models, samples or results, with notes on what was changed.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    where, notes = str(path), list[Note]()
    table = _named(read_rows(path, delimiter), dict(columns or {}), where)
    if table.empty:
        raise LoadError(f"{where}: the file has a header but no rows; write it again.")
    table = table.assign(**(constants or {}))
    if "example_id" in table:
        return Tables(samples=_checked(_numbers(table, where), SAMPLES, where))
    if "score" not in table and _is_models(table):
        return Tables(models=_checked(_numbers(table, where), MODELS, where))
    if "score" not in table and "model" not in table:
        table = _long(table)
    _require_result_columns(table, where)
    results = _scored(_numbers(table, where), where, notes)
    models = _models(results, where, notes)
    results = results.drop(columns=[name for name in _SCALES if name in results])
    results, divided = fractions(_checked(results, RESULTS, where), where, percent)
    notes += [
        ("info", where, "score", f"'{metric}' was in percent; divided by 100") for metric in divided
    ]
    if "source" not in results:
        results["source"] = path.name
    return Tables(models, results=results.reset_index(drop=True), notes=notes_table(notes))


def _named(table: pd.DataFrame, columns: dict[str, str], where: str) -> pd.DataFrame:
    """Return the table under our names: those asked for, and ours in another case."""
    for theirs, ours in columns.items():
        if theirs not in table:
            match = nearest(theirs, table.columns)
            hint = f"did you mean '{match}'? " if match else ""
            raise LoadError(
                f"{where}: columns= names '{theirs}', which the file lacks; {hint}"
                f"The file has {', '.join(map(str, table.columns))}."
            )
        if ours not in _OURS and nearest(ours, _OURS):
            raise LoadError(
                f"{where}: columns= renames '{theirs}' to '{ours}', which is no column of ours; "
                f"did you mean '{nearest(ours, _OURS)}'?"
            )
    cased = {
        name: str(name).lower()
        for name in table.columns
        if name not in columns and str(name).lower() in _OURS and str(name).lower() not in table
    }
    renamed = table.rename(columns=cased | columns)
    twice = renamed.columns[renamed.columns.duplicated()]
    if len(twice):
        raise LoadError(f"{where}: two columns are named '{twice[0]}'; rename one with columns=.")
    return renamed


def _is_models(table: pd.DataFrame) -> bool:
    return "model" in table and "task" not in table and any(name in table for name in _SCALES)


def _require_result_columns(table: pd.DataFrame, where: str) -> None:
    absent = [name for name in RESULTS.required if name not in table]
    if not absent:
        return
    free = [name for name in table.columns if name not in _OURS]
    close = {match: name for name in absent if (match := nearest(name, free))}
    numeric = [name for name in free if name not in close and _looks_numeric(table[name])]
    if "score" in absent and "score" not in close.values() and numeric:
        close[numeric[0]] = "score"
    other = [name for name in absent if name not in close.values()]
    remedies = [f"{_option('columns', close)} renames"] if close else []
    remedies += [f"{_option('constants', dict.fromkeys(other, '...'))} adds"] if other else []
    verb = "is" if len(absent) == 1 else "are"
    raise LoadError(
        f"{where}: column {', '.join(map(repr, absent))} {verb} absent; "
        f"the file has {', '.join(map(str, table.columns))}; "
        f"{' and '.join(remedies)} what is meant."
    )


def _option(name: str, pairs: Mapping[str, str]) -> str:
    """Return an option of `load` as it is written in Python and on the command line."""
    flags = " ".join(f"--{name[:-1]} {left}={right}" for left, right in pairs.items())
    return f"{name}={dict(pairs)} (or {flags})"


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """Return a wide table, one column per model, as one row per model and task."""
    free = [name for name in table.columns if name not in _OURS]
    models = [name for name in free if _looks_numeric(table[name])]
    if not models or "task" not in table:
        return table  # what is absent is said where columns are required
    line = "line in the file"
    long = (
        table.rename_axis(line)
        .reset_index()
        .melt(
            id_vars=[line, *[name for name in table.columns if name not in models]],
            value_vars=models,
            var_name="model",
            value_name="score",
        )
    )
    return long.set_index(line)


def _scored(results: pd.DataFrame, where: str, notes: list[Note]) -> pd.DataFrame:
    """Return the rows that have a score, and note how many have none."""
    gaps = results["score"].isna()
    if gaps.any():
        notes.append(
            ("info", where, "score", f"{int(gaps.sum())} rows without a score were left out")
        )
    return results[~gaps]


def _looks_numeric(values: pd.Series) -> bool:
    """Return whether any value reads as a number: text columns have none."""
    given = values[~values.map(_is_missing)].astype(str).str.rstrip("%")
    return bool(pd.to_numeric(given, errors="coerce").notna().any())


def _is_missing(value: object) -> bool:
    return (
        value is None or value is pd.NA or value != value or str(value).strip().lower() in _MISSING
    )


def _numbers(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the table with numbers where the schemas want them, and where a column has no text."""
    converted = {name: _converted(table[name], str(name), where) for name in table.columns}
    return pd.DataFrame(converted, index=table.index)


def _converted(values: pd.Series, name: str, where: str) -> pd.Series:
    kind = _KINDS.get(name)
    if values.map(_is_nested).any():
        return values
    if kind == "text":
        return values.astype("str")
    gaps = values.map(_is_missing)
    text = values.astype(str).str.strip().where(~gaps)
    if kind == "flag":
        return _flags(text, gaps, name, where)
    if name == "score" and not gaps.all() and text[~gaps].str.endswith("%").all():
        text = (pd.to_numeric(text.str.rstrip("%"), errors="coerce") / 100).astype(str).where(~gaps)
    numbers = pd.to_numeric(text, errors="coerce")
    bad = numbers.isna() & ~gaps
    if kind in (None, "any"):
        return values.where(~gaps).astype("str") if bad.any() else numbers
    if bad.any():
        line, value = next(iter(values[bad].items()))
        raise LoadError(
            f"{where}: '{name}' must be a number, but line {line} holds {shown(value)} "
            f"({int(bad.sum())} of {len(values)} rows are bad); mend or drop that line."
        )
    return numbers.astype(float) if kind != "count" else numbers


def _is_nested(value: object) -> bool:
    return isinstance(value, list | tuple | dict | np.ndarray)


def _flags(text: pd.Series, gaps: pd.Series, name: str, where: str) -> pd.Series:
    truth = text.str.lower().map({"true": True, "1": True, "false": False, "0": False})
    bad = truth.isna() & ~gaps
    if bad.any():
        line, value = next(iter(text[bad].items()))
        raise LoadError(
            f"{where}: '{name}' must be true or false, but line {line} holds {shown(value)}."
        )
    return truth


def _models(results: pd.DataFrame, where: str, notes: list[Note]) -> pd.DataFrame:
    """Return one row per model: what the file says of it, or the size that its name states."""
    scales = [name for name in _SCALES if name in results]
    keys = [name for name in MODELS.keys if name in results]
    models = results[[*keys, *scales]].drop_duplicates()
    again = models.duplicated(keys, keep=False)
    if again.any():
        twins = models[models["model"] == models.loc[again, "model"].iloc[0]]
        differ = next(name for name in scales if twins[name].nunique(dropna=False) > 1)
        lines, values = list(twins.index[:2]), list(twins[differ].iloc[:2])
        raise LoadError(
            f"{where}: model '{twins['model'].iloc[0]}' has {differ} {values[0]} in line "
            f"{lines[0]} and {values[1]} in line {lines[1]}; mend one, or rename one."
        )
    if "n_params" not in models:
        sizes = models["model"].map(size_in_name)
        if sizes.notna().any():
            models = models.assign(n_params=sizes)
            notes.append(("info", where, "n_params", "read from the names of the models"))
    return _checked(models, MODELS, where).reset_index(drop=True)


def _checked(table: pd.DataFrame, schema: Schema, where: str) -> pd.DataFrame:
    try:
        return validate(table, schema, where=where)
    except TableError as error:
        raise LoadError(
            str(error).replace(" row ", " line ").replace("rows ", "lines ", 1)
        ) from None
