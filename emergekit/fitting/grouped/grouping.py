"""The rows of a table in groups, and why some of the groups cannot be fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, TableError, shown
from emergekit.fitting.objectives import Objective
from emergekit.fitting.rows import (
    Weights,
    demands,
    floats,
    inverse_variances,
    require_columns,
    weights_of,
)
from emergekit.laws import Law

__all__ = ["Groups", "grouped"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Rows sorted by group.

    Parameters
    ----------
    keys : DataFrame
        One row a group, in the order of the table.
    data : DataFrame
        The variables, then the response; rows of one group stand together.
    weights : array, shape (n,)
        Of these rows; NaN only in groups with a reason.
    firsts, sizes : array of int, shape (n_groups,)
        Where each group begins, and how many rows it has.
    reasons : array of object, shape (n_groups,)
        Why a group cannot be fitted, or None.
    """

    keys: pd.DataFrame
    data: pd.DataFrame
    weights: Array
    firsts: NDArray[np.intp]
    sizes: NDArray[np.intp]
    reasons: NDArray[np.object_]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which groups have a reason not to be fitted."""
        return np.array([reason is not None for reason in self.reasons], dtype=bool)

    def blocks(self, n_rows: int) -> list[NDArray[np.intp]]:
        """Return the groups that can be fitted, those of one size together, up to that many rows.

        Groups of one size are rectangles of numbers, which one batch can hold.
        """
        usable = np.flatnonzero(~self.failed)
        blocks: list[NDArray[np.intp]] = []
        for size in np.unique(self.sizes[usable]):
            alike = usable[self.sizes[usable] == size]
            step = max(1, n_rows // int(size))
            blocks.extend(np.split(alike, range(step, len(alike), step)))
        return blocks

    def arrays(self, block: NDArray[np.intp]) -> tuple[dict[str, Array], Array, Array]:
        """Return variables, responses and weights of groups of one size, each (B, n)."""
        rows = self.firsts[block][:, None] + np.arange(self.sizes[block[0]])
        *variables, response = self.data.columns
        columns = {str(name): self.data[name].to_numpy()[rows] for name in variables}
        return columns, self.data[response].to_numpy()[rows], self.weights[rows]


def grouped(
    law: Law,
    table: pd.DataFrame,
    by: str | Sequence[str],
    response: str,
    goal: Objective,
    weights: Weights,
    columns: Mapping[str, str],
    n_free: int,
    limits: Mapping[str, tuple[float, float]],
    stderr: str | None = None,
) -> Groups:
    """Return the rows that count in groups, with the reasons of those that cannot be fitted.

    Parameters
    ----------
    law, table, response, goal, weights
        As in `fit`.
    by : str or sequence of str
        Columns whose values make a group.
    columns : mapping
        Variables of the law that stand in columns of another name.
    n_free : int
        Free parameters.
    limits : mapping
        Between which values the parameters that columns hold must lie.
    stderr : str, optional
        Column with standard errors, from which weights follow.

    Raises
    ------
    TableError
        If columns are absent.
    FitError
        If no column makes the groups, or the weights do not belong to these rows.
    """
    where = f"fit of {law.name} by group"
    by = [by] if isinstance(by, str) else list(by)
    if not by:
        raise FitError(f"{where}: by must name at least one column; for one fit there is ek.fit.")
    if response in law.variables:
        raise FitError(
            f"{where}: '{response}' is a variable, or held by a column; name another response."
        )
    sources = {name: columns.get(name, name) for name in law.variables} | {response: response}
    require_columns(table, tuple(dict.fromkeys([*by, *sources.values()])), where=where)
    weight = (
        weights_of(weights, table, where, strict=False)
        if stderr is None
        else inverse_variances(table, response, stderr, goal, weights, where, strict=False)
    )
    counts = weight.to_numpy() != 0
    try:
        codes = table.groupby(by, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    except TypeError:
        raise TableError(
            f"{where}: {', '.join(map(repr, by))} hold values that cannot be compared, such as "
            f"lists; turn them into text first."
        ) from None
    _, places = np.unique(codes, return_index=True)
    keys = table[by].iloc[places].reset_index(drop=True)
    order = np.flatnonzero(counts)[np.argsort(codes[counts], kind="stable")]
    used, codes, weight = table.iloc[order], codes[order], weight.iloc[order]
    data = pd.DataFrame({name: floats(used[source]) for name, source in sources.items()})
    sizes = np.bincount(codes, minlength=len(keys))
    firsts = np.cumsum(sizes) - sizes
    reasons = _too_little(data[response].to_numpy(), firsts, sizes, n_free)
    told = "weights" if stderr is None else stderr
    must = "0 or more" if stderr is None else "a positive standard error"
    checks = [(told, weight.notna(), must)]
    checks += [(sources[name], good, must) for name, good, must in demands(data, response, goal)]
    for name, (low, high) in limits.items():
        must = f"within the bounds of {name}, {low:g} to {high:g}"
        checks.append((columns[name], data[name].between(low, high), must))
    for source, good, must in checks:
        bad = np.flatnonzero(~good.to_numpy())
        groups, places = np.unique(codes[bad], return_index=True)
        for group, row in zip(groups, bad[places], strict=True):
            holds = f" holds {shown(used[source].iloc[row])}" if source in used else " does not"
            reasons[group] = f"'{source}' must be {must}, but row {used.index[row]}{holds}"
    return Groups(keys, data, weight.to_numpy(), firsts, sizes, reasons)


def _too_little(
    observed: Array, firsts: NDArray[np.intp], sizes: NDArray[np.intp], n_free: int
) -> NDArray[np.object_]:
    """Return why groups have too few rows, or rows too much alike, else None."""
    reasons = np.full(len(firsts), None, dtype=object)
    for group in np.flatnonzero(sizes < n_free):
        reasons[group] = f"{sizes[group]} rows for {n_free} free parameters"
    reasons[sizes == 0] = "every weight is 0"
    there = np.flatnonzero(sizes)
    if n_free > 1 and len(there):
        lowest = np.minimum.reduceat(observed, firsts[there])
        highest = np.maximum.reduceat(observed, firsts[there])
        alike = (lowest == highest) & (sizes[there] >= n_free)
        for group, level in zip(there[alike], lowest[alike], strict=True):
            reasons[group] = f"the response is {level:g} in every row"
    return reasons
