"""Fit a law to a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import emergekit.laws as known_laws
from emergekit.errors import FitError, FitWarning, TableError, nearest, shown
from emergekit.fitting.compiled.acceleration import require_numba
from emergekit.fitting.objectives import objective as find_objective
from emergekit.fitting.quality import quality
from emergekit.fitting.result import Fit
from emergekit.fitting.rows import Weights, rows_of
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.problem import Problem, problem_of
from emergekit.fitting.solving.solver import balanced, solve
from emergekit.laws import Law

__all__ = ["N_STARTS", "fit", "level_bounds", "require_law", "require_slopes"]

N_STARTS = 8
"""Searches of one fit, beside those from a law's rival guesses."""


def fit(
    law: Law,
    table: pd.DataFrame,
    response: str | None = None,
    objective: str | None = None,
    delta: float = 1e-3,
    weights: Weights = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    *,
    over: float = 2.0,
    tau: float = 0.5,
    stderr: str | None = None,
    compiled: bool = False,
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
    objective : str, optional
        What is minimised, a sum over rows; the law's own if None. "least_squares", "huber", "lad"
        (absolute deviations, the limit of "huber" for small deltas), "quantile" or "asymmetric"
        (Huber with predictions above the observation counting more); with "_log" behind, on
        differences of logarithms. "least_squares_log1p": on those of logarithms of 1 + response,
        so that responses may be 0. "binomial": the likelihood of scores that are shares of right
        answers, with weights the numbers of test items.
    delta : float
        Where the penalty of "huber" and "asymmetric" turns linear, in units of the response or its
        logarithm.
    weights : str, Series or array, optional
        Column, Series on the index of the table, or one number a row in order, 0 or more: inverse
        variances of the rows, up to a common scale, on which nothing but the objective's value
        depends. Rows of weight 0 are left out as if they were not in the table.
    fixed : mapping, optional
        Parameters to hold at a value.
    bounds : mapping, optional
        Bounds (lower, upper) of parameters, instead of the law's.
    over : float
        How many times a prediction above the observation counts under "asymmetric".
    tau : float
        Share of the observations that "quantile" puts below the law.
    stderr : str, optional
        Column with the standard errors of the response, from which weights follow.
    compiled : bool
        Search by compiled code (extra `fast`), which gives the same numbers to 1e-9 (the chosen
        point of a flat valley, where there is one, to 1e-4), one search in a ninth of the time; the
        first call on a machine takes some ten seconds to compile it. What it does not know is
        searched in NumPy all the same (`why_not_compiled` says what).

    Returns
    -------
    Fit
        With the sandwich covariance of the estimates.

    Raises
    ------
    TableError
        If a column is absent or there twice, or a cell cannot be used; the row is named.
    FitError
        If there are fewer rows than free parameters, the law gives no finite value, or an argument
        cannot be meant.
    ModuleNotFoundError
        If `compiled` and numba is absent.

    Warns
    -----
    FitWarning
        Once, if the fit stopped early, sits on a bound, has parameters correlated above 0.95, or
        has no rows to spare for intervals.

    Notes
    -----
    Coverage of nominal 90 % intervals, lowest and highest over the five parameters, when a
    Chinchilla law was fitted to n of the 240 published design points (500 simulations a cell, each
    started at the truth; errors normal, Student t with 3 degrees of freedom, of a deviation that
    falls eightfold with compute, and the published residuals with random signs):

    ================== === ========= ========= ========= =========
    objective          n   normal    Student   unequal   published
    ================== === ========= ========= ========= =========
    huber_log          30  .94 - .94 .94 - .94 .93 - .96 .86 - .92
    huber_log          60  .93 - .95 .95 - .96 .91 - .96 .88 - .93
    huber_log          240 .93 - .94 .93 - .94 .90 - .95 .88 - .95
    least_squares_log  30  .92 - .92 .95 - .95 .91 - .96 .90 - .92
    least_squares_log  60  .90 - .92 .91 - .92 .89 - .92 .86 - .89
    least_squares_log  240 .87 - .90 .90 - .92 .89 - .92 .80 - .91
    ================== === ========= ========= ========= =========

    90 % intervals of Huber fits thus covered 86 to 96 % in simulation; bootstrap when they matter.

    Examples
    --------
    >>> from emergekit import datasets, laws
    >>> runs = datasets.load_chinchilla()
    >>> fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.34, "beta": 0.37})
    Fit of chinchilla to 240 rows: RMSE 0.0218 in loss
     term  estimate   stderr  lower  upper
        E      1.81 0.003934  1.803  1.818
        A       423     3.55    416    430
        B      2267    18.83   2230   2304
    alpha      0.34        -      -      -
     beta      0.37        -      -      -
    """
    require_law(law)
    if compiled:
        require_numba()
    response = law.response if response is None else response
    if response in law.variables:
        raise FitError(f"'{response}' is a variable of {law.name}; name another response.")
    goal = find_objective(law.objective if objective is None else objective, delta, over, tau)
    fixed, bounds = {} if fixed is None else fixed, {} if bounds is None else bounds
    if goal.binomial:
        bounds = level_bounds(law, bounds)
    Coordinates(law, fixed, bounds)  # arguments are refused before rows are
    data, weight = rows_of(law, table, response, goal, weights, stderr)
    started, *rivals = law.rivals(data, response)
    coordinates = Coordinates(started, fixed, bounds)
    _require_enough(law, data, response, coordinates)
    heaviest = float(weight.max())  # in any unit, squared weights would overflow
    relative = (weight / heaviest).to_numpy()
    problem = problem_of(law, data, response, relative, goal, coordinates)
    problem = replace(problem, compiled=compiled)
    starts = balanced(problem, np.array(coordinates.starts(N_STARTS)))
    starts = np.array([*starts, *(coordinates.at_start(rival) for rival in rivals)])
    require_slopes(problem, starts[0])
    try:
        solution = solve(problem, starts)
    except FloatingPointError:
        raise FitError(_not_finite(law, data, coordinates)) from None
    _require_defined(law, data, problem.defined(solution.z))
    found = quality(law, response, problem, solution, heaviest)
    if found.warnings:
        warnings.warn(f"Fit of {law.name}: {'; '.join(found.warnings)}", FitWarning, stacklevel=2)
    return Fit(
        law=law,
        params=pd.Series(coordinates.params(solution.z), name="estimate"),
        cov=found.cov,
        objective=goal,
        data=data,
        stats=found.stats,
        warnings=found.warnings,
        weights=weight,
        fixed=tuple(coordinates.fixed),
        bounds=dict(bounds),
        flat=found.flat,
    )


def require_law(law: object) -> None:
    """Raise a `FitError` unless it is a law, with the one that was meant."""
    if isinstance(law, Law):
        return
    names = {name for name in known_laws.__all__ if isinstance(getattr(known_laws, name), Law)}
    if not isinstance(law, str):
        raise FitError(f"law must be a Law such as laws.{min(names)}, not {type(law).__name__}.")
    match = nearest(law, names)
    remedy = f"did you mean laws.{match}?" if match else f"known are {', '.join(sorted(names))}."
    raise FitError(f"law must be a Law, not the text {shown(law)}; {remedy}")


def require_slopes(problem: Problem, z: NDArray[np.float64]) -> None:
    """Raise a `FitError` where the derivatives of a plain function cannot be had."""
    wrong = problem.wrong_slope(z)
    if wrong is not None:
        raise FitError(
            f"{problem.law.name} has no gradient of its own, and its function gives no right "
            f"derivative by '{wrong}' when '{wrong}' is complex, as functions with abs or expit do "
            f"not; give Law(..., gradient=)."
        )


def level_bounds(
    law: Law, bounds: Mapping[str, tuple[float, float]]
) -> Mapping[str, tuple[float, float]]:
    """Return the bounds with the law's levels kept among the shares that a score can be."""
    shares = {p.name: (max(p.lower, 0.0), min(p.upper, 1.0)) for p in law.parameters if p.level}
    return {**shares, **bounds}


