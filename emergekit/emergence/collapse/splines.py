"""A smooth curve with few degrees of freedom: cubic B-splines with knots at quantiles."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

__all__ = ["Spline"]

Array: TypeAlias = NDArray[np.float64]

_DEGREE = 3


class Spline:
    """Columns of a cubic spline whose knots lie at quantiles of the places it is made on.

    Parameters
    ----------
    x : array, shape (n,)
        Places; the spline reaches from the first to the last of them.
    n_columns : int
        Degrees of freedom, constant included; fewer where there are fewer different places, down
        to the straight line.
    """

    def __init__(self, x: Array, n_columns: int = 6) -> None:
        self._low, self._high = float(x.min()), float(x.max())
        n_columns = min(n_columns, len(np.unique(x)) - 1)
        self._degree = max(min(_DEGREE, n_columns - 1), 1)
        n_inner = max(n_columns - self._degree - 1, 0)
        inner = np.quantile(x, np.linspace(0, 1, n_inner + 2)[1:-1])
        ends = self._degree + 1
        self._knots = np.r_[[self._low] * ends, inner, [self._high] * ends]

    def columns(self, x: Array) -> Array:
        """Return the columns at some places, shape (n, n_columns); each row sums to 1.

        Places outside the spline's own are moved to its end.
        """
        inside = np.clip(x, self._low, self._high)
        return np.asarray(BSpline.design_matrix(inside, self._knots, self._degree).toarray())
