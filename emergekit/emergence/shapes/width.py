r"""How wide the transition of a curve is, in decades of scale.

The curve is taken as a logistic between two levels,

.. math:: p(x) = a + \frac{b}{1 + e^{-(x - x_0) / w}},

whose rise from 10 to 90 % takes 2 ln 9 w = 4.3944 w. The likelihood is profiled over w on a grid.
As w goes to 0 the form becomes a step with at most one scale on the way up: where that fits as
well, the scales bound the width from above only, and the result says so.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import chi2, f

from emergekit.emergence.counts import (
    checked_counts,
    checked_scales,
    curve_counts,
    log_likelihood,
)
from emergekit.emergence.shapes.width_profile import WIDTHS_PER_W, Data, Profile, profile_widths

__all__ = ["WIDTHS_PER_W", "Width", "curve_width", "width_from_counts", "width_from_scores"]

Array: TypeAlias = NDArray[np.float64]


class Width(TypedDict):
    """A 10-90 % width with its interval, and what the data say about it."""

    width: float
    lower: float
    upper: float
    kind: str
    reason: str


def width_from_counts(
    x: ArrayLike, n_correct: ArrayLike, n_examples: ArrayLike, level: float = 0.95
) -> Width:
    r"""Return the 10-90 % width of a transition, by binomial profile likelihood.

    .. math:: \{w : 2 (\log L_{\max} - \max_{a, b, x_0} \log L(w)) \le \chi^2_{1, level}\}

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, usually log10 of a size.
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    level : float
        Level of the interval.

    Returns
    -------
    dict
        width, lower and upper in units of x (decades for a log10), kind and reason. Both levels of
        the logistic lie in [0, 1]. Kinds:

        - "estimated": width and interval; upper may be infinite.
        - "upper bound": a step fits as well and at most one scale lies between 10 and 90 % of the
          rise. width is NaN, lower 0, upper the gap between the scales that bracket the transition,
          or the end of the profile interval where that is larger.
        - "lower bound": 8 times the range, where the grid ends, fits best; width is NaN.
        - "not identifiable": a step and a width of 8 times the range both fit; width is NaN.
        - "no change": a constant is not rejected at `level`; all three are NaN.

    Raises
    ------
    ValueError
        If the scales do not rise, a count is impossible, or level lies outside (0, 1).

    References
    ----------
    Venzon & Moolgavkar 1988 for profile intervals; the kinds are ours.

    Examples
    --------
    >>> gradual = width_from_counts(range(6), [8, 20, 62, 138, 180, 192], [200] * 6)
    >>> gradual["kind"], round(gradual["width"], 1)
    ('estimated', 2.6)
    >>> jump = width_from_counts(range(6), [50, 49, 51, 50, 151, 150], [200] * 6)
    >>> jump["kind"], jump["upper"]
    ('upper bound', 1.0)
    """
    scale, k, n = checked_counts(x, n_correct, n_examples)
    _check_level(level)

    def misfit(p: Array) -> Array:
        return -2 * log_likelihood(k, n, p)

    def weights(p: Array) -> Array:
        # Half an example keeps levels at 0 or 1 from outweighing all others.
        q = (n * p + 0.5) / (n + 1)
        return np.asarray(n / (q * (1 - q)))

    profile = profile_widths(scale, Data(k / n, misfit, weights, bounded=True))
    constant = float(misfit(np.full_like(k, k.sum() / n.sum())))
    if constant - profile.misfit.min() < chi2.ppf(level, 3):
        return _no_change(level)
    return _read(scale, profile, float(chi2.ppf(level, 1)))


def width_from_scores(x: ArrayLike, scores: ArrayLike, level: float = 0.95) -> Width:
    r"""Return the 10-90 % width of a transition, its interval from the scatter of residuals.

    .. math:: \{w : \mathrm{SSE}(w) \le \mathrm{SSE}_{\min} (1 + F_{1, m - 4, level} / (m - 4))\}

    Parameters
    ----------
    x : array, shape (m,)
        Scales, rising, usually log10 of a size.
    scores : array, shape (m,)
        Scores of unknown test size, in any unit.
    level : float
        Level of the interval.

    Returns
    -------
    dict
        As `width_from_counts`, with levels that are not bounded; "too few scales" below 5, where
        the form leaves no residual.

    Raises
    ------
    ValueError
        If the scales do not rise, a score is not finite, or level lies outside (0, 1).

    References
    ----------
    Bates & Watts 1988, section 6.1, for profile intervals of least squares.

    Examples
    --------
    >>> x = np.linspace(6, 11, 11)
    >>> found = width_from_scores(x, 0.2 + 0.6 / (1 + np.exp(-(x - 8.5) / 0.5)))
    >>> round(found["width"], 3), found["kind"]
    (2.197, 'estimated')
    """
    scale, y = checked_scales(x, scores, "scores")
    _check_level(level)
    left = len(y) - 4
    if left < 1:
        return _answer("too few scales", "four numbers of the form leave no residual")

    def misfit(fitted: Array) -> Array:
        return np.asarray(((y - fitted) ** 2).sum(axis=-1))

    profile = profile_widths(scale, Data(y, misfit, np.ones_like, bounded=False))
    rounding = len(y) * (8 * np.finfo(float).eps * np.abs(y).max()) ** 2
    variance = max(float(profile.misfit.min()), rounding, np.finfo(float).tiny) / left
    constant = float(misfit(np.full_like(y, y.mean())))
    if constant - profile.misfit.min() <= 3 * variance * f.ppf(level, 3, left):
        return _no_change(level)
    scaled = profile._replace(misfit=profile.misfit / variance)
    return _read(scale, scaled, float(f.ppf(level, 1, left)))


def curve_width(curve: pd.DataFrame, x: str = "n_params", level: float = 0.95) -> Width:
    """Return the 10-90 % width of one curve of a table of results.

    Parameters
    ----------
    curve : DataFrame
        `RESULTS` rows of one curve, with the column `x`.
    x : str
        Column of scale, used as `curve_counts` does.
    level : float
        Level of the interval.

    Returns
    -------
    dict
        As `width_from_counts` where the scores are counts of known test size, else as
        `width_from_scores`; in decades, for a loss in its own unit.

    Raises
    ------
    TableError
        As `curve_counts`.

    Examples
    --------
    >>> rows = {"n_params": [1e7, 1e8, 1e9, 1e10], "score": [0, 0, 1, 1], "n_examples": 50}
    >>> curve_width(pd.DataFrame(rows))["upper"]
    1.0
    """
    counts = curve_counts(curve, x)
    if len(curve) < 2:
        return _answer("too few scales", "one scale has no width")
    if counts["reason"]:
        return width_from_scores(counts["scale"], counts["score"], level)
    return width_from_counts(counts["scale"], counts["n_correct"], counts["n_examples"], level)


def _read(x: Array, profile: Profile, cutoff: float) -> Width:
    """Return what a profile says: widths whose misfit is within `cutoff` of the least."""
    best = int(np.argmin(profile.misfit))
    lower, upper = _ends(profile, cutoff)
    if lower == 0 and np.isinf(upper):
        return _answer("not identifiable", "a step and a straight line both fit", lower, upper)
    if best == len(profile.width) - 1:
        return _answer("lower bound", "the transition is wider than the scales", lower, upper)
    rise = expit((x - profile.midpoint[best]) * WIDTHS_PER_W / profile.width[best])
    inside = int(((rise > 0.1) & (rise < 0.9)).sum())
    if lower == 0 and inside <= 1:
        before = x[max(int((rise <= 0.1).sum()) - 1, 0)]
        after = x[min(int((rise < 0.9).sum()), len(x) - 1)]
        count = "no scale lies" if inside == 0 else "one scale lies"
        reason = f"{count} inside the transition and a step fits as well: the width is at most this"
        return _answer("upper bound", reason, 0.0, max(upper, float(after - before)))
    reason = f"{inside} {'scale lies' if inside == 1 else 'scales lie'} inside the transition"
    return _answer("estimated", reason, lower, upper, _vertex(profile, best))


def _vertex(profile: Profile, best: int) -> float:
    """Return the width at the bottom of the parabola through the best width and its neighbours."""
    near = slice(max(best - 1, 0), best + 2)
    z, y = np.log(profile.width[near]), profile.misfit[near]
    if len(z) < 3:
        return float(profile.width[best])
    left, right = (y[1] - y[0]) / (z[1] - z[0]), (y[2] - y[1]) / (z[2] - z[1])
    if not left < right:
        return float(profile.width[best])
    middle = (z[0] + z[1]) / 2 - left * (z[2] - z[0]) / (2 * (right - left))
    return float(np.exp(np.clip(middle, z[0], z[2])))


def _ends(profile: Profile, cutoff: float) -> tuple[float, float]:
    """Return the ends of the interval; 0 or infinity where the profile stays below the cutoff."""
    # The root of the misfit is nearly linear in log width, so linear interpolation is close.
    root, log_width = np.sqrt(profile.misfit - profile.misfit.min()), np.log(profile.width)
    kept = np.flatnonzero(root <= np.sqrt(cutoff))
    first, last = int(kept[0]), int(kept[-1])
    ends = [0.0, np.inf]
    for side, (inner, outer) in enumerate(((first, first - 1), (last, last + 1))):
        if 0 <= outer < len(root):
            share = (np.sqrt(cutoff) - root[inner]) / (root[outer] - root[inner])
            at = log_width[inner] + share * (log_width[outer] - log_width[inner])
            ends[side] = float(np.exp(at))
    return ends[0], ends[1]


def _answer(
    kind: str, reason: str, lower: float = np.nan, upper: float = np.nan, width: float = np.nan
) -> Width:
    return {"width": width, "lower": lower, "upper": upper, "kind": kind, "reason": reason}


def _no_change(level: float) -> Width:
    return _answer("no change", f"a constant is not rejected at level {level:g}")


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95; it is {level:g}.")
