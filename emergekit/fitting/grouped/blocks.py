"""Fits of many groups that have equally many rows, as one batched problem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.covariance import sandwiches
from emergekit.fitting.estimation import require_slopes
from emergekit.fitting.quality import statistics
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import Solution, balanced, solve_each

__all__ = ["Found", "solve_block"]

Array = NDArray[np.float64]

_N_STARTS = 4
"""Further searches of the groups whose first two disagree."""
_JITTER = 0.3
_RESPONSE = "observed"


@dataclass(frozen=True)
class Found:
    """What came out for B groups; every array has one entry a group.

    Parameters
    ----------
    solution : Solution
        The minima.
    estimate, variance : array, shape (B, p)
        Of the free parameters; their variance on the scale they are reported in, NaN where there is
        none.
    on_bound : array of bool, shape (B, p)
        Whether they sit on a bound.
    told : array of bool, shape (B,)
        Whether the rows tell the parameters apart.
    undefined : array of int, shape (B,)
        Where a search failed, the row at which the law has no value or no slope; else -1.
    stats : dict of array, shape (B,)
        As in ``Fit.stats``.
    """

    solution: Solution
    estimate: Array
    variance: Array
    on_bound: NDArray[np.bool_]
    told: NDArray[np.bool_]
    undefined: NDArray[np.intp]
    stats: dict[str, Array]


def solve_block(problem: Problem) -> Found:
    """Return the fits of B groups; columns, responses and weights have shape (B, n)."""
    heaviest = problem.weights.max(axis=1)
    problem = replace(problem, weights=problem.weights / heaviest[:, None])
    starts = _guessed(problem)
    require_slopes(problem, starts[:, 0])
    few = np.stack([starts[:, 0], _near(problem.coordinates, starts[:, 0])], axis=1)
    found = solve_each(problem, balanced(problem, few), quickly=True)
    unsure = np.flatnonzero(~found.converged | (found.n_agree < few.shape[1]))
    if len(unsure):
        part = problem.take(unsure)
        around = np.tile(problem.coordinates.starts(_N_STARTS), (len(unsure), 1, 1))
        many = np.concatenate([few[unsure], starts[unsure, 1:], around], axis=1)
        found = found.updated(unsure, solve_each(part, balanced(part, many)))
    failed = np.flatnonzero(~found.converged)
    undefined = np.full(len(starts), -1)
    defined = problem.take(failed).defined(starts[failed, 0])
    undefined[failed] = np.where(defined.all(axis=1), -1, defined.argmin(axis=1))
    return _described(problem, found, undefined, heaviest)


def _described(
    problem: Problem, found: Solution, undefined: NDArray[np.intp], heaviest: Array
) -> Found:
    reached = np.isfinite(found.value)
    # Where nothing was reached, any place does to fill the arrays; it is not read.
    z = np.where(reached[:, None], found.z, problem.coordinates.starts(1)[0])
    spread = sandwiches(problem, z, heaviest)
    return Found(
        solution=found,
        estimate=problem.coordinates.values(z),
        variance=np.einsum("bpp->bp", spread.cov),
        on_bound=problem.on_bound(z),
        told=spread.told,
        undefined=undefined,
        stats=statistics(problem, z, found.value, heaviest),
    )


def _guessed(problem: Problem) -> Array:
    """Return where the searches of each group begin by the law's guess, shape (B, m, p)."""
    law, coordinates = problem.law, problem.coordinates
    columns = [problem.columns[name] for name in law.variables]
    if law.guess is not None and law.guesses_groups:
        with np.errstate(all="ignore"):
            parts = [np.asarray(part) for part in law.guess(problem.observed, *columns)]
        return coordinates.guessed(dict(zip(law.names, parts, strict=True)))[:, None]
    names = (*law.variables, _RESPONSE)
    rivals = [
        [
            coordinates.at_start(law)
            for law in law.rivals(dict(zip(names, rows, strict=True)), _RESPONSE)
        ]
        for rows in zip(*columns, problem.observed, strict=True)
    ]
    most = max(map(len, rivals))
    return np.array([group + group[:1] * (most - len(group)) for group in rivals])


def _near(coordinates: Coordinates, z: Array) -> Array:
    """Return other places near these: a minimum that two searches find is hardly a chance one."""
    size = np.where(coordinates.log, 1.0, np.minimum(np.abs(z) + 0.1, 1.0))
    shift = _JITTER * size * np.random.default_rng(0).standard_normal(z.shape)
    return np.clip(z + shift, coordinates.lower, coordinates.upper)
