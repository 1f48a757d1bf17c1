r"""The least misfit of a logistic between two levels, as a function of its width.

.. math:: p(x) = a + \frac{b}{1 + e^{-(x - x_0) / w}}

At every width of a grid the levels come from weighted least squares and the midpoint from a search;
the misfit, of counts or of scores, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["WIDTHS_PER_W", "Data", "Profile", "profile_widths"]

Array: TypeAlias = NDArray[np.float64]

_STEP = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])

WIDTHS_PER_W = 2 * float(np.log(9))
"""The 10-90 % width of a logistic, in units of its scale w: 4.3944."""


class Data(NamedTuple):
    """Scores, their misfit (shape (..., m) to (...), lower is better) and their weights."""

    score: Array
    misfit: Callable[[Array], Array]
    weights: Callable[[Array], Array]
    bounded: bool


class Profile(NamedTuple):
    """The least misfit at every width, and the midpoint where it is reached."""

    width: Array
    misfit: Array
    midpoint: Array


def profile_widths(x: Array, data: Data) -> Profile:
    """Return the least misfit over levels and midpoint at each width of a grid.

    The narrowest is a step for every purpose (a scale at the middle leaves its neighbours at
    1e-7 of the rise); the best width is bracketed and gridded again.
    """
    widths = np.geomspace(np.diff(x).min() / 4, 8 * (x[-1] - x[0]), 41)
    coarse = _best_midpoints(x, data, widths)
    best = int(np.argmin(coarse.misfit))
    ends = widths[max(best - 1, 0)], widths[min(best + 1, len(widths) - 1)]
    fine = _best_midpoints(x, data, np.geomspace(*ends, 18)[1:-1])
    both = Profile(*(np.concatenate(pair) for pair in zip(coarse, fine, strict=True)))
    order = np.argsort(both.width, kind="stable")
    return Profile(*(part[order] for part in both))


def _best_midpoints(x: Array, data: Data, widths: Array) -> Profile:
    """Return, at each width, the midpoint of least misfit: a grid, then ever smaller steps.

    Away from all scales, in units of w, a midpoint makes a step, and all of them the same; the
    grid need only be fine around the scales. Weights follow the fit from step to step, so that the
    least squares end at the largest likelihood.
    """
    w = widths[:, None] / WIDTHS_PER_W
    around = (x[:, None] + w[:, :, None] * np.arange(-3.0, 4.0)).reshape(len(w), -1)
    between = np.broadcast_to((x[1:] + x[:-1]) / 2, (len(w), len(x) - 1))
    midpoints = np.concatenate([around, between], axis=1)
    weights = data.weights(data.score)
    least, middle = np.full(len(w), np.inf), np.zeros(len(w))
    rows, size = np.arange(len(w)), 1.0
    for _ in range(14):
        fitted = _fitted(expit((x - midpoints[..., None]) / w[..., None]), weights, data)
        misfit = data.misfit(fitted)
        at = np.argmin(misfit, axis=1)
        better = misfit[rows, at] < least
        least = np.where(better, misfit[rows, at], least)
        middle = np.where(better, midpoints[rows, at], middle)
        weights = data.weights(fitted[rows, at])[:, None]
        midpoints = middle[:, None] + size * w * _STEP
        size /= 2
    return Profile(widths, least, middle)


def _fitted(s: Array, weights: Array, data: Data) -> Array:
    """Return the weighted least squares a + b s; both levels within [0, 1] if bounded."""
    y, total = data.score, weights.sum(axis=-1)
    s_mean, y_mean = (weights * s).sum(axis=-1) / total, (weights * y).sum(axis=-1) / total
    apart = s - s_mean[..., None]
    spread = (weights * apart**2).sum(axis=-1)
    b = (weights * apart * y).sum(axis=-1) / np.maximum(spread, 1e-300)
    low = y_mean - b * s_mean
    high = low + b
    if data.bounded and ((low < 0) | (low > 1) | (high < 0) | (high > 1)).any():
        up, down = weights * s, weights * (1 - s)
        shared = (up * (1 - s)).sum(axis=-1)
        low = np.clip(low, 0, 1)
        high = ((up * y).sum(axis=-1) - low * shared) / np.maximum((up * s).sum(axis=-1), 1e-300)
        high = np.clip(high, 0, 1)
        low = (down * y).sum(axis=-1) - high * shared
        low = np.clip(low / np.maximum((down * (1 - s)).sum(axis=-1), 1e-300), 0, 1)
    return np.asarray(low[..., None] + (high - low)[..., None] * s)
