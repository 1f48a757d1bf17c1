"""A curve as counts: right answers out of test size at rising scales, and how likely they are.

A share of n examples is a count in disguise, and its noise is binomial. Every test of this package
on one curve starts from here.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlog1py, xlogy

from emergekit.errors import TableError
from emergekit.laws.axis import axis_of, direction, place

__all__ = [
    "CurveCounts",
    "checked_counts",
    "checked_scales",
    "curve_counts",
    "log_likelihood",
    "require_possible",
]

Array: TypeAlias = NDArray[np.float64]


class CurveCounts(TypedDict):
    """A curve as numbers, from the smallest to the largest scale, better is higher."""

    x: Array
    scale: Array
    score: Array
    n_correct: Array
    n_examples: Array
    chance: float
    reason: str


def curve_counts(
    curve: pd.DataFrame, x: str = "n_params", chance: float | None = None
) -> CurveCounts:
    """Return one curve of a table of results as scales and counts, better is higher.

    Parameters
    ----------
    curve : DataFrame
        `RESULTS` rows of one curve, with the column `x`.
    x : str
        Column of scale, all values positive; log10 is taken, for a loss the negative, for a
        perplexity the negative log10 (`axis_of` tells them by name).
    chance : float, optional
        Score of guessing; that of the column `chance` if None, where it is one.

    Returns
    -------
    dict
        x, scale, score, n_correct, n_examples (arrays, sorted by scale), chance (NaN if
        unknown or with no room above), reason. Scores of
        which less is better are turned over. n_correct is NaN, and reason says why, where
        n_examples is unknown or a score is no share of whole examples. A score printed with four
        digits is taken for the nearest count; from 10,000 examples on any score in [0, 1] is.

    Raises
    ------
    TableError
        If `x` is absent, or its scales are not positive or not different.

    Examples
    --------
    >>> rows = {"n_params": [1e9, 1e8], "score": [0.9, 0.2667], "n_examples": [30, 30]}
    >>> curve_counts(pd.DataFrame(rows))["n_correct"]
    array([ 8., 27.])
    """
    if x not in curve:
        raise TableError(f"curve: scale '{x}' is absent; join_models(results, models) adds it.")
    size = curve[x].to_numpy(dtype=float)
    kind = axis_of(x, None).kind
    if not (size > 0).all() or len(np.unique(size)) < len(size):
        raise TableError(
            f"curve: '{x}' must be positive and differ from row to row; it holds {size}. "
            f"Give the rows of one curve."
        )
    order = np.argsort(direction(kind) * size)
    score, n, level = (_column(curve, name)[order] for name in ("score", "n_examples", "chance"))
    k, reason = _counted(score, n)
    guess = _one_level(level) if chance is None else chance
    if "higher_is_better" in curve and curve["higher_is_better"].eq(False).all():
        score, k, guess = -score, n - k, 1 - guess
    size, room = size[order], 0 <= guess < 1
    return {
        "x": size,
        "scale": direction(kind) * place(size, kind),
        "score": score,
        "n_correct": k,
        "n_examples": n,
        "chance": guess if room else np.nan,
        "reason": reason,
    }


def log_likelihood(n_correct: Array, n_examples: Array, p: Array | float) -> Array:
    """Return the binomial log likelihood, summed over the last axis, in nats."""
    k, n = n_correct, n_examples
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray((ways + xlogy(k, p) + xlog1py(n - k, -np.asarray(p))).sum(axis=-1))


def checked_scales(x: ArrayLike, values: ArrayLike, name: str) -> tuple[Array, Array]:
    """Return rising scales and the finite numbers beside them, or say what breaks them."""
    scale, y = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    if scale.ndim != 1 or scale.shape != y.shape or len(scale) < 2:
        raise ValueError(
            f"x and {name} must be rows of one length, 2 or more; theirs are "
            f"{scale.shape} and {y.shape}."
        )
    if not np.isfinite(scale).all() or not np.isfinite(y).all():
        raise ValueError(f"x and {name} must be finite numbers; drop the scales that are not.")
    falls = np.flatnonzero(np.diff(scale) <= 0)
    if len(falls):
        i = int(falls[0])
        raise ValueError(
            f"x must rise; entries {i} and {i + 1} are {scale[i]:g} and {scale[i + 1]:g}. Sort it."
        )
    return scale, y


def checked_counts(
    x: ArrayLike, n_correct: ArrayLike, n_examples: ArrayLike
) -> tuple[Array, Array, Array]:
    """Return rising scales with possible counts beside them, or say what breaks them."""
    scale, k = checked_scales(x, n_correct, "n_correct")
    n = checked_scales(x, n_examples, "n_examples")[1]
    require_possible(k, n)
    return scale, k, n


def require_possible(k: Array, n: Array) -> None:
    """Raise at the first count that is not between 0 and its test size."""
    bad = ~((n > 0) & (k >= 0) & (k <= n))
    if k.shape != n.shape or bad.any():
        i = int(np.argmax(bad)) if k.shape == n.shape else 0
        raise ValueError(
            f"n_correct must lie between 0 and n_examples, which is 1 or more; entry {i} is "
            f"{k[i]:g} of {n[i]:g}. Give counts, not shares."
        )


def _one_level(level: Array) -> float:
    """Return the chance level that all scales share, else NaN: there is no one floor then."""
    same = np.ptp(level) <= 1e-9 if np.isfinite(level).all() else False
    return float(level[0]) if same else np.nan


def _column(curve: pd.DataFrame, name: str) -> Array:
    if name not in curve:
        return np.full(len(curve), np.nan)
    return curve[name].to_numpy(dtype=float, na_value=np.nan)


def _counted(score: Array, n: Array) -> tuple[Array, str]:
    """Return the right answers behind the scores, or NaN and why there are none."""
    none = np.full_like(score, np.nan)
    if not (n > 0).all():
        return none, "n_examples is unknown"
    exact = score * n
    k = np.rint(exact)
    # A hundredth of an example, or half of the fourth printed digit.
    off = np.abs(exact - k) > np.maximum(0.01, 5.001e-5 * n)
    if off.any() or not ((score >= 0) & (score <= 1)).all():
        return none, "scores are no shares of whole examples"
    return k, ""
