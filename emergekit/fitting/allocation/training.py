"""Compute-optimal sizes from training curves: which run is lowest at each budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, TableError, shown
from emergekit.fitting.allocation.budgets import numbers_above
from emergekit.fitting.allocation.surface import FLOPS_PER_TOKEN_PARAM
from emergekit.fitting.rows import positive_numbers, require_columns

__all__ = ["envelope"]

Array = NDArray[np.float64]

_N_BUDGETS = 1500


def envelope(
    table: pd.DataFrame,
    flops: ArrayLike | None = None,
    *,
    run: str = "run",
    response: str = "loss",
    window: float = 0.0,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
) -> pd.DataFrame:
    """Return the lowest of all training curves at each budget (Hoffmann's approach 1).

    Between checkpoints, ln loss is a line in ln compute. The losses must be those of a model that
    could stop there: with a learning rate that decays until a later end, they are too high, and
    the optimum leans towards runs near their end (Hoffmann et al. train every size with several
    ends for this reason).

    Parameters
    ----------
    table : DataFrame
        One row a checkpoint: the run, n_params, n_tokens seen so far, and the response. A column
        flops is taken as it is; otherwise compute is k n_params n_tokens.
    flops : float or array, optional
        Budgets, FLOPs; by default 1,500 of them, evenly in ln C over all checkpoints.
    run : str
        Column of the training run. Seeds of one size are runs of their own.
    response : str
        Column of the loss.
    window : float
        Share of compute: each loss becomes the (geometric) mean of those at computes less than so
        much apart, such as 0.05. Of noisy curves the lowest is one that noise made low, by the more
        the more runs there are, so smooth training losses first.
    flops_per_token_param : float
        k in C = k N D.

    Returns
    -------
    DataFrame
        One row a budget: flops, run, n_runs (that have reached it and logged before), n_params,
        n_tokens and tokens_per_param of the lowest run there, loss, inside (whether its size lies
        between the smallest and the largest of these runs), reason (why not; absent otherwise).

        `fit_optima` turns it into a power law. Draw whole runs for its intervals,
        ``bootstrap(law, kind="cluster", cluster=optima.loc[law.data.index, "run"])``: one run
        wins many budgets, so rows are not independent. In a simulation with 24 sizes whose seeds
        differ by 0.3 %, a spread by .0137; its standard error was .0055 by rows, .0156 by runs.

    Raises
    ------
    TableError
        If a column is absent, a cell is no positive number, a run has two sizes, or two checkpoints
        at one compute; the row is named.
    FitError
        If an argument cannot be meant.

    References
    ----------
    Hoffmann et al. 2022, section 3.1.

    Examples
    --------
    >>> size, tokens = np.repeat([1e8, 1e9, 1e10], 50), np.tile(np.geomspace(1e8, 1e12, 50), 3)
    >>> loss = 1.8 + 480 / size**0.35 + 2100 / tokens**0.37
    >>> runs = pd.DataFrame({"run": size, "n_params": size, "n_tokens": tokens, "loss": loss})
    >>> envelope(runs, [1e19, 1e20])[["flops", "n_params", "loss", "inside"]].round(3)
              flops      n_params   loss  inside
    0  1.000000e+19  1.000000e+08  2.908   False
    1  1.000000e+20  1.000000e+09  2.487    True
    """
    if isinstance(window, bool | str) or not 0 <= window < 1:
        raise FitError(f"window must be a share of compute from 0 to 1; it is {shown(window)}.")
    data = _checkpoints(table, run, response, flops_per_token_param)
    budgets = _budgets(flops, data["flops"])
    names, sizes, losses = [], [], []
    for name, rows in data.groupby("run", sort=False):
        x, y = np.log(rows["flops"].to_numpy()), np.log(rows["loss"].to_numpy())
        smooth = _smoothed(x, y, float(np.log1p(window)))
        losses.append(np.interp(np.log(budgets), x, smooth, left=np.nan, right=np.nan))
        names.append(name)
        sizes.append(float(rows["n_params"].iloc[0]))
    return _lowest(budgets, np.array(names, dtype=object), np.array(sizes), np.array(losses)).pipe(
        _with_tokens, flops_per_token_param
    )


def _checkpoints(table: pd.DataFrame, run: str, response: str, k: float) -> pd.DataFrame:
    """Return run, n_params, flops and loss of every checkpoint, each run in order."""
    where = "envelope"
    counted = isinstance(table, pd.DataFrame) and "flops" in table
    scale = "flops" if counted else "n_tokens"
    require_columns(table, (run, "n_params", scale, response), where=where)
    numbers = positive_numbers(table, ("n_params", scale, response), where=where)
    data = pd.DataFrame(
        {
            "run": table[run],
            "n_params": numbers["n_params"],
            "flops": numbers[scale] if counted else k * numbers["n_params"] * numbers[scale],
            "loss": numbers[response],
        }
    )
    if not len(data) or data["run"].isna().any():
        row = f"row {data.index[data['run'].isna()][0]}" if len(data) else "the table"
        raise TableError(f"{where}: {row} names no run in '{run}'.")
    several = data.groupby("run")["n_params"].transform("nunique") > 1
    twice = data.duplicated(["run", "flops"])
    for bad, what in ((several, "has several n_params"), (twice, "has two checkpoints at once")):
        if bad.any():
            row = data.index[bad][0]
            raise TableError(
                f"{where}: run {shown(data['run'][bad].iloc[0])} {what} (row {row}); give every "
                f"training run a name of its own in '{run}'."
            )
    return data.sort_values(["flops"], kind="stable")


def _budgets(flops: ArrayLike | None, seen: pd.Series) -> Array:
    if flops is None:
        return np.geomspace(float(seen.min()), float(seen.max()), _N_BUDGETS)
    return numbers_above(flops, "flops")


def _smoothed(x: Array, y: Array, reach: float) -> Array:
    """Return the mean of y over all x within reach of each."""
    if reach == 0:
        return y
    first, last = np.searchsorted(x, x - reach, "left"), np.searchsorted(x, x + reach, "right")
    # As far to one side as to the other, or the ends of a falling curve would be bent.
    place = np.arange(len(x))
    half = np.minimum(place - first, last - 1 - place)
    total = np.concatenate([[0.0], np.cumsum(y)])
    mean: Array = (total[place + half + 1] - total[place - half]) / (2 * half + 1)
    return mean


def _lowest(
    budgets: Array, names: NDArray[np.object_], sizes: Array, losses: Array
) -> pd.DataFrame:
    """Return which run is lowest at each budget, from ln losses of shape (n_runs, n_budgets)."""
    there = np.isfinite(losses)
    reached = there.any(axis=0)
    best = np.where(there, losses, np.inf).argmin(axis=0)
    smallest = np.where(there, sizes[:, None], np.inf).min(axis=0)
    largest = np.where(there, sizes[:, None], -np.inf).max(axis=0)
    size = np.where(reached, sizes[best], np.nan)
    small, large = size <= smallest, size >= largest
    reason = np.select(
        [~reached, small & large, small, large],
        [
            "no run has a checkpoint before and after",
            "all runs here have one size",
            "the smallest size here is the best",
            "the largest size here is the best",
        ],
        "",
    )
    return pd.DataFrame(
        {
            "flops": budgets,
            "run": np.where(reached, names[best], None),
            "n_runs": there.sum(axis=0),
            "n_params": size,
            "loss": np.where(reached, np.exp(losses[best, np.arange(len(budgets))]), np.nan),
            "inside": reason == "",
            "reason": pd.Series(reason, dtype=object).replace("", np.nan),
        }
    )


def _with_tokens(optima: pd.DataFrame, k: float) -> pd.DataFrame:
    tokens = optima["flops"] / (k * optima["n_params"])
    counts = optima.assign(n_tokens=tokens, tokens_per_param=tokens / optima["n_params"])
    first = ["flops", "run", "n_runs", "n_params", "n_tokens", "tokens_per_param"]
    return counts[[*first, "loss", "inside", "reason"]]
