"""Samples made ready once, for every metric that reads them.

Metrics are bound by reading their inputs: turning lists into arrays, splitting text into words. An
`Inputs` does each of these once for a batch of samples, however many metrics ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from emergekit.errors import TableError
from emergekit.metrics.batches import Array, Block, Pairs

__all__ = ["Inputs", "Samples"]

Samples: TypeAlias = "pd.DataFrame | pa.RecordBatch | pa.Table"


class Inputs:
    """One batch of samples, its columns made ready on first use.

    Parameters
    ----------
    samples : DataFrame, RecordBatch or Table
        In the columns of `SAMPLES`.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.n_rows = len(samples)
        self._ready: dict[Any, Any] = {}

    def __contains__(self, name: str) -> bool:
        names = (
            self.samples.schema.names
            if isinstance(self.samples, pa.RecordBatch | pa.Table)
            else self.samples
        )
        return name in names

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, made once for this batch."""
        if key not in self._ready:
            self._ready[key] = make()
        return self._ready[key]

    def column(self, name: str) -> pa.Array:
        """Return a column as an Arrow array; where rows mix a value and lists, all are lists."""
        return self.once(("column", name), lambda: self._column(name))

    def numbers(self, name: str) -> Array:
        """Return a column of numbers, floats with NaN where some are missing."""
        numbers: Array = _as_numbers(self.column(name), f"'{name}' must hold numbers")
        return numbers

    @cached_property
    def pairs(self) -> Pairs:
        """Predictions against all of their targets."""
        predictions, targets = self.column("prediction"), self.column("target")
        _require_text(predictions, "prediction")
        if not _is_list(targets.type):
            _require_text(targets, "target")
            return _paired(predictions, targets)
        lists = targets.to_pylist()
        rows, left, right = [], [], []
        for row, (prediction, options) in enumerate(
            zip(predictions.to_pylist(), lists, strict=True)
        ):
            if prediction is not None and options:
                rows += [row] * len(options)
                left += [prediction] * len(options)
                right += [str(option) for option in options]
        return Pairs(np.array(rows, dtype=np.int64), left, right, self.n_rows)

    def equal_columns(self, one: str, other: str) -> Array | None:
        """Return whether two columns of text agree, NaN where one is missing; None for lists."""
        left, right = self.column(one), self.column(other)
        if _is_list(left.type) or _is_list(right.type):
            return None
        _require_text(left, one)
        _require_text(right, other)
        equal = pc.equal(left, right.cast(left.type) if right.type != left.type else right)
        return np.asarray(equal.cast(pa.float64()).to_numpy(zero_copy_only=False))

    def split(self, texts: Sequence[str], split: Callable[[str], list[Any]]) -> list[list[Any]]:
        """Return the tokens of `texts`, a field of `pairs`, made once for each way to split."""
        tokens: list[list[Any]] = self.once(
            (split, id(texts)), lambda: [split(text) for text in texts]
        )
        return tokens

    def lists(self, name: str) -> tuple[NDArray[np.int64], Array]:
        """Return a column of lists of numbers as their lengths and their values end to end.

        A missing row has length -1.
        """
        lists: tuple[NDArray[np.int64], Array] = self.once(
            ("lists", name), lambda: self._lists(name)
        )
        return lists

    def one_size(self, name: str) -> int:
        """Return the length of the lists of a column if all have one, else 0."""

        def find() -> int:
            sizes, _ = self.lists(name)
            return int(sizes[0]) if len(sizes) and sizes.min() == sizes.max() > 0 else 0

        size: int = self.once(("one size", name), find)
        return size

    @cached_property
    def blocks(self) -> list[Block]:
        """Multiple-choice samples by number of choices; rows that lack an input are left out."""
        sizes, _ = self.lists("choice_logprobs")
        if not self.n_rows:
            return []
        keys = self.column("choice_scores" if "choice_scores" in self else "gold")
        size = self.one_size("choice_logprobs")
        if size and not keys.null_count:  # as most files are
            blocks = [self._block(np.arange(self.n_rows), size)]
        else:
            known = np.asarray(keys.is_valid().to_numpy(zero_copy_only=False)) & (sizes > 0)
            blocks = [
                self._block(np.flatnonzero(known & (sizes == size)), int(size))
                for size in np.unique(sizes[known])
            ]
        return [block for block in blocks if len(block.rows)]

    def lengths(self, unit: Literal["chars", "bytes"], block: Block) -> Array:
        """Return the lengths of the choices of a block, shape (n, K), given or counted."""
        if f"choice_{unit}" in self:
            return self.stacked(f"choice_{unit}", block.rows, block.n_choices)
        counted: Inputs = self.once(("lengths", unit), lambda: self._counted(unit))
        return counted.stacked(f"choice_{unit}", block.rows, block.n_choices)

    def stacked(self, name: str, rows: NDArray[np.int64], size: int) -> Array:
        """Return the lists of these rows, all of length K = `size`, as an array of shape (n, K)."""
        sizes, values = self.lists(name)
        whole = len(rows) == len(sizes)
        if whole and self.one_size(name) == size:
            return values.reshape(-1, size)
        if (sizes[rows] != size).any():
            row = int(rows[np.argmax(sizes[rows] != size)])
            raise TableError(
                f"samples: '{name}' of row {row} has {max(sizes[row], 0)} entries, but there are "
                f"{size} choices: it must have one for each."
            )
        starts = np.r_[0, np.cumsum(np.maximum(sizes, 0))][rows]
        return np.asarray(values[starts[:, None] + np.arange(size)])

    def _column(self, name: str) -> pa.Array:
        if isinstance(self.samples, pa.RecordBatch | pa.Table):
            column = self.samples.column(name)
            return _one_chunk(column)
        series = self.samples[name]
        try:
            plain = series.to_numpy() if series.dtype == object else series
            column = pa.array(plain, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            column = _as_lists(series, name)
        return _one_chunk(column)

    def _lists(self, name: str) -> tuple[NDArray[np.int64], Array]:
        column = self.column(name)
        if not _is_list(column.type):
            raise TableError(f"samples: '{name}' must hold lists of numbers, not {column.type}.")
        values = _as_numbers(column.flatten(), f"'{name}' must hold lists of numbers")
        if column.null_count or pa.types.is_fixed_size_list(column.type):
            sizes = column.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)
        else:
            sizes = np.diff(column.offsets.to_numpy())
        return sizes.astype(np.int64), np.asarray(values)

    def _block(self, rows: NDArray[np.int64], size: int) -> Block:
        """Return the block of these rows, less those whose log-probabilities are no numbers."""
        matrix = self.stacked("choice_logprobs", rows, size)
        if not np.isfinite(matrix.sum()):  # one pass says that most files are clean
            good = np.isfinite(matrix).any(axis=1) & ~np.isnan(matrix).any(axis=1)
            rows, matrix = rows[good], matrix[good]
        gold, scores = self._gold(rows, size) if len(rows) else (None, None)
        return Block(rows, matrix, gold, scores)

    def _gold(
        self, rows: NDArray[np.int64], size: int
    ) -> tuple[NDArray[np.int64] | None, Array | None]:
        """Return the index of the right choice, or the score of every choice if there are more."""
        if "choice_scores" in self:
            return None, np.ascontiguousarray(self.stacked("choice_scores", rows, size).T)
        if not _is_list(self.column("gold").type):
            named = self.numbers("gold")
            named = named if len(rows) == len(named) else named[rows]
            _require_index(named, rows, size)
            return named.astype(np.int64, copy=False), None
        counts, indices = self.lists("gold")
        starts, lengths = np.r_[0, np.cumsum(np.maximum(counts, 0))][rows], counts[rows]
        place = np.repeat(np.arange(len(rows)), lengths)
        offset = np.arange(len(place)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        named = indices[np.repeat(starts, lengths) + offset]
        _require_index(named, rows[place], size)
        if (lengths == 1).all():
            return named.astype(np.int64), None
        scores = np.zeros((size, len(rows)))
        scores[named.astype(np.int64), place] = 1.0
        return None, scores

    def _counted(self, unit: Literal["chars", "bytes"]) -> Inputs:
        """Return the lengths of the choices' texts, as samples of their own."""
        choices = self.column("choices")
        count = pc.utf8_length if unit == "chars" else pc.binary_length
        flat = count(choices.flatten())
        sizes = choices.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        lengths = pa.ListArray.from_arrays(pa.array(np.r_[0, np.cumsum(sizes)], pa.int32()), flat)
        return Inputs(pa.RecordBatch.from_arrays([lengths], [f"choice_{unit}"]))


