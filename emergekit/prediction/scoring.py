"""Proper scores: what a forecast with its uncertainty was worth once the truth is known.

A score is proper if nobody expects to gain by saying anything but what they believe. All of these
are in the unit of the score that was forecast, and less is better.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

__all__ = ["crps_normal", "crps_sample", "interval_score"]

Array: TypeAlias = NDArray[np.float64]


def interval_score(
    observed: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: ArrayLike = 0.9
) -> Array:
    r"""Return the interval score: the width, and a fine for every unit that the truth lies outside.

    .. math:: S_\alpha = (u - l) + \tfrac{2}{\alpha} (l - y)_+ + \tfrac{2}{\alpha} (y - u)_+

    Parameters
    ----------
    observed : array, shape (n,)
        What came true, y.
    lower, upper : array, shape (n,)
        Ends of the interval, l and u.
    level : array, shape (n,), or float
        Coverage that the interval aims at, 1 - alpha, between 0 and 1.

    Returns
    -------
    array, shape (n,)
        In the unit of the score; NaN where an end or the truth is not known.

    Raises
    ------
    ValueError
        If an interval ends below its start, or a level is no share.

    References
    ----------
    Gneiting & Raftery 2007, equation 43.

    Examples
    --------
    >>> round(float(interval_score(1.1, 0.0, 1.0, level=0.9)), 9)
    3.0
    """
    y, low, high, share = (np.asarray(v, dtype=float) for v in (observed, lower, upper, level))
    _refuse(~(share > 0) | ~(share < 1), "level must lie between 0 and 1", share)
    _refuse(high < low, "an interval must not end below its start", high - low)
    fine = 2.0 / (1.0 - share)
    return np.asarray((high - low) + fine * (np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)))


def crps_normal(observed: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> Array:
    r"""Return the continuous ranked probability score of normal forecasts.

    .. math:: \sigma \left[ z (2 \Phi(z) - 1) + 2 \varphi(z) - \pi^{-1/2} \right],
              \quad z = (y - \mu) / \sigma

    Parameters
    ----------
    observed, mean, sd : array, shape (n,)
        What came true, and mean and standard deviation of the forecast; at 0, a point is forecast.

    Returns
    -------
    array, shape (n,)
        In the unit of the score; the absolute error where a point was forecast.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    References
    ----------
    Gneiting & Raftery 2007, equation 21.

    Examples
    --------
    >>> crps_normal([0.4, 0.4], [0.5, 0.4], [0.0, 0.1]).round(5)
    array([0.1    , 0.02337])
    """
    y, mu, sigma = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (observed, mean, sd)))
    _refuse(sigma < 0, "a standard deviation must not be negative", sigma)
    error = np.asarray(y - mu)
    z = np.divide(error, sigma, out=np.zeros_like(error), where=sigma > 0)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    spread: Array = sigma * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(sigma == 0, np.abs(error), spread)


def crps_sample(observed: ArrayLike, draws: ArrayLike) -> Array:
    r"""Return the continuous ranked probability score of forecasts that are draws.

    .. math:: \overline{|x_i - y|} - \tfrac{1}{2 m^2} \sum_{ij} |x_i - x_j|

    It is the score of the distribution that these draws are, as `crps_normal` is of a normal one;
    the sum over pairs is taken from the sorted draws, so that the cost grows as m log m.

    Parameters
    ----------
    observed : array, shape (n,)
        What came true.
    draws : array, shape (m, n)
        Draws of each forecast.

    Returns
    -------
    array, shape (n,)
        In the unit of the score; of one draw, the absolute error.

    Raises
    ------
    ValueError
        If there are no draws, or not as many columns as truths.

    References
    ----------
    Gneiting & Raftery 2007, equation 21.

    Examples
    --------
    >>> crps_sample([1.0], [[0.0], [2.0]])
    array([0.5])
    """
    y, x = np.atleast_1d(np.asarray(observed, dtype=float)), np.asarray(draws, dtype=float)
    if x.ndim != 2 or x.shape[1:] != y.shape or not len(x):
        raise ValueError(
            f"draws must be one row a draw and one column a forecast, (m, {y.size}); their "
            f"shape is {x.shape}."
        )
    m = len(x)
    ranks = (2 * np.arange(1, m + 1) - m - 1)[:, None]
    pairs = 2 * (ranks * np.sort(x, axis=0)).sum(axis=0)
    return np.asarray(np.abs(x - y).mean(axis=0) - pairs / (2 * m**2))


def _refuse(bad: Array | NDArray[np.bool_], rule: str, values: Array) -> None:
    """Raise a `ValueError` that names the first entry that breaks the rule."""
    if np.any(bad):
        first = int(np.argmax(bad))
        value = np.broadcast_to(values, np.shape(bad)).ravel()[first]
        raise ValueError(f"{rule}; entry {first} has {value:g}.")
