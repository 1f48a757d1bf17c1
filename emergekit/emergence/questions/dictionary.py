"""Curves that are smooth, and curves that have a threshold, as two lists of ready-made shapes.

Every candidate is a constant plus one shape, so the best of a list is a projection, exact and
without a search; what a bootstrap refits are two matrix products. What "smooth" means stands here
and nowhere else: from 10 to 90 % of a rise takes more than `width` of the observed range. A
logistic that is steep enough is a step, so without such a bound nothing could be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from emergekit.emergence.counts import checked_scales

__all__ = ["DEFAULT_WIDTH", "Dictionary", "curve_dictionary"]

Array: TypeAlias = NDArray[np.float64]

DEFAULT_WIDTH = 0.25
LOGISTIC_RISE = 2 * float(np.log(9))
"""10-90 % rise of a logistic, in units of its scale."""
GOMPERTZ_RISE = float(np.log(np.log(0.1) / np.log(0.9)))
"""10-90 % rise of exp(-exp(-u)), in units of u."""

# Fine enough that a smooth curve between two of them is no threshold: with 7 widths and 33 middles,
# 17 % of 100 narrow ones at 20 scales with 1 % of scatter had p_break <= 0.05; with these, 5 %.
_N_WIDTHS, _SPACING, _N_THRESHOLDS = 19, 0.25, 60
_POWERS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.5)
_SATURATIONS = tuple((s, q) for s in (0.08, 0.15, 0.3, 0.6) for q in (0.5, 1.0, 1.5))
_STEEPNESS = (0.1, 0.2, 0.35, 0.5)


@dataclass(frozen=True)
class Dictionary:
    """The candidates of one design.

    Parameters
    ----------
    t : array, shape (m,)
        Scales as shares of the observed range, 0 to 1, rising; runs may share one.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range.
    smooth : array, shape (m, about 4300)
        Line, logistics, Gompertz curves, softplus, exponentials and their mirrors; one a column.
    threshold : array, shape (m, 1320)
        Hinges with a power, saturating hinges, steps narrower than `width`.
    etas : array, shape (1320,)
        Where each threshold lies, on the axis of t; there are three scales before it and two after.
    """

    t: Array
    width: float
    smooth: Array
    threshold: Array
    etas: Array


def curve_dictionary(x: ArrayLike, width: float = DEFAULT_WIDTH) -> Dictionary:
    r"""Return the candidate curves at these scales.

    .. math:: y = a + b\,\varphi(t), \quad b \ge 0, \quad t = \frac{x - x_1}{x_m - x_1}

    Parameters
    ----------
    x : array, shape (m,)
        Scales on the axis of the analysis (log10 of a size, minus a loss), never falling; five
        different ones or more.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range, inside (0, 1).

    Returns
    -------
    Dictionary

    Raises
    ------
    ValueError
        If there are fewer than five different scales, they fall, or the width is out of range.

    References
    ----------
    Ours. Powers below 1 are there because onsets steeper than linear exist: MMLU in letter format
    rises as the power 0.35 of the loss below its threshold (OLMo-2 7B and 13B).

    Examples
    --------
    >>> shapes = curve_dictionary(range(12))
    >>> shapes.smooth.shape, shapes.threshold.shape
    ((12, 4319), (12, 1320))
    """
    if not 0 < width < 1:
        raise ValueError(f"width must be a share of the range, inside (0, 1); it is {width:g}.")
    scales = np.asarray(x, dtype=float)
    different = checked_scales(np.unique(scales), np.zeros(len(np.unique(scales))), "scales")[0]
    if len(different) < 5 or (np.diff(scales) < 0).any():
        raise ValueError(
            f"x must have five different scales or more, sorted; it has {len(different)}."
        )
    return _built(tuple((scales - scales[0]) / (scales[-1] - scales[0])), float(width))


# Curves at the same scales, one after the other, share what is built: it is never changed.
@lru_cache(maxsize=4)
def _built(places: tuple[float, ...], width: float) -> Dictionary:
    t = np.array(places)
    threshold, etas = _thresholds(t, np.unique(t), width)
    parts = (t, _smooth(t, width), threshold, etas)
    for part in parts:
        part.flags.writeable = False
    return Dictionary(parts[0], width, *parts[1:])


def _smooth(t: Array, width: float) -> Array:
    """Return shapes no narrower than `width`, one a column."""
    wide = np.geomspace(width / LOGISTIC_RISE, 1.0, _N_WIDTHS)
    slow = np.geomspace(width / GOMPERTZ_RISE, 1.0, _N_WIDTHS)
    u, w = _grid(t, wide)
    v, _ = _grid(t, slow)
    e = t[:, None] / wide
    with np.errstate(over="ignore", under="ignore"):
        shapes = [
            t[:, None],
            expit(u),
            np.exp(-np.exp(-v)),
            -np.expm1(-np.exp(v)),
            w * np.logaddexp(0, u),
            -w * np.logaddexp(0, -u),
            np.exp(e - e.max(axis=0)),
            -np.exp(-e),
        ]
    return np.concatenate(shapes, axis=1)


def _thresholds(t: Array, different: Array, width: float) -> tuple[Array, Array]:
    """Return shapes with a kink or a rise narrower than `width`, and where each has it."""
    # The last place is left out: one scale above a jump cannot tell a step from a slope.
    etas = np.linspace(different[2], different[-2], _N_THRESHOLDS + 1)[:-1]
    past = t[:, None] - etas
    above = np.maximum(past, 0.0)
    shapes = [above**q for q in _POWERS]
    shapes += [-np.expm1(-((above / s) ** q)) for s, q in _SATURATIONS]
    shapes += [expit(past / (share * width / LOGISTIC_RISE)) for share in _STEEPNESS]
    return np.concatenate(shapes, axis=1), np.tile(etas, len(shapes))


def _grid(t: Array, widths: Array) -> tuple[Array, Array]:
    """Return (t - m)/w for middles m in and around the range, one a column, and each column's w.

    Narrow curves need their middles closer together than wide ones.
    """
    counts = np.ceil(2 / (_SPACING * widths)).astype(int) + 1
    middles = np.concatenate([np.linspace(-0.5, 1.5, count) for count in counts])
    w = np.repeat(widths, counts)
    return (t[:, None] - middles) / w, w
