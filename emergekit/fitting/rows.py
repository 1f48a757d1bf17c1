"""The rows that a fit reads: every number usable, every row with its weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, TableError, nearest, no_frame, shown
from emergekit.fitting.objectives import Objective
from emergekit.laws import Law

__all__ = [
    "Weights",
    "demands",
    "floats",
    "inverse_variances",
    "numbers",
    "positive_numbers",
    "require_columns",
    "rows_of",
    "weights_of",
]

Array = NDArray[np.float64]
Weights: TypeAlias = "str | pd.Series[Any] | ArrayLike | None"


def rows_of(
    law: Law,
    table: pd.DataFrame,
    response: str,
    goal: Objective,
    weights: Weights,
    stderr: str | None = None,
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the variables and the response of the rows that count, and their weights.

    Rows of weight 0 are left out before anything in them is looked at.

    Raises
    ------
    TableError
        Naming every absent column, or the first cell that cannot be used.
    FitError
        If the weights do not belong to these rows, or none of them is above 0.
    """
    where = f"fit of {law.name}"
    names = (*law.variables, response)
    require_columns(table, names, where=where)
    if stderr is not None:
        weights = inverse_variances(table, response, stderr, goal, weights, where)
    weight = weights_of(weights, table, where)
    counts = weight.to_numpy() > 0
    used = table[counts]
    if len(table) and not len(used):
        raise FitError(f"{where}: every weight is 0; at least one row must count.")
    data = numbers(used, names, where=where)
    for name, good, must in demands(data, response, goal):
        _require(good, used[name], must, where)
    return data, weight[counts]


def demands(
    data: pd.DataFrame, response: str, goal: Objective
) -> Iterator[tuple[str, pd.Series[bool], str]]:
    """Yield each column with where it is usable, and what its cells must be."""
    for name, column in data.items():
        good, must = column.abs() < np.inf, "a finite number"
        if name == response and goal.log:
            good &= column > 0
            must = "a positive number (the objective takes its logarithm)"
        elif name == response and goal.residual == "log1p":
            good &= column > -1
            must = "a number above -1 (the objective takes the logarithm of 1 + it)"
        elif name == response and goal.binomial:
            good &= column.between(0, 1)
            must = "a share of right answers, from 0 to 1 (the objective is binomial)"
        yield str(name), good, must


def require_columns(table: pd.DataFrame, names: tuple[str, ...], *, where: str) -> None:
    """Raise a `TableError` unless `table` is a DataFrame that has each of `names` once.

    Every absent column is listed, with what looks like it.
    """
    if not isinstance(table, pd.DataFrame):
        raise TableError(f"{where}: {no_frame(table)}")
    absent = [name for name in names if name not in table]
    if absent:
        matches = {name: nearest(name, table.columns) for name in absent}
        hints = [f" '{match}' looks like '{name}'." for name, match in matches.items() if match]
        raise TableError(
            f"{where}: needs column {', '.join(map(repr, absent))}; the table has "
            f"{', '.join(map(str, table.columns)) or 'no columns'}.{''.join(hints)}"
        )
    for name in names:
        if (table.columns == name).sum() > 1:
            raise TableError(
                f"{where}: column '{name}' is there twice; rename or drop one of them."
            )


def numbers(table: pd.DataFrame, names: tuple[str, ...], *, where: str) -> pd.DataFrame:
    """Return columns as floats, NaN where a cell is empty.

    Raises
    ------
    TableError
        Naming the first cell that holds something else than a number.
    """
    columns = {}
    for name in names:
        columns[name] = floats(table[name])
        good = columns[name].notna() | table[name].isna()
        _require(good, table[name], "a finite number", where)
    return pd.DataFrame(columns, index=table.index)


def positive_numbers(table: pd.DataFrame, names: tuple[str, ...], *, where: str) -> pd.DataFrame:
    """Return columns as floats, every one of them positive and finite.

    Raises
    ------
    TableError
        Naming every absent column, or the first cell that is no such number.
    """
    require_columns(table, names, where=where)
    columns = {name: floats(table[name]) for name in names}
    for name, values in columns.items():
        _require(np.isfinite(values) & (values > 0), table[name], "a positive number", where)
    return pd.DataFrame(columns, index=table.index)


