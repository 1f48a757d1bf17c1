"""How good a fit is, and what to read before its numbers are used."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.coordinates import Coordinates
from emergekit.fitting.covariance import Uncertainty, correlated_pairs, sandwich
from emergekit.fitting.problem import Problem
from emergekit.fitting.scatter import deviation
from emergekit.fitting.solver import Solution
from emergekit.laws import Law

__all__ = ["quality"]

Array = NDArray[np.float64]

_CORRELATED = 0.95  # above this, an interval of one parameter alone misleads


def quality(
    law: Law, response: str, problem: Problem, coordinates: Coordinates, solution: Solution
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return the covariance of the estimates, one row of statistics, and what to warn of."""
    uncertainty = sandwich(problem, coordinates, solution.z)
    residuals = problem.residuals(solution.z)
    raw = problem.predict(solution.z) - problem.observed
    goal, n, p, df = problem.objective, len(raw), coordinates.n_free, problem.df_residual
    likelihood = _log_likelihood(problem, residuals)
    correlated = correlated_pairs(uncertainty.cov, above=_CORRELATED)
    stats = {
        "law": law.name,
        "response": response,
        "n_rows": n,
        "n_free": p,
        "df_residual": df,
        "rmse": float(np.sqrt(np.average(raw**2, weights=problem.weights))),
        "residual_sd": deviation(residuals, problem.weights, df),
        "objective": goal.name,
        "delta": goal.delta if 0 < goal.delta < np.inf else np.nan,
        "objective_value": float(solution.value),
        "aic": 2 * (p + 1) - 2 * likelihood,
        "bic": np.log(n) * (p + 1) - 2 * likelihood,
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