def _require_enough(law: Law, data: pd.DataFrame, response: str, coordinates: Coordinates) -> None:
    n_free = coordinates.n_free
    if len(data) < n_free:
        raise FitError(
            f"{law.name} has {n_free} free parameters, but the table has {len(data)} "
            f"rows; hold some with fixed=, or use a smaller law."
        )
    if n_free > 1 and data[response].nunique() == 1:
        raise TableError(
            f"fit of {law.name}: '{response}' is {data[response].iloc[0]:g} in every row, which "
            f"cannot tell {n_free} parameters apart; add rows that differ, or hold all but one "
            f"with fixed=."
        )


def _require_defined(law: Law, data: pd.DataFrame, defined: NDArray[np.bool_]) -> None:
    undefined = ~defined
    if undefined.any() and defined.any():  # all of them: the parameters are odd, not the rows
        row = data[undefined].iloc[0]
        at = ", ".join(f"{name}={row[name]:g}" for name in law.variables)
        raise TableError(
            f"fit of {law.name}: the law has no slope at row {row.name}, which has "
            f"{at} ({int(undefined.sum())} of {len(undefined)} rows are bad). Drop or mend these "
            f"rows first."
        )


def _not_finite(law: Law, data: pd.DataFrame, coordinates: Coordinates) -> str:
    params = coordinates.params(coordinates.starts(1)[0])
    bad = ~np.isfinite(law.predict(data, params))
    row = data.loc[bad].iloc[0] if bad.any() else data.iloc[0]
    at = ", ".join(f"{name}={row[name]:g}" for name in law.variables)
    given = ", ".join(f"{name}={value:g}" for name, value in params.items())
    return (
        f"{law.name} gives no finite objective from any start; row {row.name} has {at}, "
        f"tried with {given}."
    )
