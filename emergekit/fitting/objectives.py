"""What a fit minimises: residuals on the raw or the log response, under a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.errors import FitError, shown, unknown
from emergekit.fitting.deviance import deviance_residuals, deviance_slopes, score_spread
from emergekit.fitting.scatter import robust_deviation

__all__ = ["OBJECTIVES", "Objective", "objective"]

Array = NDArray[np.float64]
Residual: TypeAlias = Literal["raw", "log", "log1p", "deviance"]


@dataclass(frozen=True)
class Objective:
    r"""A penalty on residuals r, predicted minus observed, summed over rows.

    .. math:: \rho(r) = c(r) \begin{cases} r^2/2 & |r| \le \delta \\
              \delta (|r| - \delta/2) & |r| > \delta \end{cases}, \quad
              c(r) = \text{over if } r > 0 \text{, else under}

    and c(r) abs(r) for a delta of 0, the limit of its quotient by delta.

    Parameters
    ----------
    name : str
        As `fit` takes it.
    residual : {"raw", "log", "log1p", "deviance"}
        Differences of responses, of their logarithms, or of logarithms of 1 + response; "deviance"
        for scores that are shares of right answers, whose squared residuals add up to the binomial
        deviance.
    delta : float
        Size of residual beyond which the penalty grows linearly (Huber 1964); inf for least
        squares, 0 for absolute deviations.
    over, under : float
        How much predictions above and below the observation count.
    """

    name: str
    residual: Residual
    delta: float
    over: float = 1.0
    under: float = 1.0

    @property
    def log(self) -> bool:
        """Whether residuals are differences of logarithms."""
        return self.residual == "log"

    @property
    def binomial(self) -> bool:
        """Whether the penalty is the likelihood of counts of right answers."""
        return self.residual == "deviance"

    def transform(self, response: Array) -> Array:
        """Return the response on the scale of intervals: as it is, or a logarithm."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.residual == "log1p":
                return np.log1p(response)
            return np.log(response) if self.log else response

    def transform_slope(self, predicted: Array) -> Array:
        """Return the derivative of the transformed response."""
        with np.errstate(divide="ignore"):
            if self.residual == "log1p":
                return 1 / (1 + predicted)
            return 1 / predicted if self.log else np.ones_like(predicted)

    def untransform(self, transformed: Array) -> Array:
        """Return the response that has this transform."""
        with np.errstate(over="ignore"):
            if self.residual == "log1p":
                return np.expm1(transformed)
            return np.exp(transformed) if self.log else transformed

    def unit(self, predicted: Array) -> Array:
        """Return what a row scatters by on the scale of intervals, up to a common factor."""
        return score_spread(predicted) if self.binomial else np.ones_like(predicted)

    def residuals(self, observed: Array, predicted: Array) -> Array:
        """Return predicted minus observed, on the objective's scale; NaN where there is none."""
        if self.binomial:
            return deviance_residuals(observed, predicted)
        return self.transform(predicted) - self.transform(observed)

    def slope(self, observed: Array, predicted: Array, residuals: Array | None = None) -> Array:
        """Return the derivative of the residuals by the predictions."""
        if not self.binomial:
            return self.transform_slope(predicted)
        if residuals is None:
            residuals = deviance_residuals(observed, predicted)
        return deviance_slopes(observed, predicted, residuals)

    def scale(self, observed: Array) -> Array:
        """Return the residual that an error of the size of the response itself would leave."""
        if self.residual == "log1p":
            return np.abs(observed) / (1 + observed)
        return np.abs(observed) if self.residual == "raw" else np.ones_like(observed)

    def counted(self, residuals: Array, values: Array) -> Array:
        """Return values times how much residuals of that sign count."""
        if self.over == self.under == 1:
            return values
        return values * np.where(residuals > 0, self.over, self.under)

    def penalty(self, residuals: Array, delta: Array | float | None = None) -> Array:
        """Return the penalty, with another delta if one is given (arrays broadcast)."""
        delta = self.delta if delta is None else delta
        size = np.abs(residuals)
        if np.ndim(delta) == 0 and delta == 0:
            return self.counted(residuals, size)
        near = np.minimum(size, delta)
        return self.counted(residuals, near * (size - near / 2))

    def score(self, residuals: Array, delta: Array | float | None = None) -> Array:
        """Return the derivative of the penalty by the residual."""
        delta = self.delta if delta is None else delta
        if np.ndim(delta) == 0 and delta == 0:
            return self.counted(residuals, np.sign(residuals))
        return self.counted(residuals, np.clip(residuals, -delta, delta))

    def smooth_curvature(
        self, residuals: Array, n_parameters: int, weights: Array | None = None
    ) -> Array:
        """Return the second derivative of the penalty, averaged over a neighbourhood.

        A narrow Huber penalty is curved at the few rows within delta only, too few to tell how
        fast its slope changes on average. As in quantile regression, rows within a bandwidth
        share that curvature, the nearer the more (Epanechnikov weights); a wide Huber penalty
        keeps its own. The bandwidth is one robust standard deviation, less in large samples: it
        was chosen by simulation (see `fit`), because the usual ones, a third to a half of that at
        240 rows, leave so few rows to measure by that intervals come out too short too often.
        """
        if np.isinf(self.delta):
            return self.counted(residuals, np.ones_like(residuals))
        if residuals.ndim > 1:
            given = np.ones(residuals.shape) if weights is None else weights
            rows = zip(residuals, given, strict=True)
            return np.stack([self.smooth_curvature(r, n_parameters, w) for r, w in rows])
        n = len(residuals)
        weights = np.ones(n) if weights is None else weights
        robust = robust_deviation(residuals, weights, n_parameters)
        width = max(min(1.0, 3.0 * n**-0.2) * robust, 1e-9 * self.delta, np.finfo(float).tiny)
        if self.delta == 0:
            density = 0.75 * np.clip(1 - (residuals / width) ** 2, 0, None) / width
            jump: Array = (self.over + self.under) * density
            return jump
        above, middle, below = (
            _epanechnikov((residuals + shift) / width) for shift in (self.delta, 0.0, -self.delta)
        )
        return self.under * (above - middle) + self.over * (middle - below)


