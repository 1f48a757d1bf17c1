"""Success rates as Beta distributions: of one rate after some trials, and over many problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from emergekit.errors import FitError
from emergekit.metrics.checks import numbers, require, require_counts, require_level

__all__ = ["BetaBinomial", "Posterior", "beta_binomial_posterior", "fit_beta_binomial"]

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Beta(a, b) posterior of success rates: mean and central interval, arrays of one shape."""

    a: Array
    b: Array
    mean: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class BetaBinomial:
    """Fitted Beta(a, b) of pass rates; overdispersion is 1/(a + b + 1), 0 for a plain binomial."""

    a: float
    b: float
    mean: float
    overdispersion: float
    log_likelihood: float


def beta_binomial_posterior(
    n_successes: ArrayLike,
    n_examples: ArrayLike,
    prior: tuple[float, float] = (1, 1),
    level: float = 0.95,
) -> Posterior:
    r"""Return what is known of a success rate after k successes in n examples.

    .. math:: p \mid k \sim \text{Beta}(a_0 + k, \; b_0 + n - k)

    Parameters
    ----------
    n_successes, n_examples : array
        Counts k and n, whole numbers; broadcast against each other.
    prior : tuple of float
        Beta parameters a0 and b0, above 0: (1, 1) is uniform; `fit_beta_binomial` finds the prior
        of a set of problems.
    level : float
        Posterior chance inside the central interval, in (0, 1).

    Returns
    -------
    Posterior
        `a`, `b`, `mean`, `lower`, `upper`.

    Raises
    ------
    ValueError
        If a count is no whole number, k exceeds n, the prior or the level is none.

    Examples
    --------
    >>> posterior = beta_binomial_posterior(0, 10)
    >>> f"{posterior.mean:.4f} ({posterior.lower:.4f} to {posterior.upper:.4f})"
    '0.0833 (0.0023 to 0.2849)'
    """
    successes, examples = require_counts(n_successes, n_examples)
    tail = (1 - require_level(level)) / 2
    weights = numbers(prior)
    if weights.shape != (2,):
        raise ValueError(f"prior must be two numbers, a and b; it is {prior}.")
    require(np.isfinite(weights) & (weights > 0), weights, "prior", "finite and above 0")
    a, b = weights[0] + successes, weights[1] + examples - successes
    beta = stats.beta(a, b)
    return Posterior(a, b, a / (a + b), beta.ppf(tail), beta.isf(tail))


def fit_beta_binomial(n_successes: ArrayLike, n_trials: ArrayLike) -> BetaBinomial:
    r"""Return the Beta distribution of pass rates over problems, by maximum likelihood.

    .. math:: P(k) = \binom nk \frac{B(k + a, n - k + b)}{B(a, b)}

    Problems differ in difficulty, so counts spread wider than binomial ones.

    Parameters
    ----------
    n_successes, n_trials : array, shape (problems,)
        Passes k among n samples of each problem, whole numbers; broadcast against each other.

    Returns
    -------
    BetaBinomial
        `a`, `b`, `mean` a/(a + b), `overdispersion` 1/(a + b + 1), `log_likelihood`. Counts that
        spread no wider than binomial ones give a and b infinite (overdispersion 0); problems that
        always or never pass give a and b 0 (overdispersion 1).

    Raises
    ------
    FitError
        If all trials failed, all passed, or no problem was tried twice.
    ValueError
        If a count is no whole number or k exceeds n.

    References
    ----------
    Skellam 1948. `scipy.stats.betabinom`.

    Examples
    --------
    >>> fit = fit_beta_binomial([0, 0, 1, 3, 8, 10], 10)
    >>> f"mean {fit.mean:.3f}, overdispersion {fit.overdispersion:.3f}"
    'mean 0.383, overdispersion 0.607'
    """
    successes, trials = (
        np.atleast_1d(n) for n in require_counts(n_successes, n_trials, "n_trials")
    )
    pooled = _pooled_rate(successes, trials)
    if np.all((successes == 0) | (successes == trials)):
        rate = float(np.mean(successes > 0))
        chances = np.where(successes > 0, rate, 1 - rate)
        return BetaBinomial(0.0, 0.0, rate, 1.0, float(np.log(chances).sum()))

    def cost(point: Array) -> float:
        return -float(stats.betabinom.logpmf(successes, trials, *_shapes(point)).sum())

    start, bounds = (special.logit(pooled), -2.0), [(-30, 30), (-14, 30)]
    tight = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000}
    best = optimize.minimize(cost, start, method="Nelder-Mead", bounds=bounds, options=tight)
    binomial = float(stats.binom.logpmf(successes, trials, pooled).sum())
    if -best.fun <= binomial + 1e-6:  # the optimum runs off to a + b = infinity
        return BetaBinomial(np.inf, np.inf, pooled, 0.0, binomial)
    a, b = _shapes(best.x)
    return BetaBinomial(a, b, a / (a + b), 1 / (a + b + 1), -float(best.fun))


def _pooled_rate(successes: Array, trials: Array) -> float:
    if not np.any(trials > 1):
        raise FitError("n_trials must exceed 1 somewhere: single trials show no overdispersion.")
    rate = float(successes.sum() / trials.sum())
    if rate in (0, 1):
        raise FitError(
            f"n_successes must hold a success and a failure, but the rate is {rate:g} throughout. "
            "beta_binomial_posterior bounds such rates."
        )
    return rate


def _shapes(point: Array) -> tuple[float, float]:
    """Return a and b of the logits of mean and overdispersion."""
    total = float(np.exp(-point[1]))
    return total * float(special.expit(point[0])), total * float(special.expit(-point[0]))
