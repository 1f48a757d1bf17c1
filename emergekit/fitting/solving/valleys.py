"""Flat valleys: ways in which parameters can move together while no row notices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.stages import GRADUATION, NEAR, descended, rested

__all__ = ["Design", "Products", "design_of", "nearest"]

Array = NDArray[np.float64]

_FLAT = 1e-10
"""Largest eigenvalue of cross products of columns of length one that rounding leaves of 0."""
_TAKES_PART = 1e-5
"""Share in a flat direction above which a parameter moves along it."""
_STILL = 1e-6
"""Length of a shift, in units of 1 + that of the place, that is none."""
_PROGRESS = 0.95
"""Share of the last shift above which the next one goes round in circles."""
_ON_THE_WAY = 1e-6
"""Relative difference of values between two points of a valley whose floor is not yet reached."""
_ARRIVED = 1e-7
"""The same at the end."""
_MOST_MOVES, _STEPS, _ROUNDS = 20, 40, 1
"""Moves along a valley, and the work of coming down to its floor after each."""
_LEAST_STRIDE = 0.05
"""Share of a shift below which a valley is too bent to be followed."""


@dataclass(frozen=True)
class Products:
    """Weighted cross products of the columns of a design.

    Parameters
    ----------
    matrix : array, shape (B, p, p)
        The products, 1 for what is held; along a flat direction the heaviest weight, so that there
        is an inverse, which what is measured does not feel.
    flat : array, shape (B, p, p)
        Directions that no row notices as columns of length one; the other columns are 0.
    """

    matrix: Array
    flat: Array

    @property
    def moves(self) -> NDArray[np.bool_]:
        """Which parameters take part in a flat direction, shape (B, p)."""
        moves: NDArray[np.bool_] = np.sqrt((self.flat**2).sum(axis=2)) > _TAKES_PART
        return moves


@dataclass(frozen=True)
class Design:
    """Residuals in units of what rows scatter by, and their derivatives in columns of length one.

    Parameters
    ----------
    residuals, weights : array, shape (B, n)
        Of the rows.
    rows : array, shape (B, n, p)
        The derivatives; 0 for what sits on a bound.
    size : array, shape (B, p)
        What the columns were divided by.
    inner : array of bool, shape (B, p)
        What does not sit on a bound.
    defined : array of bool, shape (B,)
        Whether all derivatives have a value; where not, `rows` is 0.
    """

    residuals: Array
    weights: Array
    rows: Array
    size: Array
    inner: NDArray[np.bool_]
    defined: NDArray[np.bool_]

    def products(self, weights: Array, flat: Array | None = None) -> Products:
        """Return the cross products under these weights, with flat directions known or sought."""
        with np.errstate(all="ignore"):
            matrix = (self.rows * weights[:, :, None]).swapaxes(1, 2) @ self.rows
        heaviest = np.maximum(weights.max(axis=1), np.finfo(float).tiny)[:, None, None]
        finite = np.asarray(np.isfinite(matrix).all(axis=(1, 2)))
        matrix = np.where(finite[:, None, None], matrix, 0.0)
        matrix = matrix + heaviest * np.eye(self.rows.shape[2]) * ~self.inner[:, None, :]
        if flat is None:
            values, vectors = np.linalg.eigh(matrix / heaviest)
            flat = vectors * (values <= _FLAT)[:, None, :]
        return Products(matrix + heaviest * (flat @ flat.swapaxes(1, 2)), flat)


def design_of(problem: Problem, z: Array) -> Design:
    """Return the design of B problems at z, shape (B, p)."""
    inner = ~problem.on_bound(z)
    residuals, rows = problem.design(z)
    rows = rows * inner[:, None, :]
    size = np.sqrt((rows**2).sum(axis=1))  # columns of one length, or the inverse loses digits
    size = np.where(inner & (size > 0), size, 1.0)
    rows = rows / size[:, None, :]
    defined = np.asarray(np.isfinite(rows).all(axis=(1, 2)))
    rows = np.where(defined[:, None, None], rows, 0.0)
    weights = np.broadcast_to(problem.weights, residuals.shape)
    return Design(residuals, weights, rows, size, inner, defined)


def nearest(problem: Problem, z: Array, origins: Array) -> Array:
    """Return minima, those in a flat valley moved along it to where it passes nearest the origin.

    Which point of a valley a search ends at is chance. This one depends on the rows and the origin
    alone, and so is the same for one fit and for the fits of many groups.

    Parameters
    ----------
    problem : Problem
        B problems.
    z : array, shape (B, p)
        Their minima.
    origins : array, shape (B, p)
        Where the searches begin.
    """
    flat = np.flatnonzero(_shift(problem, z, origins).any(axis=1))
    if not len(flat):
        return z
    part, lowest, origins = problem.take(flat), z[flat], origins[flat]
    # The way from the origin itself ends near it, if it ends in this valley.
    own = rested(part, descended(part, origins, GRADUATION, _STEPS), _ROUNDS)
    lower = _as_low(part, own, lowest, _ON_THE_WAY)
    # An end on a bound would not show the direction in which parameters are free to leave it.
    lower &= part.on_bound(own).sum(axis=1) <= part.on_bound(lowest).sum(axis=1)
    ends = _followed(part, np.where(lower[:, None], own, lowest), origins)
    ends = descended(part, ends, NEAR[-1:])
    arrived = np.asarray(_as_low(part, ends, lowest, _ARRIVED))
    z = z.copy()
    z[flat[arrived]] = ends[arrived]
    return z


def _followed(problem: Problem, z: Array, origins: Array) -> Array:
    """Return where steps along the valley, each followed by a descent to its floor, lead."""
    z, along = z.copy(), np.arange(len(z))
    last, stride = np.full(len(z), np.inf), np.ones(len(z))
    for _ in range(_MOST_MOVES):
        shift = _shift(problem.take(along), z[along], origins[along])
        length = np.linalg.norm(shift, axis=1)
        far = length > _STILL * (1 + np.linalg.norm(z[along], axis=1))
        far &= (length < _PROGRESS * last[along]) | (stride[along] < 1)
        along, shift, length = along[far], shift[far], length[far]
        if not len(along):
            break
        part, here = problem.take(along), z[along]
        moved = here + stride[along, None] * shift
        moved = rested(part, descended(part, moved, NEAR[-1:], _STEPS), _ROUNDS)
        before, after = (np.linalg.norm(at - origins[along], axis=1) for at in (here, moved))
        good = (after <= before) & _as_low(part, moved, here, _ON_THE_WAY)
        z[along[good]], last[along[good]] = moved[good], length[good]
        stride[along] = np.where(good, np.minimum(2 * stride[along], 1.0), stride[along] / 4)
        along = along[stride[along] > _LEAST_STRIDE]
    return z


def _shift(problem: Problem, z: Array, origins: Array) -> Array:
    """Return the part of the way to the origins that lies along flat directions."""
    design = design_of(problem, z)
    flat = design.products(design.weights).flat / design.size[:, :, None]
    way = np.where(design.inner & design.defined[:, None], origins - z, 0.0)
    shift: Array = np.einsum("bpq,bqr,br->bp", flat, np.linalg.pinv(flat), way)
    return shift


def _as_low(problem: Problem, one: Array, other: Array, slack: float) -> NDArray[np.bool_]:
    limit = problem.value(other) * (1 + slack) + np.finfo(float).tiny
    there = np.asarray(np.isfinite(one).all(axis=1))
    return there & (problem.value(np.where(there[:, None], one, other)) <= limit)
