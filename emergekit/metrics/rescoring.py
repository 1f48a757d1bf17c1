"""Score saved outputs again, under any metric, from memory or from disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from emergekit.compute import Engine, run
from emergekit.errors import LoadError, TableError, unknown
from emergekit.metrics import registry
from emergekit.metrics.inputs import Inputs, Samples
from emergekit.metrics.metric import Metric, mean_of, require_inputs
from emergekit.metrics.sums import CHANCE, batch_sums, merge_sums, sample_scores
from emergekit.tables import RESULTS, SAMPLES

__all__ = ["rescore", "score_samples"]

Metrics: TypeAlias = "str | Metric | Sequence[str | Metric]"

_KEYS = tuple(name for name in RESULTS.keys if name in SAMPLES.keys)
_NEVER_MIXED = ("n_shots", "filter")
_BATCH = 1 << 16  # rows that are reduced to sums together


def rescore(
    samples: Samples | str | Path | Iterable[pa.RecordBatch],
    metrics: Metrics,
    by: Sequence[str] | None = None,
    compat: str | None = None,
    *,
    cluster: str | None = None,
    engine: Engine = "serial",
    n_workers: int | None = None,
) -> pd.DataFrame:
    """Return the scores of saved outputs under each metric.

    Parameters
    ----------
    samples : DataFrame, Table, path, or iterable of RecordBatch
        In the columns of `SAMPLES`. A path names a parquet file or a folder of them. Paths and
        iterables are read batch by batch and reduced to sums, so memory stays flat.
    metrics : str, Metric, or sequence of them
        Registry names, or metrics with options from ``metrics.get``.
    by : sequence of str, optional
        Columns that part the samples; all keys that the samples have if None. Shots and filters are
        never mixed: they are added if the samples have them.
    compat : {"bigbench", "lm-eval"}, optional
        Reproduce that harness, defects included, for metrics given by name.
    cluster : str, optional
        Column of examples that belong together; standard errors then are clustered. Sums are kept
        for each cluster, so memory grows with their number.
    engine : {"serial", "processes", "dask"}
        Where batches of a path or a table are reduced.
    n_workers : int, optional
        Number of processes.

    Returns
    -------
    DataFrame
        `RESULTS`: keys, metric, score, stderr, n_examples, n_missing, chance, resolution (1/n),
        low, high, higher_is_better. Samples whose prediction or input is missing are counted in
        n_missing, never as wrong, and told in ``attrs["notes"]``.

    Raises
    ------
    TableError
        If a metric reads a column that the samples lack, or a column is not of its kind.

    References
    ----------
    Standard errors: Miller 2024, "Adding error bars to evals".

    Examples
    --------
    >>> samples = pd.DataFrame({"model": "m", "task": "t", "example_id": [1, 2],
    ...     "prediction": ["1 2", "3"], "target": ["1 2", "4"]})
    >>> results = rescore(samples, ["exact_match", "token_edit_distance"])
    >>> results[["metric", "score", "n_examples"]].to_dict("split")["data"]
    [['exact_match', 0.5, 2], ['token_edit_distance', 0.5, 2]]
    """
    chosen = _chosen(metrics, compat)
    batches, names = _batches(samples)
    keys = _keys(names, by)
    columns = _needed(chosen, names, keys, cluster)
    reduce = partial(_reduced, metrics=chosen, by=keys, columns=columns, cluster=cluster)
    if engine == "serial":
        sums = _streamed(batches, reduce, keys)
    else:
        sums = merge_sums(run(reduce, batches, engine=engine, n_workers=n_workers), keys)
    return _results(sums, chosen, keys)


def score_samples(samples: Samples, metrics: Metrics, compat: str | None = None) -> pd.DataFrame:
    """Return the score of each sample under each metric.

    Parameters
    ----------
    samples : DataFrame, Table or RecordBatch
        In the columns of `SAMPLES`.
    metrics : str, Metric, or sequence of them
        Metrics that score single samples.
    compat : {"bigbench", "lm-eval"}, optional
        Reproduce that harness, for metrics given by name.

    Returns
    -------
    DataFrame
        One column a metric, on the index of the samples; NaN where an input is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"choice_logprobs": [[-1.0, -2.0]], "gold": [0]})
    >>> score_samples(table, ["acc", "p_correct"]).round(4).to_dict("records")
    [{'acc': 1.0, 'p_correct_choices': 0.7311}]
    """
    chosen = _chosen(metrics, compat)
    scores = sample_scores(samples, chosen)
    index = samples.index if isinstance(samples, pd.DataFrame) else None
    columns = [metric.name for metric in chosen]
    return pd.DataFrame(scores.T, index=index, columns=columns, copy=False)


def _chosen(metrics: Metrics, compat: str | None) -> list[Metric]:
    listed = [metrics] if isinstance(metrics, str | Metric) else list(metrics)
    if not listed:
        raise ValueError("metrics is empty; name at least one, such as 'exact_match'.")
    chosen = [registry.get(m, compat=compat) if isinstance(m, str) else m for m in listed]
    names = [metric.name for metric in chosen]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"metric '{sorted(twice)[0]}' is there twice; name it once.")
    return chosen


def _keys(names: Sequence[str], by: Sequence[str] | None) -> list[str]:
    if by is None:
        return [name for name in _KEYS if name in names]
    for name in by:
        if name not in names:
            raise TableError(f"samples: {unknown('column of by=', name, names)}")
    return [*by, *(name for name in _NEVER_MIXED if name in names and name not in by)]


def _needed(
    metrics: Sequence[Metric], names: Sequence[str], keys: Sequence[str], cluster: str | None
) -> list[str]:
    """Return the columns to read: fewer columns, less memory."""
    if cluster is not None and cluster not in names:
        raise TableError(f"samples: {unknown('column of cluster=', cluster, names)}")
    used = {*keys, *([cluster] if cluster else [])}
    for metric in metrics:
        _require_names(metric, names)
        used.update(option for need in metric.requires for option in need.split("|"))
    if any("choice_logprobs" in metric.requires for metric in metrics):
        used.add("choices")
    return [name for name in names if name in used]


def _require_names(metric: Metric, names: Sequence[str]) -> None:
    require_inputs(metric, Inputs(pd.DataFrame(columns=list(names))))


Batch: TypeAlias = "Samples | tuple[str, int]"


def _batches(samples: Any) -> tuple[Iterable[Batch], list[str]]:
    """Return what to reduce, one batch after another, and the names of its columns."""
    if isinstance(samples, pd.DataFrame | pa.Table | pa.RecordBatch):
        if not len(samples):
            raise TableError("samples: the table has no rows.")
        names = list(samples.columns) if isinstance(samples, pd.DataFrame) else samples.schema.names
        return _slices(samples), names
    if isinstance(samples, str | Path):
        return _row_groups(Path(samples))
    batches = iter(samples)
    first = next(batches, None)
    if first is None:
        raise TableError("samples: the iterable has no batches.")
    return _chained(first, batches), first.schema.names


def _slices(samples: Samples) -> Iterator[Samples]:
    for start in range(0, len(samples), _BATCH):
        if isinstance(samples, pd.DataFrame):
            yield samples.iloc[start : start + _BATCH]
        else:
            yield samples.slice(start, _BATCH)


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _row_groups(path: Path) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the row groups of a parquet file or of a folder of them."""
    if not path.exists():
        raise LoadError(f"{path}: there is no such file or folder.")
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    if not files:
        raise LoadError(f"{path}: the folder holds no parquet file.")
    groups, names = list[tuple[str, int]](), list[str]()
    for file in files:
        try:
            content = pa.parquet.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise LoadError(f"{file}: not a readable parquet file ({error!s:.80}).") from None
        names = content.schema_arrow.names
        groups += [(str(file), group) for group in range(content.num_row_groups)]
    return groups, names


