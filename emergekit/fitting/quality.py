"""How good a fit is, and what to read before its numbers are used."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.covariance import Uncertainty, correlated_pairs, sandwich
from emergekit.fitting.deviance import binomial_log_likelihood, counts_answers
from emergekit.fitting.identification import Flat, flat_words, listed
from emergekit.fitting.likelihood import log_likelihood
from emergekit.fitting.scatter import deviation
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import Solution
from emergekit.laws import Law

__all__ = [
    "Quality",
    "beyond_words",
    "early_words",
    "flat_reason",
    "n_impossible",
    "quality",
    "statistics",
]

Array = NDArray[np.float64]

_CORRELATED = 0.95  # above this, an interval of one parameter alone misleads


class Quality(NamedTuple):
    """What a fit says beside its estimates, as `Fit` holds it."""

    cov: pd.DataFrame
    stats: pd.DataFrame
    warnings: tuple[str, ...]
    flat: Flat | None


def quality(
    law: Law, response: str, problem: Problem, solution: Solution, heaviest: float = 1.0
) -> Quality:
    """Return how good a fit is: covariance, one row of statistics, and what to warn of.

    The problem's weights are shares of the heaviest.
    """
    uncertainty = sandwich(problem, solution.z, heaviest)
    correlated = correlated_pairs(uncertainty.cov, above=_CORRELATED)
    measured = statistics(problem, solution.z[None], solution.value[None], np.array([heaviest]))
    goal = problem.objective
    stats = {
        "law": law.name,
        "response": response,
        "n_rows": problem.observed.shape[-1],
        "n_free": problem.coordinates.n_free,
        "df_residual": problem.df_residual,
        "objective": goal.name,
        "delta": goal.delta if 0 < goal.delta < np.inf else np.nan,
        **{name: float(values[0]) for name, values in measured.items()},
        "converged": bool(solution.converged),
        "gradient_norm": float(solution.gradient_norm),
        "curvature": float(solution.curvature),
        "n_starts": int(solution.n_starts),
        "n_starts_agree": int(solution.n_agree),
        "identified": uncertainty.identified,
        "flat": _flat_words(problem, uncertainty),
        "on_bound": ", ".join(uncertainty.on_bound),
        "correlated": ", ".join(f"{one}-{other}" for one, other, _ in correlated),
    }
    params = problem.coordinates.params(solution.z)
    said = tuple(_warnings(stats, params, uncertainty, correlated))
    n_beyond = n_impossible(problem, solution.z[None])[0]
    if n_beyond:
        said = (beyond_words(n_beyond, problem.observed.shape[-1]), *said)
    flat = _flat(problem, solution.z, uncertainty)
    return Quality(uncertainty.cov, pd.DataFrame([stats]), said, flat)


def _flat_words(problem: Problem, uncertainty: Uncertainty) -> str:
    if not uncertainty.moving:
        return ""
    searched = problem.coordinates.searched
    moving = np.array([p.name in uncertainty.moving for p in searched])
    return flat_words(problem.law, problem.columns, searched, moving, uncertainty.flat)


def _flat(problem: Problem, z: Array, uncertainty: Uncertainty) -> Flat | None:
    """Return the flat directions in units of the parameters."""
    if not uncertainty.moving:
        return None
    coordinates = problem.coordinates
    searched = [parameter.name for parameter in coordinates.searched]
    directions = pd.DataFrame(uncertainty.flat * coordinates.stretch(z), columns=searched).reindex(
        columns=list(coordinates.names), fill_value=0.0
    )
    return Flat(uncertainty.moving, directions, uncertainty.known)


def statistics(problem: Problem, z: Array, value: Array, heaviest: Array) -> dict[str, Array]:
    """Return how well B problems are met, each statistic of shape (B,).

    Parameters
    ----------
    problem : Problem
        B problems, or one; weights are shares of the heaviest.
    z : array, shape (B, p)
        Minima.
    value, heaviest : array, shape (B,)
        Of the objective, and the weight that counts as 1.
    """
    predicted, residuals = problem.predict(z), problem.residuals(z)
    weights = np.broadcast_to(problem.weights, residuals.shape)
    square = (weights * (predicted - problem.observed) ** 2).sum(axis=-1) / weights.sum(axis=-1)
    n, p, df = residuals.shape[-1], z.shape[-1], problem.df_residual
    dispersion = np.full(len(z), np.nan)
    if problem.objective.binomial:  # which has no variance of its own to estimate
        n_answers = _answers(problem, heaviest[:, None] * weights)
        chance = np.clip(predicted, 0.0, 1.0)
        with np.errstate(all="ignore"):
            likelihood = binomial_log_likelihood(problem.observed, chance, n_answers)
        dispersion = (n_answers * problem.design(z)[0] ** 2).sum(axis=-1) / (
            df if df > 0 else np.nan
        )
        n_estimated = p
    else:
        likelihood, n_estimated = _log_likelihood(problem, residuals, weights), p + 1
    return {
        "rmse": np.sqrt(square),
        "residual_sd": deviation(residuals, weights, df),
        "dispersion": dispersion,
        "objective_value": heaviest * value,
        "aic": 2 * n_estimated - 2 * likelihood,
        "bic": np.log(n) * n_estimated - 2 * likelihood,
    }


def _log_likelihood(problem: Problem, residuals: Array, weights: Array) -> Array:
    """Return the Gaussian log-likelihood at its best variance; NaN for a robust objective.

    A fit through every row has a likelihood without bound: NaN.
    """
    if np.isfinite(problem.objective.delta) or problem.df_residual < 1:
        return np.full(len(residuals), np.nan)
    return log_likelihood(problem.objective, problem.observed, residuals, weights)


def _answers(problem: Problem, weights: Array) -> Array:
    """Return the number of test items of each row, NaN where the weights are no such numbers."""
    known = counts_answers(problem.observed, weights)
    return np.where(known[:, None], np.rint(weights), np.nan)


def n_impossible(problem: Problem, z: Array) -> NDArray[np.intp]:
    """Return how many binomial scores B laws give no chance at all, shape (B,)."""
    if not problem.objective.binomial:
        return np.zeros(len(z), dtype=int)
    y, p = problem.observed, problem.predict(z)
    impossible = ((p <= 0) & (y > 0)) | ((p >= 1) & (y < 1)) | (p < -1e-9) | (p > 1 + 1e-9)
    return np.asarray(impossible.sum(axis=-1))


def beyond_words(n_beyond: int, n_rows: int) -> str:
    """Return in words that a law leaves the shares that a score can be."""
    return (
        f"the law leaves [0, 1] at {n_beyond} of {n_rows} rows, where these scores are impossible"
    )


def early_words(gradient_norm: float) -> str:
    """Return in words that a search has not arrived."""
    return (
        f"the search stopped early (relative gradient {gradient_norm:.1e}): standard errors belong "
        f"to no smooth minimum; see profile_intervals"
    )


def flat_reason(words: str) -> str:
    """Return in words that rows do not tell parameters apart, and what they do tell."""
    return f"these rows do not tell all parameters apart: {words}"


def _warnings(
    stats: dict[str, object],
    params: dict[str, float],
    uncertainty: Uncertainty,
    correlated: list[tuple[str, str, float]],
) -> list[str]:
    said = []
    if not stats["converged"]:
        said.append(early_words(float(stats["gradient_norm"])))  # type: ignore[arg-type]  # a number
    for name in uncertainty.on_bound:
        said.append(f"{name} on a bound ({params[name]:g}), without interval")
    if uncertainty.moving:
        said.append(
            f"{flat_reason(str(stats['flat']))}; {listed(uncertainty.moving)} without interval, "
            f"one choice of many"
        )
    elif not uncertainty.curved:
        said.append("too few rows lie near the fit to measure by; there are no intervals")
    if stats["df_residual"] == 0:
        said.append(
            f"{stats['n_rows']} rows for {stats['n_free']} free parameters leave nothing to judge "
            f"the scatter by; there are no intervals"
        )
    return said + [
        f"{one} and {other} are correlated {value:.4f}; their intervals belong together"
        for one, other, value in correlated
    ]
