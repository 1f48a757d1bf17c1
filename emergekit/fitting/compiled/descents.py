"""Compiled version of `descent`, one problem after another; imported only where numba is installed.

The same steps are taken for the same reasons as there; constants mean what they mean there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from emergekit.fitting.compiled.sums import (
    gathered,
    rounding_of,
    scratch_for,
    sum_up,
    value_at,
    without_held,
)

__all__ = ["descend_each"]

_LOOSE, _TIGHT, _NEAR = 1e-2, 1e-15, 1e-12
_FIRST_DAMPING, _LIGHT_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 0.1, 1e-4, 1e-9, 1e12
_REACH = 4.0
_PIVOT = 1e-14
_TINY, _HUGE = float(np.finfo(float).tiny), float(np.finfo(float).max)


@njit(cache=True, error_model="numpy", nogil=True)
def descend_each(
    tape: Any,
    data: Any,
    box: Any,
    goal: Any,
    starts: Any,
    deltas: Any,
    most_steps: int,
    ends: Any,
    rested: Any,
) -> None:
    """Write where the descent of each problem leads to `ends`; arguments are those of `descend`."""
    scratch = scratch_for(tape, data, starts.shape[1])
    for place in range(len(starts)):
        n = gathered(data, place, scratch)
        rested[place] = _search(
            tape, box, goal, scratch, n, starts[place], deltas[place], most_steps, ends[place]
        )


@njit(cache=True, error_model="numpy")
def _search(
    tape: Any,
    box: Any,
    goal: Any,
    scratch: Any,
    n: Any,
    start: Any,
    deltas: Any,
    most_steps: Any,
    z: Any,
) -> Any:
    """Move z from the start to rest; see `descent._advance`, whose order of events this keeps."""
    size = len(z)
    gradient, metric, curvature = np.empty(size), np.empty((size, size)), np.empty((size, size))
    step, trial, work = np.empty(size), np.empty(size), np.empty((size, size))
    stage, damping, known = 0, _FIRST_DAMPING, False
    for j in range(size):
        z[j] = min(max(start[j], box.lower[j]), box.upper[j])
    value = value_at(tape, box, goal, scratch, n, z, deltas[0])
    floor = rounding_of(goal, scratch, n, deltas[0])
    if not math.isfinite(value):
        for j in range(size):
            z[j] = math.nan
        return False
    for _ in range(most_steps * len(deltas)):
        delta, last = deltas[stage], stage == len(deltas) - 1
        if not known:
            sum_up(tape, box, goal, scratch, n, z, delta, last)
            without_held(box, scratch, z, gradient, metric, curvature)
            known = True
        promise = _step(box, z, gradient, metric, curvature, damping, step, work)
        share = 1.0
        for j in range(size):
            share = min(share, _REACH / (abs(step[j]) / (1 + abs(z[j]))))
        for j in range(size):
            trial[j] = min(max(z[j] + share * step[j], box.lower[j]), box.upper[j])
        there = value_at(tape, box, goal, scratch, n, trial, delta)
        limit = (_TIGHT if last else _LOOSE) * value + floor
        small = abs(promise) <= limit
        slack = _NEAR * value + floor
        near = small or abs(promise) <= slack
        taken = there < value or (near and there <= value + slack)
        heavy = max(damping / (_LIGHT_DAMPING if last else _FIRST_DAMPING), 1.0)
        small = small and abs(promise) * heavy * heavy <= limit
        if taken:
            if value - there > 0.5 * max(share * promise, _TINY):
                damping *= 0.1
            for j in range(size):
                z[j] = trial[j]
            value, known = there, False
        else:
            damping = max(6 * damping, 1e-3)
        if damping < _LEAST_DAMPING:
            damping = 0.0
        if small and last:
            return True
        if small:
            stage += 1
            damping, known = _FIRST_DAMPING, False
            value = value_at(tape, box, goal, scratch, n, z, deltas[stage])
            floor = rounding_of(goal, scratch, n, deltas[stage])
        if damping > _MOST_DAMPING:
            return False
    return False


@njit(cache=True, error_model="numpy")
def _step(
    box: Any, z: Any, gradient: Any, metric: Any, curvature: Any, damping: Any, step: Any, work: Any
) -> Any:
    """Put the damped Newton step into `step`; return what the model says that it gains."""
    size = len(z)
    model, definite, crossing = curvature, False, False
    for _ in range(2):
        for j in range(size):
            step[j] = -gradient[j]
            for k in range(size):
                work[j, k] = model[j, k] + damping * metric[j, k]
        definite = _solve_definite(work, step)
        if definite:
            break
        model = metric  # where the Hessian is no use, the touching parabolas still lead downhill
    for j in range(size):
        crossing |= step[j] < box.lower[j] - z[j] or step[j] > box.upper[j] - z[j]
    if crossing:
        _hold_inside(box, z, gradient, model, metric, damping, step, work)
    promise = 0.0
    for j in range(size):
        bent = 0.0
        for k in range(size):
            bent += model[j, k] * step[k]
        promise -= step[j] * (gradient[j] + bent / 2)
    return promise


@njit(cache=True, error_model="numpy")
def _hold_inside(
    box: Any, z: Any, gradient: Any, model: Any, metric: Any, damping: Any, step: Any, work: Any
) -> None:
    """End on its bound what would cross it, and move the rest in answer to that."""
    size = len(step)
    stopped, answer = np.zeros(size, dtype=np.bool_), np.empty(size)
    for _ in range(size):
        crossed = False
        for j in range(size):
            out = step[j] < box.lower[j] - z[j] or step[j] > box.upper[j] - z[j]
            if out and not stopped[j]:
                stopped[j] = crossed = True
                step[j] = min(max(step[j], box.lower[j] - z[j]), box.upper[j] - z[j])
        if not crossed:
            break
        for j in range(size):
            answer[j] = step[j] if stopped[j] else -gradient[j]
            for k in range(size):
                bent = model[j, k] + damping * metric[j, k]
                if stopped[k] and not stopped[j]:
                    answer[j] -= bent * step[k]
                cut = stopped[j] or stopped[k]
                work[j, k] = (1.0 if j == k else 0.0) if cut else bent
        _solve_definite(work, answer)
        for j in range(size):
            if not stopped[j]:
                step[j] = answer[j]
    for j in range(size):
        step[j] = min(max(step[j], box.lower[j] - z[j]), box.upper[j] - z[j])


@njit(cache=True, error_model="numpy")
def _solve_definite(matrix: Any, x: Any) -> Any:
    """Solve in place by Cholesky, as `matrices` does; return whether the matrix is definite."""
    size, definite = len(x), True
    for j in range(size):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= matrix[j, k] * matrix[j, k]
        good = pivot > _PIVOT * matrix[j, j]
        definite &= good
        root = math.sqrt(pivot) if good else 1.0
        matrix[j, j] = root
        for i in range(j + 1, size):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= root
        for k in range(j):
            x[j] -= matrix[j, k] * x[k]
        x[j] /= root
    for j in range(size - 1, -1, -1):
        for i in range(j + 1, size):
            x[j] -= matrix[i, j] * x[i]
        x[j] /= matrix[j, j]
    for j in range(size):
        if math.isnan(x[j]):
            x[j] = 0.0
        elif math.isinf(x[j]):
            x[j] = math.copysign(_HUGE, x[j])
    return definite
