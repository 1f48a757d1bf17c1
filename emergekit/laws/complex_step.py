"""Derivatives of a law that comes as a plain function: to the last digit, without algebra."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ComplexStep"]

_STEP = 1e-20
"""So small that its square is nothing: no digits are lost, because nothing is subtracted."""
_DIFFERENCE = 1e-6
_DISAGREE = 1e-3


@dataclass(frozen=True)
class ComplexStep:
    r"""The derivatives of a function by its parameters, from steps along the imaginary axis.

    .. math:: \frac{\partial f}{\partial p} = \frac{\mathrm{Im} f(p + i h)}{h} + O(h^2)

    The function must be smooth and take complex numbers: powers, exponentials, logarithms and
    fractions do, ``abs`` and `scipy.special.expit` do not.

    Parameters
    ----------
    function : callable
        ``function(*variables, *parameters)``.
    n_variables : int
        Arguments that are not derived by.

    References
    ----------
    Squire & Trapp 1998; Martins, Sturdza & Alonso 2003.

    Examples
    --------
    >>> def root(x, a):
    ...     return np.sqrt(a * x)
    >>> ComplexStep(root, 1)(np.array([4.0]), np.array(9.0))
    (array([0.33333333]),)
    """

    function: Callable[..., Any]
    n_variables: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "__signature__", inspect.signature(self.function))

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        """Return one array of derivatives a parameter."""
        parts = []
        for place in range(self.n_variables, len(arguments)):
            size = _STEP * (1 + np.abs(arguments[place]))
            moved = [*arguments]
            moved[place] = arguments[place] + 1j * size
            parts.append(np.imag(self.function(*moved)) / size)
        return tuple(parts)

    def wrong(self, *arguments: Any) -> str | None:
        """Return the first parameter whose derivative is not that of finite differences, or None.

        A derivative that cannot be had at all is wrong as well.
        """
        names = list(inspect.signature(self.function).parameters)
        try:
            parts = self(*arguments)
        except TypeError:
            return names[self.n_variables]
        for place, part in enumerate(parts, start=self.n_variables):
            size = _DIFFERENCE * (1 + np.abs(arguments[place]))
            ends = []
            for sign in (-1, 1):
                moved = [*arguments]
                moved[place] = arguments[place] + sign * size
                ends.append(self.function(*moved))
            difference = (ends[1] - ends[0]) / (2 * size)
            told = np.isfinite(part) & np.isfinite(difference)
            reach = _DISAGREE * np.max(np.abs(difference), where=told, initial=0.0) + 1e-9
            if np.any(np.abs(part - difference) > reach, where=told):
                return names[place]
        return None
