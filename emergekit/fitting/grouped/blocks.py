"""Fits of many groups that have equally many rows, as one batched problem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.covariance import Sandwiches, sandwiches
from emergekit.fitting.estimation import N_STARTS, require_slopes
from emergekit.fitting.identification import flat_words
from emergekit.fitting.quality import n_impossible, statistics
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
    moving : array of bool, shape (B, p)
        Whether they are not identified, but move along a flat direction.
    flat : array of object, shape (B,)
        What the rows tell of these, in words; None where there are none.
    curved : array of bool, shape (B,)
        Whether the objective is curved enough to measure by.
    n_beyond : array of int, shape (B,)
        Scores that the law gives no chance at all.
    undefined : array of int, shape (B,)
        Where a search failed, the row at which the law has no value or no slope; else -1.
    stats : dict of array, shape (B,)
        As in ``Fit.stats``.
    """

    solution: Solution
    estimate: Array
    variance: Array
    on_bound: NDArray[np.bool_]
    moving: NDArray[np.bool_]
    flat: NDArray[np.object_]
    curved: NDArray[np.bool_]
    n_beyond: NDArray[np.intp]
    undefined: NDArray[np.intp]
    stats: dict[str, Array]


def solve_block(problem: Problem) -> Found:
    """Return the fits of B groups; columns, responses and weights have shape (B, n)."""
    heaviest = problem.weights.max(axis=1)
    problem = replace(problem, weights=problem.weights / heaviest[:, None])
    starts = _guessed(problem)
    require_slopes(problem, starts[:, 0])
    few = np.stack([starts[:, 0], _near(problem.coordinates, starts[:, 0])], axis=1)
    found = solve_each(problem, balanced(problem, few), quickly=True, anywhere=True)
    unsure = np.flatnonzero(~found.converged | (found.n_agree < few.shape[1]))
    if len(unsure):
        part = problem.take(unsure)
        around = np.tile(problem.coordinates.starts(_N_STARTS), (len(unsure), 1, 1))
        many = np.concatenate([few[unsure], starts[unsure, 1:], around], axis=1)
        found = found.updated(unsure, solve_each(part, balanced(part, many), anywhere=True))
    found = _as_alone(problem, starts, found)
    failed = np.flatnonzero(~found.converged)
    undefined = np.full(len(starts), -1)
    defined = problem.take(failed).defined(starts[failed, 0])
    undefined[failed] = np.where(defined.all(axis=1), -1, defined.argmin(axis=1))
    return _described(problem, found, undefined, heaviest)


def _as_alone(problem: Problem, starts: Array, found: Solution) -> Solution:
    """Return the minima with those on level ground searched once more, from the starts of `fit`.

    Many points are as low there; with equal starts both take the same one.
    """
    level = np.flatnonzero(found.level & found.converged)
    if not len(level):
        return found
    part, firsts = problem.take(level), starts[level]
    around = np.stack(problem.coordinates.starts(N_STARTS, firsts[:, 0])[1:], axis=1)
    shape = (len(level), N_STARTS - 1, firsts.shape[2])
    many = np.concatenate([firsts[:, :1], np.broadcast_to(around, shape)], axis=1)
    many = np.concatenate([balanced(part, many), firsts[:, 1:]], axis=1)
    return found.updated(level, solve_each(part, many))


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
        moving=spread.moving,
        flat=_flat_words(problem, spread),
        curved=spread.curved,
        n_beyond=n_impossible(problem, z),
        undefined=undefined,
        stats=statistics(problem, z, found.value, heaviest),
    )


def _flat_words(problem: Problem, spread: Sandwiches) -> NDArray[np.object_]:
    words = np.full(len(spread.moving), None, dtype=object)
    for place in np.flatnonzero(spread.moving.any(axis=1)):
        columns = {name: values[place] for name, values in problem.columns.items()}
        flat = spread.flat[place].T
        words[place] = flat_words(
            problem.law,
            columns,
            problem.coordinates.searched,
            spread.moving[place],
            flat[flat.any(axis=1)],
        )
    return words


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
