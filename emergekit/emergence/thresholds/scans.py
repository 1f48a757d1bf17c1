r"""Every threshold of a grid at once, for many sets of scores.

At a given threshold and shape each form is a level plus a multiple of one column,

.. math:: y = c + b\,\varphi(u;\ \mathrm{shape}), \qquad b \ge 0,

so that least squares is a projection, and a bootstrap of it two products of matrices. That no
threshold between two models is missed is worth more here than digits: the sum of squares has a
minimum in nearly every gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = [
    "RISES",
    "Scan",
    "best_of",
    "least_squares",
    "scan",
    "scan_profile",
    "threshold_range",
    "thresholds_of",
]

Array: TypeAlias = NDArray[np.float64]

_COARSE = 60
_FINE = 40
_POWERS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
_WIDTHS = tuple(np.geomspace(0.003, 0.75, 20))
"""Of the range of the places."""
_BEYOND = {"softplus_hinge": 0.5, "logistic": 0.5}
"""How far beyond the places a smooth curve may have its middle, as a share of their range."""


def _corner(u: Array, _: Array) -> Array:
    return np.maximum(u, 0.0)


def _power(u: Array, q: Array) -> Array:
    return np.asarray(np.maximum(u, 0.0) ** q)


def _rounded(u: Array, w: Array) -> Array:
    return w * np.logaddexp(0.0, u / w)


def _jump(u: Array, _: Array) -> Array:
    return np.asarray((u >= 0).astype(float))


def _sigmoid(u: Array, w: Array) -> Array:
    return np.asarray(expit(u / w))


RISES: Mapping[str, tuple[Callable[[Array, Array], Array], tuple[float, ...], bool]] = (
    MappingProxyType(
        {
            "hinge": (_corner, (1.0,), False),
            "power_hinge": (_power, _POWERS, False),
            "softplus_hinge": (_rounded, _WIDTHS, True),
            "step": (_jump, (1.0,), False),
            "logistic": (_sigmoid, _WIDTHS, True),
        }
    )
)
"""The rise of each form, its shapes, and whether these are shares of the range."""


class Scan(NamedTuple):
    """The columns of a form, shape (G, n), and the threshold and shape of each, shape (G,)."""

    form: str
    eta: Array
    shape: Array
    columns: Array

    def at(self, place: int, u: Array) -> Array:
        """Return one column at other places u."""
        rise = RISES[self.form][0]
        return rise(u - self.eta[place], self.shape[place])


def thresholds_of(u: Array, form: str, around: float | None = None) -> Array:
    """Return thresholds to try: evenly spaced, and finer around a good one.

    From the second place to the last but one: beyond there would be one place or none on one side
    of a threshold, and nothing could be told of it. A smooth curve may have its middle elsewhere.
    """
    low, high = threshold_range(u, form)
    etas = [np.linspace(low, high, _COARSE)]
    if around is not None:
        reach = 2 * (high - low) / _COARSE
        etas.append(np.linspace(max(low, around - reach), min(high, around + reach), _FINE))
    return np.unique(np.concatenate(etas))


def threshold_range(u: Array, form: str) -> tuple[float, float]:
    """Return the lowest and the highest threshold that is tried."""
    places = np.unique(u)
    beyond = _BEYOND.get(form, 0.0) * float(np.ptp(places))
    ends = (0, -1) if beyond else (1, -2)
    return float(places[ends[0]]) - beyond, float(places[ends[1]]) + beyond


def scan(form: str, u: Array, etas: Array) -> Scan:
    """Return the columns of a form at places u for all of these thresholds and its shapes."""
    rise, shapes, of_range = RISES[form]
    sizes = np.array(shapes) * (float(np.ptp(u)) if of_range else 1.0)
    eta, shape = (part.ravel() for part in np.meshgrid(etas, sizes, indexing="ij"))
    return Scan(form, eta, shape, rise(u - eta[:, None], shape[:, None]))


def least_squares(
    scanned: Scan, y: Array, weights: Array, floor: float | None
) -> tuple[Array, Array, Array]:
    """Return the squares left, the level and the rise of each column, each of shape (B, G).

    Parameters
    ----------
    scanned : Scan
        Columns, n places.
    y : array, shape (n,) or (B, n)
        Scores.
    weights : array, shape (n,) or (B, n)
        How much each counts; 0 leaves it out.
    floor : float, optional
        Level c, if it is known.
    """
    columns, y, weights = scanned.columns, np.atleast_2d(y), np.atleast_2d(weights)
    total = weights.sum(axis=1, keepdims=True)
    mean = (
        np.full_like(total, floor) if floor is not None else (weights * y).sum(1)[:, None] / total
    )
    rest = y - mean  # about the level, or the mean: no digits are lost in differences of squares
    first = weights @ columns.T if floor is None else np.zeros((1, 1))
    squares = weights @ (columns**2).T - (first**2 / total if floor is None else 0.0)
    product = (weights * rest) @ columns.T
    if floor is None:
        product = product - (weights * rest).sum(1)[:, None] * first / total
    flat = squares <= 1e-12 * (weights @ (columns**2).T) + 1e-300
    rise = np.where(flat, 0.0, np.maximum(product, 0.0) / np.where(flat, 1.0, squares))
    left = (weights * rest**2).sum(1)[:, None] - rise * product
    level = mean - (rise * first / total if floor is None else 0.0)
    return np.maximum(left, 0.0), np.broadcast_to(level, left.shape), rise


def best_of(
    scanned: Scan, y: Array, weights: Array, floor: float | None
) -> tuple[int, float, float, float]:
    """Return the place of the best column of one set of scores, its squares, level and rise."""
    left, level, rise = least_squares(scanned, y, weights, floor)
    place = int(np.argmin(left[0]))
    return place, float(left[0, place]), float(level[0, place]), float(rise[0, place])


def scan_profile(scanned: Scan, left: Array) -> tuple[Array, Array]:
    """Return the thresholds, and the squares left at each by the best shape, shape (B, etas)."""
    etas, place = np.unique(scanned.eta, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(etas)))
    return etas, np.asarray(np.minimum.reduceat(left[:, order], starts, axis=1))
