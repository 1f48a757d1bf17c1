"""Fit a law to a table."""

from __future__ import annotations

import warnings as warnings_module
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, FitWarning, TableError, shown
from emergekit.fitting.coordinates import Coordinates
from emergekit.fitting.covariance import Uncertainty, correlated_pairs, sandwich
from emergekit.fitting.objectives import Objective
from emergekit.fitting.objectives import objective as find_objective
from emergekit.fitting.result import Fit, require_columns
from emergekit.fitting.solver import Problem, Solution, solve
from emergekit.laws import Law

__all__ = ["fit"]

Array = NDArray[np.float64]

_N_STARTS = 8
_CORRELATED = 0.95  # above this, an interval of one parameter alone misleads


def fit(
    law: Law,
    table: pd.DataFrame,
    response: str | None = None,
    objective: str | None = None,
    delta: float = 1e-3,
    weights: str | ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Fit:
    """Return the law fitted to the rows of a table.

    Parameters
    ----------
    law : Law
        The form, such as ``laws.CHINCHILLA``.
    table : DataFrame
        One row an observation, with the law's variables and the response.
    response : str, optional
        Column to explain; the law's own if None.
    objective : {"least_squares", "least_squares_log", "huber_log"}, optional
        The law's own if None. The value is a sum over rows.
    delta : float
        Where the Huber penalty turns linear, in units of log response.
    weights : str or array, optional
        Column or one number a row, 0 or more: how much each row counts.
    fixed : mapping, optional
        Parameters to hold at a value.
    bounds : mapping, optional
        Bounds (lower, upper) of parameters, instead of the law's.

    Returns
    -------
    Fit
        With the sandwich covariance of the estimates.

    Raises
    ------
    TableError
        If a column is absent or a row cannot be used; the row is named.
    FitError
        If there are fewer rows than free parameters, or the law gives no finite value.

    Warns
    -----
    FitWarning
        Once, if the fit stopped early, sits on a bound, or has parameters correlated above 0.95.

    Examples
    --------
    >>> from emergekit import datasets, laws
    >>> runs = datasets.load_chinchilla()
    >>> fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.34, "beta": 0.37})
    Fit of chinchilla to 240 rows: RMSE 0.0218 in loss
     term  estimate  stderr  lower  upper
        E      1.81 0.00396  1.802  1.818
        A       423   3.249  416.6  429.4
        B      2267   15.93   2236   2298
    alpha      0.34       -      -      -
     beta      0.37       -      -      -
    """
    response = response or law.response
    goal = find_objective(objective or law.objective, delta)
    coordinates = Coordinates(law, dict(fixed or {}), dict(bounds or {}))
    data, weight = _rows(law, table, response, goal, weights)
    if len(data) < coordinates.n_free:
        raise FitError(
            f"{law.name} has {coordinates.n_free} free parameters, but the table has {len(data)} "
            f"rows; hold some with fixed=, or use a smaller law."
        )
    problem = Problem(
        predict=lambda z: law.predict(data, coordinates.params(z)),
        jacobian=lambda z: (
            law.jacobian(data, coordinates.params(z))[:, coordinates.free] * coordinates.stretch(z)
        ),
        observed=data[response].to_numpy(),
        weights=weight,
        objective=goal,
        lower=coordinates.lower,
        upper=coordinates.upper,
    )
    try:
        solution = solve(problem, coordinates.starts(_N_STARTS))
    except FloatingPointError:
        raise FitError(_not_finite(law, data, coordinates)) from None
    return _report(law, response, goal, data, problem, coordinates, solution)


def _rows(
    law: Law, table: pd.DataFrame, response: str, goal: Objective, weights: str | ArrayLike | None
) -> tuple[pd.DataFrame, Array]:
    """Return the numbers that the fit reads, every one of them usable, and the weights."""
    where = f"fit of {law.name}"
    names = [*law.variables, response]
    named = (weights,) if isinstance(weights, str) else ()
    require_columns(table, (*names, *named), where=where)
    data = pd.DataFrame({name: pd.to_numeric(table[name], errors="coerce") for name in names})
    for name in names:
        positive = name == response and goal.log
        good = np.isfinite(data[name]) & ((data[name] > 0) | (not positive))
        must = (
            "a positive number (the objective takes its logarithm)"
            if positive
            else "a finite number"
        )
        _require(good, table[name], must, where)
    if weights is None:
        return data.astype(float), np.ones(len(data))
    column = (
        table[weights] if isinstance(weights, str) else pd.Series(np.asarray(weights), index=None)
    )
    if len(column) != len(data):
        raise FitError(f"weights has {len(column)} entries, but the table has {len(data)} rows.")
    numbers = pd.to_numeric(column, errors="coerce")
    _require(np.isfinite(numbers) & (numbers >= 0), column.rename("weights"), "0 or more", where)
    return data.astype(float), numbers.to_numpy(dtype=float)


def _require(good: pd.Series, values: pd.Series, must: str, where: str) -> None:
    if not good.all():
        row, value = next(iter(values[~good].items()))
        raise TableError(
            f"{where}: '{values.name}' must be {must}, but row {row} holds {shown(value)} "
            f"({int((~good).sum())} of {len(good)} rows are bad). Drop or mend these rows first."
        )


def _not_finite(law: Law, data: pd.DataFrame, coordinates: Coordinates) -> str:
    params = coordinates.params(coordinates.starts(1)[0])
    with np.errstate(all="ignore"):
        bad = ~np.isfinite(law.predict(data, params))
    row = data.loc[bad].iloc[0] if bad.any() else data.iloc[0]
    at = ", ".join(f"{name}={row[name]:g}" for name in law.variables)
    given = ", ".join(f"{name}={value:g}" for name, value in params.items())
    return (
        f"{law.name} gives no finite objective from any start; row {row.name} has {at}, "
        f"tried with {given}."
    )


def _report(
    law: Law,
    response: str,
    goal: Objective,
    data: pd.DataFrame,
    problem: Problem,
    coordinates: Coordinates,
    solution: Solution,
) -> Fit:
    params = pd.Series(coordinates.params(solution.z), name="estimate")
    uncertainty = sandwich(problem, coordinates, solution.z)
    residuals = problem.residuals(solution.z)
    raw = problem.predict(solution.z) - problem.observed
    n, p = len(data), coordinates.n_free
    likelihood = _log_likelihood(goal, problem, residuals)
    correlated = correlated_pairs(uncertainty.cov, above=_CORRELATED)
    stats = {
        "law": law.name,
        "response": response,
        "n_rows": n,
        "n_free": p,
        "rmse": float(np.sqrt(np.mean(raw**2))),
        "residual_sd": float(np.sqrt(np.sum(residuals**2) / max(n - p, 1))),
        "objective": goal.name,
        "delta": goal.delta if goal.name.startswith("huber") else np.nan,
        "objective_value": solution.value,
        "aic": 2 * (p + 1) - 2 * likelihood,
        "bic": np.log(n) * (p + 1) - 2 * likelihood,
        "converged": solution.converged,
        "gradient_norm": solution.gradient_norm,
        "n_starts": solution.n_starts,
        "n_starts_agree": solution.n_agree,
        "identified": uncertainty.identified,
        "on_bound": ", ".join(uncertainty.on_bound),
        "correlated": ", ".join(f"{one}-{other}" for one, other, _ in correlated),
    }
    said = tuple(_warnings(stats, uncertainty, correlated))
    if said:
        warnings_module.warn(f"Fit of {law.name}: {'; '.join(said)}", FitWarning, stacklevel=3)
    return Fit(law, params, uncertainty.cov, goal, data, pd.DataFrame([stats]), said)


def _log_likelihood(goal: Objective, problem: Problem, residuals: Array) -> float:
    """Return the Gaussian log-likelihood at its best variance; NaN for a robust objective."""
    if np.isfinite(goal.delta):
        return np.nan
    n = len(residuals)
    variance = max(float(problem.weights @ residuals**2) / n, np.finfo(float).tiny)
    jacobian = float(np.log(problem.observed).sum()) if goal.log else 0.0
    return float(-n / 2 * (np.log(2 * np.pi * variance) + 1) - jacobian)


def _warnings(
    stats: dict[str, object], uncertainty: Uncertainty, correlated: list[tuple[str, str, float]]
) -> list[str]:
    said = []
    if not stats["converged"]:
        said.append(f"the search stopped early (relative gradient {stats['gradient_norm']:.1e})")
    if uncertainty.on_bound:
        said.append(f"{' and '.join(uncertainty.on_bound)} on a bound, without interval")
    if not uncertainty.identified:
        said.append("these rows do not tell all parameters apart; there are no intervals")
    return said + [
        f"{one} and {other} are correlated {value:.4f}; their intervals belong together"
        for one, other, value in correlated
    ]
