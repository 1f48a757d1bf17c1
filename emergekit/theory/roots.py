"""Roots and peaks of many functions at once, by steps that cannot fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.ranges import Array

__all__ = ["bisect", "peak"]

_GOLDEN = (np.sqrt(5) - 1) / 2


def bisect(rising: Callable[[Array], Array], lower: ArrayLike, upper: ArrayLike) -> Array:
    """Return where rising functions cross zero, to the last bit.

    Parameters
    ----------
    rising : callable
        From an array to as many values; below 0 left of the root, 0 or above right of it.
    lower, upper : array
        Brackets. Where a function does not cross zero between them, the nearer end comes back,
        unmarked: whoever calls makes sure of a crossing.

    Returns
    -------
    array

    Examples
    --------
    >>> bisect(lambda x: x**2 - [1.0, 2.0], 0.0, [4.0, 4.0]).round(12)
    array([1.        , 1.41421356])
    """
    low, high = (np.array(end, dtype=float) for end in np.broadcast_arrays(lower, upper))
    for _ in range(2000):  # each step halves: 64 as a rule, more only towards a root at 0
        middle = (low + high) / 2
        if ((middle <= low) | (middle >= high)).all():
            break
        right = np.asarray(rising(middle)) >= 0
        high, low = np.where(right, middle, high), np.where(right, low, middle)
    return high


def peak(function: Callable[[Array], Array], lower: ArrayLike, upper: ArrayLike) -> Array:
    """Return where functions with one peak between `lower` and `upper` have it.

    A golden-section search: the place is good to the root of the rounding error, and so the height
    of the peak to the rounding error itself.

    Examples
    --------
    >>> peak(lambda x: -((x - 0.3) ** 2), [0.0], [1.0]).round(6)
    array([0.3])
    """
    low, high = (np.array(end, dtype=float) for end in np.broadcast_arrays(lower, upper))
    for _ in range(60):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        falls = np.asarray(function(left)) >= np.asarray(function(right))
        low, high = np.where(falls, low, left), np.where(falls, right, high)
    middle: Array = (low + high) / 2
    return middle
