r"""Scores as a rising function of one variable, fitted to counts, with a test of the fit.

.. math:: f = c + (1 - c)\,G(a + b z), \qquad
          X^2 = \sum_i \frac{(k_i / n_i - f_i)^2}{f_i (1 - f_i) / n_i + \tau^2}

No form holds exactly, so a tolerance tau stands beside the noise of sampling items: the question is
whether the form holds to within tau.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr
from scipy.stats import binom

__all__ = [
    "Response",
    "ResponseFit",
    "best_fit",
    "fit_response",
    "forced_choice",
    "gompertz",
    "logistic",
    "mirrored_gompertz",
    "root_of",
]

Array: TypeAlias = NDArray[np.float64]

_GRID, _STEPS = 33, 6
_TINY = 1e-9


@dataclass(frozen=True)
class Response:
    """A rising function with values in [0, 1], and the range of a and b that is searched.

    Parameters
    ----------
    function : callable
        G, of any array.
    low, high : float
        Where G is next to its lowest and highest value; a lies where some scale is between.
    steepest : float
        Largest b, per unit of z.
    floor : float
        c, the score of guessing that G comes on top of; 0 where G has it built in.
    """

    function: Callable[[Array], Array]
    low: float
    high: float
    steepest: float
    floor: float = 0.0

    def __call__(self, z: Array, a: Array, b: Array) -> Array:
        """Return the scores at z for every pair of a and b, one row a pair."""
        rising = self.function(a[:, None] + b[:, None] * z)
        return np.minimum(np.maximum(self.floor + (1 - self.floor) * rising, 0.0), 1.0)


@dataclass(frozen=True)
class ResponseFit:
    """The best a and b, the scores they give, how far off they are, and a p-value of the fit."""

    a: float
    b: float
    fitted: Array
    misfit: float
    p_value: float


def gompertz(u: Array) -> Array:
    r"""Return :math:`\exp(-e^{-u})`: exact match where log NLL falls linearly."""
    return np.asarray(np.exp(-np.exp(-np.maximum(u, -50.0))))


def mirrored_gompertz(u: Array) -> Array:
    r"""Return :math:`1 - \exp(-e^{u})`."""
    return np.asarray(-np.expm1(-np.exp(np.minimum(u, 50.0))))


def logistic(u: Array) -> Array:
    r"""Return :math:`1/(1 + e^{-u})`."""
    return np.asarray(expit(u))


@lru_cache(maxsize=32)
def forced_choice(n_choices: float) -> Callable[[Array], Array]:
    r"""Return how often the right one of k choices comes first if it is d better on average.

    .. math:: f(d) = \int \varphi(u)\,\Phi(u + d)^{k-1}\,du

    Parameters
    ----------
    n_choices : float
        k; between two whole numbers, the mixture of both that has chance 1/k.

    References
    ----------
    Green & Swets 1966, k-alternative forced choice.
    """
    d = np.linspace(-4.0, 12.0, 401)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    above = ndtr(nodes[:, None] + d)
    weights = weights / weights.sum()
    low, high = int(np.floor(n_choices)), int(np.ceil(n_choices))
    scores = weights @ above ** (low - 1)
    if high > low:
        share = (1 / n_choices - 1 / high) / (1 / low - 1 / high)
        scores = share * scores + (1 - share) * (weights @ above ** (high - 1))
    return _Interpolated(d, scores)


@dataclass(frozen=True)
class _Interpolated:
    """A function by its values on a grid; module-level, so that it pickles."""

    at: Array
    values: Array

    def __call__(self, u: Array) -> Array:
        return np.asarray(np.interp(u, self.at, self.values))


def fit_response(
    response: Response,
    z: Array,
    share: Array,
    n: Array,
    *,
    tolerance: float,
    rng: np.random.Generator,
    n_boot: int,
    best: ResponseFit | None = None,
    covariance: Array | None = None,
) -> ResponseFit:
    """Return the best fit of one response, its p-value from draws that are refitted as well.

    Parameters
    ----------
    response : Response
        The form.
    z, share, n : array, shape (m,)
        Variable, share right and test size at each scale.
    tolerance : float
        Misfit of a score that still counts as none, tau.
    rng : Generator
        Source of the draws.
    n_boot : int
        Draws.
    best : ResponseFit, optional
        The best fit, where it is known.
    covariance : array, shape (m, m), optional
        How the shares of all scales move together over items that they share.
    """
    best = best or best_fit(response, z, share, n, tolerance)
    draws = _counts(rng, np.rint(n).astype(np.int64), best.fitted, n_boot, covariance) / np.rint(n)
    draws += tolerance * rng.standard_normal(draws.shape)
    start = np.tile([best.a, best.b], (n_boot, 1))
    _, misfits = _refined(response, z, draws, n, tolerance, start)
    return replace(best, p_value=float((1 + (misfits >= best.misfit).sum()) / (1 + n_boot)))


def _counts(
    rng: np.random.Generator,
    n: NDArray[np.int64],
    p: Array,
    n_boot: int,
    covariance: Array | None,
) -> NDArray[np.int64]:
    """Return binomial counts, one row a draw; with a covariance they rise and fall together."""
    if covariance is None:
        return rng.binomial(n, p, (n_boot, len(n)))
    spread = np.sqrt(np.diag(covariance))
    together = covariance / np.outer(
        np.where(spread > 0, spread, 1), np.where(spread > 0, spread, 1)
    )
    np.fill_diagonal(together, 1.0)
    ranks = ndtr(rng.standard_normal((n_boot, len(n))) @ root_of(together))
    return np.asarray(binom.ppf(ranks, n, p), dtype=np.int64)


def root_of(covariance: Array) -> Array:
    """Return the symmetric square root."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def best_fit(response: Response, z: Array, share: Array, n: Array, tolerance: float) -> ResponseFit:
    """Return the best fit of one response, without a p-value."""
    start = np.array([_on_grid(response, z, share, n, tolerance)])
    best, misfit = _refined(response, z, share[None], n, tolerance, start)
    a, b = best[0]
    fitted = response(z, best[:, 0], best[:, 1])[0]
    return ResponseFit(float(a), float(b), fitted, float(misfit[0]), np.nan)


