"""Compiled sums over rows: the objective, its slope and its curvature, and the certificate of both.

Only imported where numba (extra `fast`) is installed; the same quantities as in `neighbourhood` and
`certificate`. A change in `steps` or `programs` is not seen by what numba has cached of
this module and of `descents`, so touch them then.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from emergekit.fitting.compiled.steps import execute, log_rows
from emergekit.fitting.solving.coordinates import VANISHED
from emergekit.fitting.solving.problem import EXACT

__all__ = [
    "examine_each",
    "gathered",
    "rounding_of",
    "scratch_for",
    "sum_up",
    "value_at",
    "without_held",
]

_ROUNDING = 4 * float(np.finfo(float).eps)
_RIDGE = 1e-9
_TINY, _HUGE = float(np.finfo(float).tiny), float(np.finfo(float).max)
_BLOCK = 256
"""Rows at a time: their registers should stay in the processor's nearest caches."""


class _Scratch(NamedTuple):
    """Arrays that are made once: rows in use, registers, and what sums of rows are made of."""

    columns: Any
    target: Any
    weights: Any
    rows: Any
    scalars: Any
    slopes: Any
    residuals: Any
    factors: Any
    gradient: Any
    metric: Any
    curvature: Any


@njit(cache=True, error_model="numpy", nogil=True)
def examine_each(
    tape: Any,
    data: Any,
    box: Any,
    goal: Any,
    z: Any,
    delta: float,
    relative: Any,
    metric: Any,
    curvature: Any,
) -> None:
    """Write what the certificate of each problem is made of; see `examined_compiled`."""
    scratch = scratch_for(tape, data, z.shape[1])
    gradient = np.empty(z.shape[1])
    for place in range(len(z)):
        n = gathered(data, place, scratch)
        value_at(tape, box, goal, scratch, n, z[place], delta)
        sum_up(tape, box, goal, scratch, n, z[place], delta, True)
        without_held(box, scratch, z[place], gradient, metric[place], curvature[place])
        _relative(tape, goal, scratch, n, delta, relative[place])


@njit(cache=True, error_model="numpy")
def scratch_for(tape: Any, data: Any, size: int) -> Any:
    """Return the arrays that are made once for all problems with so many coordinates."""
    n = data.target.shape[1]
    return _Scratch(
        np.empty((data.columns.shape[1], n)),
        np.empty(n),
        np.empty(n),
        np.empty((tape.n_registers, _BLOCK)),
        tape.scalars.copy().reshape(-1, 1),
        np.empty((size, _BLOCK)),
        np.empty(_BLOCK),
        np.empty((4, _BLOCK)),
        np.empty(size),
        np.empty((size, size)),
        np.empty((size, size)),
    )


@njit(cache=True, error_model="numpy")
def gathered(data: Any, place: int, scratch: Any) -> Any:
    """Copy the rows that count, and return how many; a case resample leaves a third out."""
    columns = data.columns[place if data.columns.shape[0] > 1 else 0]
    target = data.target[place if data.target.shape[0] > 1 else 0]
    weights = data.weights[place if data.weights.shape[0] > 1 else 0]
    n_used = 0
    for i in range(len(target)):
        if weights[i] != 0.0:
            for column in range(len(columns)):
                scratch.columns[column, n_used] = columns[column, i]
            scratch.target[n_used] = target[i]
            scratch.weights[n_used] = weights[i]
            n_used += 1
    return n_used


@njit(cache=True, error_model="numpy")
def value_at(tape: Any, box: Any, goal: Any, scratch: Any, n: Any, z: Any, delta: Any) -> Any:
    """Return the objective, inf where it is no number."""
    _set_parameters(tape, box, scratch, z)
    total = 0.0
    for first in range(0, n, _BLOCK):
        width = min(_BLOCK, n - first)
        _predict(tape, scratch, first, width)
        _residuals(tape, goal, scratch, first, width)
        total += _penalty(goal, scratch.residuals, scratch.weights, first, width, delta)
    return total if math.isfinite(total) else math.inf


@njit(cache=True, error_model="numpy")
def rounding_of(goal: Any, scratch: Any, n: Any, delta: Any) -> Any:
    """Return what rounding of the responses leaves of the objective."""
    total = 0.0
    for i in range(n):
        size = _ROUNDING * (1.0 if goal.log else abs(scratch.target[i]))
        near = size if size < delta else delta
        total += scratch.weights[i] * (goal.over * (near * (size - near / 2)))
    return total


