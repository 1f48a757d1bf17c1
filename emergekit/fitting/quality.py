"""How good a fit is, and what to read before its numbers are used."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.covariance import Uncertainty, correlated_pairs, sandwich
from emergekit.fitting.deviance import binomial_log_likelihood, counts_answers
from emergekit.fitting.problem import Problem
from emergekit.fitting.scatter import deviation
from emergekit.fitting.solver import Solution
from emergekit.laws import Law

__all__ = ["quality"]

Array = NDArray[np.float64]

_CORRELATED = 0.95  # above this, an interval of one parameter alone misleads


def quality(
    law: Law, response: str, problem: Problem, solution: Solution, heaviest: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return the covariance of the estimates, one row of statistics, and what to warn of.

    The problem's weights are shares of the heaviest.
    """
    coordinates = problem.coordinates
    uncertainty = sandwich(problem, coordinates, solution.z)
    residuals = problem.residuals(solution.z)
    raw = problem.predict(solution.z) - problem.observed
    goal, n, p, df = problem.objective, len(raw), coordinates.n_free, problem.df_residual
    n_answers = _answers(problem, heaviest)
    likelihood, n_estimated = _log_likelihood(problem, residuals), p + 1
    if goal.binomial:  # which has no variance of its own to estimate
        likelihood, n_estimated = _binomial_likelihood(problem, solution.z, n_answers), p
    correlated = correlated_pairs(uncertainty.cov, above=_CORRELATED)
    stats = {
        "law": law.name,
        "response": response,
        "n_rows": n,
        "n_free": p,
        "df_residual": df,
        "rmse": float(np.sqrt(np.average(raw**2, weights=problem.weights))),
        "residual_sd": deviation(residuals, problem.weights, df),
        "dispersion": _dispersion(problem, solution.z, n_answers),
        "objective": goal.name,
        "delta": goal.delta if 0 < goal.delta < np.inf else np.nan,
        "objective_value": heaviest * float(solution.value),
        "aic": 2 * n_estimated - 2 * likelihood,
        "bic": np.log(n) * n_estimated - 2 * likelihood,
        "converged": bool(solution.converged),
        "gradient_norm": float(solution.gradient_norm),
        "curvature": float(solution.curvature),
        "n_starts": solution.n_starts,
        "n_starts_agree": solution.n_agree,
        "identified": uncertainty.identified,
        "on_bound": ", ".join(uncertainty.on_bound),
        "correlated": ", ".join(f"{one}-{other}" for one, other, _ in correlated),
    }
    params = coordinates.params(solution.z)
    said = tuple(_warnings(stats, params, uncertainty, correlated))
    n_beyond = _n_beyond(problem, solution.z)
    if n_beyond:
        said = (
            f"the law leaves [0, 1] at {n_beyond} of {n} rows, where these scores are impossible",
            *said,
        )
    return uncertainty.cov, pd.DataFrame([stats]), said


def _log_likelihood(problem: Problem, residuals: Array) -> float:
    """Return the Gaussian log-likelihood at its best variance; NaN for a robust objective.

    Row i has variance s^2 / w_i; the sum of log w makes it the same for weights of any scale. A
    fit through every row has a likelihood without bound: NaN.
    """
    goal, weights, n = problem.objective, problem.weights, len(residuals)
    if np.isfinite(goal.delta) or problem.df_residual < 1:
        return np.nan
    variance = max(float(weights @ residuals**2) / n, np.finfo(float).tiny)
    jacobian = float(np.log(problem.observed).sum()) if goal.log else 0.0
    scale = float(np.log(np.maximum(weights, np.finfo(float).tiny)).sum()) / 2
    return float(-n / 2 * (np.log(2 * np.pi * variance) + 1) + scale - jacobian)


def _answers(problem: Problem, heaviest: float) -> Array | None:
    """Return the number of test items of each row, None where the weights are no such numbers."""
    n_answers = heaviest * problem.weights
    known = problem.objective.binomial and counts_answers(problem.observed, n_answers)
    return np.rint(n_answers) if known else None


def _n_beyond(problem: Problem, z: Array) -> int:
    """Return how many binomial scores the law gives no chance at all."""
    if not problem.objective.binomial:
        return 0
    y, p = problem.observed, problem.predict(z)
    impossible = ((p <= 0) & (y > 0)) | ((p >= 1) & (y < 1)) | (p < -1e-9) | (p > 1 + 1e-9)
    return int(impossible.sum())


def _binomial_likelihood(problem: Problem, z: Array, n_answers: Array | None) -> float:
    if n_answers is None:
        return np.nan
    with np.errstate(all="ignore"):
        chance = np.clip(problem.predict(z), 0.0, 1.0)
        return binomial_log_likelihood(problem.observed, chance, n_answers)


def _dispersion(problem: Problem, z: Array, n_answers: Array | None) -> float:
    """Return Pearson's chi-square over its freedom: 1 where nothing but the items scatters."""
    if n_answers is None or problem.df_residual < 1:
        return np.nan
    residuals, _ = problem.design(z)
    return float(n_answers @ residuals**2) / problem.df_residual


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
