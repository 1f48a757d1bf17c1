"""How sure quantities are that follow from the parameters of a fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.allocation.surface import Source, law_and_params
from emergekit.fitting.bands import student_reach
from emergekit.fitting.result import Fit

__all__ = ["Quantities", "Row", "propagated"]

Array = NDArray[np.float64]
Quantities = Callable[[Mapping[str, Array]], dict[str, Array]]
Row = dict[str, str | float]

_STEP = 1e-4
"""Share of a parameter by which it is moved to measure a derivative."""
_NO_SLOPE = 1e-6
"""Change, while a parameter doubles, below which a quantity does not depend on it."""


def propagated(
    source: Source, quantities: Quantities, level: float, log: Collection[str]
) -> list[Row]:
    """Return quantities of a fit with their uncertainty, one row each.

    Parameters
    ----------
    source : Fit, or (Law, params)
        With draws, intervals are percentiles over these; with a covariance, they come from the
        delta method; a law with its parameters alone has none.
    quantities : callable
        From parameters by name, each of shape (B,), to quantities by name, of that shape.
    level : float
        Coverage that the intervals aim at.
    log : collection of str
        Quantities whose intervals by the delta method are symmetric on a log scale.

    Returns
    -------
    list of mapping
        term, estimate, median, stderr, lower, upper.
    """
    _, params = law_and_params(source)
    fit = source if isinstance(source, Fit) else None
    if fit is not None and fit.draws is not None:
        return _from_draws(params, fit.draws, quantities, level)
    names = [] if fit is None else [name for name in fit.law.names if name not in fit.fixed]
    steps = np.array([_STEP * (abs(params[name]) or 1.0) for name in names])
    moved = {name: np.full(1 + 2 * len(names), value) for name, value in params.items()}
    for place, name in enumerate(names):
        moved[name][1 + 2 * place : 3 + 2 * place] += steps[place] * np.array([1.0, -1.0])
    spread = None if fit is None else _Spread.of(fit, names, steps, level)
    nothing: Row = {"stderr": np.nan, "lower": np.nan, "upper": np.nan}
    rows = []
    for term, values in quantities(moved).items():
        row: Row = {"term": term, "estimate": float(values[0]), "median": np.nan}
        rows.append(row | (nothing if spread is None else spread.around(values, term in log)))
    return rows


@dataclass(frozen=True)
class _Spread:
    """The covariance of the parameters that were searched, in units of the steps they take."""

    cov: Array
    student: float

    @classmethod
    def of(cls, fit: Fit, names: list[str], steps: Array, level: float) -> _Spread:
        cov = fit.cov.loc[names, names].to_numpy() / np.outer(steps, steps)
        return cls(cov, student_reach(level, int(fit.stats["df_residual"].iloc[0])))

    def around(self, values: Array, log: bool) -> Row:
        """Return the interval of a quantity from its values before and after each step."""
        value = float(values[0])
        with np.errstate(all="ignore"):
            scaled = np.log(values) if log else values
            change = (scaled[1::2] - scaled[2::2]) / 2
            # What cannot be told matters; what does not change needs no covariance.
            matters = ~(np.abs(change) < _NO_SLOPE * _STEP)
            slope, cov = change[matters], self.cov[np.ix_(matters, matters)]
            error = float(np.sqrt(np.maximum(slope @ cov @ slope, 0.0)))
            reach = self.student * error
            if not log:
                return {"stderr": error, "lower": value - reach, "upper": value + reach}
            factor = float(np.exp(reach))
        return {"stderr": value * error, "lower": value / factor, "upper": value * factor}


def _from_draws(
    params: Mapping[str, float], draws: pd.DataFrame, quantities: Quantities, level: float
) -> list[Row]:
    # The estimate goes first, in one batch with the draws.
    together = {name: np.r_[value, draws[name].to_numpy()] for name, value in params.items()}
    shares = [0.5, (1 - level) / 2, (1 + level) / 2]
    rows: list[Row] = []
    for term, values in quantities(together).items():
        known = values[1:][~np.isnan(values[1:])]
        ends = np.quantile(known, shares) if len(known) else np.full(3, np.nan)
        middle, lower, upper = map(float, ends)
        rows.append(
            {
                "term": term,
                "estimate": float(values[0]),
                "median": middle,
                "stderr": float(np.std(known, ddof=1)) if len(known) > 1 else np.nan,
                "lower": lower,
                "upper": upper,
            }
        )
    return rows
