"""The best smooth curve against the best with a threshold, and two bootstraps of the difference.

Under each of both curves data are drawn, and every draw is refitted over the whole dictionary: what
the difference is when a smooth curve is true, and when one with a threshold is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.emergence.questions.dictionary import Dictionary
from emergekit.emergence.questions.projections import Projections, Residuals
from emergekit.emergence.questions.responses import root_of

__all__ = ["Comparison", "compare_shapes"]

Array: TypeAlias = NDArray[np.float64]

_SMOOTH_TERMS, _THRESHOLD_TERMS = 4, 5
_ROUNDING = 1e-12
_STRONGEST_AR = 0.9
_ETA_LEVEL = 0.95
_NEAR = 0.1


@dataclass(frozen=True)
class Comparison:
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
        Where the best threshold lies, on the axis of t: the foot of a hinge, the middle of a step.
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
    covariance: Array | None = None,
) -> Comparison:
    """Return the test over a dictionary that is there already, thresholds on its axis, 0 to 1.

    With `counts` the variance is that of sampling items, and no model's noise is taken as less.
    With a `covariance`, that of y over items which all scales share, the draws move together as far
    as the items make them; what the residuals leave beyond that is scatter of each by itself.
    With `n_fine` a p-value of 0.1 or less is computed again with so many draws.
    """
    best = _Best.of(
        shapes, y, variance, trajectory=trajectory, counts=counts, covariance=covariance
    )
    draws = (n_boot, n_fine)
    under_smooth = best.null(best.smooth, best.noise, 1, rng, draws)
    under_threshold = best.null(best.threshold, best.rest, -1, rng, draws)
    tails = (1 - _ETA_LEVEL) / 2
    etas = shapes.etas[under_threshold.place]
    low, high = (np.nan, np.nan) if trajectory else np.quantile(etas, [tails, 1 - tails])
    return Comparison(
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
class _Best:
    """The best curve of each list, and what is needed to draw others like them."""

    design: Projections
    d: float
    statistic: float
    place: int
    smooth: Array
    threshold: Array
    noise: float
    rest: float
    correlation: float
    shared: _Shared | None

    @classmethod
    def of(
        cls,
        shapes: Dictionary,
        y: Array,
        variance: Array,
        *,
        trajectory: bool,
        counts: bool,
        covariance: Array | None,
    ) -> _Best:
        m, design = len(y), Projections.of(shapes, variance)
        own = design.centred((y * design.weight)[None, :])
        shared = _Shared.of(design, covariance)
        least = (1.0 if shared is None else shared.left) if counts else 0.0
        # What is left of a perfect fit is rounding, and no evidence for either shape.
        guard = _ROUNDING * float((own**2).sum()) + np.finfo(float).tiny
        d = guard + 0.5 * least * max(m - _SMOOTH_TERMS, 1)
        best = design.residuals(own)
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
            shared=shared,
        )

    def errors(self, noise: float, n: int, rng: np.random.Generator) -> Array:
        """Return weighted errors that leave this variance: shared ones, and each scale's own."""
        m, shared = len(self.smooth), self.shared
        own = _noise(rng, (n, m), self.correlation)
        if shared is None:
            return np.asarray(own * np.sqrt(noise))
        common = min(shared.left, noise)
        together = rng.standard_normal((n, m)) @ shared.root * np.sqrt(common / shared.left)
        return np.asarray(together + own * np.sqrt(noise - common))

    def null(
        self,
        level: Array,
        noise: float,
        side: int,
        rng: np.random.Generator,
        draws: tuple[int, int],
    ) -> _Null:
        """Return one bootstrap; with more draws where the first ones leave a small p-value."""
        about = self.design.centred((level * self.design.weight)[None])[0]
        for n in draws:
            errors = _noise(rng, (n, len(level)), self.correlation) * np.sqrt(noise)
            fits = self.design.residuals(
                self.design.centred(level * self.design.weight + errors), about
            )
            drawn = _statistic(fits, self.d)
            p_value = float((1 + (side * (drawn - self.statistic) >= 0).sum()) / (1 + n))
            found = _Null(p_value, drawn, fits.place)
            if p_value > _NEAR or not draws[1]:
                break
        return found


@dataclass(frozen=True)
class _Shared:
    """Errors that all scales share through their items, in weighted units.

    `root` turns independent normal errors into these, `left` is the variance that a smooth fit
    leaves of them, a degree of freedom.
    """

    root: Array
    left: float

    @classmethod
    def of(cls, design: Projections, covariance: Array | None) -> _Shared | None:
        if covariance is None:
            return None
        own = covariance * np.outer(design.weight, design.weight)
        taken = np.column_stack([design.constant, design.quadratic])
        spare = max(len(own) - _SMOOTH_TERMS, 1)
        left = float(np.trace(own) - np.einsum("ij,ik,kj->", taken, own, taken)) / spare
        return cls(root_of(own), left) if left > 0 else None


def _statistic(fits: Residuals, d: float) -> Array:
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
