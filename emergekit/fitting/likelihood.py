"""How likely a fit makes its rows, under the density of errors that its objective stands for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from emergekit.fitting.objectives import Objective

__all__ = ["log_likelihood"]

Array = NDArray[np.float64]

_TINY = float(np.finfo(float).tiny)
_ROUNDING = 64 * float(np.finfo(float).eps)
_SECTIONS = 40


def log_likelihood(
    goal: Objective, observed: Array, residuals: Array, weights: Array | None = None
) -> Array:
    r"""Return the log-likelihood of the responses themselves, at its best dispersion.

    To minimise a sum of penalties is to maximise the likelihood under the density

    .. math:: f(r_i) = \frac{e^{-w_i \rho(r_i) / \phi}}{Z(\phi / w_i)}, \qquad
              Z(v) = \int e^{-\rho(r) / v} \, dr

    whatever the dispersion phi, which is then chosen to make it largest. It is the normal density
    for least squares, Laplace's for absolute deviations, Huber's for delta between, and their
    unequal halves for the asymmetric ones. A density of log y is one of y after multiplication by
    the derivative of the logarithm, so fits to raw and to log responses can be compared.

    Parameters
    ----------
    goal : Objective
        What was minimised; not the binomial one, which has a likelihood of its own.
    observed, residuals : array, shape (..., n)
        Responses, and residuals on the objective's scale.
    weights : array, shape (..., n), optional
        Inverse variances up to a common scale, on which the answer does not depend; above 0.

    Returns
    -------
    array, shape (...,)

    References
    ----------
    Huber 1964 for the density; Burnham & Anderson 2002, section 2.11.3, for the derivative (both
    from memory).

    Examples
    --------
    >>> from emergekit.fitting.objectives import objective
    >>> r = np.array([-0.1, 0.2, 0.3])
    >>> log_likelihood(objective("lad"), np.ones(3), r).round(4)
    np.float64(-0.2511)
    """
    n = residuals.shape[-1]
    weights = np.ones(n) if weights is None else np.maximum(weights, _TINY)
    # A fit through exact data leaves rounding, which must not decide between two of them.
    rounding = goal.penalty(_ROUNDING * goal.scale(observed)) + _TINY
    total = (weights * np.maximum(goal.penalty(residuals), rounding)).sum(axis=-1)

    def lost(dispersion: Array) -> Array:
        spread = dispersion[..., None] / weights
        mass = _half(spread / goal.over, goal.delta) + _half(spread / goal.under, goal.delta)
        given_up: Array = total / dispersion + np.log(mass).sum(axis=-1)
        return given_up

    # The mean penalty is half the dispersion for a square and all of it for a straight line.
    low, high = total / n, 2 * total / n
    best = low if goal.delta == 0 else high
    if 0 < goal.delta < np.inf:
        best = _least(lost, low, high)
    likelihood: Array = np.log(goal.transform_slope(observed)).sum(axis=-1) - lost(best)
    return likelihood


def _least(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return where functions of one valley are least, by golden sections."""
    share = (np.sqrt(5) - 1) / 2
    for _ in range(_SECTIONS):
        left, right = high - share * (high - low), low + share * (high - low)
        falling = function(left) > function(right)
        low, high = np.where(falling, left, low), np.where(falling, high, right)
    return (low + high) / 2


def _half(spread: Array, delta: float) -> Array:
    """Return the integral of exp(-penalty / spread) over residuals of one sign."""
    if delta == 0:
        return spread
    half: Array = np.sqrt(np.pi * spread / 2) * erf(delta / np.sqrt(2 * spread))
    if np.isfinite(delta):
        half += spread / delta * np.exp(-(delta**2) / (2 * spread))
    return half
