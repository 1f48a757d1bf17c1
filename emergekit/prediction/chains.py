"""Chains: fits composed by the names of their columns, such as size -> loss -> score."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, kind_of
from emergekit.fitting import Fit
from emergekit.fitting.bands import between, require_level
from emergekit.fitting.rows import numbers, require_columns
from emergekit.fitting.uncertainty.drawing import parameter_draws, scatter_draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Chain", "chain"]

Array: TypeAlias = NDArray[np.float64]

_ROWS_AT_ONCE = 500
"""Rows whose predictions are drawn together; thousands of draws of each must fit in memory."""


@dataclass(frozen=True, repr=False)
class Chain:
    """Fits, each of which predicts a column that the next one reads.

    It answers as a `Fit` does: `predict`, `to_frame`, `stats`, `summary`, `plot`, `warnings`.

    Parameters
    ----------
    fits : tuple of Fit
        In the order in which they are applied.
    n_draws : int
        Draws behind each interval.
    seed : int
        Root of the random numbers.
    """

    fits: tuple[Fit, ...]
    n_draws: int = 2000
    seed: int = 0

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns that the chain reads."""
        made = [_response(fit) for fit in self.fits]
        needed = [
            name
            for place, fit in enumerate(self.fits)
            for name in fit.law.variables
            if name not in made[:place]
        ]
        return tuple(dict.fromkeys(needed))

    @property
    def response(self) -> str:
        """Column that the chain gives."""
        return _response(self.fits[-1])

    @property
    def params(self) -> pd.Series:
        """Estimates of all steps, by response of the step and name."""
        params: pd.Series = pd.concat({_response(fit): fit.params for fit in self.fits})
        return params

    @property
    def stats(self) -> pd.DataFrame:
        """One row a step, as in each fit."""
        return pd.concat([fit.stats for fit in self.fits], ignore_index=True)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to read before using the numbers, of all steps."""
        return tuple(
            f"{_response(fit)}: {warning}" for fit in self.fits for warning in fit.warnings
        )

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
            Has the columns in `variables`.
        level : float
            Coverage that the interval aims at, between 0 and 1.
        interval : {"observation", "mean"}
            For a new row, the scatter of every step included, or for the laws' value there.

        Returns
        -------
        DataFrame
            predicted, lower, upper, on the index of `table`; NaN where a variable is absent, bounds
            also where a step cannot tell how sure it is.

        Notes
        -----
        Bounds are percentiles of draws that go through all steps: parameters as in
        `parameter_draws`, steps independent of each other, and residuals of each step drawn anew.
        Nothing in them allows for a law that does not hold so far out; back-tests do.

        Raises
        ------
        TableError
            If a variable is absent or holds text.
        """
        require_level(level)
        if interval not in ("observation", "mean"):
            raise ValueError(f"interval must be 'observation' or 'mean', not '{interval}'.")
        where = f"chain to {self.response}"
        require_columns(table, self.variables, where=where)
        columns = numbers(table, self.variables, where=where)
        predicted = self.values(columns)
        lower, upper = np.full((2, len(columns)), np.nan)
        draws = self.draws()
        for first in range(0, len(columns), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            drawn = self._composed(columns.iloc[rows], draws, scatter=interval == "observation")
            lower[rows], upper[rows] = between(drawn, level)
        if self.fits[-1].objective.binomial:
            lower, upper = np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0)
        ends = {"lower": np.fmin(lower, predicted), "upper": np.fmax(upper, predicted)}
        known = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(predicted)
        bounds = {name: np.where(known, end, np.nan) for name, end in ends.items()}
        return pd.DataFrame({"predicted": predicted} | bounds, index=table.index)

    def draws(self) -> list[dict[str, Array]]:
        """Return parameters that might have been estimated: of each step, shape (n_draws, 1)."""
        drawn = (
            parameter_draws(fit, self.n_draws, [self.seed, step])
            for step, fit in enumerate(self.fits)
        )
        return [{str(n): column.to_numpy()[:, None] for n, column in d.items()} for d in drawn]

    def values(
        self,
        columns: Mapping[str, Any] | pd.DataFrame,
        params: Sequence[Mapping[str, Any]] | None = None,
    ) -> Array:
        """Return what the laws give, at the estimates or at other parameters of each step.

        Columns are of shape (n,); with `draws` as parameters also (n_draws, n), where they differ
        from draw to draw.
        """
        estimates = [{str(name): value for name, value in fit.params.items()} for fit in self.fits]
        return self._composed(columns, estimates if params is None else params)

    def _composed(
        self,
        columns: Mapping[str, Any] | pd.DataFrame,
        params: Sequence[Mapping[str, Any]],
        scatter: bool = False,
    ) -> Array:
        known: dict[str, Any] = {name: np.asarray(columns[name]) for name in self.variables}
        for step, (fit, values) in enumerate(zip(self.fits, params, strict=True)):
            given = fit.law.predict(known, values)
            if scatter:
                given = scatter_draws(fit, given, [self.seed, step, 1])
            known[_response(fit)] = given
        return np.asarray(known[self.response])

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a step and parameter: step, term, estimate, stderr, lower, upper."""
        frames = [
            fit.to_frame(level).assign(step=_response(fit))[
                ["step", "term", "estimate", "stderr", "lower", "upper"]
            ]
            for fit in self.fits
        ]
        return pd.concat(frames, ignore_index=True)

    def summary(self, level: float = 0.95) -> str:
        """Return the chain as text: what leads to what, then the summary of each step."""
        parts = [f"step {n}: {fit.summary(level)}" for n, fit in enumerate(self.fits, start=1)]
        return "\n\n".join([self._headline(), *parts])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what the chain predicts of the rows of its last step, where it can."""
        return self.fits[-1].plot(ax)

    def _headline(self) -> str:
        steps = " -> ".join([", ".join(self.variables), *map(_response, self.fits)])
        laws = ", ".join(fit.law.name for fit in self.fits)
        return f"Chain {steps} ({laws})"

    def _lines(self) -> list[str]:
        return [self._headline(), *(f"WARNING: {warning}" for warning in self.warnings)]

    def __repr__(self) -> str:
        frame = self.to_frame().to_string(index=False, float_format="{:.4g}".format, na_rep="-")
        return "\n".join([*self._lines(), frame])

    def _repr_html_(self) -> str:
        head = "<br>".join(html.escape(line) for line in self._lines())
        body = self.to_frame().to_html(index=False, float_format="{:.4g}".format, border=0)
        return f"<div><p>{head}</p>{body}</div>"


