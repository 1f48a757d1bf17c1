r"""Does a rise sharpen with size? Statistics of an order parameter over runs of several sizes.

A transition is known by what happens to it as the system grows: fluctuations peak higher, the rise
becomes steeper, and curves of all sizes fall onto one after rescaling. A smooth curve seen through
a sharp metric does none of this. Runs are given as an array of shape (n_sizes, n_x, n_runs): one
value of the order parameter m for each size, each place on the axis and each run.

References
----------
Binder 1981, "Finite size scaling analysis of Ising model block distribution functions"; Houdayer &
Hartmann 2004, "Low-temperature behavior of two-dimensional Gaussian Ising spin glasses", appendix,
for the quality of a collapse (both from memory).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from emergekit.errors import unknown
from emergekit.theory.ranges import Array, within

__all__ = [
    "Sharpening",
    "binder_cumulant",
    "crossings",
    "is_sharpening",
    "rise_widths",
    "susceptibility",
]

By: TypeAlias = Literal["rise", "fluctuations"]

_BY = ("rise", "fluctuations")


class Sharpening(NamedTuple):
    """Whether curves of growing size become sharper.

    Parameters
    ----------
    sharpens : bool
        Whether the intervals of both exponents leave out 0 on the sharpening side.
    exponent : float
        Width of the rise as a power of size, negative if it sharpens; or height of the peak of the
        susceptibility, positive if it sharpens.
    lower, upper : float
        Interval of the exponent.
    last, last_lower, last_upper : float
        The exponent between the two largest sizes and its interval: what fades out is no
        sharpening.
    measured : array, shape (n_sizes,)
        The width or the height at each size.
    """

    sharpens: bool
    exponent: float
    lower: float
    upper: float
    last: float
    last_lower: float
    last_upper: float
    measured: Array


def binder_cumulant(runs: ArrayLike, axis: int = -1) -> Array:
    r"""Return the fourth-order cumulant of an order parameter.

    .. math:: U = 1 - \frac{\langle m^4 \rangle}{3 \langle m^2 \rangle^2}

    Parameters
    ----------
    runs : array
        Order parameter m of each run, measured from its value in the disordered phase.
    axis : int
        Along which runs lie.

    Returns
    -------
    array
        0 where m is Gaussian about 0, 2/3 where it is one number or its opposite; a dip below 0,
        deeper with size, marks a jump between two phases. NaN where every m is 0.

    Raises
    ------
    ValueError
        If there is no run, or one is not finite.

    References
    ----------
    Binder 1981.

    Examples
    --------
    >>> binder_cumulant([1.0, -1.0, 1.0]).round(6)
    np.float64(0.666667)
    """
    m = _finite(runs)
    if m.ndim == 0 or not m.shape[axis]:
        raise ValueError("binder_cumulant needs at least one run along the axis.")
    scale = np.abs(m).max(axis=axis, keepdims=True)
    unit = m / np.where(scale > 0, scale, 1.0)  # fourth powers of small m would underflow
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - (unit**4).mean(axis=axis) / (3 * (unit**2).mean(axis=axis) ** 2))


def susceptibility(runs: ArrayLike, size: ArrayLike, axis: int = -1) -> Array:
    r"""Return how strongly an order parameter varies between runs, in units of independent parts.

    .. math:: \chi = n \left(\langle m^2 \rangle - \langle m \rangle^2\right)

    Parameters
    ----------
    runs : array
        Order parameter m of each run.
    size : array
        Number of parts n that m is a mean over, broadcasting against `runs` without `axis`.
    axis : int
        Along which runs lie.

    Returns
    -------
    array
        The same at every size for independent parts; at a transition, its peak grows with size.

    Raises
    ------
    ValueError
        If there are fewer than two runs, a value is not finite, or a size is not positive.

    References
    ----------
    Standard; the variance has the divisor n_runs - 1.
    """
    m = _finite(runs)
    if m.ndim == 0 or m.shape[axis] < 2:
        raise ValueError("susceptibility needs at least two runs along the axis.")
    n = within(size, "size", lambda n: n > 0, "positive")
    return np.asarray(n * m.var(axis=axis, ddof=1))


def crossings(x: ArrayLike, curves: ArrayLike) -> Array:
    """Return where the curves of each two neighbouring sizes cross.

    Parameters
    ----------
    x : array, shape (n_x,)
        Places on the axis, rising.
    curves : array, shape (n_sizes, n_x)
        A quantity such as the Binder cumulant that does not depend on size at a transition.

    Returns
    -------
    array, shape (n_sizes - 1,)
        By straight lines between the places; the crossing with the largest angle if there are
        several, NaN if there is none.

    Raises
    ------
    ValueError
        If shapes do not match, or x does not rise.

    References
    ----------
    Binder 1981: cumulants of all sizes cross at the transition; the lines are a choice.

    Examples
    --------
    >>> crossings([0, 1, 2], [[0, 1, 2], [-1, 1, 3]])
    array([1.])
    """
    places, values = _curves(x, curves)
    apart = np.diff(values, axis=0)
    left, right = apart[:, :-1], apart[:, 1:]
    turns = (left * right < 0) | ((right == 0) & (left != 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        where = places[:-1] + np.diff(places) * left / (left - right)
    angle = np.where(turns, np.abs(right - left) / np.diff(places), -np.inf)
    best = angle.argmax(axis=1)[:, None]
    found = np.take_along_axis(where, best, 1)[:, 0]
    return np.where(turns.any(axis=1), found, np.nan)


def rise_widths(
    x: ArrayLike,
    curves: ArrayLike,
    levels: tuple[float, float] = (0.25, 0.75),
    ends: tuple[float, float] | None = None,
) -> Array:
    """Return how far apart the curve of each size passes two shares of its rise.

    Parameters
    ----------
    x : array, shape (n_x,)
        Places on the axis, rising.
    curves : array, shape (n_sizes, n_x)
        Mean order parameter.
    levels : (float, float)
        Shares of the rise, between 0 and 1.
    ends : (float, float), optional
        Values before and after the rise; the least and the most of each curve if None, which is
        right only for curves that begin and end on level ground.

    Returns
    -------
    array, shape (n_sizes,)
        In units of x, by straight lines, from where the curve last rises through either level; NaN
        for a curve that does not.

    Raises
    ------
    ValueError
        If shapes do not match, x does not rise, or the levels are out of order.

    References
    ----------
    Derived: at a transition the width is the window of finite size, a power of size.

    Examples
    --------
    >>> rise_widths([0, 1, 2, 3], [[0, 0, 1, 1], [0, 1, 1, 1]])
    array([0.5, 0.5])
    """
    places, values = _curves(x, curves)
    low, high = levels
    if not 0 < low < high < 1:
        raise ValueError(f"levels must be two shares in order; they are {levels}.")
    bottom, top = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    if ends is not None:
        bottom, top = np.asarray(ends[0], dtype=float), np.asarray(ends[1], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (values - bottom) / (top - bottom)
    return np.array([_passes(places, row, high) - _passes(places, row, low) for row in share])


def is_sharpening(
    x: ArrayLike,
    sizes: ArrayLike,
    runs: ArrayLike,
    *,
    by: By = "rise",
    ends: tuple[float, float] | None = None,
    level: float = 0.95,
    n_draws: int = 200,
    seed: int = 0,
) -> Sharpening:
    r"""Return whether a rise becomes sharper as the system grows.

    A transition sharpens: the width of its rise falls as :math:`n^{-1/\nu}`, or the peak of its
    susceptibility grows. The rise of a mirage, a smooth curve composed of independent parts, has
    one width at every size, and its susceptibility one height.

    Parameters
    ----------
    x : array, shape (n_x,)
        Places on the axis, rising. Widths are differences of x, so the axis matters: put model
        size on a logarithmic one.
    sizes : array, shape (n_sizes,)
        Number of parts n of each system, positive, two sizes or more.
    runs : array, shape (n_sizes, n_x, n_runs)
        Order parameter of each run; two runs or more.
    by : {"rise", "fluctuations"}
        What to measure: the width of the mean curve, for jumps from one level to another; or the
        peak of the susceptibility, which also sees continuous transitions, whose curves keep
        rising past the threshold. For the second, m must be a mean over n parts.
    ends : (float, float), optional
        Values before and after the rise, as in `rise_widths`.
    level : float
        Level of the interval, two-sided.
    n_draws : int
        Resamples of runs.
    seed : int
        Seed.

    Returns
    -------
    Sharpening
        Exponents are slopes in logarithms, with normal intervals by the scatter of resampled runs.

    Raises
    ------
    ValueError
        If shapes do not match, a number is outside its range, or a curve does not rise.

    References
    ----------
    Finite-size scaling as in Binder 1981; that a mirage does not sharpen is derived: its rise is
    that of `mirage.expected_exact_match`, which knows no size of a system.

    Examples
    --------
    >>> x, sizes = np.linspace(-3, 3, 301), np.array([4, 16, 64])
    >>> curves = 1 / (1 + np.exp(-x * np.sqrt(sizes)[:, None] * 3))
    >>> found = is_sharpening(x, sizes, np.repeat(curves[..., None], 2, axis=2))
    >>> found.sharpens, round(found.exponent, 1)
    (True, -0.5)
    """
    if by not in _BY:
        raise ValueError(unknown("measure of sharpening", by, _BY))
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; it is {level:g}.")
    n, m = checked_runs(x, sizes, runs)
    places, order = np.asarray(x, dtype=float), np.argsort(n)
    n, m = n[order], m[order]
    rng = np.random.default_rng(seed)
    measured = _measure(places, n, m, by, ends)
    if not (np.isfinite(measured) & (measured > 0)).all():
        raise ValueError(
            f"every size needs a curve that rises over x, or runs that differ; measured by {by}, "
            f"the sizes have {', '.join(f'{one:.3g}' for one in measured)}."
        )
    draws = np.array(
        [_measure(places, n, _resampled(m, rng), by, ends) for _ in range(max(n_draws, 2))]
    )
    whole = _interval(_slope(n, measured), _slope(n, draws), level)
    last = _interval(_slope(n[-2:], measured[-2:]), _slope(n[-2:], draws[:, -2:]), level)
    sharpens = all(one[2] < 0 if by == "rise" else one[1] > 0 for one in (whole, last))
    back = np.argsort(order)
    return Sharpening(sharpens, *whole, *last, measured[back])


def _measure(x: Array, n: Array, m: Array, by: By, ends: tuple[float, float] | None) -> Array:
    if by == "rise":
        return rise_widths(x, m.mean(axis=-1), ends=ends)
    return np.asarray(susceptibility(m, n[:, None]).max(axis=1))


def _interval(slope: Array, draws: Array, level: float) -> tuple[float, float, float]:
    kept = draws[np.isfinite(draws)]
    scatter = float(kept.std(ddof=1)) if len(kept) > 1 else np.inf
    half = float(norm.ppf((1 + level) / 2)) * scatter
    return float(slope), float(slope) - half, float(slope) + half


def _slope(n: Array, measured: Array) -> Array:
    """Return the slope of each row of measurements against size, in logarithms."""
    u = np.log(n) - np.log(n).mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(measured) @ u / (u @ u))


def _resampled(m: Array, rng: np.random.Generator) -> Array:
    n_sizes, _, n_runs = m.shape
    chosen = rng.integers(n_runs, size=(n_sizes, 1, n_runs))
    return np.take_along_axis(m, chosen, axis=2)


def _passes(x: Array, share: Array, level: float) -> float:
    """Return where a curve rises through a level for the last time."""
    below = np.flatnonzero((share[:-1] < level) & (share[1:] >= level))
    if not len(below):
        return np.nan
    i = below[-1]
    return float(x[i] + (x[i + 1] - x[i]) * (level - share[i]) / (share[i + 1] - share[i]))


def checked_runs(x: ArrayLike, sizes: ArrayLike, runs: ArrayLike) -> tuple[Array, Array]:
    """Return sizes and runs whose shapes match, or raise a `ValueError`."""
    n = within(sizes, "sizes", lambda n: n > 0, "positive")
    m = _finite(runs)
    shape = (n.size, np.size(x))
    if m.ndim != 3 or m.shape[:2] != shape or m.shape[2] < 2:
        raise ValueError(
            f"runs must have the shape (sizes, places, runs), here ({shape[0]}, {shape[1]}, 2 or "
            f"more); it is {m.shape}."
        )
    if n.ndim != 1 or len(np.unique(n)) < 2:
        raise ValueError("sizes must hold at least two different sizes.")
    return n, m


def _curves(x: ArrayLike, curves: ArrayLike) -> tuple[Array, Array]:
    places, values = _finite(x), np.asarray(curves, dtype=float)
    if values.ndim != 2 or places.shape != values.shape[1:]:
        raise ValueError(
            f"curves must have the shape (sizes, places); they are {values.shape} at "
            f"{places.size} places."
        )
    if places.size < 2 or (np.diff(places) <= 0).any():
        raise ValueError("x must hold at least two places and rise.")
    return places, values


def _finite(values: ArrayLike) -> Array:
    return within(values, "every value", _is_finite, "finite")


def _is_finite(values: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(values))
