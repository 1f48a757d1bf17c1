"""Binomial deviance of scores that are shares of right answers, as residuals with slopes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

__all__ = [
    "binomial_log_likelihood",
    "counts_answers",
    "deviance_residuals",
    "deviance_slopes",
    "score_spread",
]

Array = NDArray[np.float64]

_EDGE = 1e-6
"""Chances nearer to 0 or 1 than this, of scores that are not, count as beyond the edge."""
_NO_CHANCE = 1e-15
"""What stands for 0 where the score is 0 too: the slope of the root of a deviance of 0 has no end.
"""
_WALL = 1 / _EDGE**2
"""Curvature beyond the edge: no less than that of the deviance at it."""
_SMALL = 1e-3


def deviance_residuals(observed: Array, predicted: Array) -> Array:
    r"""Return signed residuals whose half squares are the deviance of one answer.

    .. math:: r = \mathrm{sign}(p - y) \sqrt{2 d}, \qquad
              d = y \ln\frac{y}{p} + (1 - y) \ln\frac{1 - y}{1 - p}

    Times the number of answers, d is the log-likelihood lost against a law that meets the score
    (McCullagh & Nelder 1989, section 4.4). A straight law may leave [0, 1] on the way to its
    minimum, where d is not defined; there it goes on as a steep parabola, which leads back.

    Parameters
    ----------
    observed, predicted : array
        Scores y, from 0 to 1, and chances p.

    Examples
    --------
    >>> deviance_residuals(np.array([0.0, 0.5]), np.array([0.5, 0.5])).round(3)
    array([1.177, 0.   ])
    """
    inside, beyond = _split(observed, predicted)
    lost = _half_deviance(observed, inside) + beyond * (
        _by_chance(observed, inside) + _WALL / 2 * beyond
    )
    residuals: Array = np.sign(predicted - observed) * np.sqrt(2 * np.maximum(lost, 0.0))
    return residuals


def deviance_slopes(observed: Array, predicted: Array, residuals: Array) -> Array:
    """Return the derivatives of the residuals by the chances."""
    inside, beyond = _split(observed, predicted)
    by_chance = _by_chance(observed, inside) + _WALL * beyond
    # Where a row is met, the quotient of two zeros is 1 / spread.
    met = residuals == 0
    at_met = met / np.maximum(score_spread(inside), _EDGE)
    slopes: Array = np.divide(by_chance, residuals, out=at_met, where=~met)
    return slopes


def score_spread(chance: Array) -> Array:
    """Return the standard deviation of one answer, sqrt(p (1 - p)); 0 outside of (0, 1)."""
    spread: Array = np.sqrt(np.clip(chance * (1 - chance), 0.0, None))
    return spread


def counts_answers(observed: Array, weights: Array) -> NDArray[np.bool_]:
    """Return whether the weights can be numbers of test items: whole, and more than bare ones.

    Rows lie on the last axis.
    """
    whole = ((np.abs(weights - np.rint(weights)) <= 1e-6) & (weights >= 0.5)).all(axis=-1)
    bare = (np.abs(weights - 1) <= 1e-6).all(axis=-1)
    single = ((observed == 0) | (observed == 1)).all(axis=-1)
    counts: NDArray[np.bool_] = whole & (~bare | single)
    return counts


def binomial_log_likelihood(observed: Array, chance: Array, n_answers: Array) -> Array:
    """Return the log-likelihood of shares of right answers, its constants included."""
    right = n_answers * observed
    ways = gammaln(n_answers + 1) - gammaln(right + 1) - gammaln(n_answers - right + 1)
    total: Array = (ways + xlogy(right, chance) + xlog1py(n_answers - right, -chance)).sum(axis=-1)
    return total


def _split(observed: Array, predicted: Array) -> tuple[Array, Array]:
    """Return the chance where the deviance is defined, and how far the prediction lies beyond."""
    lower = np.where(observed > 0, _EDGE, _NO_CHANCE)
    upper = np.where(observed < 1, 1 - _EDGE, 1 - _NO_CHANCE)
    inside = np.clip(predicted, lower, upper)
    return inside, predicted - inside


def _half_deviance(observed: Array, chance: Array) -> Array:
    miss = chance - observed
    right = observed * _excess(_quotient(miss, observed))
    wrong = (1 - observed) * _excess(_quotient(-miss, 1 - observed))
    # A score of 0 or 1 leaves one answer out of the sum, and with it the linear part.
    whole = np.where(observed > 0, 0.0, miss) - np.where(observed < 1, 0.0, miss)
    half: Array = right + wrong + whole
    return half


def _excess(t: Array) -> Array:
    """Return t - log(1 + t), which would lose its digits near 0."""
    small = np.abs(t) < _SMALL
    series = t * t * (1 / 2 - t * (1 / 3 - t * (1 / 4 - t / 5)))
    safe = np.where(small, 1.0, t)
    return np.where(small, series, safe - np.log1p(safe))


def _by_chance(observed: Array, chance: Array) -> Array:
    variance = chance * (1 - chance)
    at_edge = np.where(chance > 0.5, -1.0, 1.0)
    return np.divide(chance - observed, variance, out=at_edge, where=variance > 0)


def _quotient(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