def chain(*fits: Fit | Sequence[Fit], n_draws: int = 2000, seed: int = 0) -> Chain:
    """Return fits composed by column name: what one predicts is what the next one reads.

    Parameters
    ----------
    *fits : Fit
        Two or more, in the order in which they are applied, such as a fit of loss in size and
        tokens and then a fit of score in loss.
    n_draws : int
        Draws behind each interval.
    seed : int
        Root of the random numbers.

    Returns
    -------
    Chain
        With the contract of a `Fit`.

    Raises
    ------
    FitError
        If a fit reads nothing that one before it gives.

    References
    ----------
    Bhagia et al. 2024, section 3: a task's bits per byte in size and tokens, then its accuracy in
    bits per byte.

    Examples
    --------
    >>> from emergekit import fit, laws
    >>> n = np.array([1e8, 3e8, 1e9, 3e9, 1e10, 3e10])
    >>> loss = 1.7 + 400 / n**0.34
    >>> runs = pd.DataFrame({"n_params": n, "loss": loss, "score": 1.6 - 0.5 * loss})
    >>> size = fit(laws.offset_power_law("n_params"), runs)
    >>> score = fit(laws.linear("loss"), runs)
    >>> both = chain(size, score)
    >>> both.variables, both.response
    (('n_params',), 'score')
    >>> both.predict(pd.DataFrame({"n_params": [1e11]}))["predicted"].round(3).tolist()
    [0.714]
    """
    found = [one for part in fits for one in ([part] if isinstance(part, Fit) else part)]
    for one in found:
        if not isinstance(one, Fit):
            raise FitError(f"chain takes fits, not {kind_of(one)}; fit a law first.")
    if len(found) < 2:
        raise FitError(f"a chain has two fits or more; there is {len(found)}.")
    for place, one in enumerate(found[1:], start=1):
        made = [_response(before) for before in found[:place]]
        if not set(made).intersection(one.law.variables):
            raise FitError(
                f"the fit of {one.law.name} reads {', '.join(one.law.variables)}, none of which a "
                f"fit before it gives ({', '.join(made)}); fit it to a column of that name."
            )
    if not isinstance(n_draws, int) or n_draws < 1:
        raise FitError(f"n_draws must be a whole number from 1 on; it is {n_draws}.")
    return Chain(tuple(found), n_draws, seed)


def _response(fit: Fit) -> str:
    return str(fit.stats["response"].iloc[0])
