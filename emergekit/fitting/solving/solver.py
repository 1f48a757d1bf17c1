"""Find the parameters that minimise an objective, and show how sure the minimum is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.certificate import certificate
from emergekit.fitting.solving.problem import EXACT, Problem
from emergekit.fitting.solving.stages import (
    CONVERGED,
    GRADUATION,
    MANY_STEPS,
    NEAR,
    NO_WORSE,
    descended,
    rested,
    settled,
)
from emergekit.fitting.solving.valleys import nearest

__all__ = ["Solution", "balanced", "solve", "solve_each", "solve_near"]

Array = NDArray[np.float64]

_AGREE = 1e-6
"""Minima whose values differ by less, relative, are one."""
_LEVEL_TIE = 1e-7
"""The same on level ground, where a search stops short of the floor."""
_WORTH = 1e-2
"""Ends within that share of the lowest value are worth the work of a settled minimum."""
_FEW_STEPS = 12
"""Steps for each width of the penalty, on average, of a quick search."""
_SHARE = 0.3
"""Of the response, that a balanced start gives to each coefficient on a log scale."""
_AT_ONCE = 60_000
"""Numbers in one array of the batch: it should stay in the processor's cache."""


@dataclass(frozen=True)
class Solution:
    """The lowest minima that were found, with their certificates.

    Parameters
    ----------
    z : array, shape (p,) or (B, p)
        Where they lie.
    value, gradient_norm, curvature, converged : array, shape () or (B,)
        Value of the objective; largest gradient of a coordinate over the spread of its rows' parts
        (0 at a minimum, whatever the scale); smallest eigenvalue of the Hessian, in units of the
        metric of the search (above 0 at a minimum that the rows tell apart); and whether the
        gradient has vanished.
    level : bool, or array, shape (B,)
        Whether the rows tell the coordinates hardly apart, or not at all.
    n_starts, n_agree : int, or array, shape (B,)
        Searches, and those that end within 1e-6 (relative) of the lowest value.
    """

    z: Array
    value: Array
    gradient_norm: Array
    curvature: Array
    converged: NDArray[np.bool_]
    level: NDArray[np.bool_]
    n_starts: NDArray[np.intp]
    n_agree: NDArray[np.intp]

    def take(self, place: int) -> Solution:
        """Return the minimum of one of B problems."""
        return Solution(**{f.name: getattr(self, f.name)[place] for f in fields(self)})

    def updated(self, places: NDArray[np.intp], others: Solution) -> Solution:
        """Return the minima with those at `places` replaced by others."""
        arrays = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, array in arrays.items():
            array[places] = getattr(others, name)
        return Solution(**arrays)


def solve(problem: Problem, starts: Array) -> Solution:
    """Return the lowest minimum of one problem over the starts, shape (n_starts, p).

    Raises
    ------
    FloatingPointError
        If no start has a finite objective.
    """
    found = solve_each(problem, starts[None])
    if not np.isfinite(found.value[0]):
        raise FloatingPointError("no start has a finite objective")
    return found.take(0)


def solve_each(
    problem: Problem, starts: Array, *, quickly: bool = False, anywhere: bool = False
) -> Solution:
    """Return the lowest minimum of each of B problems over its starts, shape (B, n_starts, p).

    Where minima lie along a flat valley, that is the one nearest to the first start, or `anywhere`
    in it. NaN, with a value of inf, where no start has a finite objective. `quickly` gives up on
    what is not found in a few steps, so that nobody waits for the slowest of thousands.
    """
    n_numbers = problem.observed.shape[-1] * starts.shape[1]
    return _joined(
        [
            _solve_each(problem.take(some), starts[some], quickly, anywhere)
            for some in _portions(len(starts), n_numbers)
        ]
    )


def _solve_each(problem: Problem, starts: Array, quickly: bool, anywhere: bool) -> Solution:
    n_problems, n_starts, n_free = starts.shape
    owner = np.repeat(np.arange(n_problems), n_starts)
    most_steps = _FEW_STEPS if quickly else MANY_STEPS
    starts = starts.reshape(-1, n_free)
    ends = np.concatenate(
        [
            descended(problem.take(owner[some]), starts[some], GRADUATION, most_steps)
            for some in _portions(len(starts), problem.observed.shape[-1])
        ]
    )
    values = np.full(len(ends), np.inf)
    reached = np.isfinite(ends).all(axis=1)
    values[reached] = problem.take(owner[reached]).value(ends[reached])
    least = values.reshape(n_problems, n_starts).min(axis=1)

    worth = np.flatnonzero(reached)
    worth = worth[_close(problem.take(owner[worth]), values[worth], least[owner[worth]], _WORTH)]
    part = problem.take(owner[worth])
    low = settled(part, ends[worth])
    if not quickly:
        lower = rested(part, low)
        low = low if lower is low else settled(part, lower)
    ends[worth] = low
    values[worth] = part.value(low)

    table = values.reshape(n_problems, n_starts)
    firsts = n_starts * np.arange(n_problems)
    best = firsts + _best(problem, ends, table, starts, NO_WORSE)
    agree = _close(problem.take(owner), values, values[best][owner], _AGREE) & reached
    n_agree = agree.reshape(table.shape).sum(axis=1)
    found = _certified(problem, ends[best], values[best], n_starts, n_agree)
    level = np.flatnonzero(found.level & np.isfinite(found.value))
    if anywhere or not len(level):
        return found
    part, several = problem.take(level), np.isin(owner, level)
    best = _best(part, ends[several], table[level], starts[several], _LEVEL_TIE)
    z = nearest(part, ends[firsts[level] + best], starts[firsts[level]])
    return found.updated(level, _certified(part, z, part.value(z), n_starts, n_agree[level]))


