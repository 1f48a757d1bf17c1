"""What shows that a point is a minimum: no gradient left, and curvature upwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.compiled.acceleration import examined_compiled
from emergekit.fitting.solving.absolute import balancing, spread
from emergekit.fitting.solving.neighbourhood import local_model
from emergekit.fitting.solving.problem import EXACT, Problem

__all__ = ["certificate", "gradient_norm"]

Array = NDArray[np.float64]

_NOTHING = 1e-290
"""Length of a column of the metric that no row contributes to."""
_LEVEL = 1e-6
"""Share of a column of the metric that the others leave unexplained where it may be level."""


def gradient_norm(problem: Problem, z: Array) -> Array:
    """Return the gradient over the spread of its rows' parts: 0 at a minimum, scale-free.

    Rows of exact data have no spread but rounding, which the floor under it stands for.

    Parameters
    ----------
    problem : Problem
        B problems, or one.
    z : array, shape (B, p)
        Where.

    Returns
    -------
    array, shape (B,)
        Of the coordinate that has the largest; those on a bound do not count.
    """
    found = examined_compiled(problem, z) if problem.compiled else None
    if found is not None:
        return _largest(problem, z, found[0])
    predicted = problem.predict(z)
    residuals, slopes = problem.residuals(z, predicted), problem.slopes(z, predicted)
    return _largest(problem, z, _relative(problem, z, residuals, slopes))


def certificate(problem: Problem, z: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return gradient norm, smallest eigenvalue of the Hessian, and what may be level, each (B,).

    The eigenvalue is in units of the metric of the search: above 0 at a minimum that the rows tell
    apart, about 0 along a flat direction, 1 where the law is straight and no residual lies beyond
    delta. Level ground, on which parameters could move and no row notice, may lie where rows tell
    the coordinates hardly apart.
    """
    found = examined_compiled(problem, z) if problem.compiled else None
    relative, metric, curvature = _examined(problem, z) if found is None else found
    return _largest(problem, z, relative), *_smallest(metric, curvature)


def _examined(problem: Problem, z: Array) -> tuple[Array, Array, Array]:
    predicted = problem.predict(z)
    residuals, slopes = problem.residuals(z, predicted), problem.slopes(z, predicted)
    delta = np.full((len(z), 1), problem.objective.delta)
    if problem.objective.delta == 0:
        delta = 1e-5 * spread(problem, z)[:, None]
    with np.errstate(all="ignore"):
        exact = np.ones(len(z), dtype=bool)
        model = local_model(problem, z, predicted, residuals, slopes, delta, exact)
    return _relative(problem, z, residuals, slopes), model.metric, model.curvature


def _relative(problem: Problem, z: Array, residuals: Array, slopes: Array) -> Array:
    goal = problem.objective
    slopes = problem.weights[..., None, :] * slopes
    scores = balancing(problem, z) if goal.delta == 0 else goal.score(residuals)
    parts = scores[:, None, :] * slopes
    rounding = 1e-3 * goal.score(1e3 * EXACT * problem.scale)[..., None, :] * slopes
    size = np.sqrt((parts**2).sum(axis=-1) + (rounding**2).sum(axis=-1))
    relative: Array = np.abs(parts.sum(axis=-1)) / np.where(size > 0, size, 1.0)
    return relative


def _largest(problem: Problem, z: Array, relative: Array) -> Array:
    largest: Array = np.where(problem.on_bound(z), 0.0, relative).max(axis=-1)
    return largest


def _smallest(metric: Array, curvature: Array) -> tuple[Array, NDArray[np.bool_]]:
    size = np.sqrt(np.einsum("bpp->bp", metric))
    known = np.isfinite(curvature).all(axis=(1, 2)) & (size > 0).all(axis=1)
    unit = size[known][:, :, None] * size[known][:, None, :]
    # Columns of length one, and a ridge, so that the root of a flat metric exists.
    scaled = metric[known] / unit + 1e-12 * np.eye(size.shape[1])
    triangle = np.linalg.cholesky(scaled)
    root = np.linalg.inv(triangle)
    relative = root @ (curvature[known] / unit) @ root.swapaxes(1, 2)
    smallest, level = np.full(len(size), np.nan), np.ones(len(size), dtype=bool)
    smallest[known] = np.linalg.eigvalsh(relative)[:, 0]
    pivots = np.einsum("bpp->bp", triangle) ** 2
    nothing = (size[known] ** 2 <= _NOTHING).any(axis=1)
    level[known] = nothing | (pivots.min(axis=1) < _LEVEL)
    return smallest, level
