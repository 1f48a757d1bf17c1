"""Hold the inputs of closed forms to their ranges, and say which entry leaves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import shown

__all__ = [
    "Array",
    "chances",
    "choices",
    "counts",
    "existing",
    "lengths",
    "open_shares",
    "positive",
    "shares",
    "single",
    "within",
]

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
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {must}; {shown(values)} is not.") from None
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


def shares(values: ArrayLike, name: str) -> Array:
    """Return probabilities, or shares of a whole, each within [0, 1].

    Raises
    ------
    ValueError
        Naming the first entry outside.
    """
    return within(values, name, lambda p: (p >= 0) & (p <= 1), "within [0, 1]")


def open_shares(values: ArrayLike, name: str) -> Array:
    """Return shares that are neither nothing nor the whole.

    Raises
    ------
    ValueError
        Naming the first entry outside.
    """
    return within(values, name, lambda p: (p > 0) & (p < 1), "strictly between 0 and 1")


def positive(values: ArrayLike, name: str) -> Array:
    """Return finite numbers above 0.

    Raises
    ------
    ValueError
        Naming the first entry that is not one.
    """
    return within(values, name, lambda x: (x > 0) & np.isfinite(x), "positive")


def counts(values: ArrayLike, name: str, least: int = 1) -> Array:
    """Return whole numbers, each `least` or more.

    Raises
    ------
    ValueError
        Naming the first entry that is smaller or no whole number.
    """
    return within(
        values,
        name,
        lambda n: (n >= least) & (n == np.floor(n)) & np.isfinite(n),
        f"a whole number, {least} or more",
    )


def single(values: Array, name: str) -> float:
    """Return one number, where several make no sense.

    Raises
    ------
    ValueError
        If there are several.
    """
    if values.ndim:
        raise ValueError(f"{name} must be one number; its shape is {values.shape}.")
    return float(values)


def existing(values: ArrayLike, exist: ArrayLike, absent: float, why: str, *named: Array) -> Array:
    """Return values, `absent` where they do not exist; one that was asked for alone must exist.

    Parameters
    ----------
    values, exist : array
        Values, and whether each exists.
    absent : float
        What stands for the others.
    why : str
        Message for one value that does not exist; `named` numbers fill its braces.

    Raises
    ------
    ValueError
        With the reason, if there is one value only and it does not exist.
    """
    there = np.asarray(exist, dtype=bool)
    if there.ndim == 0 and not there:
        raise ValueError(why.format(*(float(number) for number in named)))
    found: Array = np.where(there, values, absent)
    return found[()]
