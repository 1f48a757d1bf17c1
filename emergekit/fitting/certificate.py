"""What shows that a point is a minimum: no gradient left, and curvature upwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.absolute import balancing, spread
from emergekit.fitting.neighbourhood import local_model
from emergekit.fitting.problem import Problem

__all__ = ["EXACT", "gradient_norm", "smallest_curvature"]

Array = NDArray[np.float64]

EXACT = 1e-6
"""Residuals below this share of the response: the certificate sees rounding, not scatter."""


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
    goal = problem.objective
    slopes = problem.weights[..., None, :] * problem.slopes(z)
    scores = balancing(problem, z) if goal.delta == 0 else goal.score(problem.residuals(z))
    parts = scores[:, None, :] * slopes
    rounding = 1e-3 * goal.score(1e3 * EXACT * problem.scale)[..., None, :] * slopes
    size = np.sqrt((parts**2).sum(axis=-1) + (rounding**2).sum(axis=-1))
    relative = np.abs(parts.sum(axis=-1)) / np.where(size > 0, size, 1.0)
    norm: Array = np.where(problem.on_bound(z), 0.0, relative).max(axis=-1)
    return norm


def smallest_curvature(problem: Problem, z: Array) -> Array:
    """Return the smallest eigenvalue of the Hessian, in units of the metric of the search.

    Above 0 at a minimum that the rows tell apart, about 0 along a flat direction, 1 where the
    law is straight and no residual lies beyond delta. Shape (B,).
    """
    delta = np.full((len(z), 1), problem.objective.delta)
    if problem.objective.delta == 0:
        delta = 1e-5 * spread(problem, z)[:, None]
    with np.errstate(all="ignore"):
        predicted = problem.predict(z)
        residuals, slopes = problem.residuals(z, predicted), problem.slopes(z, predicted)
        exact = np.ones(len(z), dtype=bool)
        model = local_model(problem, z, predicted, residuals, slopes, delta, exact)
    size = np.sqrt(np.einsum("bpp->bp", model.metric))
    known = np.isfinite(model.curvature).all(axis=(1, 2)) & (size > 0).all(axis=1)
    unit = size[known][:, :, None] * size[known][:, None, :]
    # Columns of length one, and a ridge, so that the root of a flat metric exists.
    metric = model.metric[known] / unit + 1e-12 * np.eye(z.shape[1])
    root = np.linalg.inv(np.linalg.cholesky(metric))
    relative = root @ (model.curvature[known] / unit) @ root.swapaxes(1, 2)
    smallest = np.full(len(z), np.nan)
    smallest[known] = np.linalg.eigvalsh(relative)[:, 0]
    return smallest
