"""The axis along which a score rises: decades of compute, or nats of loss saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from emergekit.errors import unknown
from emergekit.laws.law import Array, Parameter

__all__ = ["Axis", "Kind", "ahead", "axis_of", "direction", "place", "variable_at"]

Kind: TypeAlias = Literal["log10", "falling", "rising"]

_KINDS = ("log10", "falling", "rising")
_STARTS = {"flops": 21.0, "n_params": 9.0, "n_tokens": 10.5}


@dataclass(frozen=True)
class Axis:
    r"""A variable, and how it counts: models get better along the axis.

    Every law of a score is written in the distance u by which a model is past a place x0.

    .. math:: u = \log_{10} x - x_0 \ \text{(log10)}, \qquad
              u = x_0 - x \ \text{(falling)}, \qquad u = x - x_0 \ \text{(rising)}

    Parameters
    ----------
    variable : str
        Column: a count ("log10"), a loss ("falling"), or a score or ability ("rising").
    kind : {"log10", "falling", "rising"}
        In decades, or as it is; x0 has the same unit.
    """

    variable: str
    kind: Kind

    @property
    def start(self) -> float:
        """Return a usual place on the axis, where a search may begin."""
        if self.kind == "log10":
            return _STARTS.get(self.variable, 9.0)
        return 2.5 if self.kind == "falling" else 0.0

    @property
    def unit(self) -> str:
        """Return the unit of a place on the axis."""
        if self.kind == "log10":
            return f"log10 {self.variable}"
        return "nats/token" if self.kind == "falling" else ""

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Return what the functions of a law need to know."""
        return (("axis", self.kind),)

    def past(self, name: str) -> str:
        """Return the distance past the place `name`, as text."""
        if self.kind == "log10":
            return f"log10({self.variable}) - {name}"
        first, second = (name, self.variable) if self.kind == "falling" else (self.variable, name)
        return f"{first} - {second}"

    def place(self, name: str) -> Parameter:
        """Return a parameter that is a place on the axis."""
        return Parameter(name, start=self.start, unit=self.unit)


def axis_of(variable: str, kind: Kind | None) -> Axis:
    """Return the axis of a variable; the kind, if None, by its name.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> axis_of("loss", None).kind, axis_of("n_params", None).kind
    ('falling', 'log10')
    """
    if kind is None:
        kind = "falling" if variable == "loss" or variable.startswith("loss_") else "log10"
    if kind not in _KINDS:
        raise ValueError(unknown("axis", kind, _KINDS))
    return Axis(variable, kind)


def direction(axis: Kind) -> float:
    """Return the derivative of u by the place of the model: 1, or -1 for a loss."""
    return -1.0 if axis == "falling" else 1.0


def place(x: Array, axis: Kind) -> Array:
    """Return where the models lie on the axis, in decades or as they are."""
    return np.log10(x) if axis == "log10" else x


def ahead(x: Array, x0: Array, axis: Kind) -> Array:
    """Return how far each model is past the place x0, the distance u of `Axis`."""
    return direction(axis) * (place(x, axis) - x0)


def variable_at(u: Array, x0: Array, axis: Kind) -> Array:
    """Return the value of the variable that is u past the place x0."""
    at = x0 + direction(axis) * u
    return np.power(10.0, at) if axis == "log10" else at
