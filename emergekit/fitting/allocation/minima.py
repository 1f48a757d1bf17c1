"""Minima of curves: of functions, of parabolas through points, of smooth curves through points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator, PPoly

__all__ = ["akima_curve", "akima_minima", "lowest_point", "parabola_curve", "parabola_minima"]

Array = NDArray[np.float64]

_N_GRID = 129
_GOLDEN = (np.sqrt(5) - 1) / 2
_N_SECTIONS = 36
_STENCIL = np.arange(-2.0, 3.0)
_FIRST = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12
_SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12
_SPACING = 4e-3
"""Of points that measure slope and curvature: wide enough that rounding stays below 1e-11."""


def lowest_point(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return where each of B functions is lowest between two ends, which may be an end.

    A grid finds the valley, golden sections its floor, and Newton's method the digits that
    comparing values cannot give.

    Parameters
    ----------
    function : callable
        From places of shape (B, n) to values of that shape.
    low, high : array, shape (B,)
        The ends.

    Returns
    -------
    array, shape (B,)
        NaN where the function has no finite value.

    Examples
    --------
    >>> lowest_point(lambda x: np.cosh(x - 0.3), np.array([-2.0]), np.array([5.0])).round(9)
    array([0.3])
    """

    def finite(x: Array) -> Array:
        values = function(x)
        return np.where(np.isfinite(values), values, np.inf)

    grid = np.linspace(low, high, _N_GRID, axis=1)
    values = finite(grid)
    rows, place = np.arange(len(grid)), values.argmin(axis=1)
    left = grid[rows, np.maximum(place - 1, 0)]
    right = grid[rows, np.minimum(place + 1, _N_GRID - 1)]
    x = _polished(finite, _sectioned(finite, left, right), low, high)
    ends = np.stack([low, high], axis=1)
    at_ends = values[:, [0, -1]]
    best = finite(x[:, None])[:, 0]
    # A minimum at an end is met by the sections only up to their width.
    end = at_ends.argmin(axis=1)
    x = np.where(at_ends[rows, end] <= best, ends[rows, end], x)
    return np.where(np.isfinite(values).any(axis=1), x, np.nan)


def _sectioned(function: Callable[[Array], Array], left: Array, right: Array) -> Array:
    for _ in range(_N_SECTIONS):
        width = _GOLDEN * (right - left)
        inner = np.stack([right - width, left + width], axis=1)
        first, second = function(inner).T
        lower = first < second
        left, right = np.where(lower, left, inner[:, 0]), np.where(lower, inner[:, 1], right)
    return (left + right) / 2


def _polished(function: Callable[[Array], Array], x: Array, low: Array, high: Array) -> Array:
    """Return the places after Newton steps that are short and do not lead up."""
    for _ in range(2):
        with np.errstate(all="ignore"):
            values = function(x[:, None] + _SPACING * _STENCIL)
            step = -_SPACING * (values @ _FIRST) / (values @ _SECOND)
            moved = np.clip(x + step, low, high)
            known = np.isfinite(step) & (np.abs(step) < _SPACING)
        rounding = 4 * np.finfo(float).eps * np.abs(values[:, 2])
        after = function(np.where(known, moved, x)[:, None])[:, 0]
        x = np.where(known & (after <= values[:, 2] + rounding), moved, x)
    return x


def parabola_minima(x: Array, y: Array) -> tuple[Array, Array]:
    """Return place and value of the lowest point of parabolas through points, by least squares.

    Parameters
    ----------
    x : array, shape (n,)
        Places, three different ones at least.
    y : array, shape (n, B)
        Values of B curves.

    Returns
    -------
    array, array, shape (B,)
        NaN where the parabola has no lowest point.

    Examples
    --------
    >>> parabola_minima(np.arange(4.0), (np.arange(4.0)[:, None] - 1.2) ** 2)[0].round(9)
    array([1.2])
    """
    middle, reach = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    u = (x - middle) / reach
    # Orthogonal columns: the powers of ln N are nearly one another.
    basis, triangle = np.linalg.qr(np.stack([np.ones_like(u), u, u**2], axis=1))
    constant, slope, bend = np.linalg.solve(triangle, basis.T @ y)
    with np.errstate(all="ignore"):
        opens = bend > 1e-12 * np.abs(y).max(axis=0)
        vertex = np.where(opens, -slope / (2 * bend), np.nan)
    return middle + reach * vertex, constant + vertex * (slope + vertex * bend)


def akima_minima(x: Array, y: Array, resolution: int | None = None) -> tuple[Array, Array]:
    """Return place and value of the lowest points of Akima curves through points.

    Parameters
    ----------
    x : array, shape (n,)
        Places, rising.
    y : array, shape (n, B)
        Values of B curves.
    resolution : int, optional
        Seek on a grid with so many points an interval, as published analyses do, instead of the
        exact minimum.

    Returns
    -------
    array, array, shape (B,)
        Which may be an end, exactly.

    References
    ----------
    Akima 1970, "A new method of interpolation and smooth curve fitting based on local procedures".

    Examples
    --------
    >>> akima_minima(np.arange(5.0), (np.arange(5.0)[:, None] - 2) ** 2)[0].round(9)
    array([2.])
    """
    curve = Akima1DInterpolator(x, y)
    if resolution is None:
        places, values = _stationary(curve, x, y)
    else:
        low, high = np.exp(x.min()), np.exp(x.max())
        grid = np.log(np.geomspace(low, high, resolution * (len(x) - 1)))
        values = curve(grid)
        # The ends as they are: logarithm and exponential may move them.
        grid[[0, -1]] = x[[0, -1]]
        places = np.broadcast_to(grid[:, None], values.shape)
    lowest = values.argmin(axis=0)[None]
    return (
        np.take_along_axis(places, lowest, axis=0)[0],
        np.take_along_axis(values, lowest, axis=0)[0],
    )


def _stationary(curve: PPoly, x: Array, y: Array) -> tuple[Array, Array]:
    """Return points and minima of the cubic pieces, with their values."""
    cubic, square, linear, _ = curve.c
    width = np.diff(x)[:, None]
    with np.errstate(all="ignore"):
        # The root of the derivative at which it rises, written so that no piece need be cubic.
        root = -linear / (square + np.sqrt(square**2 - 3 * cubic * linear))
        inner = (root > 0) & (root < width)
    step = np.where(inner, root, 0.0)
    value = ((cubic * step + square) * step + linear) * step + y[:-1]
    knots = np.broadcast_to(x[:, None], y.shape)
    return np.concatenate([x[:-1, None] + step, knots]), np.concatenate([value, y])


def parabola_curve(x: Array, y: Array, at: Array) -> Array:
    """Return the values at some places of the parabola through points, by least squares."""
    middle, reach = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    parabola = np.polynomial.Polynomial.fit((x - middle) / reach, y, 2)
    return np.asarray(parabola((at - middle) / reach))


def akima_curve(x: Array, y: Array, at: Array) -> Array:
    """Return the values at some places of the Akima curve through points; NaN beyond them."""
    return np.asarray(Akima1DInterpolator(x, y)(at))
