"""How far rows scatter about a fit: weighted quantiles, and deviations plain and robust."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["deviation", "robust_deviation", "weighted_quantile"]

Array = NDArray[np.float64]


def weighted_quantile(sizes: Array, weights: Array, share: float) -> float:
    """Return the size below which that share of the weight lies, each row at its middle (Hazen).

    Below the smallest one's middle it falls to 0 in a line.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.ones(3), 0.5)
    2.0
    """
    order = np.argsort(sizes)
    size, weight = sizes[order], weights[order]
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    return float(np.interp(share, np.r_[0.0, middle], np.r_[0.0, size]))


def deviation(residuals: Array, weights: Array, df: int) -> Array:
    """Return the standard deviation of a row of average weight; NaN without freedom.

    Rows lie on the last axis.
    """
    mean_square = (weights * residuals**2).sum(axis=-1) / weights.sum(axis=-1)
    spread: Array = np.sqrt(mean_square * residuals.shape[-1] / (df if df > 0 else np.nan))
    return spread


def robust_deviation(residuals: Array, weights: Array, n_parameters: int) -> float:
    """Return the deviation of normal residuals that have the median size of these.

    A fit under a nearly absolute penalty goes through as many rows as it has parameters; their
    zeros say nothing about the scatter, so that many of the smallest are left out.
    """
    size = np.abs(residuals)
    told = np.argsort(size)[n_parameters:]
    median_of_normal = 0.6745
    return weighted_quantile(size[told], weights[told], 0.5) / median_of_normal
