"""Mergeable sums: what is left of a batch of samples once its metrics are computed.

A table with one row for each group, metric and label: how many values there were (n), how many were
missing, their sum, and their summed squares about the mean (m2). Two such tables merge into one,
in any order, so batches, processes and machines all reduce alike (Chan, Golub & LeVeque 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from emergekit.errors import TableError
from emergekit.metrics.batches import Array
from emergekit.metrics.columns import is_list
from emergekit.metrics.inputs import Inputs, Samples
from emergekit.metrics.metric import CLUSTER, Metric, require_inputs

__all__ = ["CHANCE", "INNER", "VALUES", "batch_sums", "merge_sums", "sample_scores"]

CHANCE = "\x00chance"  # label of the scores of a guess, beside those of the model
_PIECE_OF_TEXT = 1 << 9
_PIECE_OF_NUMBERS = 1 << 14
VALUES = ("\x00n", "\x00missing", "\x00sum", "\x00m2")
INNER = ("\x00metric", "\x00quantity", "\x00label")  # names that no column of samples has


def sample_scores(samples: Samples, metrics: Sequence[Metric]) -> Array:
    """Return the score of each sample under each metric, shape (n metrics, n samples).

    Samples are taken in pieces that stay near the processor: a few for text, whose tokens are
    Python objects, more for numbers. All metrics of a piece share what was made ready of it.
    """
    scorers = [_scorer(metric, samples) for metric in metrics]
    scores = np.empty((len(metrics), len(samples)))
    text = [place for place, metric in enumerate(metrics) if metric.tokenises]
    rest = [place for place in range(len(metrics)) if place not in text]
    for places, piece in ((text, _PIECE_OF_TEXT), (rest, _PIECE_OF_NUMBERS)):
        for start in range(0, len(samples) if places else 0, piece):
            inputs = Inputs(_slice(samples, start, piece), start)
            for place in places:
                scores[place, start : start + inputs.n_rows] = scorers[place](inputs)
    return scores


def _scorer(metric: Metric, samples: Samples) -> Callable[[Inputs], Array]:
    """Return the scorer of a metric, once what it reads is known to be there."""
    require_inputs(metric, Inputs(samples))
    if metric.scorer is None:
        raise TableError(f"{metric.name}: scores whole sets of samples only; use rescore.")
    return metric.scorer


def _slice(samples: Samples, start: int, length: int) -> Samples:
    if isinstance(samples, pd.DataFrame):
        return samples.iloc[start : start + length]
    return samples.slice(start, length)


def batch_sums(
    samples: Samples, metrics: Sequence[Metric], by: Sequence[str], cluster: str | None
) -> pd.DataFrame:
    """Return the sums of one batch.

    Returns
    -------
    DataFrame
        The columns of `by`; metric and quantity, places in `metrics` and among what the metric
        sums; label; n, missing, sum, m2.
    """
    inputs = Inputs(samples)
    codes, groups = _groups(inputs, by)
    clusters = None if cluster is None else _clusters(inputs, cluster)
    single = [place for place, metric in enumerate(metrics) if metric.quantities is None]
    scores = dict(zip(single, sample_scores(samples, [metrics[p] for p in single]), strict=True))
    parts = []
    for place, metric in enumerate(metrics):
        require_inputs(metric, inputs)
        found = _quantities(metric, inputs, scores.get(place), clusters)
        for quantity, (label, values) in enumerate(found):
            part = _summed(codes, len(groups), label, values)
            parts.append(part.assign(**{INNER[0]: place, INNER[1]: quantity}))
    sums = pd.concat(parts, ignore_index=True)
    keys = groups.iloc[sums.pop("group").to_numpy()].reset_index(drop=True)
    return pd.concat([keys, sums], axis=1)


def merge_sums(tables: Sequence[pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    """Return the sums of all batches together, in the same columns."""
    n, missing, total, m2 = VALUES
    stacked = pd.concat(tables, ignore_index=True)
    keys = [*by, *INNER]
    groups = stacked.groupby(keys, dropna=False, sort=False)
    totals = groups[[n, total]].transform("sum")
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = stacked[total] / stacked[n] - totals[total] / totals[n]
    between = (stacked[n] * shift**2).where(stacked[n] > 0, 0.0)
    # Infinite scores spread without bound; a sum would pass over NaN and leave no spread at all.
    stacked[m2] = (stacked[m2] + between).fillna(np.inf)
    return (
        stacked.groupby(keys, dropna=False, sort=False)[[n, missing, total, m2]].sum().reset_index()
    )


def _groups(inputs: Inputs, by: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the group of each row, and the keys of each group."""
    codes = np.zeros(inputs.n_rows, dtype=np.int64)
    encoded = {name: _encoded(inputs, name) for name in by}
    for column in encoded.values():
        places = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        # Numbered anew each time: products of many cardinalities would overflow.
        codes, _ = pd.factorize(codes * (len(column.dictionary) + 1) + places + 1)
    group, cells = pd.factorize(codes)
    first = np.zeros(len(cells), dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    keys = {name: column.take(pa.array(first)).to_pandas() for name, column in encoded.items()}
    table = pd.DataFrame(
        {
            name: pd.Series(np.asarray(values, dtype=object)).infer_objects()
            for name, values in keys.items()
        }
    )
    return group, table if len(by) else pd.DataFrame(index=range(1))


def _encoded(inputs: Inputs, name: str) -> pa.DictionaryArray:
    column = inputs.column(name)
    if is_list(column.type) or pa.types.is_struct(column.type):
        raise TableError(f"samples: '{name}' parts the samples, so it must hold plain values.")
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    return column.dictionary_encode()


def _clusters(inputs: Inputs, cluster: str) -> pd.Series[Any]:
    """Return the cluster of each row as the tail of a label."""
    known = inputs.valid(cluster)
    if not known.all():
        raise TableError(
            f"samples: '{cluster}' must say for each row which cluster it is in, but "
            f"{int((~known).sum())} of {len(known)} rows have none."
        )
    if cluster == "example_id":
        return CLUSTER + inputs.examples()
    names = pd.Series(inputs.column(cluster).to_pylist(), dtype=object)
    return CLUSTER + names.astype(str)


def _quantities(
    metric: Metric, inputs: Inputs, scores: Array | None, clusters: pd.Series[Any] | None
) -> list[tuple[Any, Array]]:
    """Return what a metric sums, and what a guess would score beside it."""
    if scores is None:
        found = list(metric.quantities(inputs)) if metric.quantities else []
        if clusters is None or not metric.clusters:
            return found
        return [(label + clusters, values) for label, values in found]
    summed: list[tuple[Any, Array]] = [("" if clusters is None else clusters, scores)]
    if metric.chance is not None:
        summed.append((CHANCE, np.where(np.isnan(scores), np.nan, metric.chance(inputs))))
    return summed


def _summed(
    codes: NDArray[np.int64], n_groups: int, label: str | pd.Series[Any], values: Array
) -> pd.DataFrame:
    """Return the sums of one quantity by group, or by group and label."""
    if isinstance(label, str):
        sums = _binned(codes, n_groups, values)
        sums["group"], sums[INNER[2]] = np.arange(n_groups), label
        return sums
    label_codes, labels = pd.factorize(label)
    cells, cell = np.unique(codes * len(labels) + label_codes, return_inverse=True)
    sums = _binned(cell, len(cells), values)
    sums["group"], sums[INNER[2]] = cells // len(labels), labels[cells % len(labels)]
    return sums


def _binned(cells: NDArray[np.int64], n_cells: int, values: Array) -> pd.DataFrame:
    good = ~np.isnan(values)
    if not good.all():
        rows = np.bincount(cells, minlength=n_cells)
        cells, values = cells[good], values[good]
    n = np.bincount(cells, minlength=n_cells)
    total = np.bincount(cells, values, minlength=n_cells)
    mean = total / np.maximum(n, 1)
    with np.errstate(invalid="ignore"):  # an infinite score has an infinite mean, and no spread
        m2 = np.bincount(cells, (values - mean[cells]) ** 2, minlength=n_cells)
    missing = np.zeros_like(n) if good.all() else rows - n
    return pd.DataFrame(dict(zip(VALUES, (n, missing, total, m2), strict=True)))
