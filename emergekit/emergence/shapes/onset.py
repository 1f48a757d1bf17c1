"""Where a curve leaves chance, and how far its last score lies from the line of those before.

An ability is emergent in the words of Wei et al. when it is "near random" up to some scale and
"well above random" from there on. Here both are tests on counts against the score of guessing, so
test size and the number of scales are part of the answer.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv
from scipy.stats import binom

from emergekit.emergence.counts import (
    checked_counts,
    checked_scales,
    curve_counts,
    require_possible,
)

__all__ = [
    "Onset",
    "chance_onset",
    "chance_tests",
    "curve_onset",
    "last_point_error",
]

Array: TypeAlias = NDArray[np.float64]


class Onset(TypedDict):
    """The scale from which scores are well above chance, or why there is none."""

    onset: float
    reason: str


def last_point_error(x: ArrayLike, scores: ArrayLike) -> float:
    """Return the last score less what a line through all smaller scales predicts.

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, usually log10 of a size.
    scores : array, shape (m,)
        Scores at the scales.

    Returns
    -------
    float
        In units of the score, positive where the curve beats its own extrapolation; NaN below
        three scales, where no line is determined.

    Raises
    ------
    ValueError
        If the scales do not rise or a number is not finite.

    References
    ----------
    "Unpredictability" in spec/metrics.md, section 2 (ours).

    Examples
    --------
    >>> round(last_point_error(range(6), [0.02, 0.03, 0.05, 0.06, 0.08, 0.60]), 4)
    0.507
    """
    scale, y = checked_scales(x, scores, "scores")
    if len(y) < 3:
        return np.nan
    centred = scale - scale[:-1].mean()
    before = centred[:-1]
    slope = before @ y[:-1] / (before @ before)
    return float(y[-1] - y[:-1].mean() - slope * centred[-1])


def chance_tests(
    n_correct: ArrayLike, n_examples: ArrayLike, chance: float, alpha: float = 0.05
) -> tuple[Array, Array]:
    r"""Return, at every scale, the test against chance and how high the score surely is.

    .. math:: p_i = \min(1, m\,P(K \ge k_i)), \quad K \sim \mathrm{Binomial}(n_i, c); \qquad
              l_i = \mathrm{Beta}^{-1}(\alpha / 2m;\ k_i,\ n_i - k_i + 1)

    Parameters
    ----------
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    chance : float
        Score of guessing, c, from 0 to below 1.
    alpha : float
        Level, shared by the m scales (Bonferroni).

    Returns
    -------
    p_adjusted, lower : arrays, shape (m,)
        One-sided exact p-values against chance, times m; lower ends of the two-sided
        Clopper-Pearson intervals of level 1 - alpha / m, 0 where nothing is right.

    Raises
    ------
    ValueError
        If a count is impossible, or chance or alpha is out of range.

    References
    ----------
    Clopper & Pearson 1934; the use against chance is ours (spec/metrics.md, section 2).

    Examples
    --------
    >>> p_adjusted, lower = chance_tests([66, 80, 200], [250] * 3, chance=0.25)
    >>> p_adjusted.round(4), lower.round(3)
    (array([0.9813, 0.0227, 0.    ]), array([0.2  , 0.251, 0.733]))
    """
    k, n = (np.atleast_1d(np.asarray(counts, dtype=float)) for counts in (n_correct, n_examples))
    if not (0 <= chance < 1 and 0 < alpha < 1):
        raise ValueError(
            f"chance must lie in [0, 1) and alpha in (0, 1); they are {chance:g} and {alpha:g}."
        )
    require_possible(k, n)
    p_adjusted = np.minimum(1.0, len(k) * binom.sf(k - 1, n, chance))
    some = np.maximum(k, 1)
    lower = np.where(k > 0, betaincinv(some, n - some + 1, alpha / (2 * len(k))), 0.0)
    return p_adjusted, lower


def chance_onset(
    x: ArrayLike,
    n_correct: ArrayLike,
    n_examples: ArrayLike,
    chance: float,
    alpha: float = 0.05,
    delta: float = 0.10,
) -> Onset:
    """Return the scale from which scores are well above chance after being at chance before.

    Every smaller scale is not told from chance (adjusted p at least `alpha`), this one and every
    larger one has a lower bound above chance + `delta`, and at least one smaller scale exists.

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, in any unit.
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    chance : float
        Score of guessing, from 0 to below 1. With 0 a single right answer is above chance: give
        the rate of lucky answers, such as 0.01, where there is one.
    alpha : float
        Level over all scales together.
    delta : float
        How far above chance is "well above", as a share.

    Returns
    -------
    dict
        onset, in units of x, NaN where the curve is not emergent in this sense; reason, a sentence.

    Raises
    ------
    ValueError
        If the scales do not rise, a count is impossible, or a level is out of range.

    References
    ----------
    Wei et al. 2022, section 2, for the words; the tests are ours (spec/metrics.md, section 2).

    Examples
    --------
    >>> chance_onset(range(6), [60, 65, 58, 70, 66, 200], [250] * 6, chance=0.25)["onset"]
    5.0
    >>> chance_onset(range(6), [60, 75, 95, 120, 150, 200], [250] * 6, chance=0.25)["reason"]
    'gradual: above chance at scale 3 of 6, but not by 0.1'
    """
    scale, k, n = checked_counts(x, n_correct, n_examples)
    p_adjusted, lower = chance_tests(k, n, chance, alpha)
    above, well = p_adjusted < alpha, lower > chance + delta
    left = above | well
    first = int(np.argmax(left))
    if not left.any():
        return {"onset": np.nan, "reason": "at chance at every scale"}
    if first == 0:
        return {"onset": np.nan, "reason": "above chance at the smallest scale already"}
    if well[first:].all():
        return {"onset": float(scale[first]), "reason": "at chance before, well above from here"}
    short = f"scale {first + int(np.argmin(well[first:])) + 1} of {len(k)}"
    if well[first]:
        reason = f"falls back: not above chance by {delta:g} at {short}"
    elif well.any():
        reason = f"gradual: above chance at {short}, but not by {delta:g}"
    else:
        reason = f"above chance at {short}, but nowhere by {delta:g}"
    return {"onset": np.nan, "reason": reason}


def curve_onset(
    curve: pd.DataFrame,
    x: str = "n_params",
    chance: float | None = None,
    alpha: float = 0.05,
    delta: float = 0.10,
) -> Onset:
    """Return the onset of one curve of a table of results.

    Parameters
    ----------
    curve : DataFrame
        `RESULTS` rows of one curve, with the column `x`.
    x : str
        Column of scale.
    chance : float, optional
        Score of guessing; the column `chance` if None.
    alpha, delta : float
        As in `chance_onset`.

    Returns
    -------
    dict
        As `chance_onset`, the onset in units of the column `x`; NaN with a reason where the scores
        are no counts or chance is unknown.

    Raises
    ------
    TableError
        As `curve_counts`.

    Examples
    --------
    >>> rows = {"n_params": [1e8, 1e9], "score": [0.24, 0.8], "n_examples": 250, "chance": 0.25}
    >>> curve_onset(pd.DataFrame(rows))["onset"]
    1000000000.0
    """
    counts = curve_counts(curve, x, chance)
    reason = counts["reason"] or ("chance is unknown" if np.isnan(counts["chance"]) else "")
    if reason or len(curve) < 2:
        return {"onset": np.nan, "reason": reason or "one scale has no onset"}
    places = np.arange(len(curve))
    found = chance_onset(
        places, counts["n_correct"], counts["n_examples"], counts["chance"], alpha, delta
    )
    if not np.isnan(found["onset"]):
        found["onset"] = float(counts["x"][int(found["onset"])])
    return found
