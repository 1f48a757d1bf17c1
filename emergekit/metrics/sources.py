"""Where samples come from: a table in memory, files on disk, or batches one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from emergekit.errors import LoadError, TableError, kind_of, no_frame
from emergekit.files import Note
from emergekit.metrics.columns import Samples, column_names
from emergekit.metrics.locating import parquet_dataset

__all__ = ["Batch", "Piece", "Source", "open_source", "read_batch"]

BATCH = 1 << 16  # rows that are reduced to sums together

Batch: TypeAlias = "Samples | Piece"


@dataclass(frozen=True)
class Piece:
    """One row group of a parquet file, to be read where it is needed.

    Parameters
    ----------
    file : str
        The file.
    row_group : int
        Which of its row groups.
    names : tuple of str
        Its columns.
    keys : dict
        Columns that its folder states, as in ``model=a/``.
    """

    file: str
    row_group: int
    names: tuple[str, ...]
    keys: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Batches of samples, and what is known of them.

    Parameters
    ----------
    batches : iterable of Batch
        The samples.
    names : tuple of str
        All of their columns.
    shareable : bool
        Whether processes can share them out.
    notes : tuple of Note
        Files of a folder that were passed over, and why.
    """

    batches: Iterable[Batch]
    names: tuple[str, ...]
    shareable: bool = True
    notes: tuple[Note, ...] = ()


def open_source(samples: Any, reads: Iterable[str] = ()) -> Source:
    """Return what `rescore` was given as batches.

    Parameters
    ----------
    samples : DataFrame, Table, RecordBatch, path, Dataset, or iterable of batches
        What was given.
    reads : iterable of str
        Columns that the metrics read. Of a folder or a pattern, the parquet files that have one of
        them, or `example_id`, hold samples; a note says which others were passed over.

    Raises
    ------
    LoadError
        If a path is absent, holds no parquet file of samples, or a file cannot be read.
    TableError
        If there are no samples, or they are of a kind that cannot be read.
    """
    if isinstance(samples, pd.DataFrame | pa.Table | pa.RecordBatch):
        if not len(samples):
            raise TableError("samples: the table has no rows.")
        return Source(_slices(samples), tuple(column_names(samples)))
    if isinstance(samples, str | Path):
        dataset, notes = parquet_dataset(samples, reads)
        return replace(_of_fragments(dataset, str(samples)), notes=tuple(notes))
    if isinstance(samples, ds.Dataset):
        return _of_fragments(samples, "the dataset")
    # Iterating over a frame of dask or polars gives names or columns.
    if hasattr(type(samples), "columns") or isinstance(samples, pd.Series):
        raise TableError(f"samples: {no_frame(samples)}")
    if isinstance(samples, Iterable) and not isinstance(samples, dict):
        return _of_batches(iter(samples))
    raise TableError(
        f"samples: expected a table, a path, or batches of Arrow, not {kind_of(samples)}."
    )


def read_batch(batch: Batch, columns: Sequence[str], required: Sequence[str]) -> Iterator[Samples]:
    """Yield the samples of a batch with these columns; those that a file lacks are null.

    Raises
    ------
    LoadError
        If a file lacks a column that is `required`.
    """
    if not isinstance(batch, Piece):
        chosen = list(columns)
        yield batch[chosen] if isinstance(batch, pd.DataFrame) else batch.select(chosen)
        return
    have = {*batch.names, *batch.keys}
    lacking = [name for name in required if name in columns and name not in have]
    if lacking:
        raise LoadError(f"{batch.file}: column {', '.join(map(repr, lacking))} is absent.")
    inside = [name for name in columns if name in batch.names]
    file = pq.ParquetFile(batch.file)
    pieces = file.iter_batches(batch_size=BATCH, row_groups=[batch.row_group], columns=inside)
    for piece in pieces:
        if len(piece):
            yield _completed(piece, columns, batch.keys)


def _completed(piece: pa.RecordBatch, columns: Sequence[str], keys: dict[str, Any]) -> pa.Table:
    """Return a piece with all of the columns: from the file, from its folder, or null."""
    arrays = [
        piece.column(name)
        if name in piece.schema.names
        else pa.repeat(pa.scalar(keys.get(name)), len(piece))
        for name in columns
    ]
    return pa.table(arrays, names=list(columns))


def _slices(samples: Samples) -> Iterator[Samples]:
    for start in range(0, len(samples), BATCH):
        if isinstance(samples, pd.DataFrame):
            yield samples.iloc[start : start + BATCH]
        else:
            yield samples.slice(start, BATCH)


def _of_fragments(dataset: ds.Dataset, where: str) -> Source:
    pieces, names = list[Piece](), dict[str, None]()
    for fragment in dataset.get_fragments():
        keys = ds.get_partition_keys(fragment.partition_expression)
        own = tuple(fragment.physical_schema.names)
        names |= dict.fromkeys((*own, *keys))
        for group in fragment.row_groups:
            if group.num_rows:
                pieces.append(Piece(fragment.path, group.id, own, keys))
    if not pieces:
        raise TableError(f"samples: {where} has no rows.")
    return Source(pieces, tuple(names))


def _of_batches(batches: Iterator[Any]) -> Source:
    first = next(batches, None)
    if first is None:
        raise TableError("samples: the iterable has no batches.")
    if not isinstance(first, pa.RecordBatch | pa.Table | pd.DataFrame):
        raise TableError(f"samples: batches must be of Arrow or pandas, not {kind_of(first)}.")
    names = tuple(column_names(first))
    return Source(_alike(first, batches, names), names, shareable=False)


def _alike(first: Samples, rest: Iterator[Any], names: tuple[str, ...]) -> Iterator[Samples]:
    """Yield batches with rows; their columns must stay the same, or shots would be mixed."""
    if len(first):
        yield first
    for number, batch in enumerate(rest, start=2):
        if set(column_names(batch)) != set(names):
            differ = sorted(set(column_names(batch)) ^ set(names))
            raise TableError(
                f"samples: batch {number} differs from the first in columns {', '.join(differ)}; "
                f"give all batches the same columns."
            )
        if len(batch):
            yield batch
