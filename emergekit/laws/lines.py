"""The straight line through points, from which most guesses of parameters are made."""

from __future__ import annotations

import numpy as np

from emergekit.laws.law import Array

__all__ = ["line"]


def line(x: Array, y: Array) -> tuple[float, float]:
    """Return intercept and slope of the least squares line; NaN where two points cannot be told.

    Examples
    --------
    >>> line(np.array([1.0, 2.0, 3.0]), np.array([3.0, 5.0, 7.0]))
    (1.0, 2.0)
    >>> line(np.array([1.0, 1.0]), np.array([3.0, 5.0]))
    (nan, nan)
    """
    if len(x) < 2 or not np.ptp(x) > 0:
        return np.nan, np.nan
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return float(y.mean() - slope * x.mean()), slope
