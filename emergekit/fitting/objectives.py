"""What a fit minimises: residuals on the raw or the log response, under a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from emergekit.errors import FitError, unknown

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
        """Return predicted minus observed, of logarithms if `log`."""
        return np.log(predicted) - np.log(observed) if self.log else predicted - observed

    def slope(self, predicted: Array) -> Array:
        """Return the derivative of a residual by its prediction."""
        return 1 / predicted if self.log else np.ones_like(predicted)

    def penalty(self, residuals: Array) -> Array:
        """Return r^2/2 within delta, delta (abs(r) - delta/2) beyond (Huber 1964)."""
        size = np.abs(residuals)
        near = np.minimum(size, self.delta)
        return near * (size - near / 2)

    def score(self, residuals: Array) -> Array:
        """Return the derivative of the penalty by the residual."""
        return np.clip(residuals, -self.delta, self.delta)

    def smooth_curvature(self, residuals: Array, n_parameters: int) -> Array:
        """Return the second derivative of the penalty, averaged over a neighbourhood.

        A narrow Huber penalty is curved at the few rows within delta only, too few to tell how
        fast its slope changes on average. As in quantile regression, rows within a wider bandwidth
        (Hall & Sheather 1988) share that curvature.
        """
        if np.isinf(self.delta):
            return np.ones_like(residuals)
        n = len(residuals)
        quartiles = np.quantile(residuals, [0.25, 0.75])
        deviation = np.sqrt((residuals**2).sum() / max(n - n_parameters, 1))
        spread = min(deviation, float(np.ptp(quartiles)) / 1.349)
        share = n ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * (1.5 * norm.pdf(0) ** 2) ** (1 / 3)
        width = max(self.delta, spread * float(norm.ppf(min(0.5 + share, 0.999))))
        return np.where(np.abs(residuals) <= width, self.delta / width, 0.0)


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
    if name not in known:
        raise FitError(unknown("objective", name, known))
    if not delta > 0:
        raise FitError(f"delta must be positive; it is {delta}.")
    return known[name]
