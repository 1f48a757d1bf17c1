"""The rows of a table in groups, and why some of the groups cannot be fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, TableError, shown
from emergekit.fitting.objectives import Objective
from emergekit.fitting.rows import Weights, demands, floats, require_columns, weights_of
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
        Of these rows.
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
    weight = weights_of(weights, table, where)
    counts = weight.to_numpy() > 0
    used = table[counts]
    try:
        codes = used.groupby(by, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    except TypeError:
        raise TableError(
            f"{where}: {', '.join(map(repr, by))} hold values that cannot be compared, such as "
            f"lists; turn them into text first."
        ) from None
    order = np.argsort(codes, kind="stable")
    used, codes = used.iloc[order], codes[order]
    data = pd.DataFrame({name: floats(used[source]) for name, source in sources.items()})
    firsts = np.flatnonzero(np.diff(codes, prepend=-1))
    sizes = np.diff(firsts, append=len(codes))
    reasons = _too_little(data[response].to_numpy(), firsts, sizes, n_free)
    for name, good, must in demands(data, response, goal):
        bad = np.flatnonzero(~good.to_numpy())
        groups, places = np.unique(codes[bad], return_index=True)
        for group, row in zip(groups, bad[places], strict=True):
            value = shown(used[sources[name]].iloc[row])
            reasons[group] = (
                f"'{sources[name]}' must be {must}, but row {used.index[row]} holds {value}"
            )
    keys = used[by].iloc[firsts].reset_index(drop=True)
    return Groups(keys, data, weight[counts].to_numpy()[order], firsts, sizes, reasons)


def _too_little(
    observed: Array, firsts: NDArray[np.intp], sizes: NDArray[np.intp], n_free: int
) -> NDArray[np.object_]:
    """Return why groups have too few rows, or rows too much alike, else None."""
    reasons = np.full(len(firsts), None, dtype=object)
    few = sizes < n_free
    for group in np.flatnonzero(few):
        reasons[group] = f"{sizes[group]} rows for {n_free} free parameters"
    if n_free > 1 and len(firsts):
        lowest, highest = (
            np.minimum.reduceat(observed, firsts),
            np.maximum.reduceat(observed, firsts),
        )
        for group in np.flatnonzero(~few & (lowest == highest)):
            reasons[group] = f"the response is {lowest[group]:g} in every row"
    return reasons
