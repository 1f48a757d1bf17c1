"""The best shape of a list by projection, for one curve or for all draws of a bootstrap at once.

Weighted, centred and normalised, every shape is a unit vector, and what it explains of a curve is
one product. A bootstrap draws curves about one known curve: most shapes are too far from it to be
the best of any draw, and a bound, not a guess, says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.emergence.questions.dictionary import Dictionary

__all__ = ["Projections", "Residuals"]

Array: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_BLOCK = 50  # curves whose products are still in the cache when they are compared
_ROUNDING = 1e-7


class Residuals(NamedTuple):
    """Residual sums of both lists for many curves, and which threshold was best."""

    smooth: Array
    threshold: Array
    place: Places


@dataclass(frozen=True)
class Projections:
    """A dictionary in weighted, centred, normalised shapes: all that a refit needs.

    Parameters
    ----------
    weight : array, shape (m,)
        One over the standard deviation of each point.
    constant : array, shape (m,)
        The weighted constant, of length 1.
    quadratic : array, shape (m, 2)
        Line and parabola, orthonormal: both slopes are free there.
    smooth, threshold : array, shape (shapes, m)
        One shape a row.
    """

    weight: Array
    constant: Array
    quadratic: Array
    smooth: Array
    threshold: Array

    @classmethod
    def of(cls, dictionary: Dictionary, variance: Array) -> Projections:
        """Return the dictionary as it looks to points of these variances."""
        weight = 1 / np.sqrt(variance)
        constant = weight / np.linalg.norm(weight)
        powers = np.stack([dictionary.t, dictionary.t**2]) * weight
        powers -= (powers @ constant)[:, None] * constant
        quadratic = np.linalg.qr(powers.T)[0]
        lists = (
            _normalised(shapes, weight, constant)
            for shapes in (dictionary.smooth, dictionary.threshold)
        )
        return cls(weight, constant, quadratic, *lists)

    def centred(self, curves: Array) -> Array:
        """Return weighted curves, one a row, without their weighted mean."""
        left = curves - (curves @ self.constant)[:, None] * self.constant
        # Of a constant only rounding is left, which no shape explains.
        rounding = (8 * np.finfo(float).eps) ** 2 * np.einsum("ij,ij->i", curves, curves)
        left[np.einsum("ij,ij->i", left, left) <= rounding] = 0.0
        return left

    def residuals(self, curves: Array, about: Array | None = None) -> Residuals:
        """Return residual sums of centred curves, one a row.

        `about` is a centred curve that they all lie near, which saves most of the work and changes
        nothing in the answer.
        """
        smooth, _ = _largest(self.smooth, curves, about)
        threshold, place = _largest(self.threshold, curves, about)
        bent = ((curves @ self.quadratic) ** 2).sum(axis=1)
        total = np.einsum("ij,ij->i", curves, curves)
        explained = np.maximum(np.maximum(smooth, 0) ** 2, bent)
        left = [np.maximum(total - part, 0) for part in (explained, np.maximum(threshold, 0) ** 2)]
        return Residuals(left[0], left[1], place)

    def fitted(self, curve: Array) -> tuple[Array, Array]:
        """Return the best smooth curve and the best with a threshold, weighted and centred."""
        best = []
        for shapes in (self.smooth, self.threshold):
            reach = shapes @ curve
            place = int(reach.argmax())
            best.append(max(reach[place], 0.0) * shapes[place])
        bent = self.quadratic @ (self.quadratic.T @ curve)
        return (bent if bent @ bent > best[0] @ best[0] else best[0]), best[1]


def _normalised(shapes: Array, weight: Array, constant: Array) -> Array:
    rows = np.ascontiguousarray(shapes.T) * weight
    rows -= (rows @ constant)[:, None] * constant
    size = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    # A shape that is flat at these scales explains nothing beyond the constant.
    flat = size <= 1e-9 * np.linalg.norm(weight)
    rows /= np.where(flat, np.inf, size)[:, None]
    return rows


def _largest(shapes: Array, curves: Array, about: Array | None) -> tuple[Array, Places]:
    """Return the largest product of each curve with any shape, and the place of that shape."""
    largest, place = np.empty(len(curves)), np.empty(len(curves), dtype=np.intp)
    needed, away = _needed(shapes, about), _away(curves, about)
    order = np.argsort(away)
    for first in range(0, len(curves), _BLOCK):
        rows = order[first : first + _BLOCK]
        kept = np.flatnonzero(needed <= away[rows[-1]])
        products = curves[rows] @ shapes[kept].T
        best = products.argmax(axis=1)
        place[rows] = kept[best]
        largest[rows] = products[np.arange(len(rows)), best]
    return largest, place


def _needed(shapes: Array, about: Array | None) -> Array:
    r"""Return how far from a known curve another must be for each shape to be its best.

    With s the best for the known curve y, and any other shape g and error e,

    .. math:: g (y + e) - s (y + e) \le (g - s) y + |g - s|\,|e|,

    so that g is not the best while the right side is negative.
    """
    if about is None:
        return np.zeros(len(shapes))
    known = shapes @ about
    best = int(known.argmax())
    # Of two unit vectors; a flat shape, which is 0, is nearer than this, which leaves it in.
    apart = np.sqrt(np.maximum(2 - 2 * (shapes @ shapes[best]), 0.0)) + _ROUNDING
    behind = known[best] - known - _ROUNDING * np.linalg.norm(about)
    return np.asarray(behind / apart)


def _away(curves: Array, about: Array | None) -> Array:
    if about is None:
        return np.zeros(len(curves))
    apart = curves - about
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", apart, apart)))
