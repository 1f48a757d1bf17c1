"""A fit without each of its rows: refitted, or by one Newton step, and how far it moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.scatter import robust_deviation
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import solve_near

__all__ = ["cook", "leverage", "linear_cook", "one_step", "rounding", "scaled", "without_each"]

Array = NDArray[np.float64]

_BLOCK = 500
_FULL_LEVERAGE = 1 - 1e-6
_EXACT = 1e-12
_TINY = float(np.finfo(float).tiny)


def scaled(problem: Problem, z: Array) -> tuple[Array, Array]:
    """Return the residuals of rows of one variance, and their derivatives, (n,) and (n, p)."""
    root = np.sqrt(problem.weights)
    residuals, design = problem.design(z)
    inner = ~problem.on_bound(z)
    return residuals * root, np.where(inner, design, 0.0) * root[:, None]


def leverage(design: Array) -> Array:
    """Return how much each row draws the fit to itself, whatever the unit of the parameters."""
    size = np.sqrt((design**2).sum(axis=0))
    left, singular, _ = np.linalg.svd(design / np.where(size > 0, size, 1.0), full_matrices=False)
    told = singular > 1e-10 * singular.max(initial=0.0)
    drawn: Array = np.minimum((left[:, told] ** 2).sum(axis=1), _FULL_LEVERAGE)
    return drawn


def without_each(
    problem: Problem, z: Array, rows: NDArray[np.intp], dropped: Sequence[int] = ()
) -> Array:
    """Return the minima without each of these rows and those dropped before, one line a row.

    NaN where the search did not converge.
    """
    near = problem.coordinates.near(problem.coordinates.params(z))
    ends = np.empty((len(rows), len(z)))
    for part in _blocks(len(rows)):
        weights = np.tile(problem.weights, (len(part), 1))
        weights[:, list(dropped)] = 0.0
        weights[np.arange(len(part)), rows[part]] = 0.0
        found = solve_near(replace(problem, weights=weights), np.tile(near, (len(part), 1)))
        ends[part] = np.where(found.converged[:, None], found.z, np.nan)
    return ends


def one_step(problem: Problem, z: Array, residuals: Array, design: Array) -> Array:
    """Return where one Newton step leads without each row, shape (n, p).

    Without row i the gradient is minus that of the row, and the curvature less by its own, whose
    inverse has a closed form (Sherman & Morrison).
    """
    goal, root = problem.objective, np.sqrt(problem.weights)
    plain = residuals / root
    pull = goal.score(plain) * root
    curvature = goal.smooth_curvature(plain, len(z), problem.weights)
    size = np.sqrt((design**2).sum(axis=0))
    unit = design / np.where(size > 0, size, 1.0)
    towards = unit @ np.linalg.pinv((unit * curvature[:, None]).T @ unit, hermitian=True)
    own = np.minimum(curvature * (towards * unit).sum(axis=1), _FULL_LEVERAGE)
    step = towards * (pull / (1 - own))[:, None] / np.where(size > 0, size, 1.0)
    ends: Array = np.clip(z + step, problem.lower, problem.upper)
    return ends


def cook(problem: Problem, z: Array, moved: Array) -> Array:
    """Return Cook's distances, of fitted values on the objective's scale.

    For robust penalties the scatter is that of the middle rows, which outliers do not stretch.
    """
    goal, fitted = problem.objective, problem.predict(z)
    here, scatter = goal.transform(fitted), goal.unit(fitted)
    per_unit = np.divide(problem.weights, scatter**2, out=np.zeros_like(here), where=scatter > 0)
    squares = np.empty(len(moved))
    for rows in _blocks(len(moved)):
        squares[rows] = (goal.transform(problem.predict(moved[rows])) - here) ** 2 @ per_unit
    return squares / (len(z) * _spread(problem, z) ** 2)


def linear_cook(problem: Problem, z: Array, moved: Array) -> Array:
    """Return Cook's distances by the slopes at z: work in proportion to the rows."""
    _, design = scaled(problem, z)
    gram = design.T @ design
    squares: Array = np.einsum("ip,pq,iq->i", moved - z, gram, moved - z)
    return squares / (len(z) * _spread(problem, z) ** 2)


def _spread(problem: Problem, z: Array) -> float:
    """Return the deviation of a row: of squares their mean, else that of the middle rows."""
    residuals, _ = scaled(problem, z)
    ones = np.ones_like(residuals)
    spread = float(np.sqrt(residuals @ residuals / problem.df_residual))
    if np.isfinite(problem.objective.delta):
        spread = robust_deviation(residuals, ones, len(z))
    return max(spread, rounding(problem))


def rounding(problem: Problem) -> float:
    """Return the deviation below which rows are met but for rounding."""
    return max(_EXACT * float(problem.scale.mean()), _TINY)


def _blocks(n: int) -> Iterator[NDArray[np.intp]]:
    yield from (np.arange(first, min(first + _BLOCK, n)) for first in range(0, n, _BLOCK))
