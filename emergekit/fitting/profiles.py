"""How much worse a fit gets when one parameter is moved and the others follow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from emergekit.errors import FitError, FitWarning, shown, unknown
from emergekit.fitting.bands import require_level, student_reach
from emergekit.fitting.coordinates import VANISHED, Coordinates
from emergekit.fitting.covariance import sandwiches
from emergekit.fitting.holding import holding
from emergekit.fitting.problem import Problem
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.solver import Solution, solve_each
from emergekit.laws import Parameter

__all__ = ["profile", "profile_intervals"]

Array = NDArray[np.float64]

_N_VALUES = 25
_STEPS = 2.0 ** np.arange(-1, 8)
"""Steps away from the estimate, in standard errors, until the interval has ended."""
_ROUNDS, _WITHIN = 3, 12
"""Refinements of an end, and values in each."""
_LOWER = 1e-6
"""A profile that falls below its fit by more, relative, has found a better one."""


def profile(
    fit: Fit, term: str, values: ArrayLike | None = None, level: float = 0.95
) -> pd.DataFrame:
    r"""Return the fit at fixed values of one parameter, the others at their best there.

    .. math:: T(\theta) = 2\,[\rho(\theta) - \rho(\hat\theta)] / s, \qquad
              s = \max\left(\frac{V_{\theta\theta}}{(H^{-1})_{\theta\theta}},
              \frac{n}{n - p} \frac{\sum_i w_i^2 \psi_i^2}{\sum_i w_i c_i}\right)

    with rho the objective, psi and c its derivatives, H its averaged Hessian and V the sandwich
    covariance. The first scale makes T the squared distance in standard errors where the objective
    is a parabola (Chandler & Bate 2007), under unequal error variances too; the second is that of
    errors alike, and holds where a parameter hangs on so few rows, as a threshold does, that the
    sandwich may be too small. The wider interval counts.

    Parameters
    ----------
    fit : Fit
        Refitted as it was: same objective, weights, bounds and fixed parameters.
    term : str
        A parameter that was searched.
    values : array, optional
        Where; by default 25 values from end to end of the interval and half as far beyond.
    level : float
        Of the interval.

    Returns
    -------
    DataFrame
        One row a value: the parameters, objective_value, statistic (T), p_value (of a parameter
        that is that value, by Student's t), inside (whether the interval holds it) and converged.

    Raises
    ------
    FitError
        If the parameter is unknown or was fixed, a value lies outside its bounds, or no rows are to
        spare.

    Warns
    -----
    FitWarning
        If some value has a lower objective than the fit, which then was no global minimum.

    References
    ----------
    Bates & Watts 1988, chapter 6; Chandler & Bate 2007, equation 15.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla()
    >>> held = fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.34, "beta": 0.37})
    >>> profile(held, "E", [1.80, 1.81, 1.82])[["E", "A", "statistic", "inside"]].round(2)
          E       A  statistic  inside
    0  1.80  428.60       6.82   False
    1  1.81  423.15       0.00    True
    2  1.82  417.01       4.71   False
    """
    require_level(level)
    path = _Path(fit, term)
    if values is None:
        ends = path.ends(level)
        z = path.around(ends)
    else:
        z = path.places(values)
    found = path.solved(z)
    statistic = path.statistic(found)
    params = path.params(z, found)
    better = path.lowest(found)
    if better is not None:
        at = f"{term}={params[term][better]:g}"
        warnings.warn(
            f"Fit of {fit.law.name}: at {at} the objective is lower than that of the fit, which "
            f"was no global minimum; fit again with bounds around it.",
            FitWarning,
            stacklevel=2,
        )
    reach = student_reach(level, path.df)
    return pd.DataFrame(
        {
            **params,
            "objective_value": path.heaviest * found.value,
            "statistic": statistic,
            "p_value": 2 * student_t.sf(np.sqrt(statistic), path.df),
            "inside": statistic <= reach**2,
            "converged": found.converged,
        }
    )


def profile_intervals(
    fit: Fit, terms: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return intervals that end where the profile says so, which need not be symmetric.

    Parameters
    ----------
    fit : Fit
        As in `profile`.
    terms : sequence of str, optional
        Parameters; all that were searched if None.
    level : float
        Coverage aimed at.

    Returns
    -------
    DataFrame
        One row a parameter: term, estimate, lower, upper. An end is that of the parameter's range,
        be it inf, where the rows do not rule out anything on that side.
    """
    require_level(level)
    terms = [t for t in fit.law.names if t not in fit.fixed] if terms is None else list(terms)
    rows = []
    for term in terms:
        path = _Path(fit, term)
        lower, upper = path.values(path.ends(level))
        rows.append({"term": term, "estimate": fit.params[term], "lower": lower, "upper": upper})
    return pd.DataFrame(rows, columns=["term", "estimate", "lower", "upper"])


