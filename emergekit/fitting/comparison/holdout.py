"""Ways to hold rows out: each gives a function from a table to pairs of rows, train and test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, TableError, shown
from emergekit.fitting.rows import numbers, require_columns

__all__ = ["Holdout", "blocked_folds", "flagged", "leave_largest_out", "rolling_origin"]

Pairs: TypeAlias = list[tuple[pd.DataFrame, pd.DataFrame]]
Holdout: TypeAlias = Callable[[pd.DataFrame], Pairs]


def leave_largest_out(share: float = 0.2, by: str = "flops", run: str | None = None) -> Holdout:
    """Return a split that trains on small scale and tests on the largest.

    Parameters
    ----------
    share : float
        Share of the rows to test on, between 0 and 1, as nearly as the rows allow: rows of one
        scale stay together.
    by : str
        Column of scale, such as compute or tokens.
    run : str, optional
        Column that names the run of each row. Rows of one run are not independent, so they stay
        together too, at the largest scale of any of them.

    Returns
    -------
    callable
        ``split(table)`` gives one pair (train, test).

    Examples
    --------
    >>> table = pd.DataFrame({"flops": [1e18, 1e19, 1e20, 1e21, 1e22]})
    >>> [(train, test)] = leave_largest_out(0.4)(table)
    >>> test["flops"].tolist()
    [1e+21, 1e+22]
    """
    _require_share("share", share)
    return partial(_split, shares=(1 - share, 1.0), by=by, run=run, grows=True)


def rolling_origin(
    n_folds: int = 4, first: float = 0.5, by: str = "flops", run: str | None = None
) -> Holdout:
    """Return a split that trains up to ever larger scale and tests on what comes next.

    Parameters
    ----------
    n_folds : int
        Pairs; each tests on one part of the rows above `first`, and trains on all below that part.
    first : float
        Share of the rows that the first fold trains on.
    by, run : str
        As for `leave_largest_out`.

    Returns
    -------
    callable
        ``split(table)`` gives `n_folds` pairs (train, test).

    Examples
    --------
    >>> table = pd.DataFrame({"flops": [1e18, 1e19, 1e20, 1e21]})
    >>> [(len(train), len(test)) for train, test in rolling_origin(2)(table)]
    [(2, 1), (3, 1)]
    """
    _require_folds(n_folds, 1)
    _require_share("first", first)
    shares = tuple(np.linspace(first, 1, n_folds + 1).tolist())
    return partial(_split, shares=shares, by=by, run=run, grows=True)


def blocked_folds(n_folds: int = 5, by: str = "flops", run: str | None = None) -> Holdout:
    """Return a split that tests on each stretch of scale in turn and trains on all others.

    Stretches rather than rows drawn at random: neighbours in scale tell each other's answer.

    Parameters
    ----------
    n_folds : int
        Pairs, 2 or more.
    by, run : str
        As for `leave_largest_out`.

    Returns
    -------
    callable
        ``split(table)`` gives `n_folds` pairs (train, test); each row is tested once.

    References
    ----------
    Roberts et al. 2017, "Cross-validation strategies for data with temporal, spatial, hierarchical,
    or phylogenetic structure" (from memory).
    """
    _require_folds(n_folds, 2)
    shares = tuple(np.linspace(0, 1, n_folds + 1).tolist())
    return partial(_split, shares=shares, by=by, run=run, grows=False)


def flagged(column: str = "is_fit") -> Holdout:
    """Return a split that trains where a column is True and tests where it is False.

    Parameters
    ----------
    column : str
        Of truth values, such as ``is_fit`` of published benchmarks.

    Returns
    -------
    callable
        ``split(table)`` gives one pair (train, test).
    """
    return partial(_flagged, column=column)


def _flagged(table: pd.DataFrame, column: str) -> Pairs:
    require_columns(table, (column,), where="flagged")
    flags = table[column]
    told = flags.isin([True, False]).to_numpy() & flags.notna().to_numpy()
    if not told.all():
        row, value = next(iter(flags[~told].items()))
        raise TableError(
            f"flagged: '{column}' must be True or False, but row {row} holds {shown(value)}."
        )
    known = flags.astype(bool).to_numpy()
    if known.all() or not known.any():
        raise TableError(
            f"flagged: '{column}' is {known.all()} in all {len(known)} rows; a split needs rows "
            f"to train on and rows to test on."
        )
    return [(table[known], table[~known])]


def _split(
    table: pd.DataFrame, shares: tuple[float, ...], by: str, run: str | None, grows: bool
) -> Pairs:
    """Return a pair for each stretch between two shares; `grows`: trained on what is below it."""
    place = _places(table, by, run)
    scales, counts = np.unique(place, return_counts=True)
    if len(scales) < len(shares) - (shares[0] == 0):
        raise TableError(
            f"split by '{by}': {len(shares) - 1} folds need at least "
            f"{len(shares) - (shares[0] == 0)} different scales, but "
            f"{'runs' if run else 'the rows'} have {len(scales)}."
        )
    cuts = _cuts(np.concatenate([[0], counts.cumsum()]), shares)
    pairs = []
    for low, high in pairwise(cuts):
        rank = np.searchsorted(scales, place)
        test = (rank >= low) & (rank < high)
        pairs.append((table[rank < low if grows else ~test], table[test]))
    return pairs


def _cuts(n_below: NDArray[np.intp], shares: tuple[float, ...]) -> list[int]:
    """Return how many scales lie below each share of the rows, no two the same."""
    wanted = np.array(shares) * n_below[-1]
    cuts = [int(np.abs(n_below - target).argmin()) for target in wanted]
    lowest = 0 if shares[0] == 0 else 1
    for i, cut in enumerate(cuts):
        least = lowest if i == 0 else cuts[i - 1] + 1
        most = len(n_below) - len(cuts) + i
        cuts[i] = min(max(cut, least), most)
    return cuts


def _places(table: pd.DataFrame, by: str, run: str | None) -> NDArray[np.float64]:
    """Return the scale of each row, of its whole run where runs are named."""
    names = (by,) if run is None else (by, run)
    require_columns(table, names, where="split")
    scale = numbers(table, (by,), where="split")[by]
    for name, bad in ((by, ~np.isfinite(scale)), (run, table[run].isna() if run else None)):
        if bad is not None and bad.any():
            raise TableError(
                f"split: '{name}' is not known at row {table.index[bad.to_numpy()][0]} "
                f"({int(bad.sum())} of {len(table)} rows); drop these rows first."
            )
    if run is None:
        return scale.to_numpy()
    largest: NDArray[np.float64] = (
        pd.Series(scale.to_numpy()).groupby(pd.factorize(table[run])[0]).transform("max").to_numpy()
    )
    return largest


def _require_share(name: str, share: object) -> None:
    if isinstance(share, bool) or not isinstance(share, float | int) or not 0 < share < 1:
        raise FitError(f"{name} must be a share of the rows between 0 and 1; it is {shown(share)}.")


def _require_folds(n_folds: object, least: int) -> None:
    whole = isinstance(n_folds, int | np.integer) and not isinstance(n_folds, bool)
    if not whole or n_folds < least:  # type: ignore[operator]  # a number
        raise FitError(f"n_folds must be a whole number, {least} or more; it is {shown(n_folds)}.")
