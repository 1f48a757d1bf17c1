"""Rows a forecast is made of: the last checkpoints of each run, and smooth trajectories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emergekit.errors import TableError
from emergekit.fitting.rows import require_columns

__all__ = ["final_scores", "smoothed_checkpoints"]

_KEYS = ("task", "run")
_SCALE = ("step", "n_params", "n_tokens", "flops")


def final_scores(
    table: pd.DataFrame, columns: Sequence[str] = ("score",), *, n_last: int = 5
) -> pd.DataFrame:
    """Return one row a task and run: its last checkpoints, averaged.

    Parameters
    ----------
    table : DataFrame
        One row a task and checkpoint, with `task`, `run` and `n_tokens`. A run that is there once
        is its own last checkpoint.
    columns : sequence of str
        What is averaged, such as the score and a task's bits per byte.
    n_last : int
        Checkpoints.

    Returns
    -------
    DataFrame
        The columns of the table, all but `columns` as at the last checkpoint.

    Raises
    ------
    TableError
        If a column is absent, or a task, run or number of tokens is not known.

    References
    ----------
    Bhagia et al. 2024, section 3: means of the last five checkpoints.
    """
    ordered = _ordered(table, columns, "final_scores")
    if n_last < 1:
        raise TableError(f"final_scores: n_last must be 1 or more; it is {n_last}.")
    groups = ordered.groupby(list(_KEYS), sort=False)
    means = groups[list(columns)].apply(lambda part: part.tail(n_last).mean())
    last = groups.tail(1).set_index(list(_KEYS))
    last[list(columns)] = means.loc[last.index]
    return last.reset_index()[list(table.columns)]


def smoothed_checkpoints(
    table: pd.DataFrame,
    columns: Sequence[str] = ("score",),
    *,
    skip: float = 0.1,
    window: int = 5,
) -> pd.DataFrame:
    """Return the checkpoints of each run after its beginning, as trailing means.

    Parameters
    ----------
    table : DataFrame
        As for `final_scores`.
    columns : sequence of str
        What is averaged.
    skip : float
        Share of the checkpoints of a run that is left out at its start, rounded up; the last one
        stays.
    window : int
        Checkpoints in a mean; at the start of what is left, as many as there are.

    Returns
    -------
    DataFrame
        The columns of the table; the rows that are left, ordered by tokens.

    References
    ----------
    Bhagia et al. 2024, section 3. That the beginning goes first and then means are taken of what
    there is was found by trying: it alone gives their published predictions (see the tests).
    """
    ordered = _ordered(table, columns, "smoothed_checkpoints")
    if not (0 <= skip < 1 and window >= 1):
        raise TableError("smoothed_checkpoints: skip must be a share below 1, window 1 or more.")
    parts = []
    for _, part in ordered.groupby(list(_KEYS), sort=False):
        left = part.iloc[min(int(np.ceil(skip * len(part))), len(part) - 1) :]
        means = left[list(columns)].rolling(window, min_periods=1).mean()
        parts.append(left.assign(**{name: means[name] for name in columns}))
    return pd.concat(parts) if parts else ordered


def _ordered(table: pd.DataFrame, columns: Sequence[str], where: str) -> pd.DataFrame:
    needed = (*_KEYS, "n_tokens")
    require_columns(table, (*needed, *columns), where=where)
    for name in needed:
        bad = table[name].isna()
        if bad.any():
            raise TableError(
                f"{where}: '{name}' is not known at row {table.index[bad][0]} "
                f"({int(bad.sum())} of {len(table)} rows); name it, or drop these rows."
            )
    return table.sort_values([*_KEYS, "n_tokens"], kind="stable")
