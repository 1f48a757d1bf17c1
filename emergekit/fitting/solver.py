"""Find the parameters that minimise an objective, and show how sure the minimum is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.absolute import sharpened, spread
from emergekit.fitting.certificate import EXACT, gradient_norm, smallest_curvature
from emergekit.fitting.descent import descend
from emergekit.fitting.problem import Problem

__all__ = ["Solution", "balanced", "solve", "solve_near"]

Array = NDArray[np.float64]

_GRADUATION = (100.0, 10.0, 3.0, 1.0)
"""Multiples of delta in turn: a wide Huber zone finds the valley, the last one its floor."""
_NEAR = (3.0, 1.0)
"""The same where the search begins in the valley."""
_NARROWING = (3.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Widths in turn, in units of the spread of the residuals, on the way to absolute deviations."""
_AGREE = 1e-6
"""Minima whose values differ by less, relative, are one."""
_WORTH_SETTLING = 1e-2
_CONVERGED = 1e-4
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
    n_starts : int
        Searches.
    n_agree : int, or array, shape (B,)
        Those that end within 1e-6 (relative) of the lowest value.
    """

    z: Array
    value: Array
    gradient_norm: Array
    curvature: Array
    converged: NDArray[np.bool_]
    n_starts: int = 1
    n_agree: int | NDArray[np.intp] = 1


def solve(problem: Problem, starts: Array) -> Solution:
    """Return the lowest minimum of one problem over the starts, shape (n_starts, p).

    Raises
    ------
    FloatingPointError
        If no start has a finite objective.
    """
    ends = _descended(problem, starts, _GRADUATION)
    ends = ends[np.isfinite(ends).all(axis=1)]
    if not len(ends):
        raise FloatingPointError("no start has a finite objective")
    values = problem.value(ends)
    worth = _close(problem, ends, float(values.min()), _WORTH_SETTLING)
    ends = _rested(problem, _settle(problem, ends[worth]))
    values = problem.value(ends)
    best = int(np.argmin(values))
    agree = _close(problem, ends, values[best], _AGREE)
    found = _certified(problem, ends[best : best + 1])
    return Solution(
        z=found.z[0],
        value=found.value[0],
        gradient_norm=found.gradient_norm[0],
        curvature=found.curvature[0],
        converged=found.converged[0],
        n_starts=len(starts),
        n_agree=int(agree.sum()),
    )


def solve_near(problem: Problem, starts: Array) -> Solution:
    """Return the minimum of each of B problems, shape (B, p), searched from one start each.

    Every problem goes both ways, through narrow Huber zones only and through all of them, and the
    lower end counts: of 4,000 resamples of the Chinchilla runs one has two minima, and the worse
    of them takes 1.5 % off the standard error of B. NaN where the law has no value.
    """
    size = max(1, _AT_ONCE // problem.observed.shape[-1])
    parts = [
        _solve_near(problem.take(places), starts[places])
        for places in np.split(np.arange(len(starts)), range(size, len(starts), size))
    ]
    return Solution(
        z=np.concatenate([part.z for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        gradient_norm=np.concatenate([part.gradient_norm for part in parts]),
        curvature=np.concatenate([part.curvature for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        n_starts=2,
        n_agree=np.concatenate([part.n_agree for part in parts]),
    )


def _solve_near(problem: Problem, starts: Array) -> Solution:
    straight = _descended(problem, starts, _NEAR)
    around = _descended(problem, starts, _GRADUATION)
    other, value = problem.value(around), problem.value(straight)
    lower = (other < value) | np.isnan(straight).any(axis=1)
    ends = _settle(problem, np.where(lower[:, None], around, straight))
    agree = np.maximum(other, value) <= np.minimum(other, value) * (1 + _AGREE)
    return replace(_certified(problem, ends), n_starts=2, n_agree=1 + agree)


def balanced(problem: Problem, starts: Array) -> Array:
    """Return the starts with every second one's coefficients moved to where they matter.

    A coefficient whose term is far below the response gives the search nothing to go by, and what
    is far below depends on the exponents beside it and on the unit of the data.
    """
    if not problem.vanishing.any():
        return starts
    moved = starts[1::2]
    size = np.ones(1) if problem.objective.binomial else np.abs(problem.observed)
    with np.errstate(all="ignore"):
        share = (np.abs(problem.changes(moved)) / size).mean(axis=-1)
        shift = np.log(_SHARE) - np.log(share)
    shift = np.where(problem.vanishing & np.isfinite(shift), shift, 0.0)
    starts = starts.copy()
    starts[1::2] = np.clip(moved + shift, problem.lower, problem.upper)
    return starts


def _certified(problem: Problem, z: Array) -> Solution:
    norm = gradient_norm(problem, z)
    curvature = smallest_curvature(problem, z)
    return Solution(z, problem.value(z), norm, curvature, norm < _CONVERGED)


def _descended(problem: Problem, z: Array, graduation: tuple[float, ...]) -> Array:
    """Return the minima that ever narrower Huber zones lead to, NaN where there is no way."""
    delta = problem.objective.delta
    if delta > 0:
        stages = [np.inf] if np.isinf(delta) else [factor * delta for factor in graduation]
        return descend(problem, z, np.tile(stages, (len(z), 1)))[0]
    if graduation == _GRADUATION:
        z, _ = descend(problem, z, np.full((len(z), 1), np.inf))
    begun = np.all(np.isfinite(z), axis=1)
    ends = np.full(z.shape, np.nan)
    if begun.any():
        part = problem.take(begun)
        widths = spread(part, z[begun])[:, None] * np.array(_NARROWING)
        ends[begun] = sharpened(part, descend(part, z[begun], widths)[0], widths[:, -1])
    return ends


def _close(problem: Problem, z: Array, value: float, share: float) -> NDArray[np.bool_]:
    """Return whether z is as good as `value`, up to that share of it or of the response."""
    exact = problem.total(problem.objective.penalty(share * EXACT * problem.scale))
    close: NDArray[np.bool_] = problem.value(z) <= value * (1 + share) + exact
    return close


def _rested(problem: Problem, z: Array) -> Array:
    """Return the minima that were still on their way, searched on while that helps."""
    for _ in range(_ROUNDS):
        tired = ~(gradient_norm(problem, z) < _CONVERGED)
        if not tired.any():
            break
        part = problem.take(tired)
        ends = _descended(part, z[tired], _NEAR[-1:])
        better = part.value(ends) < part.value(z[tired])
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
        better = part.value(ends) <= part.value(z[moved]) * (1 + 1e-9)
        if not better.any():
            break
        z = z.copy()
        z[np.flatnonzero(moved)[better]] = ends[better]
    return z
