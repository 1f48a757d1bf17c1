"""Find the parameters that minimise an objective, and show how sure the minimum is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.absolute import sharpened, spread
from emergekit.fitting.solving.certificate import certificate, gradient_norm
from emergekit.fitting.solving.descent import descend
from emergekit.fitting.solving.problem import EXACT, Problem

__all__ = ["Solution", "balanced", "solve", "solve_each", "solve_near"]

Array = NDArray[np.float64]

_GRADUATION = (100.0, 10.0, 3.0, 1.0)
"""Multiples of delta in turn: a wide Huber zone finds the valley, the last one its floor."""
_NEAR = (3.0, 1.0)
"""The same where the search begins in the valley."""
_NARROWING = (3.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Widths in turn, in units of the spread of the residuals, on the way to absolute deviations."""
_AGREE = 1e-6
"""Minima whose values differ by less, relative, are one."""
_WORTH = 1e-2
"""Ends within that share of the lowest value are worth the work of a settled minimum."""
_NO_WORSE = 1e-9
"""Relative difference of values that is left to rounding and to where a search stops."""
_CONVERGED = 1e-4
_MANY_STEPS, _FEW_STEPS = 40, 12
"""Steps for each width of the penalty, on average."""
_ROUNDS = 10
"""Searches of an end that has not converged; curved valleys of laws with breaks are long."""
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
    n_starts, n_agree : int, or array, shape (B,)
        Searches, and those that end within 1e-6 (relative) of the lowest value.
    """

    z: Array
    value: Array
    gradient_norm: Array
    curvature: Array
    converged: NDArray[np.bool_]
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


def solve_each(problem: Problem, starts: Array, *, quickly: bool = False) -> Solution:
    """Return the lowest minimum of each of B problems over its starts, shape (B, n_starts, p).

    NaN, with a value of inf, where no start has a finite objective. `quickly` gives up on what is
    not found in a few steps, so that nobody waits for the slowest of thousands.
    """
    n_numbers = problem.observed.shape[-1] * starts.shape[1]
    return _joined(
        [
            _solve_each(problem.take(some), starts[some], quickly)
            for some in _portions(len(starts), n_numbers)
        ]
    )


def _solve_each(problem: Problem, starts: Array, quickly: bool) -> Solution:
    n_problems, n_starts, n_free = starts.shape
    owner = np.repeat(np.arange(n_problems), n_starts)
    most_steps = _FEW_STEPS if quickly else _MANY_STEPS
    starts = starts.reshape(-1, n_free)
    ends = np.concatenate(
        [
            _descended(problem.take(owner[some]), starts[some], _GRADUATION, most_steps)
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
    settled = _settle(part, ends[worth])
    if not quickly:
        rested = _rested(part, settled)
        settled = settled if rested is settled else _settle(part, rested)
    ends[worth] = settled
    values[worth] = part.value(settled)

    table = values.reshape(n_problems, n_starts)
    best = n_starts * np.arange(n_problems) + _best(problem, ends, table)
    agree = _close(problem.take(owner), values, values[best][owner], _AGREE) & reached
    n_agree = agree.reshape(table.shape).sum(axis=1)
    return _certified(problem, ends[best], values[best], n_starts, n_agree)


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
    straight = _descended(problem, starts, _NEAR)
    around = _descended(problem, starts, _GRADUATION)
    other, value = problem.value(around), problem.value(straight)
    lower = (other < value) | np.isnan(straight).any(axis=1)
    ends = _settle(problem, np.where(lower[:, None], around, straight))
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
    norm, curvature = certificate(problem, z)
    starts = np.full(len(z), n_starts)
    return Solution(z, values, norm, curvature, norm < _CONVERGED, starts, n_agree)


def _descended(
    problem: Problem, z: Array, graduation: tuple[float, ...], most_steps: int = _MANY_STEPS
) -> Array:
    """Return the minima that ever narrower Huber zones lead to, NaN where there is no way."""
    delta = problem.objective.delta
    if delta > 0:
        # The last stage alone takes second derivatives, which cost most and help near the end only.
        stages = [np.inf] * 2 if np.isinf(delta) else [factor * delta for factor in graduation]
        return descend(problem, z, np.tile(stages, (len(z), 1)), most_steps)[0]
    if graduation == _GRADUATION:
        z, _ = descend(problem, z, np.full((len(z), 1), np.inf))
    begun = np.all(np.isfinite(z), axis=1)
    ends = np.full(z.shape, np.nan)
    if begun.any():
        part = problem.take(begun)
        widths = spread(part, z[begun])[:, None] * np.array(_NARROWING)
        ends[begun] = sharpened(part, descend(part, z[begun], widths)[0], widths[:, -1])
    return ends


def _best(problem: Problem, ends: Array, values: Array) -> NDArray[np.intp]:
    """Return which end of each problem is lowest; of those that tie, one that bounds hold least.

    Along a flat direction rounding would choose, and an end on a bound does not show that it is.
    """
    tied = values <= values.min(axis=1, keepdims=True) * (1 + _NO_WORSE)
    n_held = problem.on_bound(ends).sum(axis=1).reshape(values.shape)
    n_held = np.where(tied, n_held, ends.shape[1] + 1)
    best = np.where(n_held == n_held.min(axis=1, keepdims=True), values, np.inf).argmin(axis=1)
    return np.asarray(best)


def _close(problem: Problem, values: Array, least: Array, share: float) -> NDArray[np.bool_]:
    """Return which values are as good as the least, up to that share of it or of the response."""
    exact = problem.total(problem.objective.penalty(share * EXACT * problem.scale))
    close: NDArray[np.bool_] = values <= least * (1 + share) + exact
    return close


def _rested(problem: Problem, z: Array) -> Array:
    """Return the minima that were still on their way, searched on while that helps."""
    for _ in range(_ROUNDS):
        tired = ~(gradient_norm(problem, z) < _CONVERGED)
        if not tired.any():
            break
        part = problem.take(tired)
        ends = _descended(part, z[tired], _NEAR[-1:])
        better = part.value(ends) < part.value(z[tired]) * (1 - _NO_WORSE)
        if not better.any():
            break
        z = z.copy()
        z[np.flatnonzero(tired)[better]] = ends[better]
    return z


def _settle(problem: Problem, z: Array) -> Array:
    """Return the minima with what ends near a bound put on it where that is no worse."""
    for _ in range(z.shape[1]):
        pressed = problem.pressed(z)
        moved = np.any(pressed != z, axis=1) & np.all(np.isfinite(z), axis=1)
        if not moved.any():
            break
        part = problem.take(moved)
        ends = _descended(part, pressed[moved], _NEAR)
        better = part.value(ends) <= part.value(z[moved]) * (1 + _NO_WORSE)
        if not better.any():
            break
        z = z.copy()
        z[np.flatnonzero(moved)[better]] = ends[better]
    return z
