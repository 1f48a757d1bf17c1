"""Damped Newton descent of many robust fits side by side."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.compiled.acceleration import descend_compiled
from emergekit.fitting.solving.matrices import solve_definite
from emergekit.fitting.solving.neighbourhood import Model, local_model
from emergekit.fitting.solving.problem import Problem

__all__ = ["descend"]

Array = NDArray[np.float64]

_LOOSE, _TIGHT, _NEAR = 1e-2, 1e-15, 1e-12
"""A stage ends when its next step promises less than one of the first two shares of the objective;
the last is small enough for rounding to hide whether a step gains."""
_FIRST_DAMPING, _LIGHT_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 0.1, 1e-4, 1e-9, 1e12
_REACH = 4.0
"""Longest step of a coordinate, in units of 1 + abs(z): farther the model says nothing."""
_ROUNDING = 4 * np.finfo(float).eps


@dataclass
class _Search:
    """The problems that are still searched; every array has one entry a problem."""

    places: NDArray[np.intp]
    z: Array
    predicted: Array
    residuals: Array
    slopes: Array
    deltas: Array
    stage: NDArray[np.intp]
    value: Array
    damping: Array

    def keep(self, which: NDArray[np.bool_]) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[which])

    @property
    def delta(self) -> Array:
        return np.take_along_axis(self.deltas, self.stage[:, None], axis=1)

    @property
    def last(self) -> NDArray[np.bool_]:
        last: NDArray[np.bool_] = self.stage == self.deltas.shape[1] - 1
        return last


def descend(
    problem: Problem, starts: Array, deltas: Array, most_steps: int = 40
) -> tuple[Array, NDArray[np.bool_]]:
    """Return where robust Newton descent leads from each start, and where it came to rest.

    Steps solve (curvature + damping metric) step = -gradient and are taken only when the objective
    falls; finished problems drop out. A Huber penalty goes through ever narrower zones: a wide one
    finds the valley, the last one its floor.

    Parameters
    ----------
    problem : Problem
        B problems, or one that all starts share.
    starts : array, shape (B, p)
        Where to begin.
    deltas : array, shape (B, n_stages)
        Widths of the Huber zone in turn; inf for least squares.
    most_steps : int
        For each stage, on average; whoever needs more is on the way to nowhere.

    Returns
    -------
    z : array, shape (B, p)
        NaN where the law has no value at the start.
    rested : array of bool, shape (B,)
        Whether the last step promised no more than rounding.
    """
    if problem.compiled:
        found = descend_compiled(problem, starts, deltas, most_steps)
        if found is not None:
            return found
    ends = np.full(starts.shape, np.nan)
    rested = np.zeros(len(starts), dtype=bool)
    with np.errstate(all="ignore"):
        search, problem = _begin(problem, starts, deltas)
        for _ in range(most_steps * deltas.shape[1]):
            if not len(search.places):
                break
            done, given_up = _advance(problem, search)
            if done.any() or given_up.any():
                out = done | given_up
                ends[search.places[out]] = search.z[out]
                rested[search.places[done]] = True
                search.keep(~out)
                problem = problem.take(~out)
    ends[search.places] = search.z
    return ends, rested


def _begin(problem: Problem, starts: Array, deltas: Array) -> tuple[_Search, Problem]:
    z = np.clip(starts, problem.lower, problem.upper)
    predicted = problem.predict(z)
    residuals = problem.residuals(z, predicted)
    value = problem.total(problem.objective.penalty(residuals, deltas[:, :1]))
    search = _Search(
        places=np.arange(len(z)),
        z=z,
        predicted=predicted,
        residuals=residuals,
        slopes=_finite(problem.slopes(z, predicted)),
        deltas=deltas,
        stage=np.zeros(len(z), dtype=int),
        value=value,
        damping=np.full(len(z), _FIRST_DAMPING),
    )
    begun = np.isfinite(value)
    search.keep(begun)
    return search, problem.take(begun)


def _advance(problem: Problem, search: _Search) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Try one step of every problem; return which came to rest and which can go no further."""
    delta, last = search.delta, search.last
    model = local_model(
        problem, search.z, search.predicted, search.residuals, search.slopes, delta, last
    )
    lowest, highest = problem.lower - search.z, problem.upper - search.z
    step, promise = _step(model, search.damping, lowest, highest)
    share = np.minimum(1, _REACH / (np.abs(step) / (1 + np.abs(search.z))).max(axis=1))
    trial = np.clip(search.z + share[:, None] * step, problem.lower, problem.upper)
    predicted = problem.predict(trial)
    residuals = problem.residuals(trial, predicted)
    value = problem.total(problem.objective.penalty(residuals, delta))
    floor = problem.total(problem.objective.penalty(_ROUNDING * problem.scale, delta))

    limit = np.where(last, _TIGHT, _LOOSE) * search.value + floor
    small = np.abs(promise) <= limit
    # Near the floor the objective itself is rounding; a full step is better than none.
    slack = _NEAR * search.value + floor
    near = small | (np.abs(promise) <= slack)
    taken = (value < search.value) | (near & (value <= search.value + slack))
    # A step held back promises little anywhere, and leaves about its damping's share of the way.
    heavy = search.damping / np.where(last, _LIGHT_DAMPING, _FIRST_DAMPING)
    small &= np.abs(promise) * np.maximum(heavy, 1.0) ** 2 <= limit
    gain = (search.value - value) / np.maximum(share * promise, np.finfo(float).tiny)
    _move(problem, search, taken, trial, predicted, residuals, value)
    search.damping = np.where(
        taken, search.damping * np.where(gain > 0.5, 0.1, 1.0), np.maximum(6 * search.damping, 1e-3)
    )
    search.damping = np.where(search.damping < _LEAST_DAMPING, 0.0, search.damping)
    rested = small & last
    _next_stage(problem, search, small & ~rested)
    return rested, search.damping > _MOST_DAMPING


