"""The sharp curve in words: how long it sits at chance, whether it rises, whether it falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from scipy.stats import binom

__all__ = ["PLATEAU_SPAN", "SharpCurve", "describe_sharp", "plateau_length"]

Array: TypeAlias = NDArray[np.float64]

PLATEAU_SPAN = 0.25
"""Share of the observed range that a curve must sit still for to look emergent."""
_LEAST_RISE = 0.05
_DIP = 0.2
"""Share of the range of scores from which a fall on the way up counts."""


@dataclass(frozen=True)
class SharpCurve:
    """What counts alone say about a curve.

    Parameters
    ----------
    plateau : int
        Scales from the smallest on that are not above chance.
    plateau_span : float
        What they span, as a share of the range.
    rise, fall : bool
        Whether the top, or the bottom at the large end, is surely away from where it started.
    dip : bool
        Whether a stretch inside the range surely lies below scores on both sides of it.
    f_top : float
        Largest share right among the last scales.
    floor : float
        Share right of the first scales together.
    above_span : float
        Span of the stretch that does not leave `floor`.
    """

    plateau: int
    plateau_span: float
    rise: bool
    fall: bool
    dip: bool
    f_top: float
    floor: float
    above_span: float


def describe_sharp(t: Array, correct: Array, n: Array, chance: float, alpha: float) -> SharpCurve:
    """Return plateau and rise of a curve of counts.

    The top is the best of the last max(2, m // 5) scales; its Clopper-Pearson bound at
    alpha/(2m) must clear the start. The start is the larger of chance and the pooled first scales
    (three, or two below eight scales); where there is no plateau, those scales and 0.05.

    Parameters
    ----------
    t : array, shape (m,)
        Scales as shares of the range, 0 to 1, rising.
    correct, n : array, shape (m,)
        Right answers and test size at each scale, in examples.
    chance : float
        Score of guessing.
    alpha : float
        Level of the statement that the curve rises.
    """
    m = len(np.unique(t))
    share = correct / n
    first, last = (3 if m >= 8 else 2), max(2, m // 5)
    floor = float(correct[:first].sum() / n[:first].sum())
    top = len(t) - last + int(np.argmax(share[-last:]))
    slack = max(0.02, 0.1 * (float(share[top]) - chance))
    plateau = plateau_length(correct, n, chance + slack, alpha)
    start = max(chance, floor) if plateau >= 3 else floor + _LEAST_RISE
    lower = _lower(correct[top], n[top], alpha / (2 * m))
    still = plateau_length(correct, n, floor + slack, alpha)
    return SharpCurve(
        plateau=plateau,
        plateau_span=_span(t, plateau),
        rise=lower > start and float(share[top]) - max(chance, floor) >= _LEAST_RISE,
        fall=_falls(correct, n, first, last, alpha / (2 * m)),
        dip=_dips(correct, n, first, alpha / (2 * m)),
        f_top=float(share[top]),
        floor=floor,
        above_span=_span(t, still),
    )


def plateau_length(correct: Array, n: Array, level: float, alpha: float) -> int:
    """Return how many first scales, alone and pooled, do not exceed a level: exact tests."""
    bar = alpha / len(n)
    if level >= 1:
        return len(n)
    alone = binom.sf(np.rint(correct) - 1, n, level) < bar
    pooled = binom.sf(np.rint(np.cumsum(correct)) - 1, np.cumsum(n), level) < bar
    left = alone | pooled
    return int(np.argmax(left)) if left.any() else len(n)


def _falls(correct: Array, n: Array, first: int, last: int, level: float) -> bool:
    """Return whether a small scale is surely above the large ones: inverse scaling."""
    end = float(correct[-first:].sum() / n[-first:].sum())
    share = correct / n
    best = int(np.argmax(share[:last]))
    return bool(_lower(correct[best], n[best], level) > end + _LEAST_RISE)


def _dips(correct: Array, n: Array, width: int, level: float) -> bool:
    """Return whether scores fall and rise again, by more than models scatter.

    Bottom and sides are pooled scores of `width` neighbours, so that one bad or lucky model makes
    no dip, and a side must lie above the bottom by a fifth of the range.
    """
    ones = np.ones(width)
    hits, items = np.convolve(correct, ones, "valid"), np.convolve(n, ones, "valid")
    pooled = hits / items
    bottom = int(np.argmin(pooled))
    bar = pooled[bottom] + max(_LEAST_RISE, _DIP * float(np.ptp(pooled)))
    sides = pooled[: max(bottom - width + 1, 0)], pooled[bottom + width :]
    if not all(len(side) for side in sides):
        return False
    tops = (int(np.argmax(sides[0])), bottom + width + int(np.argmax(sides[1])))
    return all(pooled[at] > bar and _lower(hits[at], items[at], level) > bar for at in tops)


def _lower(correct: float, n: float, level: float) -> float:
    """Return the lower Clopper-Pearson bound."""
    return float(betaincinv(correct, n - correct + 1, level)) if correct > 0 else 0.0


def _span(t: Array, length: int) -> float:
    return float(t[length - 1] - t[0]) if length > 0 else 0.0
