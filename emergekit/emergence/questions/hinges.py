r"""The first question: does a curve need a threshold, or will a smooth one do.

The best smooth curve and the best curve with a threshold (`dictionary`) are compared by their
residual sums,

.. math:: T = \log \frac{R_{smooth} + d}{R_{threshold} + d},

and T is held against what it is when the smooth curve is true, and when the one with a threshold
is: two parametric bootstraps, every draw refitted over the whole dictionary. A test of a break
against a straight line (sup-F, `breaks`) answers another question: any bend rejects the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.emergence.counts import checked_scales
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH, Dictionary, curve_dictionary

__all__ = ["HingeTest", "compare_shapes", "hinge_test"]

Array: TypeAlias = NDArray[np.float64]

_SMOOTH_TERMS, _THRESHOLD_TERMS = 4, 5
_ROUNDING = 1e-12
_STRONGEST_AR = 0.9
_ETA_LEVEL = 0.95
_NEAR = 0.1
_BLOCK = 100


@dataclass(frozen=True)
class HingeTest:
    """The answer to one curve: two p-values, and the two curves behind them.

    Parameters
    ----------
    p_break : float
        How often a smooth curve looks as broken as this one; small: a threshold is needed.
    p_rev : float
        How often a curve with a threshold looks as smooth as this one; small: there is none.
    statistic : float
        T, positive where the curve with a threshold fits better.
    eta : float
        Where the best threshold lies, on the axis of x: the foot of a hinge, the middle of a step.
    eta_lower, eta_upper : float
        95 % of the thresholds of the draws of the second bootstrap; NaN for a trajectory, whose
        points are not independent.
    smooth, threshold : array, shape (m,)
        The best curves at the scales.
    rmse_smooth, rmse_threshold : float
        Their residuals' root mean square, in the unit of y.
    noise : float
        Variance of the residuals of the smooth curve in units of `variance`.
    correlation : float
        Lag-1 autocorrelation that the draws were given; 0 unless the points are a trajectory.
    null_smooth, null_threshold : array, shape (n_boot,)
        T of the draws, under a smooth curve and under one with a threshold.
    """

    p_break: float
    p_rev: float
    statistic: float
    eta: float
    eta_lower: float
    eta_upper: float
    smooth: Array
    threshold: Array
    rmse_smooth: float
    rmse_threshold: float
    noise: float
    correlation: float
    null_smooth: Array = field(repr=False)
    null_threshold: Array = field(repr=False)


def hinge_test(
    x: ArrayLike,
    y: ArrayLike,
    variance: ArrayLike | None = None,
    *,
    width: float = DEFAULT_WIDTH,
    n_boot: int = 199,
    trajectory: bool = False,
    seed: int = 0,
) -> HingeTest:
    """Return whether a rising curve needs a threshold, and whether one can be excluded.

    Parameters
    ----------
    x : array, shape (m,)
        Scales on the axis of the analysis (log10 of a size, minus a loss), rising; several runs may
        share one. Five different ones or more.
    y : array, shape (m,)
        What rises with scale, in any unit. Of a positive loss L take -log L: its scatter is then
        even, and a power law of size is a straight line.
    variance : array, shape (m,), optional
        Sampling variance of each y, up to a factor; equal if None.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range of x.
    n_boot : int
        Draws of each bootstrap; the smallest p-value is 1/(n_boot + 1).
    trajectory : bool
        Whether the points are checkpoints of one run, whose noise is correlated.
    seed : int
        Root of the random numbers.

    Returns
    -------
    HingeTest

    Raises
    ------
    ValueError
        If a number is not finite, a variance not positive, the scales are too few, or x falls.

    References
    ----------
    Cox 1961 for tests of separate families; Phipson & Smyth 2010 for p-values of simulations. The
    test is ours; its rates are in `emergekit.emergence.verdicts.simulation`.

    Examples
    --------
    >>> x = np.linspace(0, 6, 12)
    >>> noise = 0.02 * np.sqrt(2) * np.cos(2.4 * np.arange(12) ** 2)
    >>> kinked = hinge_test(x, np.maximum(x - 3, 0) + noise)
    >>> kinked.p_break <= 0.05 < kinked.p_rev, round(kinked.eta, 1)
    (True, 3.0)
    >>> smooth = hinge_test(x, np.log1p(np.exp(x - 3)) + noise)
    >>> smooth.p_rev <= 0.05 < smooth.p_break
    True
    """
    order = np.argsort(np.asarray(x, dtype=float), kind="stable")
    scale, rise = np.asarray(x, dtype=float)[order], np.asarray(y, dtype=float)[order]
    v = np.ones_like(rise) if variance is None else np.asarray(variance, dtype=float)[order]
    checked_scales(np.arange(len(rise)), rise, "y")
    if not (np.isfinite(v) & (v > 0)).all():
        raise ValueError("variance must be positive at every scale; leave it out if unknown.")
    found = compare_shapes(
        curve_dictionary(scale, width),
        rise,
        v,
        rng=np.random.default_rng(seed),
        n_boot=n_boot,
        trajectory=trajectory,
    )
    low, span = scale[0], scale[-1] - scale[0]
    etas = (found.eta, found.eta_lower, found.eta_upper)
    eta, lower, upper = (float(low + span * place) for place in etas)
    return replace(found, eta=eta, eta_lower=lower, eta_upper=upper)


def compare_shapes(
    shapes: Dictionary,
    y: Array,
    variance: Array,
    *,
    rng: np.random.Generator,
    n_boot: int,
    n_fine: int = 0,
    trajectory: bool = False,
    counts: bool = False,
) -> HingeTest:
    """Return the test over a dictionary that is there already, thresholds on its axis, 0 to 1.

    With `counts` the variance is that of sampling items, and no model's noise is taken as less.
    With `n_fine` a p-value of 0.1 or less is computed again with so many draws.
    """
    best = _Comparison.of(shapes, y, variance, trajectory=trajectory, counts=counts)
    draws = (n_boot, n_fine)
    under_smooth = best.null(best.smooth, best.noise, 1, rng, draws)
    under_threshold = best.null(best.threshold, best.rest, -1, rng, draws)
    tails = (1 - _ETA_LEVEL) / 2
    etas = shapes.etas[under_threshold.place]
    low, high = (np.nan, np.nan) if trajectory else np.quantile(etas, [tails, 1 - tails])
    return HingeTest(
        p_break=under_smooth.p_value,
        p_rev=under_threshold.p_value,
        statistic=best.statistic,
        eta=float(shapes.etas[best.place]),
        eta_lower=float(low),
        eta_upper=float(high),
        smooth=best.smooth,
        threshold=best.threshold,
        rmse_smooth=float(np.sqrt(((y - best.smooth) ** 2).mean())),
        rmse_threshold=float(np.sqrt(((y - best.threshold) ** 2).mean())),
        noise=best.noise,
        correlation=best.correlation,
        null_smooth=under_smooth.statistics,
        null_threshold=under_threshold.statistics,
    )


class _Null(NamedTuple):
    """Draws of T under one of both curves, their thresholds, and how often T is as far out."""

    p_value: float
    statistics: Array
    place: NDArray[np.intp]


@dataclass(frozen=True)
class _Comparison:
    """The best curve of each list, and what is needed to draw others like them."""

    design: _Design
    d: float
    statistic: float
    place: int
    smooth: Array
    threshold: Array
    noise: float
    rest: float
    correlation: float

    @classmethod
    def of(
        cls, shapes: Dictionary, y: Array, variance: Array, *, trajectory: bool, counts: bool
    ) -> _Comparison:
        m, design = len(y), _Design.of(shapes, variance)
        own = design.centred((y * design.weight)[None, :])
        least = 1.0 if counts else 0.0
        # What is left of a perfect fit is rounding, and no evidence for either shape.
        guard = _ROUNDING * float((own**2).sum()) + np.finfo(float).tiny
        d = guard + 0.5 * least * max(m - _SMOOTH_TERMS, 1)
        best = design.fits(own)
        mean = float((y * design.weight**2).sum() / (design.weight**2).sum())
        smooth, threshold = (mean + fit / design.weight for fit in design.fitted(own[0]))
        nearer = smooth if best.smooth[0] <= best.threshold[0] else threshold
        return cls(
            design=design,
            d=d,
            statistic=float(_statistic(best, d)[0]),
            place=int(best.place[0]),
            smooth=smooth,
            threshold=threshold,
            noise=max(float(best.smooth[0]) / max(m - _SMOOTH_TERMS, 1), least),
            rest=max(float(best.threshold[0]) / max(m - _THRESHOLD_TERMS, 1), least),
            correlation=_autocorrelation((y - nearer) * design.weight) if trajectory else 0.0,
        )

    def null(
        self,
        level: Array,
        noise: float,
        side: int,
        rng: np.random.Generator,
        draws: tuple[int, int],
    ) -> _Null:
        """Return one bootstrap; with more draws where the first ones leave a small p-value."""
        for n in draws:
            errors = _noise(rng, (n, len(level)), self.correlation) * np.sqrt(noise)
            fits = self.design.fits(self.design.centred(level * self.design.weight + errors))
            drawn = _statistic(fits, self.d)
            p_value = float((1 + (side * (drawn - self.statistic) >= 0).sum()) / (1 + n))
            found = _Null(p_value, drawn, fits.place)
            if p_value > _NEAR or not draws[1]:
                break
        return found


class _Fits(NamedTuple):
    """Residual sums of both lists for many curves, and which threshold was best."""

    smooth: Array
    threshold: Array
    place: NDArray[np.intp]


@dataclass(frozen=True)
class _Design:
    """A dictionary in weighted, centred, normalised columns: all that a refit needs."""

    weight: Array
    constant: Array
    quadratic: Array
    shapes: Array
    n_smooth: int

    @classmethod
    def of(cls, dictionary: Dictionary, variance: Array) -> _Design:
        weight = 1 / np.sqrt(variance)
        constant = weight / np.linalg.norm(weight)
        columns = np.concatenate([dictionary.smooth, dictionary.threshold], axis=1)
        columns = columns * weight[:, None]
        columns -= constant[:, None] * (constant @ columns)
        size = np.sqrt((columns**2).sum(axis=0))
        # A shape that is flat at these scales explains nothing beyond the constant.
        flat = size <= 1e-9 * np.linalg.norm(weight)
        columns /= np.where(flat, np.inf, size)
        powers = np.stack([dictionary.t, dictionary.t**2], axis=1) * weight[:, None]
        powers -= constant[:, None] * (constant @ powers)
        quadratic = np.linalg.qr(powers)[0]
        return cls(weight, constant, quadratic, columns, dictionary.smooth.shape[1])

    def centred(self, curves: Array) -> Array:
        """Return weighted curves, one a row, without their weighted mean."""
        left = curves - (curves @ self.constant)[:, None] * self.constant
        # Of a constant only rounding is left, which no shape explains.
        rounding = (8 * np.finfo(float).eps) ** 2 * np.einsum("ij,ij->i", curves, curves)
        left[np.einsum("ij,ij->i", left, left) <= rounding] = 0.0
        return left

    def fits(self, curves: Array) -> _Fits:
        """Return residual sums of centred curves, one a row.

        In blocks, so that the products of a block are still in the cache when they are compared.
        """
        smooth, threshold = np.empty(len(curves)), np.empty(len(curves))
        place = np.empty(len(curves), dtype=np.intp)
        for first in range(0, len(curves), _BLOCK):
            rows = slice(first, first + _BLOCK)
            reach = curves[rows] @ self.shapes
            smooth[rows] = reach[:, : self.n_smooth].max(axis=1)
            place[rows] = reach[:, self.n_smooth :].argmax(axis=1)
            threshold[rows] = reach[np.arange(len(reach)), self.n_smooth + place[rows]]
        bent = ((curves @ self.quadratic) ** 2).sum(axis=1)
        total = np.einsum("ij,ij->i", curves, curves)
        explained = np.maximum(np.maximum(smooth, 0) ** 2, bent)
        left = [np.maximum(total - part, 0) for part in (explained, np.maximum(threshold, 0) ** 2)]
        return _Fits(left[0], left[1], place)

    def fitted(self, curve: Array) -> tuple[Array, Array]:
        """Return the best smooth curve and the best with a threshold, weighted and centred."""
        reach = curve @ self.shapes
        best = []
        for part in (slice(self.n_smooth), slice(self.n_smooth, None)):
            place = int(reach[part].argmax())
            best.append(max(reach[part][place], 0.0) * self.shapes[:, part][:, place])
        bent = self.quadratic @ (self.quadratic.T @ curve)
        return (bent if bent @ bent > best[0] @ best[0] else best[0]), best[1]


def _statistic(fits: _Fits, d: float) -> Array:
    return np.log((fits.smooth + d) / (fits.threshold + d))


def _autocorrelation(residual: Array) -> float:
    """Return the lag-1 autocorrelation, less the bias of a few residuals of a fit."""
    total = float(residual @ residual)
    lagged = float(residual[1:] @ residual[:-1]) / total if total > 0 else 0.0
    return float(np.clip(lagged + 4 / len(residual), 0.0, _STRONGEST_AR))


def _noise(rng: np.random.Generator, shape: tuple[int, int], correlation: float) -> Array:
    """Return unit normal errors, each row an AR(1) series."""
    errors = rng.standard_normal(shape)
    if correlation:
        fresh = np.sqrt(1 - correlation**2)
        for place in range(1, shape[1]):
            errors[:, place] = correlation * errors[:, place - 1] + fresh * errors[:, place]
    return errors
