"""How good a fit is, and what to read before its numbers are used."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.covariance import Uncertainty, correlated_pairs, sandwich
from emergekit.fitting.deviance import binomial_log_likelihood, counts_answers
from emergekit.fitting.likelihood import log_likelihood
from emergekit.fitting.scatter import deviation
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import Solution
from emergekit.laws import Law

__all__ = ["quality", "statistics"]

Array = NDArray[np.float64]

_CORRELATED = 0.95  # above this, an interval of one parameter alone misleads


def quality(
    law: Law, response: str, problem: Problem, solution: Solution, heaviest: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return the covariance of the estimates, one row of statistics, and what to warn of.

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
        "on_bound": ", ".join(uncertainty.on_bound),
        "correlated": ", ".join(f"{one}-{other}" for one, other, _ in correlated),
    }
    params = problem.coordinates.params(solution.z)
    said = tuple(_warnings(stats, params, uncertainty, correlated))
    n_beyond = _n_beyond(problem, solution.z)
    if n_beyond:
        rows = f"{n_beyond} of {stats['n_rows']} rows"
        said = (f"the law leaves [0, 1] at {rows}, where these scores are impossible", *said)
    return uncertainty.cov, pd.DataFrame([stats]), said


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


def _n_beyond(problem: Problem, z: Array) -> int:
    """Return how many binomial scores the law gives no chance at all."""
    if not problem.objective.binomial:
        return 0
    y, p = problem.observed, problem.predict(z)
    impossible = ((p <= 0) & (y > 0)) | ((p >= 1) & (y < 1)) | (p < -1e-9) | (p > 1 + 1e-9)
    return int(impossible.sum())


def _warnings(
    stats: dict[str, object],
    params: dict[str, float],
    uncertainty: Uncertainty,
    correlated: list[tuple[str, str, float]],
) -> list[str]:
    said = []
    if not stats["converged"]:
        said.append(f"the search stopped early (relative gradient {stats['gradient_norm']:.1e})")
    for name in uncertainty.on_bound:
        said.append(f"{name} on a bound ({params[name]:g}), without interval")
    if not uncertainty.identified:
        said.append("these rows do not tell all parameters apart; there are no intervals")
    if stats["df_residual"] == 0:
        said.append(
            f"{stats['n_rows']} rows for {stats['n_free']} free parameters leave nothing to judge "
            f"the scatter by; there are no intervals"
        )
    return said + [
        f"{one} and {other} are correlated {value:.4f}; their intervals belong together"
        for one, other, value in correlated
    ]
