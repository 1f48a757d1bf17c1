"""Hold the inputs of closed forms to their ranges, and say which entry leaves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Array", "chances", "choices", "lengths", "within"]

Array: TypeAlias = NDArray[np.float64]


def within(
    values: ArrayLike, name: str, holds: Callable[[Array], NDArray[np.bool_]], must: str
) -> Array:
    """Return the values as an array, every one of which `holds`.

    Parameters
    ----------
    values : array
        Numbers.
    name : str
        What they are called in messages.
    holds : callable
        From the array to whether each entry is allowed; NaN should not be.
    must : str
        What an entry must be, for messages.

    Returns
    -------
    array

    Raises
    ------
    ValueError
        Naming the first entry that is not allowed.

    Examples
    --------
    >>> within([1, -2], "n_params", lambda n: n > 0, "positive")
    Traceback (most recent call last):
    ValueError: n_params must be positive; entry 1 is -2.
    """
    array = np.asarray(values, dtype=float)
    bad = ~holds(array)
    if bad.any():
        first = int(np.argmax(bad.ravel()))
        raise ValueError(f"{name} must be {must}; entry {first} is {array.ravel()[first]:g}.")
    return array


def chances(p_token: ArrayLike) -> Array:
    """Return chances, each within [0, 1].

    Raises
    ------
    ValueError
        Naming the first entry outside.
    """
    return within(p_token, "p_token", lambda p: (p >= 0) & (p <= 1), "within [0, 1]")


def lengths(n_target_tokens: ArrayLike) -> Array:
    """Return target lengths, each 0 or more.

    Raises
    ------
    ValueError
        Naming the first negative entry.
    """
    return within(n_target_tokens, "n_target_tokens", lambda k: k >= 0, "0 or more")


def choices(n_choices: int) -> int:
    """Return a number of choices, 2 or more.

    Raises
    ------
    ValueError
        If it is less.
    """
    if not n_choices >= 2:
        raise ValueError(f"n_choices must be 2 or more; it is {n_choices}.")
    return n_choices