def _reduced(
    batch: Batch,
    metrics: Sequence[Metric],
    by: Sequence[str],
    columns: Sequence[str],
    cluster: str | None,
) -> pd.DataFrame:
    if not isinstance(batch, tuple):
        chosen = (
            batch[list(columns)] if isinstance(batch, pd.DataFrame) else batch.select(list(columns))
        )
        return batch_sums(chosen, metrics, by, cluster)
    file, group = batch
    content = pa.parquet.ParquetFile(file)
    pieces = content.iter_batches(batch_size=_BATCH, row_groups=[group], columns=list(columns))
    sums = [batch_sums(piece, metrics, by, cluster) for piece in pieces]
    return merge_sums(sums, by)


def _streamed(batches: Iterable[Batch], reduce: Any, by: Sequence[str]) -> pd.DataFrame:
    """Return the merged sums; merged now and then, so that what is held stays small."""
    held: list[pd.DataFrame] = []
    for batch in batches:
        held.append(reduce(batch))
        if len(held) >= 32:
            held = [merge_sums(held, by)]
    return merge_sums(held, by)


def _results(sums: pd.DataFrame, metrics: Sequence[Metric], by: Sequence[str]) -> pd.DataFrame:
    rows = []
    for key, group in sums.groupby([*by, "metric"], dropna=False, sort=False):
        row = dict(zip([*by, "metric"], key, strict=True))
        rows.append(row | _scored(group.set_index("label"), metrics[int(str(row["metric"]))]))
    table = pd.DataFrame(rows)
    order = [name for name in RESULTS.names if name in table]
    table = table[[*order, *(name for name in table if name not in order)]]
    table.attrs["notes"] = _missing_notes(table)
    return table


def _scored(sums: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    guess = sums[sums.index == CHANCE]
    own = sums[sums.index != CHANCE]
    score, stderr, n = (metric.finish or mean_of)(own)
    return {
        "metric": metric.name,
        "score": score,
        "stderr": stderr,
        "n_examples": n,
        "n_missing": int(own.groupby("quantity")["missing"].sum().max()),
        "chance": float(guess["sum"].iloc[0] / guess["n"].iloc[0]) if len(guess) and n else np.nan,
        "resolution": 1 / n if n else np.nan,
        "low": _bound(metric.bounds[0]),
        "high": _bound(metric.bounds[1]),
        "higher_is_better": metric.higher_is_better,
    }


def _bound(value: float) -> float:
    """Return a bound of the metric, NaN for one that is not there."""
    return value if np.isfinite(value) else np.nan


def _missing_notes(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return the notes on what was not scored; a list, since pandas compares attributes."""
    gaps = table.groupby("metric", sort=False)["n_missing"].sum()
    return [
        {
            "severity": "warning",
            "file": "",
            "field": str(metric),
            "message": f"{count} samples without the inputs of {metric} were not scored",
        }
        for metric, count in gaps[gaps > 0].items()
    ]
