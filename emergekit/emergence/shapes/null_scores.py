"""How large an emergence score gets by chance: its distribution at constant accuracy.

The score divides by the median step. With about one right answer a scale, half of the steps are
often zero, and counts drawn at one and the same accuracy score infinity in 6 to 10 % of cases: a
score means little without the p-value of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.emergence.counts import curve_counts

__all__ = [
    "curve_p_value",
    "emergence_scores",
    "null_p_values",
    "simulate_null_scores",
]

Array: TypeAlias = NDArray[np.float64]

_CELLS = 1 << 18  # counts drawn at a time: 2 MB an array, whatever the number of draws


def emergence_scores(scores: ArrayLike) -> Array:
    """Return the emergence score of many curves of one length at once.

    Parameters
    ----------
    scores : array, shape (..., m)
        Scores or counts, from the smallest to the largest scale along the last axis.

    Returns
    -------
    array, shape (...)
        As `emergence_score`: infinite where the median step is zero and the curve moves, NaN for a
        constant curve. Steps of rounding size are zero.

    Raises
    ------
    ValueError
        If there are fewer than two scales.

    References
    ----------
    Schaeffer, Miranda & Koyejo 2023, equation 1.

    Examples
    --------
    >>> emergence_scores([[0, 1, 2, 3], [0, 0, 0, 1], [2, 2, 2, 2]])
    array([ 3., inf, nan])
    """
    y = np.asarray(scores, dtype=float)
    if y.ndim == 0 or y.shape[-1] < 2:
        raise ValueError(f"scores must hold two scales or more along the last axis; {y.shape}.")
    low, high = y.min(axis=-1), y.max(axis=-1)
    rounding = 8 * np.finfo(float).eps * np.maximum(np.abs(low), np.abs(high))
    steps = np.abs(np.diff(y, axis=-1))
    steps[steps <= rounding[..., None]] = 0.0
    steps.sort(axis=-1)
    half = steps.shape[-1] // 2
    # The median of squares: for an even number of steps not the square of a median.
    other = steps[..., half - 1] if steps.shape[-1] % 2 == 0 else steps[..., half]
    typical = np.sqrt((steps[..., half] ** 2 + other**2) / 2)
    change = np.where(high - low <= rounding, 0.0, high - low)
    best, worst = y >= (high - rounding)[..., None], y <= (low + rounding)[..., None]
    change *= np.sign(best.argmax(axis=-1) - worst.argmax(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(change / typical)


def simulate_null_scores(
    n_examples: ArrayLike, p: float, n_draws: int = 2000, seed: int = 0
) -> Array:
    r"""Return emergence scores of curves whose accuracy is the same at all scales.

    .. math:: k_i \sim \mathrm{Binomial}(n_i, p), \qquad B(k_1 / n_1, \dots, k_m / n_m)

    Parameters
    ----------
    n_examples : array, shape (m,)
        Test size n at each scale, in examples.
    p : float
        Accuracy at every scale, between 0 and 1.
    n_draws : int
        Number of curves drawn.
    seed : int
        Root of the random numbers; n_examples and p enter it too, so that a result does not depend
        on what else is simulated.

    Returns
    -------
    array, shape (n_draws,)
        NaN for draws that came out constant. Draws are made in blocks of a few megabytes.

    Raises
    ------
    ValueError
        If p lies outside [0, 1], a test size is not a whole number from 1, or there are fewer than
        two scales.

    References
    ----------
    The null distribution is ours (spec/metrics.md, section 2).

    Examples
    --------
    >>> scores = simulate_null_scores([100] * 6, p=0.01, n_draws=10_000)
    >>> bool(0.08 < np.isposinf(scores).mean() < 0.12)
    True
    """
    n = np.asarray(n_examples, dtype=float)
    if n.ndim != 1 or len(n) < 2 or not ((n >= 1) & (n == np.rint(n))).all():
        raise ValueError(f"n_examples must be two or more whole numbers from 1; they are {n}.")
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1]; it is {p:g}.")
    sizes = n.astype(np.int64)
    rng = np.random.default_rng([seed, round(p * 1e9), *sizes.tolist()])
    scores = np.empty(n_draws)
    block = max(1, _CELLS // len(n))
    for first in range(0, n_draws, block):
        part = scores[first : first + block]
        counts = rng.binomial(sizes, p, size=(len(part), len(n)))
        # Equal test sizes cancel, and whole numbers have no rounding.
        part[:] = emergence_scores(counts if (sizes == sizes[0]).all() else counts / sizes)
    return scores


def null_p_values(
    n_correct: Sequence[ArrayLike],
    n_examples: Sequence[ArrayLike],
    n_draws: int = 2000,
    seed: int = 0,
) -> Array:
    """Return, for many curves, how often constant accuracy gives such an emergence score.

    Parameters
    ----------
    n_correct, n_examples : sequences of arrays, one of shape (m,) a curve
        Right answers and test size at each scale, in examples, from the smallest scale on.
    n_draws : int
        Curves drawn for each null distribution.
    seed : int
        Root of the random numbers.

    Returns
    -------
    array, one number a curve
        P(B >= observed - 1e-9) at the pooled accuracy of the curve, infinities counted, as
        (1 + hits) / (1 + n_draws), which is never 0. NaN where the score is: a constant curve, or
        fewer than two scales. Each null distribution is simulated once: curves of equal test sizes
        share it where their pooled accuracies agree in two digits (of p, or of 1 - p above 1/2).

    Raises
    ------
    ValueError
        If a count is impossible; the curve is named.

    References
    ----------
    Phipson & Smyth 2010, for p-values of simulations that are never 0.

    Examples
    --------
    >>> jump, line = [1, 1, 1, 1, 1, 9], [50, 60, 70, 80, 90, 100]
    >>> null_p_values([jump, line], [[100] * 6] * 2).round(2)
    array([0.03, 0.06])
    """
    p_values = np.full(len(n_correct), np.nan)
    nulls: dict[tuple[float, ...], Array] = {}
    for place, (correct, examples) in enumerate(zip(n_correct, n_examples, strict=True)):
        k, n = np.asarray(correct, dtype=float), np.asarray(examples, dtype=float)
        if k.shape != n.shape or not ((k >= 0) & (k <= n) & (n >= 1)).all():
            raise ValueError(
                f"n_correct must lie between 0 and n_examples; curve {place} has {k} of {n}."
            )
        observed = float(emergence_scores(_shares(k, n))) if len(k) > 1 else np.nan
        if np.isnan(observed):
            continue
        p = _rounded(float(k.sum() / n.sum()))
        key = (p, *n.tolist())
        if key not in nulls:
            nulls[key] = simulate_null_scores(n, p, n_draws, seed)
        hits = int((nulls[key] >= observed - 1e-9).sum())
        p_values[place] = (1 + hits) / (1 + n_draws)
    return p_values


def curve_p_value(
    curve: pd.DataFrame, x: str = "n_params", n_draws: int = 2000, seed: int = 0
) -> float:
    """Return how surprising the emergence score of one curve is at constant accuracy.

    Parameters
    ----------
    curve : DataFrame
        `RESULTS` rows of one curve, with the column `x`.
    x : str
        Column of scale.
    n_draws, seed : int
        As in `null_p_values`.

    Returns
    -------
    float
        P-value; NaN for a constant curve and where scores are no counts of known test size.

    Raises
    ------
    TableError
        As `curve_counts`.

    Examples
    --------
    >>> rows = {"n_params": [1e7, 1e8, 1e9, 1e10], "score": [0, 0, 0, 0.01], "n_examples": 100}
    >>> curve_p_value(pd.DataFrame(rows)) > 0.05  # an infinite score, one right answer
    True
    """
    counts = curve_counts(curve, x)
    if counts["reason"]:
        return np.nan
    return float(null_p_values([counts["n_correct"]], [counts["n_examples"]], n_draws, seed)[0])


def _shares(k: Array, n: Array) -> Array:
    return k if (n == n[0]).all() else k / n


def _rounded(p: float) -> float:
    return float(f"{p:.1e}") if p <= 0.5 else 1 - float(f"{1 - p:.1e}")
