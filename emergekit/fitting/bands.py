"""How far a prediction may be off: the law's own uncertainty, and the scatter of a new row."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from emergekit.errors import FitError, shown
from emergekit.fitting.scatter import deviation, weighted_quantile

__all__ = [
    "between",
    "mean_variance",
    "parameter_ends",
    "require_level",
    "student_reach",
    "with_scatter",
]

Array = NDArray[np.float64]


def student_reach(level: float, df: int) -> float:
    """Return how many standard errors an interval of that level reaches; NaN without freedom."""
    return float(student_t.ppf((1 + level) / 2, df)) if df > 0 else np.nan


def require_level(level: object) -> None:
    """Raise a `FitError` unless the level is a share of cases."""
    if not (isinstance(level, float | int | np.number) and 0 < level < 1):
        raise FitError(f"level must lie between 0 and 1; it is {shown(level)}.")


def parameter_ends(
    estimate: Array, reach: Array, log: NDArray[np.bool_], bounds: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Return the ends of intervals that reach that far, symmetric on the scale of the search.

    Those of parameters searched by their logarithm stay positive. All end at the bounds of the
    parameter at the latest: the truth is known to lie within, so that no coverage is lost.
    """
    with np.errstate(all="ignore"):  # a hopeless interval reaches from 0 to inf
        factor = np.exp(np.where(log, reach / estimate, 0.0))
        lower = np.where(log, estimate / factor, estimate - reach)
        upper = np.where(log, estimate * factor, estimate + reach)
    return np.maximum(lower, bounds[0]), np.minimum(upper, bounds[1])


def mean_variance(slopes: Array, cov: pd.DataFrame, fixed: tuple[str, ...]) -> Array:
    """Return the variance of the law's value in each row, by the delta method.

    Fixed parameters have none; whatever else lacks a covariance makes it NaN.
    """
    matrix = cov.to_numpy().copy()
    held = cov.index.isin(list(fixed))
    matrix[held, :] = 0.0
    matrix[:, held] = 0.0
    variance: Array = np.einsum("np,pq,nq->n", slopes, matrix, slopes)
    return np.maximum(variance, 0.0)


def with_scatter(
    mean_reach: Array,
    residuals: Array,
    weights: Array,
    df: int,
    level: float,
    unit: Array | float = 1.0,
) -> Array:
    """Return how far an interval for a new row reaches, given how far that of the law does.

    The scatter is the quantile of the residuals' sizes, each brought to a row of average weight
    (weights are inverse variances) and stretched by sqrt(n / df) for what the fit took up. Beyond
    the outermost residual, normal theory may widen it.

    Parameters
    ----------
    mean_reach : array, shape (m,)
        Half-widths for the law's value.
    residuals, weights : array, shape (n,)
        Of the rows that were fitted.
    df : int
        Rows less free parameters.
    level : float
        Coverage aimed at.
    unit : array, shape (m,), or float
        What a new row scatters by, in the unit of the residuals.

    Returns
    -------
    array, shape (m,)
        Half-widths; NaN without degrees of freedom.
    """
    if df < 1:
        return np.full_like(mean_reach, np.nan)
    n = len(residuals)
    sizes = np.abs(residuals) * np.sqrt(weights / weights.mean())
    scatter = weighted_quantile(sizes, np.ones(n), level) * np.sqrt(n / df)
    if level > 1 - 1 / (2 * n):
        normal = student_reach(level, df) * float(deviation(residuals, weights, df))
        scatter = max(scatter, normal)
    reach: Array = np.hypot(mean_reach, unit * scatter)
    return reach


def between(draws: Array, level: float) -> tuple[Array, Array]:
    """Return the percentiles that hold that share of the draws in their middle, by column."""
    lower, upper = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return lower, upper
