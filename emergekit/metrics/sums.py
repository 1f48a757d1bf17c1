"""Mergeable sums: what is left of a batch of samples once its metrics are computed.

A table with one row for each group, metric and label: how many values there were (n), how many were
missing, their sum, and their summed squares about the mean (m2). Two such tables merge into one,
in any order, so batches, processes and machines all reduce alike (Chan, Golub & LeVeque 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs, Samples
from emergekit.metrics.metric import Metric, require_inputs

__all__ = ["CHANCE", "batch_sums", "merge_sums", "sample_scores"]

CHANCE = "\x00chance"  # label of the scores of a guess, beside those of the model
_PIECE_OF_TEXT = 1 << 9
_PIECE_OF_NUMBERS = 1 << 14
VALUES = ("n", "missing", "sum", "m2")
INNER = ("metric", "quantity", "label")


def sample_scores(samples: Samples, metrics: Sequence[Metric]) -> Array:
    """Return the score of each sample under each metric, shape (n metrics, n samples).

    Samples are taken in pieces that stay near the processor: a few for text, whose tokens are
    Python objects, more for numbers. All metrics of a piece share what was made ready of it.
    """
    scores = np.empty((len(metrics), len(samples)))
    text = [place for place, metric in enumerate(metrics) if metric.tokenises]
    rest = [place for place in range(len(metrics)) if place not in text]
    for places, piece in ((text, _PIECE_OF_TEXT), (rest, _PIECE_OF_NUMBERS)):
        for start in range(0, len(samples) if places else 0, piece):
            inputs = Inputs(_slice(samples, start, piece))
            for place in places:
                scores[place, start : start + inputs.n_rows] = metrics[place].score(inputs)
    return scores


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
    single = [metric for metric in metrics if metric.quantities is None]
    scores = dict(zip([m.name for m in single], sample_scores(samples, single), strict=True))
    parts = []
    for place, metric in enumerate(metrics):
        require_inputs(metric, inputs)
        found = _quantities(metric, inputs, scores.get(metric.name), cluster)
        for quantity, (label, values) in enumerate(found):
            part = _summed(codes, len(groups), label, values)
            parts.append(part.assign(metric=place, quantity=quantity))
    sums = pd.concat(parts, ignore_index=True)
    keys = groups.iloc[sums.pop("group").to_numpy()].reset_index(drop=True)
    return pd.concat([keys, sums], axis=1)


def merge_sums(tables: Sequence[pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    """Return the sums of all batches together, in the same columns."""
    stacked = pd.concat(tables, ignore_index=True)
    keys = [*by, *INNER]
    groups = stacked.groupby(keys, dropna=False, sort=False)
    totals = groups[["n", "missing", "sum"]].transform("sum")
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = stacked["sum"] / stacked["n"] - totals["sum"] / totals["n"]
    between = (stacked["n"] * shift**2).where(stacked["n"] > 0, 0.0)
    stacked["m2"] = stacked["m2"] + between
    return stacked.groupby(keys, dropna=False, sort=False)[list(VALUES)].sum().reset_index()


def _groups(inputs: Inputs, by: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the group of each row, and the keys of each group."""
    codes = np.zeros(inputs.n_rows, dtype=np.int64)
    encoded = {name: inputs.column(name).dictionary_encode() for name in by}
    for column in encoded.values():
        places = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        codes = codes * (len(column.dictionary) + 1) + places + 1
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


def _quantities(
    metric: Metric, inputs: Inputs, scores: Array | None, cluster: str | None
) -> list[tuple[Any, Array]]:
    """Return what a metric sums, and what a guess would score beside it."""
    if scores is None:
        return list(metric.quantities(inputs)) if metric.quantities else []
    label: Any = ""
    if cluster is not None:
        label = pd.Series(inputs.column(cluster).to_pylist(), dtype=object).astype(str)
    summed = [(label, scores)]
    if metric.chance is not None:
        summed.append((CHANCE, np.where(np.isnan(scores), np.nan, metric.chance(inputs))))
    return summed


def _summed(
    codes: NDArray[np.int64], n_groups: int, label: str | pd.Series[Any], values: Array
) -> pd.DataFrame:
    """Return the sums of one quantity by group, or by group and label."""
    if isinstance(label, str):
        return _binned(codes, n_groups, values).assign(group=range(n_groups), label=label)
    label_codes, labels = pd.factorize(label)
    cells, cell = np.unique(codes * len(labels) + label_codes, return_inverse=True)
    sums = _binned(cell, len(cells), values)
    return sums.assign(group=cells // len(labels), label=labels[cells % len(labels)])


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
    return pd.DataFrame({"n": n, "missing": missing, "sum": total, "m2": m2})
