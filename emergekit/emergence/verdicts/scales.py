"""The axis on which a curve is judged: decades of a size, minus a loss, anything else as it is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.errors import TableError
from emergekit.laws.axis import Kind, ahead, axis_of, variable_at

__all__ = ["axis_kind", "from_axis", "on_axis"]

Array: TypeAlias = NDArray[np.float64]

_DECADES = ("n_params", "n_tokens", "flops")


def axis_kind(x: str) -> Kind:
    """Return how a column of scale counts: a size in decades, a loss or perplexity as what falls.

    Examples
    --------
    >>> axis_kind("flops"), axis_kind("val_loss"), axis_kind("benchmark_score")
    ('log10', 'falling', 'rising')
    """
    if x in _DECADES:
        return "log10"
    axis = axis_of(x, None)
    return axis.kind if axis.falls else "rising"


def on_axis(x: str, values: Array) -> Array:
    """Return where scales lie on the axis; models get better along it.

    Raises
    ------
    TableError
        If a size is not positive.

    Examples
    --------
    >>> on_axis("n_params", np.array([1e8, 1e9])), on_axis("loss", np.array([3.0, 2.5]))
    (array([8., 9.]), array([-3. , -2.5]))
    """
    kind = axis_kind(x)
    if kind in ("log10", "falling_log10") and not (values > 0).all():
        raise TableError(
            f"results: '{x}' must be positive, since its logarithm is taken, but the smallest is "
            f"{values.min():g}; drop those rows with results[results['{x}'] > 0]."
        )
    return np.asarray(ahead(values, np.zeros(1), kind))


def from_axis(x: str, place: float) -> float:
    """Return the value of the column at a place on the axis."""
    return float(variable_at(np.asarray(place), np.zeros(()), axis_kind(x)))
