"""The logistic above a floor that makes the counts of a curve most likely."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlog1py, xlogy

from emergekit.emergence.counts import log_likelihood

__all__ = ["Logistic", "fit_logistic"]

Array: TypeAlias = NDArray[np.float64]


class Logistic(NamedTuple):
    """A logistic at its largest likelihood."""

    log_likelihood: float
    midpoint: float
    slope: float


def fit_logistic(x: Array, k: Array, n: Array, floor: float) -> Logistic:
    r"""Return the logistic above a floor of largest likelihood, by damped Fisher scoring.

    .. math:: p(x) = f + (1 - f)\,\sigma(a + b x)

    Parameters
    ----------
    x : array, shape (m,)
        Rising scales. They are fitted in units of their range, so that scales of any unit give the
        same numbers.
    k, n : array, shape (m,)
        Right answers and test size at each scale, in examples.
    floor : float
        Where the logistic starts, f, from 0 to below 1.

    Returns
    -------
    Logistic
        `log_likelihood` (nats, binomial coefficients included), `midpoint` (where half of the rise
        is done, in units of x), `slope` (of the logit, per unit of x).
    """
    span = x[-1] - x[0]
    design = np.column_stack([np.ones_like(x), (x - x[0]) / span])
    theta, damping = _start(design[:, 1], k, n, floor), 1e-3
    best = _likelihood(theta, design, k, n, floor)
    # Counts that a threshold separates push the slope to infinity; the likelihood still converges.
    for _ in range(200):
        step = _scoring_step(theta, design, k, n, floor, damping)
        value = _likelihood(theta + step, design, k, n, floor)
        if value > best:
            theta, gain, best, damping = theta + step, value - best, value, damping / 10
            if gain < 1e-10:
                break
        elif damping > 1e8:
            break
        else:
            damping *= 10
    a, b = theta
    middle = float(x[0] - span * a / b) if b else np.nan
    log_l = float(log_likelihood(k, n, floor + (1 - floor) * expit(design @ theta)))
    return Logistic(log_l, middle, float(b / span))


def _start(z: Array, k: Array, n: Array, floor: float) -> Array:
    """Return the best of a grid of midpoints and slopes, since a floor gives local maxima."""
    middles = np.concatenate([z, (z[1:] + z[:-1]) / 2])
    slopes = np.array([-64.0, -16.0, -4.0, -1.0, 1.0, 4.0, 16.0, 64.0])
    b, x0 = (grid.ravel() for grid in np.meshgrid(slopes, middles))
    eta = b[:, None] * (z - x0[:, None])
    p = floor + (1 - floor) * expit(eta)
    best = int(np.argmax((xlogy(k, p) + xlog1py(n - k, -p)).sum(axis=1)))
    return np.array([-b[best] * x0[best], b[best]])


def _likelihood(theta: Array, design: Array, k: Array, n: Array, floor: float) -> float:
    p = floor + (1 - floor) * expit(design @ theta)
    return float((xlogy(k, p) + xlog1py(n - k, -p)).sum())


def _scoring_step(
    theta: Array, design: Array, k: Array, n: Array, floor: float, damping: float
) -> Array:
    eta = np.clip(design @ theta, -700, 700)
    s = expit(eta)
    p = floor + (1 - floor) * s
    # With u = s / p the derivative of p over p (1 - p) is u: no division of 0 by 0 where p is 1.
    u = s / p
    score = design.T @ ((k - n * p) * u)
    information = (design * (n * (1 - floor) * s * expit(-eta) * u)[:, None]).T @ design
    ridge = damping * np.diag(information) + 1e-12
    step: Array = np.linalg.solve(information + np.diag(ridge), score)
    return step
