"""The last digits of fits under absolute deviations: as many rows are met as there are unknowns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.neighbourhood import second_order
from emergekit.fitting.solving.problem import Problem

__all__ = ["balancing", "sharpened", "spread"]

Array = NDArray[np.float64]

_MET = 1e-7
"""A row whose residual is below this share of the spread is met by the fit."""
_NEWTON_STEPS = 6
_FLOOR = 1e-12


def spread(problem: Problem, z: Array) -> Array:
    """Return the average size of the residuals, or what rounding leaves of it, shape (B,)."""
    total = problem.total(np.ones(problem.observed.shape))
    sizes = problem.total(np.abs(problem.residuals(z))) / total
    least = _FLOOR * problem.total(problem.scale) / total
    return np.where(np.isfinite(sizes), np.maximum(sizes, least), 1.0)


def sharpened(problem: Problem, z: Array, delta: Array) -> Array:
    """Return the corner of the objective near each z, where that is lower.

    The sum of absolute residuals of a law with p unknowns is least where p rows are met exactly,
    or fewer if the law bends enough. A narrow Huber zone tells which: those inside. Newton's method
    on the conditions of a minimum (rows met, no gradient left beside them) finds the last digits.

    Parameters
    ----------
    problem : Problem
        B problems, or one.
    z : array, shape (B, p)
        Minima under a narrow Huber penalty.
    delta : array, shape (B,)
        Its width.
    """
    free = ~problem.on_bound(z)
    residuals = problem.residuals(z)
    sizes = np.where(problem.weights > 0, np.abs(residuals), np.inf)
    near = np.argsort(np.nan_to_num(sizes, nan=np.inf), axis=1)[:, : z.shape[1]]
    met = np.take_along_axis(sizes, near, axis=1) <= 1.001 * delta[:, None]
    met &= np.arange(z.shape[1]) < free.sum(axis=1)[:, None]
    pull = problem.weights * problem.objective.score(residuals, delta[:, None]) / delta[:, None]
    sharp = z
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            step, change = _towards_corner(problem, sharp, near, met, pull, free)
            sharp = np.clip(sharp + step, problem.lower, problem.upper)
            pull = pull.copy()
            chosen = np.take_along_axis(pull, near, axis=1) + change
            np.put_along_axis(pull, near, chosen, axis=1)
        lower = problem.value(sharp) < problem.value(z)
    return np.where(lower[:, None], sharp, z)


def _towards_corner(
    problem: Problem,
    z: Array,
    near: NDArray[np.intp],
    met: NDArray[np.bool_],
    pull: Array,
    free: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """Return the Newton step of z, and of the pull of the rows that are met."""
    size = z.shape[1]
    predicted = problem.predict(z)
    slopes = np.nan_to_num(problem.slopes(z, predicted)) * free[:, :, None]
    bent = second_order(problem, z, predicted, slopes, pull)
    border = np.take_along_axis(slopes, near[:, None, :], axis=2) * met[:, None, :]
    matrix = np.zeros((len(z), 2 * size, 2 * size))
    matrix[:, :size, :size] = np.where(free[:, :, None] & free[:, None, :], bent, 0.0)
    matrix[:, :size, size:] = border
    matrix[:, size:, :size] = border.swapaxes(1, 2)
    residuals = np.take_along_axis(problem.residuals(z, predicted), near, axis=1) * met
    right = np.concatenate([-np.einsum("bpn,bn->bp", slopes, pull), -residuals], axis=1)
    # Coordinates and pulls differ by orders of magnitude, and may be cut off: scaled least squares.
    unit = 1 / np.sqrt(np.maximum(np.abs(matrix).max(axis=2), np.finfo(float).tiny))
    scaled = np.nan_to_num(matrix * unit[:, :, None] * unit[:, None, :])
    inverse = np.linalg.pinv(scaled, rcond=1e-13, hermitian=True)
    answer = unit * np.einsum("bpq,bq->bp", inverse, np.nan_to_num(unit * right))
    return np.where(free, answer[:, :size], 0.0), np.where(met, answer[:, size:], 0.0)


def balancing(problem: Problem, z: Array) -> Array:
    """Return scores of the rows with those of the rows that are met chosen to balance the rest.

    A minimum has such scores between those of a residual just below and just above 0; elsewhere
    the nearest ones leave a gradient. Shape (B, n).
    """
    residuals, goal = problem.residuals(z), problem.objective
    met = np.abs(residuals) <= _MET * spread(problem, z)[:, None]
    scores: Array = np.where(met, 0.0, goal.score(residuals))
    weighted = problem.weights[..., None, :] * problem.slopes(z)
    weighted = np.where(problem.on_bound(z)[:, :, None], 0.0, weighted)
    rest = np.einsum("bpn,bn->bp", weighted, scores)
    near = np.argsort(~met, axis=1, kind="stable")[:, : met.sum(axis=1).max(initial=0)]
    chosen = np.take_along_axis(weighted * met[:, None, :], near[:, None, :], axis=2)
    inverse = np.linalg.pinv(np.nan_to_num(chosen), rcond=1e-12)
    answer = np.clip(-np.einsum("bnp,bp->bn", inverse, rest), -goal.under, goal.over)
    balance = np.zeros(scores.shape)
    np.put_along_axis(balance, near, answer, axis=1)
    return scores + np.where(met, balance, 0.0)