@njit(cache=True, error_model="numpy")
def sum_up(
    tape: Any, box: Any, goal: Any, scratch: Any, n: Any, z: Any, delta: Any, exact: Any
) -> None:
    """Put gradient, metric and curvature at z, where `value_at` was asked last, into `scratch`."""
    size = len(z)
    for j in range(size):
        scratch.gradient[j] = 0.0
        for k in range(size):
            scratch.metric[j, k] = scratch.curvature[j, k] = 0.0
    for first in range(0, n, _BLOCK):
        width = min(_BLOCK, n - first)
        if n > _BLOCK:  # else the rows of the last value are all still there
            _predict(tape, scratch, first, width)
            _residuals(tape, goal, scratch, first, width)
        execute(tape.row_steps, tape.ends[1], tape.ends[2], scratch.rows, scratch.scalars, width)
        _factors(tape, goal, scratch, first, width, delta, exact)
        _products(tape, goal, scratch, width)
        if exact:
            execute(
                tape.row_steps, tape.ends[2], tape.ends[3], scratch.rows, scratch.scalars, width
            )
            _bends(tape, goal, scratch, width)
    for j in range(size):
        stretch = scratch.scalars[tape.free[j], 0] if box.log[j] else 1.0
        by_parameter = scratch.gradient[j]
        scratch.gradient[j] *= stretch
        for k in range(size):
            scratch.metric[j, k] *= stretch
            scratch.metric[k, j] *= stretch
            scratch.curvature[j, k] *= stretch
            scratch.curvature[k, j] *= stretch
        if exact and box.log[j]:
            scratch.curvature[j, j] += by_parameter * stretch


@njit(cache=True, error_model="numpy")
def without_held(
    box: Any, scratch: Any, z: Any, gradient: Any, metric: Any, curvature: Any
) -> None:
    """Copy the sums, cutting off the coordinates that a bound holds, or that have vanished."""
    size = len(z)
    for j in range(size):
        gradient[j] = scratch.gradient[j]
        for k in range(size):
            metric[j, k], curvature[j, k] = scratch.metric[j, k], scratch.curvature[j, k]
    for j in range(size):
        down = gradient[j]
        held = (z[j] <= box.lower[j] and down > 0) or (z[j] >= box.upper[j] and down < 0)
        if held or (box.vanishing[j] and z[j] <= VANISHED):
            gradient[j] = 0.0
            for k in range(size):
                metric[j, k] = metric[k, j] = curvature[j, k] = curvature[k, j] = 0.0
            metric[j, j] = curvature[j, j] = 1.0
    for j in range(size):
        metric[j, j] += _RIDGE * metric[j, j] + _TINY


@njit(cache=True, error_model="numpy")
def _set_parameters(tape: Any, box: Any, scratch: Any, z: Any) -> None:
    for j in range(len(z)):
        if box.log[j]:
            gone = box.vanishing[j] and z[j] <= VANISHED
            scratch.scalars[tape.free[j], 0] = 0.0 if gone else math.exp(z[j])
        else:
            scratch.scalars[tape.free[j], 0] = z[j]
    steps, scalars = tape.scalar_steps, scratch.scalars
    execute(steps, tape.ends[0], len(steps), scalars, scalars, scalars.shape[1])


@njit(cache=True, error_model="numpy")
def _predict(tape: Any, scratch: Any, first: Any, width: Any) -> None:
    for column in range(len(tape.column_registers)):
        register = scratch.rows[tape.column_registers[column]]
        values = scratch.columns[column]
        for i in range(width):
            register[i] = values[first + i]
    execute(tape.row_steps, tape.ends[0], tape.ends[1], scratch.rows, scratch.scalars, width)


