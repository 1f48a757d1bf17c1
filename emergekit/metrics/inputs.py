"""Samples made ready once, for every metric that reads them.

Metrics are bound by reading their inputs: turning lists into arrays, splitting text into words. An
`Inputs` does each of these once for a batch of samples, however many metrics ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from emergekit.errors import TableError
from emergekit.metrics.batches import Array, Block, Pairs
from emergekit.metrics.columns import (
    Samples,
    arrow_column,
    as_numbers,
    column_names,
    is_list,
    number_lists,
    require_text,
    valid_rows,
)

__all__ = ["EXAMPLE", "Inputs", "Samples"]

EXAMPLE = ("task", "subtask", "example_id")
"""What names an example: tasks count their examples from 0, each for itself."""

Rows = NDArray[np.int64]


class Inputs:
    """One batch of samples, its columns made ready on first use.

    Parameters
    ----------
    samples : DataFrame, RecordBatch or Table
        In the columns of `SAMPLES`.
    first_row : int
        Number of the first row, for messages.
    """

    def __init__(self, samples: Samples, first_row: int = 0) -> None:
        self.samples = samples
        self.n_rows = len(samples)
        self.first_row = first_row
        self._names = frozenset(column_names(samples))
        self._ready: dict[Any, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, made once for this batch."""
        if key not in self._ready:
            self._ready[key] = make()
        return self._ready[key]

    def column(self, name: str) -> pa.Array:
        """Return a column as an Arrow array; where rows mix a value and lists, all are lists."""
        return self.once(("column", name), lambda: arrow_column(self.samples, name))

    def examples(self) -> pd.Series[Any]:
        """Return the name of each row's example, those of different tasks apart."""
        parts = [self.column(name).to_pylist() for name in EXAMPLE if name in self]
        return pd.Series(
            ["\x1f".join(map(str, row)) for row in zip(*parts, strict=True)], dtype=object
        )

    def numbers(self, name: str) -> Array:
        """Return a column of numbers, floats with NaN where some are missing."""
        numbers: Array = as_numbers(self.column(name), f"'{name}' must hold numbers")
        return numbers

    @cached_property
    def pairs(self) -> Pairs:
        """Predictions against all of their targets."""
        predictions, targets = self.column("prediction"), self.column("target")
        require_text(predictions, "prediction")
        if not is_list(targets.type):
            require_text(targets, "target")
            return _paired(predictions, targets)
        rows, left, right = list[int](), list[str](), list[str]()
        both = zip(predictions.to_pylist(), targets.to_pylist(), strict=True)
        for row, (prediction, options) in enumerate(both):
            known = [str(option) for option in options or () if option is not None]
            if prediction is not None and known:
                rows += [row] * len(known)
                left += [prediction] * len(known)
                right += known
        return Pairs(np.array(rows, dtype=np.int64), left, right, self.n_rows)

    def equal_columns(self, one: str, other: str) -> Array | None:
        """Return whether two columns of text agree, NaN where one is missing; None for lists."""
        left, right = self.column(one), self.column(other)
        if is_list(left.type) or is_list(right.type):
            return None
        require_text(left, one)
        require_text(right, other)
        if pa.types.is_null(left.type) or pa.types.is_null(right.type):
            return np.full(self.n_rows, np.nan)
        equal = pc.equal(left, right.cast(left.type) if right.type != left.type else right)
        return np.asarray(equal.cast(pa.float64()).to_numpy(zero_copy_only=False))

    def split(self, texts: Sequence[str], split: Callable[[str], list[Any]]) -> list[list[Any]]:
        """Return the tokens of `texts`, a field of `pairs`, made once for each way to split."""
        tokens: list[list[Any]] = self.once(
            (split, id(texts)), lambda: [split(text) for text in texts]
        )
        return tokens

    def lists(self, name: str) -> tuple[Rows, Array]:
        """Return a column of lists of numbers as their lengths and their values end to end.

        A missing row has length -1.
        """
        lists: tuple[Rows, Array] = self.once(
            ("lists", name), lambda: number_lists(self.column(name), name)
        )
        return lists

    def one_size(self, name: str) -> int:
        """Return the length of the lists of a column if all have one, else 0."""

        def find() -> int:
            sizes, _ = self.lists(name)
            return int(sizes[0]) if len(sizes) and sizes.min() == sizes.max() > 0 else 0

        size: int = self.once(("one size", name), find)
        return size

    def valid(self, name: str) -> NDArray[np.bool_]:
        """Return which rows have a value in a column; none where it is absent."""
        if name not in self:
            return np.zeros(self.n_rows, dtype=bool)
        return valid_rows(self.column(name))

    @cached_property
    def blocks(self) -> list[Block]:
        """Multiple-choice samples by number of choices; rows that lack an input are left out.

        Rows with `choice_scores` are read by them, the others by `gold`.
        """
        size = self.one_size("choice_logprobs")
        alone = "choice_scores" not in self and self._has_gold().all()
        if size and alone:  # as most files are
            blocks = [self._block(np.arange(self.n_rows), size, "gold")]
        else:
            sizes, _ = self.lists("choice_logprobs")
            scored = self.valid("choice_scores") & (sizes > 0)
            gold = self._has_gold() & ~scored & (sizes > 0)
            blocks = [
                self._block(np.flatnonzero(known & (sizes == size)), int(size), key)
                for key, known in (("choice_scores", scored), ("gold", gold))
                for size in np.unique(sizes[known])
            ]
        return [block for block in blocks if len(block.rows)]

    def lengths(self, unit: Literal["chars", "bytes"]) -> Inputs:
        """Return samples that have the lengths of the choices, ``choice_chars`` or its like."""
        if f"choice_{unit}" in self:
            return self
        counted: Inputs = self.once(("lengths", unit), lambda: self._counted(unit))
        return counted

    def stacked(self, name: str, rows: Rows, size: int) -> Array:
        """Return the lists of these rows, all of length K = `size`, as an array of shape (n, K).

        Rows whose list is missing are NaN.
        """
        sizes, values = self.lists(name)
        if len(rows) == len(sizes) and self.one_size(name) == size:
            return values.reshape(-1, size)
        found = sizes[rows]
        if ((found != size) & (found >= 0)).any():
            place = int(np.argmax((found != size) & (found >= 0)))
            raise TableError(
                f"samples: '{name}' of row {rows[place] + self.first_row} has {found[place]} "
                f"entries, but there are {size} choices: it must have one for each."
            )
        stacked = np.full((len(rows), size), np.nan)
        known = found >= 0
        starts = np.r_[0, np.cumsum(np.maximum(sizes, 0))][rows[known]]
        stacked[known] = values[starts[:, None] + np.arange(size)]
        return stacked

    def _has_gold(self) -> NDArray[np.bool_]:
        """Return which rows name a right choice; an empty list names none."""
        valid = self.valid("gold")
        if "gold" in self and is_list(self.column("gold").type):
            valid = valid & (self.lists("gold")[0] > 0)
        return valid

    def _block(self, rows: Rows, size: int, key: str) -> Block:
        """Return the block of these rows, less those with an entry that is no probability.

        A log-probability may be -inf, but not of every choice.
        """
        matrix = np.asarray(self.stacked("choice_logprobs", rows, size), dtype=float)
        with np.errstate(invalid="ignore"):
            clean = np.isfinite(matrix.sum())  # one pass says that most files are
        if not clean:
            good = np.isfinite(matrix).any(axis=1) & (matrix < np.inf).all(axis=1)
            rows, matrix = rows[good], matrix[good]
        if key == "gold":
            gold, scores = self._gold(rows, size) if len(rows) else (None, None)
            return Block(rows, matrix, gold, scores)
        given = np.asarray(self.stacked("choice_scores", rows, size), dtype=float)
        good = np.isfinite(given).all(axis=1)
        return Block(rows[good], matrix[good], None, np.ascontiguousarray(given[good].T))

    def _gold(self, rows: Rows, size: int) -> tuple[Rows | None, Array | None]:
        """Return the index of the right choice, or the score of every choice if there are more."""
        if not is_list(self.column("gold").type):
            named = self.numbers("gold")
            named = named if len(rows) == len(named) else named[rows]
            self._require_index(named, rows, size)
            return named.astype(np.int64, copy=False), None
        counts, indices = self.lists("gold")
        starts, lengths = np.r_[0, np.cumsum(np.maximum(counts, 0))][rows], counts[rows]
        place = np.repeat(np.arange(len(rows)), lengths)
        offset = np.arange(len(place)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        named = indices[np.repeat(starts, lengths) + offset]
        self._require_index(named, rows[place], size)
        if (lengths == 1).all():
            return named.astype(np.int64), None
        scores = np.zeros((size, len(rows)))
        scores[named.astype(np.int64), place] = 1.0
        return None, scores

    def _require_index(self, named: Array, rows: Rows, size: int) -> None:
        whole = np.issubdtype(named.dtype, np.integer)
        if len(named) == 0 or (whole and named.min() >= 0 and named.max() < size):
            return
        bad = ~((named >= 0) & (named < size) & (named == np.floor(named)))
        if bad.any():
            first = int(np.argmax(bad))
            raise TableError(
                f"samples: 'gold' of row {rows[first] + self.first_row} is {named[first]:g}, but "
                f"there are {size} choices, counted from 0."
            )

    def _counted(self, unit: Literal["chars", "bytes"]) -> Inputs:
        """Return the lengths of the choices' texts, as samples of their own."""
        choices = self.column("choices")
        name = f"choice_{unit}"
        if pa.types.is_null(choices.type):
            return Inputs(pa.RecordBatch.from_arrays([choices], [name]), self.first_row)
        if not is_list(choices.type):
            raise TableError(f"samples: 'choices' must hold lists of text, not {choices.type}.")
        require_text(choices.flatten(), "choices")
        count = pc.utf8_length if unit == "chars" else pc.binary_length
        sizes = choices.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        offsets = pa.array(np.r_[0, np.cumsum(sizes)], pa.int32(), mask=None)
        mask = None if not choices.null_count else choices.is_null()
        lengths = pa.ListArray.from_arrays(offsets, count(choices.flatten()), mask=mask)
        return Inputs(pa.RecordBatch.from_arrays([lengths], [name]), self.first_row)


def _paired(predictions: pa.Array, targets: pa.Array) -> Pairs:
    valid = valid_rows(predictions) & valid_rows(targets)
    rows = np.flatnonzero(valid)
    if len(rows) < len(valid):
        mask = pa.array(valid)
        predictions, targets = predictions.filter(mask), targets.filter(mask)
    return Pairs(rows, predictions.to_pylist(), targets.to_pylist(), len(valid))