def _move(
    problem: Problem,
    search: _Search,
    taken: NDArray[np.bool_],
    trial: Array,
    predicted: Array,
    residuals: Array,
    value: Array,
) -> None:
    if taken.all():
        search.z, search.predicted, search.residuals = trial, predicted, residuals
        search.value = value
        search.slopes = _finite(problem.slopes(trial, predicted))
    elif taken.any():
        search.z[taken], search.predicted[taken] = trial[taken], predicted[taken]
        search.residuals[taken], search.value[taken] = residuals[taken], value[taken]
        search.slopes[taken] = _finite(problem.take(taken).slopes(trial[taken], predicted[taken]))


def _next_stage(problem: Problem, search: _Search, ready: NDArray[np.bool_]) -> None:
    if ready.any():
        search.stage = search.stage + ready
        penalties = problem.objective.penalty(search.residuals, search.delta)
        search.value = np.where(ready, problem.total(penalties), search.value)
        search.damping = np.where(ready, _FIRST_DAMPING, search.damping)


def _step(model: Model, damping: Array, lowest: Array, highest: Array) -> tuple[Array, Array]:
    """Return the damped Newton step between its limits, and what the model says that it gains."""
    shift = damping[:, None, None] * model.metric
    curvature = model.curvature
    step, definite = solve_definite(curvature + shift, -model.gradient)
    if not definite.all():
        # Where the Hessian is no use, the touching parabolas still lead downhill.
        curvature = np.where(definite[:, None, None], curvature, model.metric)
        bent = ~definite
        step[bent], _ = solve_definite(curvature[bent] + shift[bent], -model.gradient[bent])
    step = np.nan_to_num(step)
    out = (step < lowest) | (step > highest)
    crossing = out.any(axis=1)
    if crossing.any():
        step[crossing] = _held_inside(
            (curvature + shift)[crossing],
            model.gradient[crossing],
            step[crossing],
            lowest[crossing],
            highest[crossing],
        )
    bent = np.einsum("bp,bpq,bq->b", step, curvature, step)
    return step, -(model.gradient * step).sum(axis=1) - bent / 2


def _held_inside(
    matrix: Array, gradient: Array, step: Array, lowest: Array, highest: Array
) -> Array:
    """Return the steps with what would cross a bound ending on it, and the rest in answer to that.

    Clipping alone stops short of the minimum on the bound where coordinates are correlated.
    """
    stopped = np.zeros(step.shape, dtype=bool)
    for _ in range(step.shape[1]):
        out = (step < lowest) | (step > highest)
        if not (out & ~stopped).any():
            break
        stopped |= out
        ends = np.where(stopped, np.clip(step, lowest, highest), 0.0)
        right = -gradient - np.einsum("bpq,bq->bp", matrix, ends)
        cut = stopped[:, :, None] | stopped[:, None, :]
        rest = np.where(cut, stopped[:, :, None] * np.eye(step.shape[1]), matrix)
        answer, _ = solve_definite(rest, np.where(stopped, 0.0, right))
        step = np.where(stopped, ends, np.nan_to_num(answer))
    return np.clip(step, lowest, highest)


def _finite(slopes: Array) -> Array:
    return slopes if np.isfinite(slopes).all() else np.nan_to_num(slopes, posinf=0.0, neginf=0.0)
