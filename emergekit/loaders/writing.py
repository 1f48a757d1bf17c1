"""Write tables into files that `load` reads back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from emergekit.errors import LoadError
from emergekit.loaders.finding import files_of
from emergekit.tables import Tables, join_models
from emergekit.tables.keys import is_nested, plain

__all__ = ["TABLES", "check_target", "of_one_type", "single_table", "write_table", "write_tables"]

TABLES = ("results", "models", "samples")
_SUFFIXES = (".csv", ".parquet")


def write_tables(tables: Tables, to: Path, name: str | None = None) -> list[tuple[Path, str]]:
    """Write tables into one file or into a folder, and return each file with what it holds.

    Parameters
    ----------
    tables : Tables
        What was loaded.
    to : Path
        A file ending in .csv or .parquet takes one table; a folder takes all that have rows, as
        parquet.
    name : {"results", "models", "samples"}, optional
        That table alone.

    Raises
    ------
    LoadError
        If that table has no rows, a file cannot be written, or the folder holds a table from before
        that would be read with these.
    """
    if name is not None and not len(getattr(tables, name)):
        raise LoadError(f"{to}: not written, since there are no {name}.")
    if to.suffix:
        chosen, what = single_table(tables, name)
        return [(write_table(chosen, to), what)]
    names = [name] if name else [name for name in TABLES if len(getattr(tables, name))]
    others = [to / f"{other}.parquet" for other in TABLES if other not in names]
    stale = [file.name for file in others if file.exists()]
    if stale and name is None:
        raise LoadError(
            f"{to}: holds {', '.join(stale)} from before, which would be read with what is written "
            f"now; remove it, or write into another folder."
        )
    return [
        (write_table(getattr(tables, name), to / f"{name}.parquet"), f"the {name}")
        for name in names
    ]


def check_target(to: Path, path: str | Path) -> None:
    """Refuse a file to write that is of no kind we write, or one of those that are read.

    Raises
    ------
    LoadError
        Naming the file.
    """
    if to.suffix and to.suffix not in _SUFFIXES:
        raise LoadError(f"{to}: tables are written as .csv or .parquet, or into a folder.")
    where, files, _ = files_of(path)
    targets = [to] if to.suffix else [to / f"{name}.parquet" for name in TABLES]
    read = {file.resolve() for file in files or [where]}
    for target in targets:
        if target.resolve() in read:
            raise LoadError(f"{target}: is one of the files that are read; write somewhere else.")


def single_table(tables: Tables, name: str | None = None) -> tuple[pd.DataFrame, str]:
    """Return the one table that a single file holds, and what it is in words.

    Parameters
    ----------
    tables : Tables
        What was loaded.
    name : {"results", "models", "samples"}, optional
        That table alone; the fullest if None, results and samples with what is known of their
        models beside them, so that nothing is lost.
    """
    if name is not None:
        table: pd.DataFrame = getattr(tables, name)
        return table, f"the {name}"
    name = max(TABLES, key=lambda name: len(getattr(tables, name)))
    table = getattr(tables, name)
    if name != "models" and len(tables.models):
        table = join_models(table, tables.models, missing="keep")
    others = [
        f"{len(getattr(tables, other)):,} {other}"
        for other in ("results", "samples")
        if other != name and len(getattr(tables, other))
    ]
    if name != "models" and len(tables.models):
        alone = ~tables.models["model"].isin(set(table["model"]))
        others += [f"{int(alone.sum()):,} models without {name}"] if alone.any() else []
    left = f"; left out: {', '.join(others)} (a folder takes all)" if others else ""
    beside = (
        " with what is known of their models" if name != "models" and len(tables.models) else ""
    )
    return table, f"the {name}{beside}{left}"


def write_table(table: pd.DataFrame, file: Path) -> Path:
    """Write a table as CSV or parquet, by the file's suffix, and return the file.

    Lists stand in CSV as JSON. A column of parquet has one type: where some values are lists, all
    are (a single `gold` becomes a list of one).

    Raises
    ------
    LoadError
        If the file cannot be written, or parquet has no type for a column.
    """
    if file.suffix not in _SUFFIXES:
        raise LoadError(f"{file}: a table is written as .csv or .parquet.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".csv":
            table.apply(_with_json).to_csv(file, index=False)
        else:
            table.apply(of_one_type).to_parquet(file, index=False)
    except OSError as error:
        raise LoadError(f"{file}: cannot be written ({error.strerror}).") from None
    except (pa.ArrowException, UnicodeEncodeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise LoadError(
            f"{file}: cannot be written as {file.suffix[1:]} ({reason}); write .csv, or mend that "
            f"column."
        ) from None
    return file


def _with_json(values: pd.Series) -> pd.Series:
    return values.map(_json) if values.dtype == object else values


def _json(value: Any) -> Any:
    return json.dumps(plain(value), ensure_ascii=False) if is_nested(value) else value


def of_one_type(values: pd.Series) -> pd.Series:
    """Return the column with one kind of value: lists if any is one, else text if any is text."""
    if values.dtype != object:
        return values
    given = values.dropna()
    nested = given.map(is_nested).astype(bool)
    if nested.any() and not given.map(_is_mapping).any():
        return values.map(_as_list)
    texts = given.map(_is_text).astype(bool)
    if texts.any() and not texts.all() and not nested.any():
        return values.where(values.isna(), values.map(str))
    return values


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _as_list(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if is_nested(value):
        return list(value)
    return None if pd.isna(value) else [value]
