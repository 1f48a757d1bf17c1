"""The free parameters of a law as the coordinates that a search moves in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, shown, unknown
from emergekit.laws import Law, Parameter

__all__ = ["VANISHED", "Coordinates", "require_names"]

Array = NDArray[np.float64]

_ENDS = ("lower", "upper")

VANISHED = float(np.log(np.finfo(float).tiny))
"""The logarithm that stands for a parameter of 0."""


class Coordinates:
    """Map between parameters and the coordinates z of those that are free.

    A parameter on a log scale is searched by its logarithm, the others as they are.

    Parameters
    ----------
    law : Law
        Gives the parameters.
    fixed : mapping
        Parameters held at a value.
    bounds : mapping
        Bounds that replace the law's.

    Raises
    ------
    FitError
        If a name is unknown, a value is no number or lies outside its bounds, bounds are no pair
        with room between them, or nothing is left to search.
    """

    def __init__(self, law: Law, fixed: Mapping[str, Any], bounds: Mapping[str, Any]) -> None:
        for what, given in (("fixed", fixed), ("bounds", bounds)):
            require_names(what, given, law)
        self.names = law.names
        self.parameters = [
            _narrowed(p, bounds[p.name]) if p.name in bounds else p for p in law.parameters
        ]
        self.fixed = {p.name: _held(p, fixed[p.name]) for p in self.parameters if p.name in fixed}
        if len(self.fixed) == len(law.names):
            raise FitError(
                f"every parameter of {law.name} is fixed, so nothing is left to fit; "
                f"evaluate it with law.predict(table, params)."
            )
        self.free = np.array([name not in fixed for name in law.names])
        self.searched = [p for p in self.parameters if p.name not in fixed]
        self.n_free = len(self.searched)
        self.log = np.array([p.scale == "log" for p in self.searched], dtype=bool)
        self.lower = self._to_z([p.lower for p in self.searched])
        self.upper = self._to_z([p.upper for p in self.searched])
        self.vanishing = self.log & np.isneginf(self.lower)
        self._vanish = bool(self.vanishing.any())

    def _to_z(self, values: ArrayLike) -> Array:
        array = np.array(values, dtype=float)
        with np.errstate(divide="ignore"):
            array[..., self.log] = np.log(array[..., self.log])
        return array

    def values(self, z: Array) -> Array:
        """Return the values of the free parameters, 0 for what has vanished."""
        values = np.array(z, dtype=float)
        with np.errstate(over="ignore"):
            np.exp(z, out=values, where=self.log)
        if self._vanish:
            values[self.vanishing & (z <= VANISHED)] = 0.0
        return values

    def stretch(self, z: Array) -> Array:
        """Return d parameter / d z."""
        return np.where(self.log, self.values(z), 1.0)

    def params(self, z: Array) -> dict[str, Any]:
        """Return all parameters by name; for z of shape (B, p), those searched as (B,)."""
        values = np.moveaxis(self.values(z), -1, 0)
        found = dict(zip([p.name for p in self.searched], values, strict=True))
        return {name: found.get(name, self.fixed.get(name)) for name in self.names}

    def z(self, params: Mapping[str, Any] | pd.Series[Any]) -> Array:
        """Return the coordinates of these parameters, shape (p,)."""
        z = self._to_z([params[p.name] for p in self.searched])
        return np.where(self.vanishing, np.maximum(z, VANISHED), z)

    def near(self, params: Mapping[str, Any] | pd.Series[Any]) -> Array:
        """Return the coordinates of these parameters, with what has vanished back at its start.

        A search that begins at 0 on a log scale would stay there.
        """
        z, first = self.z(params), self._to_z([p.start for p in self.searched])
        return np.where(self.vanishing & (z <= VANISHED), first, z)

    def guessed(self, guesses: Mapping[str, Array]) -> Array:
        """Return the coordinates of guesses of shape (B,), those that have none at the start."""
        first = np.array([p.start for p in self.searched])
        values = np.stack([guesses[p.name] for p in self.searched], axis=-1)
        lowest, highest = (np.array([getattr(p, end) for p in self.searched]) for end in _ENDS)
        values = np.clip(values, lowest, highest)
        usable = np.isfinite(values) & ((values > 0) | ~self.log)
        return self._to_z(np.where(usable, values, first))

    def at_start(self, law: Law) -> Array:
        """Return where that law's search begins, shape (p,), inside of these bounds."""
        starts = {p.name: p.start for p in law.parameters}
        return np.clip(self._to_z([starts[p.name] for p in self.searched]), self.lower, self.upper)

    def starts(self, n: int, first: Array | None = None) -> list[Array]:
        """Return the law's start, and others around it: the same ones every time.

        `first`, of shape (p,) or (B, p), takes the place of the law's start.
        """
        rng = np.random.default_rng(0)
        first = self._to_z([p.start for p in self.searched]) if first is None else first
        with np.errstate(over="ignore"):
            bounded = np.isfinite(self.upper - self.lower)
        starts = [first]
        for _ in range(n - 1):
            near = first + 2 * rng.standard_normal(self.n_free)
            within = rng.uniform(
                np.where(bounded, self.lower, 0.0), np.where(bounded, self.upper, 1.0)
            )
            starts.append(np.where(bounded, within, near))
        return starts


def require_names(what: str, given: Mapping[str, Any], law: Law) -> None:
    """Raise a `FitError` unless every name is a parameter of the law."""
    if not isinstance(given, Mapping):
        raise FitError(
            f"{what} must be a mapping from parameters of {law.name} "
            f"({', '.join(law.names)}), not {type(given).__name__}."
        )
    for name in given:
        if name not in law.names:
            raise FitError(unknown(f"parameter of {law.name}", name, law.names))


def _number(value: Any, what: str) -> float:
    try:
        number = np.nan if isinstance(value, str | bytes | bool | np.bool_) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if np.isnan(number):
        raise FitError(f"{what} must be a number; it is {shown(value)}.")
    return number


def _held(parameter: Parameter, value: object) -> float:
    number = _number(value, f"fixed value of '{parameter.name}'")
    if not (np.isfinite(number) and parameter.lower <= number <= parameter.upper):
        raise FitError(
            f"fixed value of '{parameter.name}' must be finite and lie within its bounds "
            f"[{parameter.lower:g}, {parameter.upper:g}]; it is {number:g}. "
            f"Wider ones can be given with bounds=."
        )
    return number


def _narrowed(parameter: Parameter, bounds: Any) -> Parameter:
    """Return the parameter between other bounds, its start moved inside."""
    name = parameter.name
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise FitError(
            f"bounds of '{name}' must be a pair (lower, upper); they are {shown(bounds)}."
        ) from None
    lower, upper = (_number(bound, f"each bound of '{name}'") for bound in (low, high))
    if lower > upper:
        raise FitError(f"bounds of '{name}' are the wrong way round: {lower:g} > {upper:g}.")
    if lower == upper:
        raise FitError(
            f"bounds of '{name}' leave no room: both are {lower:g}. "
            f"Hold it with fixed={{'{name}': {lower:g}}}."
        )
    if parameter.scale == "log" and lower < 0:
        raise FitError(
            f"bounds of '{name}' must not go below 0, because it is searched by its logarithm; "
            f"the lower one is {lower:g}."
        )
    start = float(np.clip(parameter.start, lower, upper))
    return replace(parameter, start=start, lower=lower, upper=upper)
