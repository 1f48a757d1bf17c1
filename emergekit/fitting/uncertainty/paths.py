"""The minima of a fit along one of its parameters, in the coordinate of the search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, shown, unknown
from emergekit.fitting.bands import student_reach
from emergekit.fitting.covariance import sandwiches
from emergekit.fitting.deviance import counts_answers
from emergekit.fitting.holding import holding
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.solving.coordinates import VANISHED, Coordinates
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import Solution, solve_each
from emergekit.laws import Parameter

__all__ = ["Path"]

Array = NDArray[np.float64]

_N_VALUES = 25
_STEPS = 2.0 ** np.arange(-1, 8)
"""Steps away from the estimate, in standard errors, until the interval has ended."""
_ROUNDS, _WITHIN = 3, 12
"""Refinements of an end, and values in each."""
_LOWER = 1e-6
"""A profile that falls below its fit by more, relative, has found a better one."""


class Path:
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
        spread = sandwiches(self._whole, z[None], np.array([self.heaviest]))
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
        alike = float(pulled.sum() / curved.sum()) * len(residuals) / self.df
        counts = goal.binomial and counts_answers(self._whole.observed, self.heaviest * weights)
        # Counts scatter by themselves, however close a law comes to them.
        return max(alike, 1 / self.heaviest) if counts else alike

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
        if given.ndim != 1 or not given.size or not good.all():
            one = given.ndim == 1 and given.size
            bad = shown(given[~good][0]) if one else f"an array of shape {given.shape}"
            raise FitError(
                f"values of '{parameter.name}' must be one row of numbers within its bounds "
                f"[{parameter.lower:g}, {parameter.upper:g}]; given is {bad}."
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
            return Solution(
                np.empty((len(z), 0)), values, nothing, nothing, sure, ~sure, ones, ones
            )
        column = np.repeat(self.values(z)[:, None], len(self._whole.observed), axis=1)
        problem = replace(self._rest, columns={**self._rest.columns, self.term: column})
        here = np.delete(self._z, self._place)
        along = here + (z - self._z[self._place])[:, None] * self._slope
        starts = np.stack([np.broadcast_to(here, along.shape), along], axis=1)
        return solve_each(problem, np.clip(starts, problem.lower, problem.upper), anywhere=True)

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
