"""Budgets, sizes and widths as callers give them: one number, or several."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, shown

__all__ = ["numbers_above", "one_for_each"]

Array = NDArray[np.float64]


def numbers_above(values: ArrayLike, name: str, least: float = 0.0) -> Array:
    """Return finite numbers above a bound, shape (n,), n at least 1.

    Raises
    ------
    FitError
        If one is not, or it is no number, a text or a truth value.

    Examples
    --------
    >>> numbers_above(5.76e23, "flops"), numbers_above([1, 10**21], "flops")
    (array([5.76e+23]), array([1.e+00, 1.e+21]))
    """
    array = np.asarray(values)
    if array.dtype == object:  # whole numbers beyond 64 bits
        whole = [isinstance(v, int | float) and not isinstance(v, bool) for v in array.ravel()]
        array = array.astype(float) if all(whole) else array
    good = array.dtype.kind in "iuf" and array.ndim <= 1 and array.size > 0
    if not (good and bool((np.isfinite(array) & (array > least)).all())):
        kind = "positive" if least == 0 else f"above {least:g}"
        said = list(values) if isinstance(values, pd.Series) else values
        raise FitError(
            f"{name} must be {kind} and finite, one number or a list; it is {shown(said)}."
        )
    return np.atleast_1d(array).astype(float)


def one_for_each(values: ArrayLike, name: str, n_budgets: int) -> Array:
    """Return as many positive numbers as there are budgets, from one for all or one for each.

    Examples
    --------
    >>> one_for_each(20, "tokens_per_param", 2)
    array([20., 20.])
    """
    array = numbers_above(values, name)
    if array.size not in (1, n_budgets):
        raise FitError(f"{name} has {array.size} values, but there are {n_budgets} budgets.")
    return np.broadcast_to(array, n_budgets).copy()
