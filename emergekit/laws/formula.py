"""Formulas whose argument names are chosen when the law is built, such as ``loss`` or ``flops``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from emergekit.errors import unknown
from emergekit.laws.law import Array

__all__ = ["Formula", "bisected", "require_variable"]

_STEPS = 64


@dataclass(frozen=True)
class Formula:
    """A function of positional arguments, under the names that one law gives them.

    `functools.partial` would do for calling, but two partials are never equal, so a law would not
    equal its own pickled copy, and their arguments cannot be renamed, which `Law` checks.

    Parameters
    ----------
    function : callable
        At module level, so that the formula pickles; written for any names, or any number, of
        positional arguments.
    arguments : tuple of str
        Their names in this law; also its `inspect.signature`.
    options : tuple of (str, value)
        Keyword arguments of the function that this law has chosen.

    Examples
    --------
    >>> square = Formula(np.power, ("flops", "c"))
    >>> square(3.0, 2.0), str(inspect.signature(square))
    (np.float64(9.0), '(flops, c)')
    """

    function: Callable[..., Any]
    arguments: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        try:
            signature = inspect.Signature([inspect.Parameter(n, kind) for n in self.arguments])
        except ValueError as error:
            raise ValueError(
                f"a law cannot have the arguments {', '.join(map(repr, self.arguments))}: {error}; "
                f"rename the column first."
            ) from None
        object.__setattr__(self, "__signature__", signature)

    @property
    def __name__(self) -> str:
        return self.function.__name__

    def __call__(self, *arguments: Any) -> Any:
        """Return the value of the function."""
        return self.function(*arguments, **dict(self.options))


def require_variable(along: str, variables: tuple[str, ...], law: str) -> None:
    """Raise a `ValueError` unless `along` is one of the variables of that law."""
    if along not in variables:
        raise ValueError(unknown(f"variable of {law}", along, variables))


def bisected(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return where a function changes sign between two arrays, NaN where it does not.

    For inverses without a closed form: 64 halvings leave nothing but rounding, from any bracket.

    Examples
    --------
    >>> bisected(lambda x: x**2 - np.array([2.0, 9.0]), np.zeros(2), np.full(2, 2.0)).round(6)
    array([1.414214,      nan])
    """
    at_low, at_high = np.sign(function(low)), np.sign(function(high))
    bracketed = at_low * at_high <= 0
    rising = at_high >= at_low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        left = (function(middle) < 0) == rising
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.where(bracketed, (low + high) / 2, np.nan)
