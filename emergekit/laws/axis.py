"""The axis along which a score rises: decades of compute, or nats of loss saved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from emergekit.errors import unknown
from emergekit.laws.law import Array, Parameter

__all__ = ["Axis", "Kind", "ahead", "axis_of", "direction", "place", "variable_at"]

Kind: TypeAlias = Literal["log10", "falling", "falling_log10", "rising"]

_KINDS = ("log10", "falling", "falling_log10", "rising")
_STARTS = {"flops": 21.0, "n_params": 9.0, "n_tokens": 10.5}
_MOST_DECADES = 6.0
_PERPLEXITY = "perplexity"
_LOSSES = {
    "nats/token": r"loss|cross_?entropy|x_?ent(ropy)?|ce|nats_per_token|log_?(perplexity|ppl)",
    "nats": r"nll|neg(ative)?_log_?(likelihood|prob(ability)?)",
    "bits/token": r"bits_per_token|bpt",
    "nats/byte": r"nats_per_byte",
    "bits/byte": r"bits_per_byte|bpb",
    "bits/character": r"bits_per_char(acter)?|bpc",
    _PERPLEXITY: r"perplexity|ppl",
}
"""Units of what falls as models get better, and the words that begin or end its name."""


@dataclass(frozen=True)
class Axis:
    r"""A variable, and how it counts: models get better along the axis.

    Every law of a score is written in the distance u by which a model is past a place x0.

    .. math:: u = \log_{10} x - x_0 \ \text{(log10)}, \qquad
              u = x_0 - x \ \text{(falling)}, \qquad
              u = x_0 - \log_{10} x \ \text{(falling log10)}, \qquad
              u = x - x_0 \ \text{(rising)}

    Parameters
    ----------
    variable : str
        Column: a count ("log10"), a loss ("falling"), a perplexity, which is the exponential of
        a loss ("falling_log10"), or a score or ability ("rising").
    kind : {"log10", "falling", "falling_log10", "rising"}
        In decades, or as it is; x0 has the same unit.
    """

    variable: str
    kind: Kind

    @property
    def falls(self) -> bool:
        """Return whether the variable falls as models get better."""
        return direction(self.kind) < 0

    @property
    def is_log(self) -> bool:
        """Return whether the axis counts decades."""
        return self.kind in ("log10", "falling_log10")

    @property
    def start(self) -> float:
        """Return a usual place on the axis, where a search may begin."""
        if self.kind == "log10":
            return _STARTS.get(self.variable, 9.0)
        if self.kind == "falling":
            return 1.0 if self.unit.endswith(("/byte", "/character")) else 2.5
        return 1.0 if self.kind == "falling_log10" else 0.0

    @property
    def unit(self) -> str:
        """Return the unit of a place on the axis."""
        if self.is_log:
            return f"log10 {self.variable}"
        return (_loss_unit(self.variable) or "") if self.kind == "falling" else ""

    @property
    def slope_unit(self) -> str:
        """Return the unit of a slope along the axis."""
        if self.is_log:
            return "1/decade"
        what = self.unit.partition("/")[0]
        return f"1/{what.removesuffix('s')}" if what else ""

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Return what the functions of a law need to know."""
        return (("axis", self.kind),)

    def past(self, name: str) -> str:
        """Return the distance past the place `name`, as text."""
        at = f"log10({self.variable})" if self.is_log else self.variable
        return f"{name} - {at}" if self.falls else f"{at} - {name}"

    def place(self, name: str) -> Parameter:
        """Return a parameter that is a place on the axis."""
        return Parameter(name, start=self.start, unit=self.unit)


def axis_of(variable: str, kind: Kind | None) -> Axis:
    """Return the axis of a variable; the kind, if None, by its name.

    A name that begins or ends with a word for a loss (loss, cross_entropy, nll, bits_per_byte,
    ...) is "falling", with perplexity or ppl "falling_log10"; any other, and a count of something
    (``n_loss_tokens``), is "log10".

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> axis_of("val_loss", None).kind, axis_of("n_params", None).kind
    ('falling', 'log10')
    """
    if kind is None:
        unit = _loss_unit(variable)
        kind = "log10" if unit is None else "falling_log10" if unit == _PERPLEXITY else "falling"
    if kind not in _KINDS:
        raise ValueError(unknown("axis", kind, _KINDS))
    return Axis(variable, kind)


def _loss_unit(variable: str) -> str | None:
    """Return the unit of a variable that is a loss by its name, else None."""
    name = re.sub(r"[\W_]+", "_", variable.lower()).strip("_")
    if name.startswith(("n_", "num_")):
        return None
    found = (
        unit for unit, words in _LOSSES.items() if re.search(rf"^({words})(_|$)|_({words})$", name)
    )
    return next(found, None)


def direction(axis: Kind) -> float:
    """Return the derivative of u by the place of the model: 1, or -1 for a loss."""
    return -1.0 if axis in ("falling", "falling_log10") else 1.0


def place(x: Array, axis: Kind) -> Array:
    """Return where the models lie on the axis, in decades or as they are."""
    return np.log10(x) if axis in ("log10", "falling_log10") else x


def ahead(x: Array, x0: Array, axis: Kind) -> Array:
    """Return how far each model is past the place x0, the distance u of `Axis`."""
    return direction(axis) * (place(x, axis) - x0)


def variable_at(u: Array, x0: Array, axis: Kind) -> Array:
    """Return the value of the variable that is u past the place x0."""
    at = x0 + direction(axis) * u
    return np.power(10.0, at) if axis in ("log10", "falling_log10") else at


def power_of_ten(decades: Array) -> Array:
    """Return 10^decades, held where all or nothing is learned, so that no power overflows."""
    bounded = np.clip(np.real(decades), -_MOST_DECADES, _MOST_DECADES) - np.real(decades)
    return np.asarray(np.exp(np.log(10) * (decades + bounded)))
