"""What a fit minimises: residuals on the raw or the log response, under a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emergekit.errors import FitError, unknown
from emergekit.fitting.scatter import robust_deviation

__all__ = ["Objective", "objective"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Objective:
    """A penalty on residuals, summed over rows.

    Parameters
    ----------
    name : str
        "least_squares", "least_squares_log" or "huber_log".
    log : bool
        Whether residuals are differences of logarithms.
    delta : float
        Size of residual beyond which the penalty grows linearly (Huber); inf for least squares.
    """

    name: str
    log: bool
    delta: float

    def residuals(self, observed: Array, predicted: Array) -> Array:
        """Return predicted minus observed, of logarithms if `log`; NaN where there is none."""
        if not self.log:
            return predicted - observed
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(predicted) - np.log(observed)

    def slope(self, predicted: Array) -> Array:
        """Return the derivative of a residual by its prediction."""
        with np.errstate(divide="ignore"):
            return 1 / predicted if self.log else np.ones_like(predicted)

    def scale(self, observed: Array) -> Array:
        """Return the residual that an error of the size of the response itself would leave."""
        return np.ones_like(observed) if self.log else np.abs(observed)

    def penalty(self, residuals: Array) -> Array:
        """Return r^2/2 within delta, delta (abs(r) - delta/2) beyond (Huber 1964)."""
        size = np.abs(residuals)
        near = np.minimum(size, self.delta)
        return near * (size - near / 2)

    def score(self, residuals: Array) -> Array:
        """Return the derivative of the penalty by the residual."""
        return np.clip(residuals, -self.delta, self.delta)

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
            return np.ones_like(residuals)
        n = len(residuals)
        weights = np.ones(n) if weights is None else weights
        robust = robust_deviation(residuals, weights, n_parameters)
        width = max(min(1.0, 3.0 * n**-0.2) * robust, 1e-9 * self.delta)
        above = _epanechnikov((residuals + self.delta) / width)
        return above - _epanechnikov((residuals - self.delta) / width)


def _epanechnikov(u: Array) -> Array:
    """Return the distribution function of the Epanechnikov kernel."""
    inside = np.clip(u, -1, 1)
    return (2 + 3 * inside - inside**3) / 4


def objective(
    name: Literal["least_squares", "least_squares_log", "huber_log"] | str, delta: float
) -> Objective:
    """Return the objective of that name; `delta` is read by the Huber ones.

    Raises
    ------
    FitError
        If the name is unknown or delta is not positive.
    """
    known = {
        "least_squares": Objective("least_squares", log=False, delta=np.inf),
        "least_squares_log": Objective("least_squares_log", log=True, delta=np.inf),
        "huber_log": Objective("huber_log", log=True, delta=delta),
    }
    if not isinstance(name, str) or name not in known:
        raise FitError(unknown("objective", name, known))
    number = isinstance(delta, float | int | np.number) and not isinstance(delta, bool)
    if not (number and 0 < delta < np.inf):
        raise FitError(f"delta must be positive and finite; it is {delta}.")
    return known[name]
