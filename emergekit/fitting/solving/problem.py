"""A law on its rows as functions of the coordinates that a search moves in, many at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.compiled.expansion import Expansion, expansion_of
from emergekit.fitting.objectives import Objective
from emergekit.fitting.solving.coordinates import VANISHED, Coordinates
from emergekit.laws import Law
from emergekit.laws.complex_step import ComplexStep

__all__ = ["EXACT", "Problem", "problem_of"]

Array = NDArray[np.float64]

EXACT = 1e-6
"""Residuals below this share of the response: a certificate sees rounding, not scatter."""
_ON_BOUND = 1e-6
"""A coordinate z this near to its bound, in units of 1 + abs(z), sits on it."""
_FAINT = 0.02
"""A parameter on a log scale that moves no response by more than this share may have vanished."""


@dataclass(frozen=True)
class Problem:
    """One law on one set of rows, or B of them that are searched side by side.

    A method takes z of shape (p,), or (B, p) and then gives one more axis in front. Rows and
    weights are shared by the B problems, or have that axis themselves: a case bootstrap is one
    table with a (B, n) matrix of weights, groups of rows are (B, n) columns.

    Parameters
    ----------
    law : Law
        The form.
    columns : mapping
        The law's variables, each of shape (n,) or (B, n).
    observed, weights : array, shape (n,) or (B, n)
        Responses, and how much each counts.
    objective : Objective
        What is minimised.
    coordinates : Coordinates
        What z stands for.
    compiled : bool
        Whether it is searched by compiled code where that knows the law and the objective.
    """

    law: Law
    columns: Mapping[str, Array]
    observed: Array
    weights: Array
    objective: Objective
    coordinates: Coordinates
    compiled: bool = False

    def take(self, places: NDArray[np.intp] | NDArray[np.bool_] | int) -> Problem:
        """Return some of the B problems."""
        arrays = [*self.columns.values(), self.observed, self.weights]
        *columns, observed, weights = (a if a.ndim == 1 else a[places] for a in arrays)
        return replace(
            self,
            columns=dict(zip(self.columns, columns, strict=True)),
            observed=observed,
            weights=weights,
        )

    @property
    def lower(self) -> Array:
        """Lower bounds of z, shape (p,)."""
        return self.coordinates.lower

    @property
    def upper(self) -> Array:
        """Upper bounds of z, shape (p,)."""
        return self.coordinates.upper

    @property
    def vanishing(self) -> NDArray[np.bool_]:
        """Which coordinates are logarithms of what may go to 0, shape (p,)."""
        return self.coordinates.vanishing

    @property
    def df_residual(self) -> int:
        """Rows less free parameters, whether these end on a bound or not."""
        return int(self.observed.shape[-1]) - len(self.lower)

    @cached_property
    def scale(self) -> Array:
        """Residuals that errors of the size of the responses would leave, shape (n,) or (B, n)."""
        return self.objective.scale(self.observed)

    @cached_property
    def _target(self) -> Array:
        # Of logarithms, the one of the observations is taken once.
        return self.objective.transform(self.observed)

    def _arguments(self, z: Array) -> list[Array]:
        variables = [self.columns[name] for name in self.law.variables]
        params = self.coordinates.params(z)
        return [*variables, *(np.asarray(params[name])[..., None] for name in self.law.names)]

    def wrong_slope(self, z: Array) -> str | None:
        """Return a parameter by which the law's complex step is no derivative, if there is one."""
        gradient = self.law.gradient
        if not isinstance(gradient, ComplexStep):
            return None
        with np.errstate(all="ignore"):
            return gradient.wrong(*self._arguments(z))

    def predict(self, z: Array) -> Array:
        """Return the law's values, shape (n,)."""
        with np.errstate(all="ignore"):
            values = self.law.function(*self._arguments(z))
        shape = (*z.shape[:-1], self.observed.shape[-1])
        values = np.asarray(values, dtype=float)
        return values if values.shape == shape else np.broadcast_to(values, shape).copy()

    def residuals(self, z: Array, predicted: Array | None = None) -> Array:
        """Return the residuals, shape (n,)."""
        predicted = self.predict(z) if predicted is None else predicted
        with np.errstate(all="ignore"):
            if self.objective.binomial:
                return self.objective.residuals(self.observed, predicted)
            residuals: Array = self.objective.transform(predicted) - self._target
        return residuals

    def slopes(self, z: Array, predicted: Array | None = None) -> Array:
        """Return the derivatives of the residuals, shape (p, n).

        `predicted` saves the work of a prediction where the caller has made it.
        """
        slopes = self.changes(z)
        if self.objective.residual != "raw":
            predicted = self.predict(z) if predicted is None else predicted
            with np.errstate(all="ignore"):
                slopes *= self.objective.slope(self.observed, predicted)[..., None, :]
        return slopes

    def changes(self, z: Array) -> Array:
        """Return the derivatives of the law's values, shape (p, n)."""
        slopes = np.empty((*z.shape, self.observed.shape[-1]))
        with np.errstate(all="ignore"):
            parts = self.law.gradient(*self._arguments(z))
            stretch = self.coordinates.stretch(z)
            for place, part in enumerate(compress(parts, self.coordinates.free)):
                np.multiply(part, stretch[..., place, None], out=slopes[..., place, :])
        return slopes

    def defined(self, z: Array) -> NDArray[np.bool_]:
        """Return the rows in which the law and its slope have a value, shape (n,)."""
        defined: NDArray[np.bool_] = np.isfinite(self.predict(z)) & np.isfinite(
            self.changes(z)
        ).all(axis=-2)
        return defined

    def pulled(self, z: Array, predicted: Array, pull: Array) -> Array:
        """Return the derivatives of the residuals summed over rows with weights `pull`, shape (p,).

        Without the array of all derivatives, whose making takes longer than the sum.
        """
        with np.errstate(all="ignore"):
            if self.objective.residual != "raw":
                pull = pull * self.objective.slope(self.observed, predicted)
            parts = compress(self.law.gradient(*self._arguments(z)), self.coordinates.free)
            sums = [np.einsum("...n,...n->...", part, pull) for part in parts]
            total: Array = np.stack(sums, axis=-1) * self.coordinates.stretch(z)
        return total

    @property
    def expansion(self) -> Expansion | None:
        """What is known of the law beyond its gradient; None if its code cannot be followed."""
        return expansion_of(self.law, tuple(self.coordinates.free.tolist()))

    def bent(self, z: Array, pull: Array) -> Array | None:
        """Return the second derivatives of the law's values, summed with weights `pull`, (p, p).

        None where they are not known.
        """
        expansion = self.expansion
        if expansion is None:
            return None
        arguments, n_variables = self._arguments(z), len(self.law.variables)
        by_parameters = np.zeros((*z.shape, z.shape[-1]))
        with np.errstate(all="ignore"):
            parts = expansion.bending.run(arguments[:n_variables], arguments[n_variables:])
            for (one, other), part in zip(expansion.bends, parts, strict=True):
                total = np.einsum("...n,...n->...", np.broadcast_to(part, pull.shape), pull)
                by_parameters[..., one, other] = by_parameters[..., other, one] = total
            stretch = self.coordinates.stretch(z)
            bent: Array = by_parameters * stretch[..., :, None] * stretch[..., None, :]
        return bent

    def design(self, z: Array) -> tuple[Array, Array]:
        """Return residuals in units of what rows scatter by, (n,), and their derivatives, (n, p).

        Of binomial scores Pearson's: products of their derivatives have the Fisher information
        for their mean, which those of deviance residuals have not.
        """
        if not self.objective.binomial:
            return self.residuals(z), self.slopes(z).swapaxes(-1, -2)
        predicted = self.predict(z)
        with np.errstate(all="ignore"):
            unit = self.objective.unit(predicted)
            per_unit = np.divide(1.0, unit, out=np.zeros_like(unit), where=unit > 0)
            residuals: Array = per_unit * (predicted - self.observed)
            slopes = self.changes(z) * per_unit[..., None, :]
        return residuals, slopes.swapaxes(-1, -2)

    def value(self, z: Array, residuals: Array | None = None) -> Array:
        """Return the weighted sum of penalties, inf where the law has no value."""
        residuals = self.residuals(z) if residuals is None else residuals
        return self.total(self.objective.penalty(residuals))

    def total(self, penalties: Array) -> Array:
        """Return the weighted sums of penalties, inf where they are no numbers."""
        with np.errstate(all="ignore"):
            total = np.einsum("...n,...n->...", self.weights, penalties)
        return np.where(np.isfinite(total), total, np.inf)

    def on_bound(self, z: Array) -> NDArray[np.bool_]:
        """Return which coordinates sit on a bound, or have vanished, shape (p,)."""
        margin = _ON_BOUND * (1 + np.abs(z))
        vanished = self.vanishing & (z <= VANISHED)
        held: NDArray[np.bool_] = (z <= self.lower + margin) | (z >= self.upper - margin) | vanished
        return held

    def pressed(self, z: Array) -> Array:
        """Return z with what sits near a bound put on it, and what is faint put to 0."""
        margin = _ON_BOUND * (1 + np.abs(z))
        if self.vanishing.any():
            moves = np.abs(self.slopes(z)) <= _FAINT * self.scale[..., None, :]
            z = np.where(self.vanishing & moves.all(axis=-1), VANISHED, z)
        z = np.where(z <= self.lower + margin, self.lower, z)
        return np.where(z >= self.upper - margin, self.upper, z)


def problem_of(
    law: Law,
    data: pd.DataFrame,
    response: str,
    weights: Array,
    goal: Objective,
    coordinates: Coordinates,
) -> Problem:
    """Return the problem of a law on the rows of a table."""
    return Problem(
        law=law,
        columns={name: data[name].to_numpy() for name in law.variables},
        observed=data[response].to_numpy(),
        weights=weights,
        objective=goal,
        coordinates=coordinates,
    )