def _epanechnikov(u: Array) -> Array:
    """Return the distribution function of the Epanechnikov kernel."""
    inside = np.clip(u, -1, 1)
    return (2 + 3 * inside - inside**3) / 4


def objective(name: str, delta: float = 1e-3, over: float = 2.0, tau: float = 0.5) -> Objective:
    """Return the objective of that name.

    Parameters
    ----------
    name : str
        "least_squares", "huber", "lad", "quantile" or "asymmetric"; with "_log" behind for
        residuals of logarithms; "least_squares_log1p" for those of 1 + response; or "binomial".
    delta : float
        Where "huber" and "asymmetric" turn linear.
    over : float
        How many times a prediction above the observation counts under "asymmetric".
    tau : float
        Share of the observations that "quantile" puts below the law.

    Raises
    ------
    FitError
        If the name is unknown, delta or over is not positive, or tau not between 0 and 1.
    """
    if not isinstance(name, str) or name not in OBJECTIVES:
        raise FitError(unknown("objective", name, OBJECTIVES))
    _require_positive("delta", delta)
    _require_positive("over", over)
    if not (_is_number(tau) and 0 < tau < 1):
        raise FitError(f"tau must lie between 0 and 1; it is {shown(tau)}.")
    if name == "binomial":
        return Objective(name, "deviance", delta=np.inf)
    if name == "least_squares_log1p":
        return Objective(name, "log1p", delta=np.inf)
    shape = name.removesuffix("_log")
    options = {
        "least_squares": {"delta": np.inf},
        "huber": {"delta": float(delta)},
        "lad": {"delta": 0.0},
        "quantile": {"delta": 0.0, "over": 1.0 - tau, "under": float(tau)},
        "asymmetric": {"delta": float(delta), "over": float(over)},
    }
    return Objective(name, "log" if name.endswith("_log") else "raw", **options[shape])


OBJECTIVES = (
    *(
        shape + ending
        for shape in ("least_squares", "huber", "lad", "quantile", "asymmetric")
        for ending in ("", "_log")
    ),
    "least_squares_log1p",
    "binomial",
)
"""The names that `fit` knows."""


def _is_number(value: object) -> bool:
    return isinstance(value, float | int | np.number) and not isinstance(value, bool)


def _require_positive(name: str, value: object) -> None:
    if not (_is_number(value) and 0 < value < np.inf):  # type: ignore[operator]  # a number
        raise FitError(f"{name} must be positive and finite; it is {value}.")
