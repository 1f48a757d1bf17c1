"""Follow a fixed point along its curve, across peaks, where iteration would stand still.

A curve gives, for each position s > 0, the control value at which s is a fixed point: the ratio of
texts to skills, say. As the control grows from nothing, the state climbs the curve to its first
peak and falls from there to the next position as high: so the state at a control value is the
*first* position that reaches it, and jumps are peaks higher than all before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.theory.ranges import Array
from emergekit.theory.roots import bisect, peak

__all__ = ["Curve", "Jump", "Knots", "first_reaching", "jumps", "knots", "last_holding"]

Curve: TypeAlias = Callable[[Array], Array]
"""From positions to control values."""

_PER_DECADE = 100


class Knots(NamedTuple):
    """Positions from left to right, peaks among them, and the control values there."""

    positions: Array
    values: Array
    peaks: NDArray[np.intp]


class Jump(NamedTuple):
    """A peak that is higher than all before it."""

    value: float
    before: float
    after: float
    lowest: float


def knots(curve: Curve, left: float, right: float) -> Knots:
    """Return the curve on a grid even in the logarithm, with exact peaks and troughs."""
    n = int(np.ceil(_PER_DECADE * np.log10(right / left))) + 2
    logs = np.linspace(np.log(left), np.log(right), n)
    values = curve(np.exp(logs))
    tops, bottoms = _turns(logs, curve, values, 1.0), _turns(logs, curve, values, -1.0)
    if len(tops) or len(bottoms):
        logs = np.sort(np.concatenate([logs, tops, bottoms]))
        values = curve(np.exp(logs))
    return Knots(np.exp(logs), values, np.searchsorted(logs, tops))


def _turns(logs: Array, curve: Curve, values: Array, sign: float) -> Array:
    """Return where the curve has peaks (sign 1) or troughs (sign -1)."""
    heights = sign * values
    at = np.flatnonzero((heights[1:-1] > heights[:-2]) & (heights[1:-1] >= heights[2:])) + 1
    return peak(lambda u: sign * curve(np.exp(u)), logs[at - 1], logs[at + 1])


def first_reaching(curve: Curve, grid: Knots, levels: Array) -> Array:
    """Return the first position at which the curve reaches each level, inf where it never does."""
    record = np.maximum.accumulate(grid.values)
    flat = np.ravel(levels)
    at = np.searchsorted(record, flat)
    reached = at < len(record)
    last = np.minimum(at, len(record) - 1)
    low, high = grid.positions[np.maximum(last - 1, 0)], grid.positions[last]
    found = np.exp(bisect(lambda u: curve(np.exp(u)) - flat, np.log(low), np.log(high)))
    return np.where(reached, found, np.inf).reshape(np.shape(levels))


def last_holding(curve: Curve, grid: Knots, levels: Array) -> Array:
    """Return the last position that the curve keeps at or below each level.

    The state that has gone as far as it can stays there while the control falls to the level: 0
    where nothing holds it, inf where the curve itself ends below the level.
    """
    least = np.minimum.accumulate(grid.values[::-1])[::-1]
    flat = np.ravel(levels)
    after = np.searchsorted(least, flat, side="right")
    last = len(least) - 1
    low, high = grid.positions[np.clip(after - 1, 0, last)], grid.positions[np.minimum(after, last)]
    found = np.exp(bisect(lambda u: curve(np.exp(u)) - flat, np.log(low), np.log(high)))
    found = np.where(after > last, np.inf, np.where(after == 0, 0.0, found))
    return found.reshape(np.shape(levels))


def jumps(curve: Curve, grid: Knots) -> list[Jump]:
    """Return the jumps of the state as the control grows, from left to right.

    `after` is inf where the curve never comes so high again; `lowest` is the least control value
    from the peak on, down to which the state after the jump survives if the control is taken back.
    """
    found, record = [], -np.inf
    for top in grid.peaks:
        value = float(grid.values[top])
        if value > record and top < len(grid.values) - 1:
            rest = Knots(grid.positions[top + 1 :], grid.values[top + 1 :], grid.peaks[:0])
            after = first_reaching(curve, rest, np.array(value))
            lowest = float(rest.values[rest.positions <= after].min())
            found.append(Jump(value, float(grid.positions[top]), float(after), lowest))
        record = max(record, value)
    return found
