"""What a fit returns: parameters with their uncertainty, predictions, and a readable self."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from emergekit.errors import FitError, TableError, nearest
from emergekit.fitting.objectives import Objective
from emergekit.laws import Law

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Fit", "require_columns"]


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to rows of a table.

    Parameters
    ----------
    law : Law
        The form.
    params : Series
        Estimates, by name.
    cov : DataFrame
        Sandwich covariance of the estimates; NaN for a parameter that is fixed or on a bound.
    objective : Objective
        What was minimised.
    data : DataFrame
        The rows that were used: the law's variables, then the response.
    stats : DataFrame
        One row: law, response, n_rows, rmse, objective and its value, aic, bic, converged and what
        shows it. `aic` and `bic` are NaN for robust objectives, which are no likelihood.
    warnings : tuple of str
        What to read before using the numbers.
    draws : DataFrame, optional
        One row a bootstrap draw, one column a parameter.
    """

    law: Law
    params: pd.Series
    cov: pd.DataFrame
    objective: Objective
    data: pd.DataFrame
    stats: pd.DataFrame
    warnings: tuple[str, ...] = ()
    draws: pd.DataFrame | None = None

    def predict(
        self,
        table: pd.DataFrame,
        level: float = 0.95,
        *,
        interval: Literal["observation", "mean"] = "observation",
    ) -> pd.DataFrame:
        """Return the prediction for each row of `table`, with its interval.

        Parameters
        ----------
        table : DataFrame
            Has the law's variables.
        level : float
            Coverage that the interval aims at, between 0 and 1.
        interval : {"observation", "mean"}
            For a new row, scatter included, or for the law's value there. Both come from the
            sandwich covariance by the delta method, on the scale of the objective.

        Returns
        -------
        DataFrame
            predicted, lower, upper, on the index of `table`.

        Raises
        ------
        TableError
            If a variable of the law is absent.
        """
        _require_level(level)
        if interval not in ("observation", "mean"):
            raise ValueError(f"interval must be 'observation' or 'mean', not '{interval}'.")
        require_columns(table, self.law.variables, where=f"fit of {self.law.name}")
        columns = _numbers(table, self.law.variables)
        predicted = self.law.predict(columns, self.params)
        slopes = self.objective.slope(predicted)[:, None] * self.law.jacobian(columns, self.params)
        variance = np.einsum("np,pq,nq->n", slopes, np.nan_to_num(self.cov.to_numpy()), slopes)
        if interval == "observation":
            variance = variance + float(self.stats["residual_sd"].iloc[0]) ** 2
        reach = self._quantile(level) * np.sqrt(variance)
        lower, upper = (
            (predicted * np.exp(-reach), predicted * np.exp(reach))
            if self.objective.log
            else (predicted - reach, predicted + reach)
        )
        return pd.DataFrame(
            {"predicted": predicted, "lower": lower, "upper": upper}, index=table.index
        )

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a parameter: term, estimate, stderr, lower, upper.

        Intervals of parameters searched on a log scale are symmetric there, so they stay positive.
        """
        _require_level(level)
        estimate = self.params.to_numpy()
        stderr = np.sqrt(np.diag(self.cov))
        reach = self._quantile(level) * stderr
        log = np.array([parameter.scale == "log" for parameter in self.law.parameters])
        factor = np.exp(np.where(log, reach / np.where(log, estimate, 1.0), 0.0))
        return pd.DataFrame(
            {
                "term": list(self.law.names),
                "estimate": estimate,
                "stderr": stderr,
                "lower": np.where(log, estimate / factor, estimate - reach),
                "upper": np.where(log, estimate * factor, estimate + reach),
            }
        )

    def summary(self, level: float = 0.95) -> str:
        """Return the fit as text: formula, quality, parameters, correlations, warnings."""
        stats = self.stats.iloc[0]
        error = np.sqrt(np.diag(self.cov))
        correlation = self.cov.div(error, axis=0).div(error, axis=1)
        lines = [
            self._headline(),
            f"{self.law.formula or self.law.name}   [{self.law.reference}]",
            f"objective {stats['objective']} = {stats['objective_value']:.9g}, "
            f"{stats['n_starts_agree']} of {stats['n_starts']} starts agree, "
            f"relative gradient {stats['gradient_norm']:.1e}",
            *self._warning_lines(),
            "",
            _text(self.to_frame(level)),
            "",
            "correlations",
            correlation.to_string(float_format="{:+.3f}".format, na_rep="-"),
            "",
            f"{level:.0%} intervals from the sandwich covariance",
        ]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw observations against predictions, with the interval of a new row."""
        from emergekit.plots.fits import plot_fit

        return plot_fit(self, ax=ax)

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *self._warning_lines(), _text(self.to_frame())])

    def _repr_html_(self) -> str:
        head = "<br>".join(html.escape(line) for line in [self._headline(), *self._warning_lines()])
        body = self.to_frame().to_html(index=False, float_format="{:.4g}".format, border=0)
        return f"<div><p>{head}</p>{body}</div>"

    def _headline(self) -> str:
        stats = self.stats.iloc[0]
        quality = f"RMSE {stats['rmse']:.3g} in {stats['response']}"
        return f"Fit of {self.law.name} to {stats['n_rows']} rows: {quality}"

    def _warning_lines(self) -> list[str]:
        return [f"WARNING: {warning}" for warning in self.warnings]

    def _quantile(self, level: float) -> float:
        free = int(self.stats["n_free"].iloc[0])
        return float(student_t.ppf((1 + level) / 2, max(len(self.data) - free, 1)))


def require_columns(table: pd.DataFrame, names: tuple[str, ...], *, where: str) -> None:
    """Raise a `TableError` that lists every column of `names` that `table` lacks."""
    absent = [name for name in names if name not in table]
    if absent:
        matches = {name: nearest(name, table.columns) for name in absent}
        hints = [f" '{match}' looks like '{name}'." for name, match in matches.items() if match]
        raise TableError(
            f"{where}: needs column {', '.join(map(repr, absent))}; the table has "
            f"{', '.join(map(str, table.columns))}.{''.join(hints)}"
        )


def _numbers(table: pd.DataFrame, names: tuple[str, ...]) -> Mapping[str, Any]:
    return {name: pd.to_numeric(table[name]).to_numpy(dtype=float) for name in names}


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise FitError(f"level must lie between 0 and 1; it is {level}.")


def _text(frame: pd.DataFrame) -> str:
    return frame.to_string(index=False, float_format="{:.4g}".format, na_rep="-")
