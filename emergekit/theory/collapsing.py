r"""Curves of all sizes on one: the place and the exponents of a transition, with errors.

.. math:: m(x, n) = n^{-b} f\left((x - x_c)\, n^{a}\right), \qquad
          a = 1 / \nu, \quad b = \beta / \nu

References
----------
Houdayer & Hartmann 2004, Physical Review B 70, 014418, appendix (from memory): the quality of a
collapse is the mean squared distance of each point from the line through its neighbours of other
sizes, in units of its error; about 1 for a good one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from emergekit.theory.finite_size import checked_runs
from emergekit.theory.ranges import Array

__all__ = ["DataCollapse", "collapse_quality", "data_collapse", "rescaled"]

_RESTARTS = 3
_APART = 1e30


class DataCollapse(NamedTuple):
    """The rescaling that brings curves of all sizes together.

    Parameters
    ----------
    x_c, a, b : float
        Place of the transition, 1 / nu and beta / nu.
    x_c_error, a_error, b_error : float
        Standard deviations over resampled runs; 0 for a parameter that was held.
    quality : float
        Mean squared distance in units of errors; about 1 if the curves are one, far above 1 if no
        rescaling brings them together.
    """

    x_c: float
    a: float
    b: float
    x_c_error: float
    a_error: float
    b_error: float
    quality: float


def rescaled(
    x: ArrayLike, sizes: ArrayLike, m: ArrayLike, x_c: float, a: float, b: float = 0.0
) -> tuple[Array, Array]:
    """Return the axis and the order parameter on which curves of all sizes are one.

    Parameters
    ----------
    x : array, shape (n_x,)
        Places on the axis.
    sizes : array, shape (n_sizes,)
        Sizes n.
    m : array, shape (n_sizes, n_x)
        Order parameter.
    x_c, a, b : float
        As in `DataCollapse`.

    Returns
    -------
    scaled_x, scaled_m : array, shape (n_sizes, n_x)
        (x - x_c) n^a and m n^b.

    References
    ----------
    Houdayer & Hartmann 2004, appendix (from memory).
    """
    n = np.asarray(sizes, dtype=float)[:, None]
    return (np.asarray(x, dtype=float) - x_c) * n**a, np.asarray(m, dtype=float) * n**b


def collapse_quality(
    x: ArrayLike,
    sizes: ArrayLike,
    m: ArrayLike,
    errors: ArrayLike,
    x_c: float,
    a: float,
    b: float = 0.0,
) -> float:
    r"""Return how far rescaled curves are from one, in units of their errors.

    .. math:: S = \frac{1}{|T|} \sum_{ij} \frac{(y_{ij} - Y_{ij})^2}{dy_{ij}^2 + dY_{ij}^2}

    Y is the straight line, by weighted least squares, through the points of the other sizes on
    either side of x_ij; points without such neighbours are left out.

    Parameters
    ----------
    x, sizes, m : array
        As in `rescaled`.
    errors : array, shape (n_sizes, n_x)
        Standard errors of m, positive.
    x_c, a, b : float
        As in `DataCollapse`.

    Returns
    -------
    float
        inf if fewer than a third of the points have neighbours: curves torn apart would be "one".

    References
    ----------
    Houdayer & Hartmann 2004, appendix, eqs. A1 to A4.
    """
    X, Y = rescaled(x, sizes, m, x_c, a, b)
    dY = np.asarray(errors, dtype=float) * np.asarray(sizes, dtype=float)[:, None] ** b
    terms = [_terms(i, X, Y, dY) for i in range(len(X))]
    distances = np.concatenate(terms)
    if 3 * len(distances) < X.size:
        return np.inf
    return float(distances.mean())


def _terms(i: int, X: Array, Y: Array, dY: Array) -> Array:
    """Return squared distances of the points of one size from the line through the others."""
    at = X[i]
    sums = np.zeros((5, len(at)))
    for other in range(len(X)):
        if other == i:
            continue
        place = np.searchsorted(X[other], at, side="right") - 1
        inside = (place >= 0) & (place < X.shape[1] - 1)
        for step in (0, 1):
            j = np.clip(place + step, 0, X.shape[1] - 1)
            weight = inside / dY[other, j] ** 2
            u, v = X[other, j] - at, Y[other, j]
            sums += weight * np.stack([np.ones_like(u), u, v, u * u, u * v])
    K, Kx, Ky, Kxx, Kxy = sums
    determinant = K * Kxx - Kx**2
    told = determinant > 1e-12 * K * Kxx
    line = (Kxx * Ky - Kx * Kxy)[told] / determinant[told]  # at u = 0, the point itself
    variance = Kxx[told] / determinant[told]
    return np.asarray((Y[i][told] - line) ** 2 / (dY[i][told] ** 2 + variance))


def data_collapse(
    x: ArrayLike,
    sizes: ArrayLike,
    runs: ArrayLike,
    *,
    start: tuple[float, float, float],
    hold_b: bool = False,
    n_draws: int = 20,
    seed: int = 0,
) -> DataCollapse:
    """Return the place and the exponents at which curves of all sizes are one.

    Parameters
    ----------
    x : array, shape (n_x,)
        Places on the axis, rising, on both sides of the transition.
    sizes : array, shape (n_sizes,)
        Sizes n, positive, two or more.
    runs : array, shape (n_sizes, n_x, n_runs)
        Order parameter of each run, two or more.
    start : (float, float, float)
        x_c, a and b to begin with.
    hold_b : bool
        Hold b at its start, as for a jump, where b is 0.
    n_draws : int
        Resamples of runs for the errors; 0 for none (NaN).
    seed : int
        Seed.

    Returns
    -------
    DataCollapse

    Raises
    ------
    ValueError
        If shapes do not match, x does not rise, or the start leaves the curves apart.

    References
    ----------
    Houdayer & Hartmann 2004, appendix.
    """
    n, m = checked_runs(x, sizes, runs)
    places = np.asarray(x, dtype=float)
    if (np.diff(places) <= 0).any():
        raise ValueError("x must rise.")
    free = np.array([True, True, not hold_b])
    at = np.asarray(start, dtype=float)
    scales = np.array([0.1 * np.ptp(places), 0.1, 0.1])
    if not np.isfinite(_quality(places, n, m, at)):
        raise ValueError(f"curves do not overlap at the start {start}; begin nearer.")
    best, quality = _minimum(places, n, m, at, free, scales)
    for _ in range(_RESTARTS - 1):  # a simplex may collapse before it arrives
        best, quality = _minimum(places, n, m, best, free, 0.5 * scales)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(n_draws):
        chosen = rng.integers(m.shape[2], size=(len(n), 1, m.shape[2]))
        again = np.take_along_axis(m, chosen, axis=2)
        draws.append(_minimum(places, n, again, best, free, 0.2 * scales)[0])
    errors = np.std(draws, axis=0, ddof=1) if n_draws > 1 else np.full(3, np.nan)
    x_c, a, b = map(float, best)
    x_c_error, a_error, b_error = map(float, np.where(free, errors, 0.0))
    return DataCollapse(x_c, a, b, x_c_error, a_error, b_error, quality)


def _quality(x: Array, n: Array, m: Array, values: Array) -> float:
    means = m.mean(axis=-1)
    errors = m.std(axis=-1, ddof=1) / np.sqrt(m.shape[-1])
    # Runs that all agree still have an error: without a floor they would be the whole quality.
    errors = np.maximum(errors, 1e-3 * np.ptp(means))
    x_c, a, b = map(float, values)
    return collapse_quality(x, n, means, errors, x_c, a, b)


def _minimum(
    x: Array, n: Array, m: Array, start: Array, free: Array, scales: Array
) -> tuple[Array, float]:
    """Return the parameters of the best collapse near a start, and its quality."""

    def spread(free_values: Array) -> float:
        values = start.copy()
        values[free] = free_values
        # Not inf: the search subtracts the values at the corners of its simplex.
        return min(_quality(x, n, m, values), _APART)

    at = start[free]
    simplex = np.vstack([at, at + np.diag(scales[free])])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-4, "maxfev": 400}
    found = minimize(spread, at, method="Nelder-Mead", options=options)
    values = start.copy()
    values[free] = found.x
    return values, float(found.fun)
