"""An affine-invariant sampler: an ensemble of walkers that move along lines between each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["autocorrelation_time", "sample_ensemble"]

Array = NDArray[np.float64]

_STRETCH = 2.0
"""a of the stretch move: walkers come 1 / a to a times as near to another."""


def sample_ensemble(
    log_density: Callable[[Array], Array], start: Array, n_steps: int, rng: np.random.Generator
) -> tuple[Array, float]:
    r"""Return the path of an ensemble of walkers whose places come to be drawn from a density.

    One half of the walkers moves at a time, each along the line to a walker of the other half,

    .. math:: z' = z_j + s\,(z_i - z_j), \quad g(s) \propto s^{-1/2} \text{ on } [1/a, a],

    accepted with probability min(1, s^{P-1} f(z') / f(z)). Since only lines between walkers count,
    a density stretched in any direction is sampled as well as a round one.

    Parameters
    ----------
    log_density : callable
        Of places, shape (W, P); shape (W,), -inf where the density is 0. Need not be normalised.
    start : array, shape (W, P)
        Where the walkers begin, W even and more than 2 P, not all on one plane.
    n_steps : int
        Steps of the whole ensemble.
    rng : Generator
        Of random numbers.

    Returns
    -------
    array, shape (n_steps, W, P)
        Places after each step; the first ones still remember the start.
    float
        Share of the moves that were accepted.

    References
    ----------
    Goodman & Weare 2010, "Ensemble samplers with affine invariance", section 2; Foreman-Mackey et
    al. 2013, algorithm 3, for the halves.
    """
    places = np.array(start, dtype=float)
    n_walkers, n_parameters = places.shape
    density = log_density(places)
    path, n_accepted = np.empty((n_steps, n_walkers, n_parameters)), 0
    halves = np.arange(n_walkers) % 2
    for step in range(n_steps):
        for half in (0, 1):
            moving, others = np.flatnonzero(halves == half), np.flatnonzero(halves != half)
            to = places[rng.choice(others, size=len(moving))]
            root = 1 / np.sqrt(_STRETCH)
            stretch = (root + rng.random(len(moving)) * (np.sqrt(_STRETCH) - root)) ** 2
            proposed = to + stretch[:, None] * (places[moving] - to)
            found = log_density(proposed)
            gain = (n_parameters - 1) * np.log(stretch) + found - density[moving]
            accepted = np.log(rng.random(len(moving))) < gain
            places[moving[accepted]] = proposed[accepted]
            density[moving[accepted]] = found[accepted]
            n_accepted += int(accepted.sum())
        path[step] = places
    return path, n_accepted / (n_steps * n_walkers)


def autocorrelation_time(path: Array, window: float = 5.0) -> Array:
    """Return how many steps of an ensemble make one independent draw, of each coordinate.

    Parameters
    ----------
    path : array, shape (n_steps, W, P)
        Of `sample_ensemble`.
    window : float
        Correlations are summed up to this many times the sum.

    Returns
    -------
    array, shape (P,)
        1 or more. A path shorter than about 50 times that says little, of this time as well.

    References
    ----------
    Sokal 1997, section 3, for the window; the mean correlation of walkers as Goodman & Weare 2010.
    """
    n_steps = len(path)
    centred = path - path.mean(axis=(0, 1))
    spectrum = np.abs(np.fft.rfft(centred, n=2 * n_steps, axis=0)) ** 2
    correlation = np.fft.irfft(spectrum, axis=0)[:n_steps].mean(axis=1)
    with np.errstate(invalid="ignore"):
        correlation = correlation / correlation[0]
    sums = 2 * np.cumsum(correlation, axis=0) - 1
    times = np.empty(path.shape[-1])
    for place in range(path.shape[-1]):
        enough = np.arange(n_steps) >= window * sums[:, place]
        last = int(enough.argmax()) if enough.any() else n_steps - 1
        times[place] = sums[last, place]
    return np.fmax(times, 1.0)
