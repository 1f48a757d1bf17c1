"""The objective near a point: which way is down, how curved it is, how long a step is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.coordinates import VANISHED
from emergekit.fitting.solving.problem import Problem

__all__ = ["Model", "local_model", "second_order"]

Array = NDArray[np.float64]

_RIDGE = 1e-9
"""Share of its diagonal added to the metric, so that flat directions have a length too."""


@dataclass(frozen=True)
class Model:
    """The objective near a point: gradient, metric and curvature, held coordinates cut off.

    Parameters
    ----------
    gradient : array, shape (B, p)
        0 where a coordinate is held.
    metric : array, shape (B, p, p)
        Curvature of the parabolas that touch the penalty from above (iterated weights): the length
        of a step in it does not depend on how coordinates are correlated or scaled.
    curvature : array, shape (B, p, p)
        Hessian of the objective; without its second-order part where that was not asked for.
    """

    gradient: Array
    metric: Array
    curvature: Array


def local_model(
    problem: Problem,
    z: Array,
    predicted: Array,
    residuals: Array,
    slopes: Array,
    delta: Array,
    exact: NDArray[np.bool_],
) -> Model:
    """Return the objective near z, with its second-order part where `exact`."""
    goal = problem.objective
    pull = problem.weights * goal.score(residuals, delta)
    gradient = np.einsum("bpn,bn->bp", slopes, pull)
    within = np.abs(residuals) <= delta
    counts = goal.counted(residuals, problem.weights)
    touching = counts * np.minimum(1.0, delta / np.maximum(np.abs(residuals), 1e-300))
    metric = (slopes * touching[:, None, :]) @ slopes.swapaxes(1, 2)
    narrow = not within.all()
    curvature = (
        (slopes * (counts * within)[:, None, :]) @ slopes.swapaxes(1, 2)
        if narrow
        else metric.copy()
    )
    if exact.any():
        sub = slice(None) if exact.all() else exact
        part = problem if exact.all() else problem.take(exact)
        curvature[sub] += second_order(part, z[sub], predicted[sub], slopes[sub], pull[sub])
    return _without_held(problem, z, gradient, metric, curvature)


def second_order(problem: Problem, z: Array, predicted: Array, slopes: Array, pull: Array) -> Array:
    """Return sum_i pull_i d2 r_i / dz2, shape (B, p, p)."""
    residual = problem.objective.residual
    if residual in ("raw", "log", "log1p"):
        with np.errstate(all="ignore"):
            per_response = pull * problem.objective.slope(problem.observed, predicted)
        second = problem.bent(z, per_response)
        if second is not None:
            # What is searched by its logarithm bends along with it; so do residuals of logarithms.
            diagonal = np.arange(z.shape[1])
            down = np.einsum("bpn,bn->bp", slopes, pull)
            second[:, diagonal, diagonal] += np.where(problem.coordinates.log, down, 0.0)
            if residual != "raw":
                second -= (slopes * pull[:, None, :]) @ slopes.swapaxes(1, 2)
            return np.nan_to_num(second)
    return _differenced(problem, z, predicted, slopes, pull)


def _differenced(problem: Problem, z: Array, predicted: Array, slopes: Array, pull: Array) -> Array:
    """Return the same by differences of the derivatives."""
    here = np.einsum("bpn,bn->bp", slopes, pull)
    per_residual = None  # change of the prediction with that of the residual
    if problem.objective.residual != "raw":
        slope = problem.objective.slope(problem.observed, predicted)
        per_residual = np.divide(1.0, slope, out=np.zeros_like(slope), where=slope != 0)
    second = np.empty((*z.shape, z.shape[1]))
    for place in range(z.shape[1]):
        size = np.sqrt(np.finfo(float).eps) * np.maximum(np.abs(z[:, place]), 1.0)
        moved = z.copy()
        moved[:, place] += np.where(z[:, place] + size > problem.upper[place], -size, size)
        size = moved[:, place] - z[:, place]
        change = size[:, None] * slopes[:, place]
        after = predicted + (change if per_residual is None else change * per_residual)
        there = problem.pulled(moved, after, pull)
        second[:, place] = (there - here) / size[:, None]
    return np.nan_to_num((second + second.swapaxes(1, 2)) / 2)


def _without_held(
    problem: Problem, z: Array, gradient: Array, metric: Array, curvature: Array
) -> Model:
    """Cut off the coordinates that a bound holds against the descent, or that have vanished."""
    held = ((z <= problem.lower) & (gradient > 0)) | ((z >= problem.upper) & (gradient < 0))
    held |= problem.vanishing & (z <= VANISHED)
    diagonal = np.arange(z.shape[1])
    if held.any():
        gradient = np.where(held, 0.0, gradient)
        cut = held[:, :, None] | held[:, None, :]
        unit = held[:, :, None] * np.eye(len(diagonal))
        metric, curvature = (np.where(cut, unit, matrix) for matrix in (metric, curvature))
    length = metric[:, diagonal, diagonal]
    metric[:, diagonal, diagonal] += _RIDGE * length + np.finfo(float).tiny
    return Model(gradient, metric, curvature)
