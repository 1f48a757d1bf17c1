"""What a law is: a formula with named variables and parameters, and no state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.laws.complex_step import ComplexStep

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Array", "Law", "Parameter"]

Array: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = "Mapping[str, Any] | pd.DataFrame | pd.Series[Any]"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law.

    Parameters
    ----------
    name : str
        The letter of the paper.
    start : float
        Where a search begins.
    lower, upper : float
        Bounds, both allowed.
    scale : {"log", "linear"}
        Coordinate in which the parameter is searched: "log" for what is positive and may span
        decades.
    unit : str
        Unit, empty for a pure number.
    level : bool
        Whether it is a value of the response, such as a floor, and so no more than that may be:
        for shares of right answers it is kept from 0 to 1.
    """

    name: str
    start: float
    lower: float = -np.inf
    upper: float = np.inf
    scale: Literal["log", "linear"] = "linear"
    unit: str = ""
    level: bool = False

    def __post_init__(self) -> None:
        if not self.lower <= self.start <= self.upper:
            raise ValueError(
                f"parameter '{self.name}': start {self.start:g} lies outside its bounds "
                f"[{self.lower:g}, {self.upper:g}]."
            )
        if self.scale == "log" and not (self.start > 0 and self.lower >= 0):
            raise ValueError(
                f"parameter '{self.name}': scale 'log' needs start > 0 and lower >= 0."
            )

    def started_at(self, start: float) -> Parameter:
        """Return the same parameter with another start, moved inside the bounds if need be."""
        inside = float(np.clip(start, self.lower, self.upper))
        usable = np.isfinite(inside) and (inside > 0 or self.scale == "linear")
        return replace(self, start=inside) if usable else self


@dataclass(frozen=True)
class Law:
    """A formula for one response in some variables, with named parameters.

    Parameters
    ----------
    name : str
        Short name.
    variables : tuple of str
        Columns that the law reads.
    response : str
        Column that the law gives.
    parameters : tuple of Parameter
        In the order of the formula.
    function : callable
        ``function(*variables, *parameters)``, written with NumPy so that parameters of shape
        (B, 1) and variables of shape (n,) give (B, n). Argument names are checked.
    gradient : callable, optional
        The same arguments; a tuple with the derivative by each parameter. Without one, derivatives
        are taken by complex step, and `fit` checks them against finite differences.
    objective : str
        What `fit` minimises unless told otherwise.
    inverse : callable, optional
        ``inverse(along, response, *variables, *parameters)``: the value of the variable named
        `along` at which the law gives the response; its own entry among the variables is not read.
    reference : str
        Paper and equation.
    formula : str
        The formula, as one line of text.
    guess : callable, optional
        ``guess(response, *variables)``: parameters from which a search on these rows should begin,
        for laws whose starts depend on the data, such as the place of a break. One number a
        parameter, or one array each of rival starts, the best first.
    guesses_groups : bool
        Whether `guess` takes groups of rows as well, arrays of shape (B, n), and gives arrays of
        shape (B,); otherwise it is called once a group.
    """

    name: str
    variables: tuple[str, ...]
    response: str
    parameters: tuple[Parameter, ...]
    function: Callable[..., Array]
    gradient: Callable[..., tuple[Array, ...]] = None  # type: ignore[assignment]  # set below
    objective: str = "least_squares"
    inverse: Callable[..., Array] | None = None
    reference: str = ""
    formula: str = ""
    guess: Callable[..., tuple[float | Array, ...]] | None = None
    guesses_groups: bool = False

    def __post_init__(self) -> None:
        arguments = (*self.variables, *self.names)
        self._require_arguments(self.function, arguments)
        if self.gradient is None:
            stepped = ComplexStep(self.function, len(self.variables))
            object.__setattr__(self, "gradient", stepped)
        self._require_arguments(self.gradient, arguments)
        if self.inverse is not None:
            inverse = ("along", "response", *arguments)
            self._require_arguments(self.inverse, inverse, "arguments of an inverse")
        if self.guess is not None:
            guess = ("response", *self.variables)
            self._require_arguments(self.guess, guess, "arguments of a guess")

    def _require_arguments(
        self,
        part: Callable[..., Any],
        expected: tuple[str, ...],
        which: str = "variables and parameters",
    ) -> None:
        given = tuple(inspect.signature(part).parameters)
        if given != expected:
            raise ValueError(
                f"law '{self.name}': {getattr(part, '__name__', part)} takes {', '.join(given)}, "
                f"but {which} are {', '.join(expected)}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    def predict(self, table: Columns, params: Columns) -> Array:
        """Return the response for each row of `table` at these parameters.

        What the formula does not define there comes back as NaN or inf, without a warning.
        """
        with np.errstate(all="ignore"):
            return np.asarray(self.function(*self._arguments(table, params)), dtype=float)

    def jacobian(self, table: Columns, params: Columns) -> Array:
        """Return the derivatives of the response, shape (..., n_rows, n_parameters)."""
        with np.errstate(all="ignore"):
            parts = self.gradient(*self._arguments(table, params))
        return np.stack(np.broadcast_arrays(*parts), axis=-1).astype(float)

    def started_at(self, table: Columns, response: str | None = None) -> Law:
        """Return the same law with the starts that its guess gives for these rows.

        Without a guess, or where the guess has no value, the starts stay; guesses outside the
        bounds move onto them. Rows with an empty cell are not looked at.
        """
        return self.rivals(table, response)[0]

    def rivals(self, table: Columns, response: str | None = None) -> tuple[Law, ...]:
        """Return the law started at each of the guesses for these rows, the best first."""
        if self.guess is None:
            return (self,)
        names = (response or self.response, *self.variables)
        rows = np.stack([np.asarray(table[name], dtype=float) for name in names])
        rows = rows[:, np.isfinite(rows).all(axis=0)]
        if not rows.size:
            return (self,)
        with np.errstate(all="ignore"):
            guesses = np.column_stack([np.atleast_1d(part) for part in self.guess(*rows)])
        return tuple(self._started(guess) for guess in guesses)

    def _started(self, guess: Array) -> Law:
        parameters = (p.started_at(g) for p, g in zip(self.parameters, guess, strict=True))
        return replace(self, parameters=tuple(parameters))

    def _arguments(self, table: Columns, params: Columns) -> list[Array]:
        columns = [np.asarray(table[name], dtype=float) for name in self.variables]
        return [*columns, *(np.asarray(params[name], dtype=float) for name in self.names)]