@njit(cache=True, error_model="numpy")
def _residuals(tape: Any, goal: Any, scratch: Any, first: Any, width: Any) -> None:
    predicted, residuals = scratch.rows[tape.value], scratch.residuals
    if goal.log:
        shifted = scratch.factors[3]
        for i in range(width):
            shifted[i] = predicted[i] + goal.shift
        log_rows(shifted, residuals, width)
        predicted = residuals
    for i in range(width):
        residuals[i] = predicted[i] - scratch.target[first + i]


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _penalty(goal: Any, residuals: Any, weights: Any, first: Any, width: Any, delta: Any) -> Any:
    total = 0.0
    for i in range(width):
        size = abs(residuals[i])
        near = size if size < delta else delta
        counted = goal.over if residuals[i] > 0 else goal.under
        total += weights[first + i] * (counted * (near * (size - near / 2)))
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _factors(
    tape: Any, goal: Any, scratch: Any, first: Any, width: Any, delta: Any, exact: Any
) -> None:
    """Put pull, and weights of the metric and of the curvature, on the rows of the block."""
    residuals, weights = scratch.residuals, scratch.weights
    pull, touching, curved = scratch.factors[0], scratch.factors[1], scratch.factors[2]
    bent = 1.0 if exact and goal.log else 0.0
    for i in range(width):
        r = residuals[i]
        size = abs(r)
        counts = weights[first + i] * (goal.over if r > 0 else goal.under)
        near = size if size < delta else delta
        pull[i] = counts * (near if r > 0 else -near)
        touching[i] = counts if size <= delta else counts * delta / size
        # The logarithm bends the slopes of the law by minus their product.
        curved[i] = (counts if size <= delta else 0.0) - bent * pull[i]


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _products(tape: Any, goal: Any, scratch: Any, width: Any) -> None:
    pull, touching, curved = scratch.factors[0], scratch.factors[1], scratch.factors[2]
    predicted, per_response = scratch.rows[tape.value], scratch.factors[3]
    for i in range(width):
        per_response[i] = 1.0 / (predicted[i] + goal.shift) if goal.log else 1.0
    for j in range(len(tape.slopes)):
        by_parameter, slope = scratch.rows[tape.slopes[j]], scratch.slopes[j]
        down = 0.0
        for i in range(width):
            s = by_parameter[i] * per_response[i]
            s = s if abs(s) <= _HUGE else 0.0
            slope[i] = s
            down += pull[i] * s
        scratch.gradient[j] += down
        for k in range(j + 1):
            other = scratch.slopes[k]
            met, bent = 0.0, 0.0
            for i in range(width):
                product = slope[i] * other[i]
                met += touching[i] * product
                bent += curved[i] * product
            scratch.metric[j, k] += met
            scratch.curvature[j, k] += bent
            if k < j:
                scratch.metric[k, j] += met
                scratch.curvature[k, j] += bent


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _bends(tape: Any, goal: Any, scratch: Any, width: Any) -> None:
    """Add the rows' pull times the law's second derivatives to the curvature."""
    pull, per_response = scratch.factors[0], scratch.factors[3]
    for i in range(width):
        pull[i] *= per_response[i]
    for bend in range(len(tape.bends)):
        j, k = tape.bends[bend, 0], tape.bends[bend, 1]
        second = scratch.rows[tape.bends[bend, 2]]
        total = 0.0
        for i in range(width):
            total += pull[i] * second[i]
        if math.isfinite(total):
            scratch.curvature[j, k] += total
            if j != k:
                scratch.curvature[k, j] += total


@njit(cache=True, error_model="numpy")
def _relative(tape: Any, goal: Any, scratch: Any, n: Any, delta: Any, relative: Any) -> None:
    """Put the gradient over the spread of its rows' parts into `relative`; see `certificate`."""
    size = len(relative)
    total, squares = np.zeros(size), np.zeros(size)
    for first in range(0, n, _BLOCK):
        width = min(_BLOCK, n - first)
        _predict(tape, scratch, first, width)
        _residuals(tape, goal, scratch, first, width)
        execute(tape.row_steps, tape.ends[1], tape.ends[2], scratch.rows, scratch.scalars, width)
        predicted = scratch.rows[tape.value]
        for i in range(width):
            r, weight = scratch.residuals[i], scratch.weights[first + i]
            near = min(abs(r), delta)
            pull = weight * (goal.over * near if r > 0 else -goal.under * near)
            exact = 1e3 * EXACT * (1.0 if goal.log else abs(scratch.target[first + i]))
            rounding = 1e-3 * weight * goal.over * min(exact, delta)
            per_response = 1.0 / (predicted[i] + goal.shift) if goal.log else 1.0
            for j in range(size):
                slope = scratch.rows[tape.slopes[j], i] * per_response
                total[j] += pull * slope
                squares[j] += (pull * slope) ** 2 + (rounding * slope) ** 2
    for j in range(size):
        spread = math.sqrt(squares[j])
        relative[j] = abs(total[j]) / (spread if spread > 0 else 1.0)
