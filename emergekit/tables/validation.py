"""Hold a table against its schema, and say exactly what breaks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import TableError, nearest, no_frame, shown
from emergekit.tables.keys import is_nested
from emergekit.tables.schemas import Column, Kind, Schema

__all__ = ["validate"]


def validate(
    table: pd.DataFrame, schema: Schema, *, where: str | None = None, row: str = "row"
) -> pd.DataFrame:
    """Return `table` as it is, or say what in it breaks `schema`.

    Parameters
    ----------
    table : DataFrame
        Any columns; only those that the schema names are looked at.
    schema : Schema
        `MODELS`, `SAMPLES` or `RESULTS`.
    where : str, optional
        What to call the table in messages, such as its file; the schema's name if None.
    row : str
        What to call a row in messages: "line" where the index counts the lines of a file.

    Returns
    -------
    DataFrame
        The same object.

    Raises
    ------
    TableError
        Naming every absent column at once, or else the first bad row with its column, its value,
        the number of bad rows and a remedy. Rows are named by the index of the table.

    Examples
    --------
    >>> from emergekit.tables import RESULTS
    >>> table = pd.DataFrame({"model": ["a"], "task": ["t"], "metric": ["exact_match"]})
    >>> validate(table, RESULTS)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    emergekit.errors.TableError: results: column 'score' is absent; the table has model, task,...
    """
    where = where or schema.name
    if not isinstance(table, pd.DataFrame):
        raise TableError(f"{where}: {no_frame(table)}")
    _check_names(table, schema, where)
    if table.empty:
        raise TableError(f"{where}: the table has no rows; check the file or the filter before it.")
    for column in schema.columns:
        if column.name in table:
            if column.key or column.kind == "text" or schema.name != "samples":
                _check_plain(table[column.name], where, row)
            _check_values(table, column, where, row)
    _check_keys(table, schema, where, row)
    return table


def _check_names(table: pd.DataFrame, schema: Schema, where: str) -> None:
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise TableError(
            f"{where}: column '{twice[0]}' is there twice; rename or drop one of them."
        )
    absent = [name for name in schema.required if name not in table]
    if not absent:
        return
    free = [name for name in table.columns if name not in schema.names]
    matches = {name: nearest(name, free) for name in absent}
    renames = {match: name for name, match in matches.items() if match}
    word = "column" if len(absent) == 1 else "columns"
    verb = "is" if len(absent) == 1 else "are"
    names = ", ".join(f"'{name}'" for name in absent)
    remedy = f"; rename with columns={renames}" if renames else ""
    has = ", ".join(map(str, table.columns)) or "no columns"
    raise TableError(f"{where}: {word} {names} {verb} absent; the table has {has}{remedy}.")


_MUST = {
    "text": "a name",
    "number": "a number",
    "positive": "a number above 0",
    "nonnegative": "a number from 0 on",
    "count": "a whole number from 0 on",
    "flag": "True or False",
    "any": "given",
}


def _check_values(table: pd.DataFrame, column: Column, where: str, word: str) -> None:
    values = table[column.name]
    gaps = values.isna() if column.kind != "text" else values.isna() | (values.astype(str) == "")
    bad = _broken(values, column.kind) & ~gaps
    if column.required:
        bad |= gaps
    if bad.any():
        row, value = next(iter(values[bad].items()))
        gone = (
            f"drop them with table[table['{column.name}'].notna()]"
            if not is_nested(value) and pd.isna(value)
            else "drop them"
        )
        raise TableError(
            f"{where}: '{column.name}' must be {_MUST[column.kind]}, but {word} {row} holds "
            f"{shown(value)} ({int(bad.sum())} of {len(table)} rows are bad). "
            f"Mend the file, or {gone}."
        )


def _check_plain(values: pd.Series, where: str, word: str) -> None:
    """Refuse lists and mappings where names stand: they tell no rows apart."""
    if values.dtype != object:
        return
    nested = values.map(is_nested)
    if nested.any():
        row, value = next(iter(values[nested].items()))
        raise TableError(
            f"{where}: '{values.name}' must be one name or number, but {word} {row} holds "
            f"{str(value)[:60]} ({int(nested.sum())} of {len(values)} rows are bad). "
            f"Take one value out of each, or rename the column."
        )


def _broken(values: pd.Series, kind: Kind) -> pd.Series:
    """Return which values are not of their kind; gaps may come out either way."""
    if kind in ("any", "text"):
        return pd.Series(False, index=values.index)
    if kind == "flag":
        return ~values.isin([True, False])
    numbers = _as_numbers(values)
    good = np.isfinite(numbers)
    if kind == "positive":
        good &= numbers > 0
    if kind == "nonnegative":
        good &= numbers >= 0
    if kind == "count":
        good &= (numbers >= 0) & (numbers == np.floor(numbers))
    return pd.Series(~good, index=values.index)


def _as_numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return the values as numbers, NaN where one is none: truth values are none."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if values.dtype == object:
        values = values.mask(values.map(_is_no_number).astype(bool))
    elif pd.api.types.is_bool_dtype(values):
        return np.full(len(values), np.nan)
    numbers: NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    return numbers


def _is_no_number(value: object) -> bool:
    return isinstance(value, bool | np.bool_) or is_nested(value)


def _check_keys(table: pd.DataFrame, schema: Schema, where: str, word: str) -> None:
    keys = [name for name in schema.keys if name in table]
    again = table.duplicated(keys, keep=False)
    if not again.any():
        return
    first = table.loc[again.to_numpy(), keys].iloc[0]
    alike = table[(table[keys].eq(first) | (table[keys].isna() & first.isna())).all(axis=1)]
    key = ", ".join(f"{name}={value}" for name, value in first.dropna().items())
    twins = alike.iloc[:2]
    differ = [name for name in twins if name not in keys and len(set(twins[name].astype(str))) > 1]
    values = " and ".join(map(str, twins[differ[0]])) if differ else ""
    said = f", with {differ[0]} {values}" if differ else ""
    rows = " and ".join(map(str, twins.index))
    raise TableError(
        f"{where}: {word}s {rows} have the same key ({key}){said} "
        f"({int(again.sum())} of {len(table)} rows share a key). "
        f"Keep one of them, or add a key column such as {_free_keys(schema, keys)}."
    )


def _free_keys(schema: Schema, keys: Sequence[str]) -> str:
    free = [name for name in schema.keys if name not in keys]
    return " or ".join(f"'{name}'" for name in free[:3]) or "another name of the model"
