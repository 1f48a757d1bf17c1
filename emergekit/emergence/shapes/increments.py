"""Measures of a curve's shape that look at its steps from one scale to the next, and nothing else.

They know neither the spacing of the scales nor the noise of the scores: a high emergence score
suggests a jump, it does not show one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["emergence_score", "increment_gini", "largest_increment_share", "linearity"]

Array: TypeAlias = NDArray[np.float64]


def emergence_score(scores: ArrayLike) -> float:
    r"""Return how far a curve moves, in units of its typical step.

    .. math:: \frac{\mathrm{sign}(\arg\max_i y_i - \arg\min_i y_i)\,(\max_i y_i - \min_i y_i)}
              {\sqrt{\mathrm{median}_i\,(y_{i+1} - y_i)^2}}

    Parameters
    ----------
    scores : array, shape (m,)
        Scores y from the smallest to the largest scale, higher is better.

    Returns
    -------
    float
        m - 1 for a straight line over m evenly spaced scales, so it depends on their number;
        infinite where more than half of the steps are zero and the curve moves; NaN for a constant
        curve or a single scale. Nothing is clipped. With few test items zero steps are common, and
        noise alone then gives infinity.

    References
    ----------
    Schaeffer, Miranda & Koyejo 2023, equation 1, after "breakthroughness" in Srivastava et al.
    2022, appendix B. Argmax and argmin take the first of equals.

    Examples
    --------
    >>> round(emergence_score([0, 0.01, 0.02, 0.03, 0.5]), 9)
    50.0
    """
    y, steps = _steps(scores)
    return _ratio(_range(y), float(np.sqrt(np.median(steps**2)))) if len(steps) else np.nan


def linearity(scores: ArrayLike) -> float:
    r"""Return how far a curve moves, in units of its root-mean-square step.

    .. math:: \frac{\mathrm{sign}(\arg\max_i y_i - \arg\min_i y_i)\,(\max_i y_i - \min_i y_i)}
              {\sqrt{\mathrm{mean}_i\,(y_{i+1} - y_i)^2}}

    Parameters
    ----------
    scores : array, shape (m,)
        Scores y from the smallest to the largest scale, higher is better.

    Returns
    -------
    float
        m - 1 for a straight line, the square root of m - 1 for a single step; NaN for a constant
        curve.

    References
    ----------
    Srivastava et al. 2022, appendix B (formula from memory; equal to the public scripts we saw).

    Examples
    --------
    >>> round(linearity([0, 0, 0, 0, 0, 1]), 4)
    2.2361
    """
    y, steps = _steps(scores)
    return _ratio(_range(y), float(np.sqrt(np.mean(steps**2)))) if len(steps) else np.nan


def increment_gini(scores: ArrayLike) -> float:
    """Return the Gini coefficient of the sizes of the steps.

    Parameters
    ----------
    scores : array, shape (m,)
        Scores from the smallest to the largest scale.

    Returns
    -------
    float
        0 where all steps are of one size, (m - 2)/(m - 1) where one step is everything; NaN for a
        constant curve.

    Examples
    --------
    >>> increment_gini([0, 0, 0, 0, 0, 1])
    0.8
    """
    size = np.sort(np.abs(_steps(scores)[1]))
    total, n = float(size.sum()), len(size)
    if not total > 0:
        return np.nan
    gini = float((2 * np.arange(1, n + 1) - n - 1) @ size / (n * total))
    return max(gini, 0.0)  # steps of one size up to rounding would fall a hair below


def largest_increment_share(scores: ArrayLike) -> float:
    """Return the share of all movement that the largest step makes.

    Parameters
    ----------
    scores : array, shape (m,)
        Scores from the smallest to the largest scale.

    Returns
    -------
    float
        1/(m - 1) where all steps are of one size, 1 where one step is everything; NaN for a
        constant curve.

    Examples
    --------
    >>> round(largest_increment_share([0.1, 0.2, 0.3]), 9)
    0.5
    """
    size = np.abs(_steps(scores)[1])
    return float(size.max() / size.sum()) if size.sum() > 0 else np.nan


def _steps(scores: ArrayLike) -> tuple[Array, Array]:
    """Return the scores and their increments, differences of rounding size taken out of both.

    0.1 + 0.2 and 0.3 are one score; a step of 5e-17 between them would make an emergence score of
    1e15 of what is infinite or undefined.
    """
    y = np.asarray(scores, dtype=float)
    if y.ndim != 1 or not np.isfinite(y).all():
        raise ValueError("scores must be one row of finite numbers.")
    rounding = _rounding(y)
    steps = np.diff(y)
    steps[np.abs(steps) <= rounding] = 0.0
    constant = len(y) > 0 and np.ptp(y) <= rounding
    return (np.full_like(y, y[0]) if constant else y), steps


def _range(y: Array) -> float:
    """Return the signed range: positive where the best score comes after the worst.

    The first of equals counts, and scores that differ by rounding are equal.
    """
    best, worst = y >= y.max() - _rounding(y), y <= y.min() + _rounding(y)
    return float(np.sign(int(best.argmax()) - int(worst.argmax())) * np.ptp(y))


def _rounding(y: Array) -> float:
    return float(8 * np.finfo(float).eps * np.abs(y).max(initial=0.0))


def _ratio(change: float, step: float) -> float:
    if step > 0:
        return change / step
    return float(np.sign(change) * np.inf) if change else np.nan
