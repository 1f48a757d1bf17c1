"""Read tables of scores, models or samples: CSV, TSV, JSON, JSONL, parquet; long, or wide.

A wide table has one column per model, per task or per metric, named by it. Everything else is
long: one row a score, with the columns of our schemas under their own names, in any case, or
renamed by `columns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.loaders.documents import outline, read_lines
from emergekit.loaders.merging import agreed
from emergekit.loaders.streaming import bundles
from emergekit.loaders.tabular.conversion import converted
from emergekit.loaders.tabular.delimited import as_delimiter
from emergekit.loaders.tabular.files import SPREADSHEETS, file_kind, read_rows
from emergekit.loaders.tabular.naming import OURS, Named, meant, named, options, useful
from emergekit.loaders.tabular.percentages import Percent, as_percent, fractions
from emergekit.loaders.tabular.records import frame_of
from emergekit.loaders.tabular.sizes import check_sizes
from emergekit.loaders.tabular.source import Source
from emergekit.loaders.tabular.wide import long, value_columns
from emergekit.tables import MODELS, RESULTS, SAMPLES, Schema, Tables, validate
from emergekit.tables.keys import as_text

__all__ = ["ABOUT", "NAME", "can_read", "read", "stream"]

NAME = "table"
ABOUT = "rows of scores, models or samples, long or wide, by the ending of the file's name"

_SCALES = [column.name for column in MODELS.columns if not column.key]
_RUN_SCALES = ("n_params", "n_tokens", "flops")


def can_read(path: Path) -> float:
    """Return how sure this reader is, from 0 to 1, that the file is for it."""
    if path.suffix.lower() in SPREADSHEETS:
        return 0.1  # only to say how to save it
    if file_kind(path) == "json" and outline(path).has("$schema"):
        return 0.1  # describes files, and holds nothing of theirs
    return 0.5 if path.is_file() and file_kind(path) else 0.0


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    percent: Percent = None,
    found: set[str] | None = None,
) -> Tables:
    """Return the tables of one file.

    Parameters
    ----------
    path : Path
        The file.
    columns : mapping, optional
        Names in the file to names in our schemas.
    constants : mapping, optional
        Columns that results or samples lack and their one value, such as
        ``{"metric": "exact_match"}``; a column that is there stands.
    delimiter : str, optional
        What separates fields; "," in .csv and a tab in .tsv if None.
    decimal : {".", ","}
        Decimal mark of numbers in text.
    percent : bool, str or sequence of str, optional
        Whether scores of shares (accuracy and its like) are percentages, or the metrics that are;
        None looks at each metric.
    found : set of str, optional
        Takes the names of `columns` that the file has; a name it lacks is an error if None.

    Returns
    -------
    Tables
        Models, samples or results, with notes on what was changed.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    if decimal not in (".", ","):
        raise LoadError(f"decimal={decimal!r} is no decimal mark: it is '.' or ','.")
    as_percent(percent)  # before the file is read
    source = Source(path, decimal)
    rows = read_rows(path, as_delimiter(delimiter))
    under = named(rows, dict(columns or {}), source, found)
    if under.table.empty:
        header = "no rows" if source.is_typed else "a header but no rows"
        raise source.error(f"the file has {header}; write it again.")
    constants = dict(constants or {})
    if "example_id" in under.table:
        return _samples(under, constants, source)
    if "score" not in under.table:
        if _is_models(under.table, constants):
            return _models_only(under, source)
        if _is_runs(under.table):
            return _models_only(_with_run_names(under, source), source)
        if _is_about_tasks(under.table):
            said = "tasks without scores or models: nothing of it is a model, a sample or a result"
            source.note("task", f"{under.table['task'].nunique()} {said}", "warning")
            return Tables(notes=source.notes)
    return _results(under, constants, source, percent)