def _as_numbers(values: pa.Array, must: str) -> Any:
    """Return numbers as NumPy has them, without a copy where nothing is missing."""
    kind = values.type
    if (pa.types.is_integer(kind) or pa.types.is_float64(kind)) and not values.null_count:
        return values.to_numpy()
    try:
        return values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        raise TableError(f"samples: {must}, not {kind}.") from None


def _one_chunk(column: Any) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _require_index(named: Array, rows: NDArray[np.int64], size: int) -> None:
    whole = np.issubdtype(named.dtype, np.integer)
    if len(named) == 0 or (whole and named.min() >= 0 and named.max() < size):
        return
    bad = (named < 0) | (named >= size) | (named != np.floor(named))
    if bad.any():
        first = int(np.argmax(bad))
        raise TableError(
            f"samples: 'gold' of row {rows[first]} is {named[first]:g}, but there are {size} "
            f"choices, counted from 0."
        )


def _paired(predictions: pa.Array, targets: pa.Array) -> Pairs:
    valid = np.asarray(
        predictions.is_valid().to_numpy(zero_copy_only=False)
        & targets.is_valid().to_numpy(zero_copy_only=False)
    )
    rows = np.flatnonzero(valid)
    if len(rows) < len(valid):
        mask = pa.array(valid)
        predictions, targets = predictions.filter(mask), targets.filter(mask)
    return Pairs(rows, predictions.to_pylist(), targets.to_pylist(), len(valid))


def _is_list(kind: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests)


def _require_text(column: pa.Array, name: str) -> None:
    kind = column.type
    text = (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
    if not (text or pa.types.is_null(kind)):
        raise TableError(f"samples: '{name}' must hold text, not {kind}; write it as text first.")


def _as_lists(series: pd.Series[Any], name: str) -> pa.Array:
    """Return a column that mixes values and lists, all as lists."""
    listed = [
        value
        if isinstance(value, list | tuple | np.ndarray)
        else None
        if value is None or value is pd.NA or value != value
        else [value]
        for value in series
    ]
    try:
        return pa.array(listed, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(
            f"samples: '{name}' mixes kinds of values ({error}); make them alike."
        ) from None
