"""The straight line through points, from which most guesses of parameters are made."""

from __future__ import annotations

import numpy as np

from emergekit.laws.law import Array

__all__ = ["line", "thinned"]

_MOST_ROWS = 64


def line(x: Array, y: Array) -> tuple[Array, Array]:
    """Return intercept and slope of the least squares line; NaN where two points cannot be told.

    Points lie on the last axis.

    Examples
    --------
    >>> intercept, slope = line(np.array([[1.0, 2.0], [1.0, 1.0]]), np.array([[3.0, 5.0]]))
    >>> intercept.tolist(), slope.tolist()
    ([1.0, nan], [2.0, nan])
    """
    if x.shape[-1] == 0:
        return np.asarray(np.nan), np.asarray(np.nan)
    told = np.ptp(x, axis=-1) > 0
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.where(told, (centred**2).sum(axis=-1), np.nan)
    slope = (centred * y).sum(axis=-1) / spread
    return y.mean(axis=-1) - slope * x.mean(axis=-1), slope


def thinned(response: Array, x: Array) -> tuple[Array, Array]:
    """Return ln x and ln response of the positive rows, of many as many as a guess needs."""
    good = (response > 0) & (x > 0)
    order = np.argsort(x[good], kind="stable")
    if len(order) > _MOST_ROWS:
        order = order[np.linspace(0, len(order) - 1, _MOST_ROWS).astype(int)]
    return np.log(x[good][order]), np.log(response[good][order])
