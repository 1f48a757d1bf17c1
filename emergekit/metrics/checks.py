"""What scores and counts must be before anything is computed from them: checks at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "numbers",
    "present_scores",
    "require",
    "require_counts",
    "require_fractions",
    "require_level",
    "require_whole",
]

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]


def present_scores(
    columns: Mapping[str, ArrayLike], clusters: ArrayLike | None
) -> tuple[list[Array], Codes | None]:
    """Return the rows where every column has a number, and their clusters as 0, 1, ..."""
    arrays = {name: numbers(values) for name, values in columns.items()}
    for name, array in arrays.items():
        if array.ndim != 1:
            raise ValueError(f"{name} must be one row of numbers; its shape is {array.shape}.")
        require(~np.isinf(array), array, name, "finite, or NaN where missing")
    labels = None if clusters is None else pd.Series(clusters)
    lengths = {name: len(array) for name, array in arrays.items()}
    lengths |= {} if labels is None else {"clusters": len(labels)}
    if len(set(lengths.values())) > 1:
        held = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"There must be one entry an example in each column, but {held}.")
    present = ~np.any([np.isnan(array) for array in arrays.values()], axis=0)
    if not present.any():
        raise ValueError(f"No example has a number in {' and '.join(arrays)}; give at least one.")
    kept = [array[present] for array in arrays.values()]
    return kept, None if labels is None else _codes(labels, present)


def require_level(level: float, name: str = "level") -> float:
    """Return the level, or raise where it is no chance inside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"{name} must lie inside (0, 1), such as 0.95; it is {level:g}.")
    return level


def require_counts(
    n_successes: ArrayLike, n_examples: ArrayLike, name: str = "n_examples"
) -> tuple[Array, Array]:
    """Return possible counts as arrays of one shape, or raise at the first that is none."""
    successes = require_whole(n_successes, "n_successes", least=0)
    examples = require_whole(n_examples, name, least=1)
    try:
        shape = np.broadcast_shapes(successes.shape, examples.shape)
    except ValueError:
        shapes = f"{successes.shape} and {examples.shape}"
        raise ValueError(
            f"n_successes and {name} must pair up or broadcast; their shapes are {shapes}."
        ) from None
    # statsmodels asks for arrays of its own, and would warn about views.
    successes, examples = (np.broadcast_to(n, shape).copy() for n in (successes, examples))
    require(successes <= examples, successes, "n_successes", f"at most {name}")
    return successes, examples


def require_whole(values: ArrayLike, name: str, least: int) -> Array:
    """Return whole numbers from `least` on, or raise at the first that is none."""
    array = numbers(values)
    holds = np.isfinite(array) & (array >= least) & (array == np.floor(array))
    require(holds, array, name, f"a whole number, {least} or more")
    return array


def require_fractions(values: ArrayLike, name: str) -> Array:
    """Return numbers within [0, 1], or raise at the first outside."""
    array = numbers(values)
    require((array >= 0) & (array <= 1), array, name, "within [0, 1]")
    return array


def require(holds: NDArray[np.bool_], array: Array, name: str, must: str) -> None:
    """Raise at the first entry of an array that is not what it must be."""
    if not np.all(holds):
        first = int(np.argmin(np.ravel(holds)))
        raise ValueError(f"{name} must be {must}; entry {first} is {np.ravel(array)[first]:g}.")


def numbers(values: ArrayLike) -> Array:
    """Return an array of floats; what is missing is NaN."""
    return np.asarray(values, dtype=float)


def _codes(labels: pd.Series[Any], present: NDArray[np.bool_]) -> Codes:
    bad = labels.isna().to_numpy() & present
    if bad.any():
        raise ValueError(
            f"clusters must name a cluster for every score; entry {int(np.argmax(bad))} is "
            "missing. Give an example that shares nothing a label of its own."
        )
    return labels[present].factorize()[0]