def floats(column: pd.Series) -> pd.Series:
    """Return a column as floats, NaN for whatever is not a number."""
    if column.dtype == object:
        # True counts as 1 for Python, and pandas would follow.
        column = column.mask(column.map(type).isin([bool, np.bool_]))
    elif column.dtype.kind not in "iufOUST":  # bool, complex, and dates, which pandas would count
        return pd.Series(np.nan, index=column.index, name=column.name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(values, index=column.index, name=column.name)


def weights_of(
    weights: Weights, table: pd.DataFrame, where: str, *, strict: bool = True
) -> pd.Series:
    """Return one weight a row, from a column, a Series or an array.

    What cannot be a weight is an error, or NaN where nobody is `strict`.
    """
    if weights is None:
        return pd.Series(1.0, index=table.index, name="weights")
    if isinstance(weights, str):
        require_columns(table, (weights,), where=where)
        column = table[weights]
    elif isinstance(weights, pd.Series):
        column = _aligned(weights, table)
    else:
        column = _in_order(weights, table)
    column = column.astype(float) if column.dtype == bool else column  # a mask is a weight
    values = floats(column)
    good = np.isfinite(values) & (values >= 0)
    if strict:
        _require(good, column.rename("weights"), "0 or more", where)
    usable = values.where(good).to_numpy()
    return pd.Series(usable, index=table.index, name="weights")


def inverse_variances(
    table: pd.DataFrame,
    response: str,
    stderr: str,
    goal: Objective,
    weights: Weights,
    where: str,
    *,
    strict: bool = True,
) -> pd.Series:
    """Return weights from the standard errors of the responses, on the objective's scale.

    What cannot be a standard error is an error, or NaN where nobody is `strict`.

    Raises
    ------
    FitError
        If weights are given as well, or the objective has variances of its own.
    TableError
        If the column is absent, or a standard error is no positive number.
    """
    if weights is not None:
        raise FitError(f"{where}: give weights or stderr, not both; weights are inverse variances.")
    if goal.binomial:
        raise FitError(
            f"{where}: a binomial objective has its standard errors from the numbers of items; "
            f"give these with weights=."
        )
    require_columns(table, (response, stderr), where=where)
    errors = floats(table[stderr])
    good = (errors > 0) & (errors < np.inf)
    if strict:
        _require(good, table[stderr], "a positive standard error", where)
    # Of a logarithm, the error is relative; a response without one is refused by its own check.
    size = floats(table[response]).where(lambda y: y > 0, 1.0) if goal.log else 1.0
    return ((size / errors.where(good)) ** 2).rename("weights")


def _aligned(weights: pd.Series, table: pd.DataFrame) -> pd.Series:
    if weights.index.equals(table.index):
        return weights
    unique = weights.index.is_unique and table.index.is_unique
    if not unique or len(weights) != len(table) or not table.index.isin(weights.index).all():
        raise FitError(
            f"weights is a Series of {len(weights)} entries whose index is not that of the table, "
            f"which has {len(table)} rows; select with weights.loc[table.index], or give an array "
            f"to go by position."
        )
    return weights.reindex(table.index)


def _in_order(weights: ArrayLike, table: pd.DataFrame) -> pd.Series:
    array = weights if isinstance(weights, np.ndarray) else np.array(weights, dtype=object)
    if isinstance(weights, pd.DataFrame) or array.ndim != 1:
        raise FitError(
            f"weights must be one number a row, in one dimension; it has shape {array.shape}."
        )
    if len(array) != len(table):
        raise FitError(f"weights has {len(array)} entries, but the table has {len(table)} rows.")
    return pd.Series(array)


def _require(good: pd.Series, values: pd.Series, must: str, where: str) -> None:
    if not good.all():
        row, value = next(iter(values[~good.to_numpy()].items()))
        raise TableError(
            f"{where}: '{values.name}' must be {must}, but row {row} holds {shown(value)} "
            f"({int((~good).sum())} of {len(good)} rows are bad). Drop or mend these rows first."
        )