def stream(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    percent: Percent = None,
) -> Iterator[Tables]:
    """Yield what `read` gives, some rows at a time if the file is JSONL of samples.

    Parameters
    ----------
    path, columns, constants, delimiter, decimal, percent
        As in `read`.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    kind, names = file_kind(path), {str(name).strip().lower() for name in outline(path).fields}
    renamed = {theirs.lower() for theirs, ours in (columns or {}).items() if ours == "example_id"}
    if kind != "jsonl" or names.isdisjoint({"example_id", *renamed}):
        yield read(
            path,
            columns=columns,
            constants=constants,
            delimiter=delimiter,
            decimal=decimal,
            percent=percent,
        )
        return
    found = set[str]()
    for lines, records in bundles(read_lines(path)):
        source = Source(path, decimal)
        rows = frame_of(path, dict(zip(lines, records, strict=True)), "line")
        under = named(rows, dict(columns or {}), source, found)
        yield _samples(under, dict(constants or {}), source)
    absent = next((theirs for theirs in columns or {} if theirs not in found), None)
    if absent is not None:
        raise LoadError(f"{path}: columns= names '{absent}', which the file does not have.")


def _is_models(table: pd.DataFrame, constants: Mapping[str, Any]) -> bool:
    if set(table) <= set(MODELS.names) and "model" in table:
        return True  # nothing but models: names alone, or with their steps
    if "model" not in table or "task" in table or not any(name in table for name in _SCALES):
        return False
    has_scores = ("metric" in table or "metric" in constants) and value_columns(table)
    return "loss" in table or not has_scores


def _is_runs(table: pd.DataFrame) -> bool:
    """Return whether the rows are training runs that have no name."""
    if "model" in table or "task" in table:
        return False
    return "loss" in table and any(name in table for name in _RUN_SCALES)


def _is_about_tasks(table: pd.DataFrame) -> bool:
    return "task" in table and not {"model", "metric"} & set(table) and not value_columns(table)


def _with_run_names(under: Named, source: Source) -> Named:
    table = under.table.copy()
    if "run" in table:
        names = as_text(table["run"]).fillna("run")
        source.note("model", "models are named by their run")
    else:
        width = max(3, len(str(len(table))))
        names = pd.Series([f"run-{n:0{width}d}" for n in range(1, len(table) + 1)], table.index)
        source.note("model", f"the rows have no model; they are named {names.iloc[0]} and on")
    table.insert(0, "model", names)
    return Named(table, under.factors)


def _models_only(under: Named, source: Source) -> Tables:
    table, _ = converted(under.table, source, under.factors)
    models = _checked(table, MODELS, source)
    check_sizes(models, source)
    numbers = value_columns(under.table)
    if numbers and "loss" not in models:
        source.note(
            "metric",
            f"{', '.join(numbers[:10])} were kept as properties of the models; if they are scores "
            f"of tasks, {options('constants', {'metric': '...'})} reads them",
        )
    return Tables(models.reset_index(drop=True), notes=source.notes)


def _samples(under: Named, constants: Mapping[str, Any], source: Source) -> Tables:
    filled = _with_constants(under.table, constants, source)
    table, _ = converted(filled, source, under.factors)
    samples = _checked(table, SAMPLES, source)
    models = _models(samples, source)
    samples = samples.drop(columns=[name for name in _SCALES if name in samples])
    return Tables(models, samples=samples.reset_index(drop=True), notes=source.notes)


def _results(
    under: Named, constants: Mapping[str, Any], source: Source, percent: Percent
) -> Tables:
    table = long(_with_constants(under.table, constants, source), source)
    _require_result_columns(table, under.table, source)
    table, signed = converted(table, source, under.factors)
    gaps = table["score"].isna().to_numpy()
    if gaps.all():
        raise source.error("no row has a score; fill that column.")
    if gaps.any():
        rows = "1 row" if gaps.sum() == 1 else f"{gaps.sum()} rows"
        source.note("score", f"{rows} without a score left out")
    results = _checked(table[~gaps], RESULTS, source)
    models = _models(results, source)
    results = results.drop(columns=[name for name in _SCALES if name in results])
    results = fractions(results, source, percent, signed[~gaps], headed=under.percent)
    if "source" not in results:
        results["source"] = source.path.name
    return Tables(models, results=results.reset_index(drop=True), notes=source.notes)


def _with_constants(
    table: pd.DataFrame, constants: Mapping[str, Any], source: Source
) -> pd.DataFrame:
    there = [name for name in constants if name in table]
    for name in there:
        source.note(name, f"the file has '{name}'; the constant was not used")
    absent = {name: value for name, value in constants.items() if name not in there}
    return table.assign(**absent)


def _require_result_columns(table: pd.DataFrame, as_read: pd.DataFrame, source: Source) -> None:
    absent = [name for name in RESULTS.required if name not in table]
    if not absent:
        return
    named = ", ".join(map(repr, absent))
    said = f"column {named} is" if len(absent) == 1 else f"columns {named} are"
    raise source.error(
        f"{said} absent; the file has {', '.join(map(str, as_read.columns))}; "
        f"{_remedy(table, absent)}."
    )


def _remedy(table: pd.DataFrame, absent: Sequence[str]) -> str:
    """Return which options of `load` name or add the absent columns."""
    close = meant(absent, [name for name in table.columns if name not in OURS])
    numeric = [name for name in value_columns(table) if name not in close]
    if {"task", "metric", "score"} == set(absent) - set(close.values()) and len(numeric) > 1:
        names = ", ".join(numeric[:3]) + (" and so on" if len(numeric) > 3 else "")
        more = close | useful(table)
        renames = f"; {options('columns', more)} renames what is meant" if more else ""
        return f"{options('constants', {'metric': '...'})} reads {names} as tasks{renames}"
    if "score" in absent and "score" not in close.values() and numeric:
        close[numeric[0]] = "score"
    other = [name for name in absent if name not in close.values()]
    close |= {name: ours for name, ours in useful(table).items() if name not in close}
    remedies = [f"{options('columns', close)} renames"] if close else []
    remedies += [f"{options('constants', dict.fromkeys(other, '...'))} adds"] if other else []
    return f"{' and '.join(remedies)} what is meant"


def _models(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Return one row per model, with what the file says of it."""
    names = [name for name in (*MODELS.keys, *_SCALES) if name in table]
    places = [f"{source.row} {place}" for place in table.index]
    # Long tables say the same of a model in every row; what is said twice is looked at once.
    said = table[names]
    _checked_plain(said, source)
    once = ~said.duplicated().to_numpy()
    kept = [place for place, is_first in zip(places, once, strict=True) if is_first]
    try:
        models = agreed(said[once], kept)
    except TableError as error:
        raise source.error(str(error)) from None
    numbered = said[once].drop_duplicates([name for name in MODELS.keys if name in said])
    check_sizes(numbered, source)
    return _checked(models, MODELS, source)


def _checked_plain(models: pd.DataFrame, source: Source) -> None:
    """Check kinds before rows are compared: lists and mappings have no hash."""
    unique = models.assign(model=[f"{place}" for place in range(len(models))])
    _checked(unique, MODELS, source)


def _checked(table: pd.DataFrame, schema: Schema, source: Source) -> pd.DataFrame:
    try:
        return validate(table, schema, where=str(source.path), row=source.row)
    except TableError as error:
        raise LoadError(str(error)) from None
