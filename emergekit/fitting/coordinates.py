"""The free parameters of a law as the coordinates that a search moves in."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, unknown
from emergekit.laws import Law, Parameter

__all__ = ["Coordinates"]

Array = NDArray[np.float64]


class Coordinates:
    """Map between parameters and the coordinates z of those that are free.

    A parameter on a log scale is searched by its logarithm, the others as they are.

    Parameters
    ----------
    law : Law
        Gives the parameters.
    fixed : dict
        Parameters held at a value.
    bounds : dict
        Bounds that replace the law's.
    """

    def __init__(
        self, law: Law, fixed: dict[str, float], bounds: dict[str, tuple[float, float]]
    ) -> None:
        for name in (*fixed, *bounds):
            if name not in law.names:
                raise FitError(unknown(f"parameter of {law.name}", name, law.names))
        self.fixed = fixed
        self.names = law.names
        self.parameters = [
            _narrowed(p, bounds[p.name]) if p.name in bounds else p for p in law.parameters
        ]
        self.free = np.array([name not in fixed for name in law.names])
        self.searched = [p for p in self.parameters if p.name not in fixed]
        self.n_free = len(self.searched)
        self.log = np.array([p.scale == "log" for p in self.searched], dtype=bool)
        with np.errstate(divide="ignore"):
            self.lower = self._to_z([p.lower for p in self.searched])
            self.upper = self._to_z([p.upper for p in self.searched])

    def _to_z(self, values: ArrayLike) -> Array:
        array = np.array(values, dtype=float)
        array[self.log] = np.log(array[self.log])
        return array

    def values(self, z: Array) -> Array:
        """Return the values of the free parameters."""
        return np.where(self.log, np.exp(np.where(self.log, z, 0.0)), z)

    def stretch(self, z: Array) -> Array:
        """Return d parameter / d z."""
        return np.where(self.log, self.values(z), 1.0)

    def params(self, z: Array) -> dict[str, float]:
        """Return all parameters by name."""
        found = dict(zip([p.name for p in self.searched], self.values(z).tolist(), strict=True))
        return {p.name: self.fixed.get(p.name, found.get(p.name, np.nan)) for p in self.parameters}

    def starts(self, n: int) -> list[Array]:
        """Return the law's start, and others around it: the same ones every time."""
        rng = np.random.default_rng(0)
        first = self._to_z([p.start for p in self.searched])
        bounded = np.isfinite(self.lower) & np.isfinite(self.upper)
        starts = [first]
        for _ in range(n - 1):
            near = first + 2 * rng.standard_normal(self.n_free)
            within = rng.uniform(
                np.where(bounded, self.lower, 0.0), np.where(bounded, self.upper, 1.0)
            )
            starts.append(np.where(bounded, within, near))
        return starts


def _narrowed(parameter: Parameter, bounds: tuple[float, float]) -> Parameter:
    lower, upper = bounds
    if not lower <= upper:
        raise FitError(
            f"bounds of '{parameter.name}' are the wrong way round: {lower:g} > {upper:g}."
        )
    start = float(np.clip(parameter.start, lower, upper))
    return Parameter(parameter.name, start, lower, upper, parameter.scale, parameter.unit)
