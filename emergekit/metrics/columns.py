"""Columns of samples as Arrow and NumPy arrays, whatever wrote them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from emergekit.errors import TableError

__all__ = [
    "Samples",
    "arrow_column",
    "as_numbers",
    "column_names",
    "is_list",
    "number_lists",
    "require_text",
    "valid_rows",
]

Samples: TypeAlias = "pd.DataFrame | pa.RecordBatch | pa.Table"


def column_names(samples: Samples) -> list[str]:
    """Return the names of the columns."""
    if isinstance(samples, pd.DataFrame):
        return [str(name) for name in samples.columns]
    return list(samples.schema.names)


def arrow_column(samples: Samples, name: str) -> pa.Array:
    """Return a column as one Arrow array.

    A column without any value has the null type; where rows mix a value and lists of them, all are
    lists; dictionaries are decoded.
    """
    column = _of_frame(samples[name], name) if isinstance(samples, pd.DataFrame) else samples[name]
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if "list_view" in str(column.type):
        column = column.cast(pa.large_list(column.type.value_type))
    return pa.nulls(len(column)) if column.null_count == len(column) else column


def is_list(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is one of lists."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests)


def valid_rows(column: pa.Array) -> NDArray[np.bool_]:
    """Return which rows hold a value; NaN is none."""
    if not column.null_count and not pa.types.is_floating(column.type):
        return np.ones(len(column), dtype=bool)
    valid = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    if pa.types.is_floating(column.type):
        valid &= ~np.isnan(column.to_numpy(zero_copy_only=False))
    return valid


def as_numbers(values: pa.Array, must: str) -> Any:
    """Return numbers as NumPy has them, without a copy where nothing is missing."""
    kind = values.type
    if (pa.types.is_integer(kind) or pa.types.is_float64(kind)) and not values.null_count:
        return values.to_numpy()
    try:
        return values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        raise TableError(f"samples: {must}, not {kind}.") from None


def number_lists(column: pa.Array, name: str) -> tuple[NDArray[np.int64], Any]:
    """Return lists of numbers as their lengths, -1 where missing, and their values end to end."""
    if pa.types.is_null(column.type):
        return np.full(len(column), -1, dtype=np.int64), np.empty(0)
    if not is_list(column.type):
        raise TableError(f"samples: '{name}' must hold lists of numbers, not {column.type}.")
    values = as_numbers(column.flatten(), f"'{name}' must hold lists of numbers")
    if column.null_count or pa.types.is_fixed_size_list(column.type):
        sizes = column.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)
    else:
        sizes = np.diff(column.offsets.to_numpy())
    return sizes.astype(np.int64), np.asarray(values)


def require_text(column: pa.Array, name: str) -> None:
    """Raise a `TableError` unless a column holds text, or nothing."""
    kind = column.type
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_null,
    )
    if not any(test(kind) for test in tests):
        raise TableError(f"samples: '{name}' must hold text, not {kind}; write it as text first.")


def _of_frame(series: pd.Series[Any], name: str) -> Any:
    try:
        plain = series.to_numpy() if series.dtype == object else series
        return pa.array(plain, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _as_lists(series, name)


def _as_lists(series: pd.Series[Any], name: str) -> pa.Array:
    """Return a column that mixes values and lists, all as lists."""
    listed = [_listed(value) for value in series]
    try:
        return pa.array(listed, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(
            f"samples: '{name}' mixes kinds of values ({error}); make them alike."
        ) from None


def _listed(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return value
    return None if value is None or value is pd.NA or value != value else [value]