def _on_grid(
    response: Response, z: Array, share: Array, n: Array, tolerance: float
) -> tuple[float, float]:
    """Return the best pair of a grid, as a start."""
    # Steep slopes matter on a log scale; 0 is the flat curve.
    slopes = np.append(0.0, np.geomspace(response.steepest / 200, response.steepest, _GRID - 1))
    middles = np.linspace(0.0, 1.0, _GRID)
    low, high = response.low - slopes * z.max(), response.high - slopes * z.min()
    a = (low + (high - low) * middles[:, None]).ravel()
    b = np.tile(slopes, _GRID)
    place = int(np.argmin(_misfit(response(z, a, b), share, n, tolerance)))
    return float(a[place]), float(b[place])


def _refined(
    response: Response, z: Array, shares: Array, n: Array, tolerance: float, start: Array
) -> tuple[Array, Array]:
    """Return the best (a, b) of each row of scores, by Gauss-Newton steps from a start.

    A row keeps the best that it has seen; a step that does not help is halved until it is given up.
    """
    best = start.copy()
    scores = response(z, best[:, 0], best[:, 1])
    misfit = _misfit(scores, shares, n, tolerance)
    size = np.ones(len(best))
    for _ in range(_STEPS):
        step = _gauss_newton(response, z, shares, n, tolerance, best, scores)
        trial = best + size[:, None] * step
        trial[:, 1] = np.clip(trial[:, 1], 0.0, response.steepest)
        tried = response(z, trial[:, 0], trial[:, 1])
        found = _misfit(tried, shares, n, tolerance)
        better = found < misfit
        best[better], misfit[better], scores[better] = trial[better], found[better], tried[better]
        size = np.where(better, np.minimum(2 * size, 1.0), size / 4)
    return best, misfit


def _gauss_newton(
    response: Response,
    z: Array,
    shares: Array,
    n: Array,
    tolerance: float,
    at: Array,
    scores: Array,
) -> Array:
    """Return the step of each row from where it is and the scores there."""
    a, b = at[:, 0], at[:, 1]
    h = 1e-4
    slope = (response(z, a + h, b) - response(z, a - h, b)) / (2 * h)
    weight = 1 / _variance(scores, n, tolerance)
    residual = weight * slope * (shares - scores)
    curvature = weight * slope**2
    haa, hab, hbb = curvature.sum(axis=1), curvature @ z, curvature @ z**2
    ga, gb = residual.sum(axis=1), residual @ z
    # A touch of damping: where all scores are alike, a and b cannot be told apart.
    haa, hbb = haa * (1 + 1e-6) + _TINY, hbb * (1 + 1e-6) + _TINY
    # On its bound, b stays, and a moves alone.
    stuck = ((b <= 0) & (gb < 0)) | ((b >= response.steepest) & (gb > 0))
    det = haa * hbb - hab**2
    step_a = np.where(stuck, ga / haa, (hbb * ga - hab * gb) / det)
    step_b = np.where(stuck, 0.0, (haa * gb - hab * ga) / det)
    return np.stack([step_a, step_b], axis=1)


def _variance(scores: Array, n: Array, tolerance: float) -> Array:
    return np.asarray(scores * (1 - scores) / n + tolerance**2)


def _misfit(scores: Array, shares: Array, n: Array, tolerance: float) -> Array:
    return np.asarray(((shares - scores) ** 2 / _variance(scores, n, tolerance)).sum(axis=-1))