def solve_near(problem: Problem, starts: Array) -> Solution:
    """Return the minimum of each of B problems, shape (B, p), searched from one start each.

    Every problem goes both ways, through narrow Huber zones only and through all of them, and the
    lower end counts: of 4,000 resamples of the Chinchilla runs one has two minima, and the worse
    of them takes 1.5 % off the standard error of B. NaN where the law has no value.
    """
    return _joined(
        [
            _solve_near(problem.take(some), starts[some])
            for some in _portions(len(starts), problem.observed.shape[-1])
        ]
    )


def _portions(n_items: int, n_numbers: int) -> list[NDArray[np.intp]]:
    """Return the items in portions whose arrays are small, each item having that many numbers."""
    size = max(1, _AT_ONCE // n_numbers)
    return np.split(np.arange(n_items), range(size, n_items, size))


def _joined(parts: list[Solution]) -> Solution:
    return Solution(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Solution)}
    )


def _solve_near(problem: Problem, starts: Array) -> Solution:
    straight = descended(problem, starts, NEAR)
    around = descended(problem, starts, GRADUATION)
    other, value = problem.value(around), problem.value(straight)
    lower = (other < value) | np.isnan(straight).any(axis=1)
    ends = settled(problem, np.where(lower[:, None], around, straight))
    agree = np.maximum(other, value) <= np.minimum(other, value) * (1 + _AGREE)
    return _certified(problem, ends, problem.value(ends), 2, 1 + agree)


def balanced(problem: Problem, starts: Array) -> Array:
    """Return the starts with every second one's coefficients moved to where they matter.

    A coefficient whose term is far below the response gives the search nothing to go by, and what
    is far below depends on the exponents beside it and on the unit of the data. Starts have shape
    (n_starts, p), or (B, n_starts, p) for B problems.
    """
    if not problem.vanishing.any():
        return starts
    n_starts, n_free = starts[..., 1::2, :].shape[-2:]
    moved = starts[..., 1::2, :].reshape(-1, n_free)
    part = problem.take(np.repeat(np.arange(len(moved) // max(n_starts, 1)), n_starts))
    size = np.ones(1) if problem.objective.binomial else np.abs(part.observed)[..., None, :]
    with np.errstate(all="ignore"):
        share = (np.abs(part.changes(moved)) / size).mean(axis=-1)
        shift = np.log(_SHARE) - np.log(share)
    shift = np.where(problem.vanishing & np.isfinite(shift), shift, 0.0)
    balanced = starts.copy()
    balanced[..., 1::2, :] = np.clip(moved + shift, problem.lower, problem.upper).reshape(
        starts[..., 1::2, :].shape
    )
    return balanced


def _certified(
    problem: Problem, z: Array, values: Array, n_starts: int, n_agree: NDArray[np.intp]
) -> Solution:
    norm, curvature, level = certificate(problem, z)
    starts = np.full(len(z), n_starts)
    return Solution(z, values, norm, curvature, norm < CONVERGED, level, starts, n_agree)


def _best(
    problem: Problem, ends: Array, values: Array, starts: Array, slack: float
) -> NDArray[np.intp]:
    """Return which end of each problem is lowest.

    Of those that tie rounding would choose: it is one that bounds hold least, because an end on a
    bound does not show a flat direction; then the nearest to the first start.
    """
    tied = values <= values.min(axis=1, keepdims=True) * (1 + slack)
    held = problem.on_bound(ends)
    n_held = np.where(tied, held.sum(axis=1).reshape(values.shape), ends.shape[1] + 1)
    tied = n_held == n_held.min(axis=1, keepdims=True)
    firsts = np.repeat(starts[:: values.shape[1]], values.shape[1], axis=0)
    way = np.linalg.norm(np.where(held, 0.0, ends - firsts), axis=1).reshape(values.shape)
    return np.asarray(np.where(tied, way, np.inf).argmin(axis=1))


def _close(problem: Problem, values: Array, least: Array, share: float) -> NDArray[np.bool_]:
    """Return which values are as good as the least, up to that share of it or of the response."""
    exact = problem.total(problem.objective.penalty(share * EXACT * problem.scale))
    close: NDArray[np.bool_] = values <= least * (1 + share) + exact
    return close