class _Path:
    """The minima of a fit along one of its parameters, in the coordinate of the search.

    Parameters
    ----------
    fit : Fit
        As in `profile`.
    term : str
        The parameter.
    """

    def __init__(self, fit: Fit, term: str) -> None:
        whole, self.heaviest = posed_again(fit)
        self.parameter = _searched(fit, term, whole.coordinates)
        self.df = whole.df_residual
        if self.df < 1:
            raise FitError(
                f"profile of {fit.law.name}: as many parameters as rows leave no interval; hold "
                f"some with fixed=, or add rows."
            )
        self.term, self._whole = term, whole
        self._place = whole.coordinates.searched.index(self.parameter)
        self._z = whole.coordinates.z(fit.params)
        self._value = float(whole.value(self._z))
        self._error, self._scale, self._slope = self._shape(self._z)
        self._rest = _moved(fit, term, whole) if len(self._z) > 1 else None

    def _shape(self, z: Array) -> tuple[float, float, Array]:
        """Return a standard error, the scale of the statistic, and how the others follow."""
        spread = sandwiches(self._whole, z[None])
        stretch, place = self._whole.coordinates.stretch(z), self._place
        bread = spread.bread[0] / (stretch[:, None] * stretch)
        variance = float(spread.cov[0, place, place]) / stretch[place] ** 2
        alike = self._scale_of_errors_alike(z)
        if not np.isfinite(variance):
            return 0.1 * (1 + abs(float(z[place]))), alike, np.zeros(len(z) - 1)
        slope = np.nan_to_num(np.delete(bread[place], place) / bread[place, place])
        scale = max(variance / float(bread[place, place]), alike)
        return np.sqrt(scale * float(bread[place, place])), scale, slope

    def _scale_of_errors_alike(self, z: Array) -> float:
        residuals, _ = self._whole.design(z)
        goal, weights = self._whole.objective, self._whole.weights
        curved = weights * goal.smooth_curvature(residuals, len(z), weights)
        pulled = (weights * goal.score(residuals)) ** 2
        return float(pulled.sum() / curved.sum()) * len(residuals) / self.df

    def ends(self, level: float) -> Array:
        """Return where the interval ends, in the coordinate of the search, shape (2,)."""
        most = student_reach(level, self.df) ** 2
        estimate, side = self._z[self._place], np.array([[-1.0], [1.0]])
        steps = estimate + side * self._error * np.concatenate([[0.0], _STEPS])
        limits = np.where(np.isfinite(self._bounds), self._bounds, steps[:, -1])
        limits[0] = VANISHED if self._log and self._bounds[0] <= VANISHED else limits[0]
        tried = np.concatenate([steps.clip(*self._bounds), limits[:, None]], axis=1)
        beyond = self._statistics(tried) > most
        beyond[:, 0] = False
        open_ended = ~beyond.any(axis=1)
        first = np.where(open_ended, 1, beyond.argmax(axis=1))
        inner, outer = tried[[0, 1], first - 1], tried[[0, 1], first]
        for _ in range(_ROUNDS):
            share = np.linspace(0, 1, _WITHIN + 2)
            tried = inner[:, None] + share * (outer - inner)[:, None]
            beyond = self._statistics(tried) > most
            beyond[:, 0], beyond[:, -1] = False, True
            first = beyond.argmax(axis=1)
            inner, outer = tried[[0, 1], first - 1], tried[[0, 1], first]
        return np.where(open_ended, self._bounds, (inner + outer) / 2)

    def around(self, ends: Array) -> Array:
        """Return places from end to end of an interval and half as far beyond."""
        estimate = self._z[self._place]
        far = estimate + 4 * self._error * np.array([-1.0, 1.0])
        known = np.isfinite(ends) & (ends > VANISHED)
        reach = 1.5 * (np.where(known, ends, far) - estimate)
        lowest, highest = np.clip(estimate + reach, *self._bounds)
        below = np.linspace(lowest, estimate, _N_VALUES // 2 + 1)
        return np.concatenate([below, np.linspace(estimate, highest, _N_VALUES // 2 + 1)[1:]])

    def places(self, values: ArrayLike) -> Array:
        """Return values of the parameter in the coordinate of the search."""
        given, parameter = np.asarray(values, dtype=float), self.parameter
        good = (given >= parameter.lower) & (given <= parameter.upper)
        if given.ndim != 1 or not good.all():
            bad = shown(given[~good][0]) if given.ndim == 1 else f"an array of shape {given.shape}"
            raise FitError(
                f"values of '{parameter.name}' must be one row of numbers within its bounds "
                f"[{parameter.lower:g}, {parameter.upper:g}]; one is {bad}."
            )
        return np.maximum(np.log(given), VANISHED) if self._log else given

    def values(self, z: Array) -> Array:
        """Return the parameter at places of the search."""
        return np.where(z <= VANISHED, 0.0, np.exp(z)) if self._log else z

    def solved(self, z: Array) -> Solution:
        """Return the minima of the other parameters with this one at each place, shape (m,)."""
        if self._rest is None:
            values = np.array([self._whole.value(np.array([place])) for place in z])
            nothing, sure = np.zeros(len(z)), np.ones(len(z), dtype=bool)
            ones = np.ones(len(z), dtype=int)
            return Solution(np.empty((len(z), 0)), values, nothing, nothing, sure, ones, ones)
        column = np.repeat(self.values(z)[:, None], len(self._whole.observed), axis=1)
        problem = replace(self._rest, columns={**self._rest.columns, self.term: column})
        here = np.delete(self._z, self._place)
        along = here + (z - self._z[self._place])[:, None] * self._slope
        starts = np.stack([np.broadcast_to(here, along.shape), along], axis=1)
        return solve_each(problem, np.clip(starts, problem.lower, problem.upper))

    def statistic(self, found: Solution) -> Array:
        """Return how much worse the minima are than the fit, as a squared distance in errors."""
        return np.maximum(2 / self._scale * (found.value - self._value), 0.0)

    def params(self, z: Array, found: Solution) -> dict[str, Array]:
        """Return all parameters at the minima, in the order of the law."""
        rest = {} if self._rest is None else self._rest.coordinates.params(found.z)
        params = {**rest, self.term: self.values(z)}
        names = self._whole.law.names
        return {name: np.broadcast_to(params[name], z.shape) for name in names}

    def lowest(self, found: Solution) -> int | None:
        """Return the place whose minimum is lower than the fit's, if there is one."""
        least = int(np.argmin(found.value))
        better = found.value[least] < self._value * (1 - _LOWER)
        return least if better and found.converged[least] else None

    @property
    def _log(self) -> bool:
        return self.parameter.scale == "log"

    @property
    def _bounds(self) -> Array:
        coordinates = self._whole.coordinates
        return np.array([coordinates.lower[self._place], coordinates.upper[self._place]])

    def _statistics(self, z: Array) -> Array:
        return self.statistic(self.solved(z.ravel())).reshape(z.shape)


def _searched(fit: Fit, term: str, coordinates: Coordinates) -> Parameter:
    if term not in fit.law.names:
        raise FitError(unknown(f"parameter of {fit.law.name}", term, fit.law.names))
    if term in fit.fixed:
        raise FitError(f"'{term}' was held at {fit.params[term]:g}; it has no profile.")
    return next(p for p in coordinates.searched if p.name == term)


def _moved(fit: Fit, term: str, whole: Problem) -> Problem:
    """Return the problem with one parameter read from a column."""
    law = holding(whole.law, (term,))
    held = {name: float(fit.params[name]) for name in fit.fixed}
    bounds = {name: pair for name, pair in fit.bounds.items() if name != term}
    return replace(whole, law=law, coordinates=Coordinates(law, held, bounds))
