"""Score saved outputs again, under any metric, from memory or from disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from emergekit.compute import Engine, run
from emergekit.errors import TableError, kind_of, no_frame, unknown
from emergekit.files import Note
from emergekit.metrics import registry
from emergekit.metrics.columns import Samples
from emergekit.metrics.inputs import EXAMPLE, Inputs
from emergekit.metrics.metric import Metric, mean_of, require_inputs
from emergekit.metrics.sources import Batch, open_source, read_batch
from emergekit.metrics.sums import CHANCE, INNER, VALUES, batch_sums, merge_sums, sample_scores
from emergekit.tables import RESULTS, SAMPLES

__all__ = ["rescore", "score_samples"]

Metrics: TypeAlias = "str | Metric | Sequence[str | Metric]"

_KEYS = tuple(name for name in RESULTS.keys if name in SAMPLES.keys)
_NEVER_MIXED = ("n_shots", "filter")
_PLAIN = ("quantity", "label", "n", "missing", "sum", "m2")
_OWN_COLUMNS = ("metric", "score", "stderr", "n_examples", "n_missing", "chance", "resolution")


def rescore(
    samples: Samples | str | Path | Iterable[pa.RecordBatch],
    metrics: Metrics,
    by: str | Sequence[str] | None = None,
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
        In the columns of `SAMPLES`. A path names a parquet file, a folder of them, parted by
        ``column=value`` folders or not, or a pattern; an Arrow dataset will do as well. Files and
        iterables are read batch by batch and reduced to sums, so memory stays flat. Of a folder,
        the parquet files with `example_id` or a column that the metrics read are scored; so one
        that ``emergekit load`` wrote can be given as it is.
    metrics : str, Metric, or sequence of them
        Registry names, or metrics with options from ``metrics.get``.
    by : str or sequence of str, optional
        Columns that part the samples; all keys that the samples have if None. Shots and filters are
        never mixed: they are added if the samples have them.
    compat : {"bigbench", "lm-eval"}, optional
        Reproduce that harness, defects included, for metrics given by name.
    cluster : str, optional
        Column of examples that belong together; standard errors then are clustered, where they
        are defined. `example_id` if None and the samples have `repeat`: answers to one example
        belong together. Sums are kept for each cluster, so memory grows with their number.
    engine : {"serial", "processes", "dask"}
        Where batches of a path or a table are reduced.
    n_workers : int, optional
        Number of processes.

    Returns
    -------
    DataFrame
        `RESULTS`: keys, metric, score, stderr, n_examples, n_missing, chance, resolution (1/n),
        low, high, higher_is_better. Samples whose prediction or input is missing are counted in
        n_missing, never as wrong, and told in ``attrs["notes"]``, as are files that were passed
        over.

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
    source = open_source(samples, _read_by(chosen))
    if engine != "serial" and not source.shareable:
        raise ValueError(f"engine='{engine}' cannot share out an iterator; write it as parquet.")
    keys = _keys(source.names, by)
    cluster = _cluster(source.names, cluster)
    columns = _needed(chosen, source.names, keys, cluster)
    reduce = partial(_reduced, metrics=chosen, by=keys, columns=columns, cluster=cluster)
    if engine == "serial":
        parts = _streamed(source.batches, reduce, keys)
    else:
        parts = run(reduce, source.batches, engine=engine, n_workers=n_workers)
    if not parts:
        raise TableError("samples: there are no rows.")
    table = _results(merge_sums(parts, keys), chosen, keys)
    table.attrs["notes"] = [*map(_as_mapping, source.notes), *_missing_notes(table)]
    return table


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
    if not isinstance(samples, pd.DataFrame | pa.Table | pa.RecordBatch):
        if hasattr(type(samples), "columns"):
            raise TableError(f"samples: {no_frame(samples)}")
        raise TableError(f"samples: expected a table, not {kind_of(samples)}; load a file first.")
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


def _keys(names: Sequence[str], by: str | Sequence[str] | None) -> list[str]:
    if by is None:
        return [name for name in _KEYS if name in names]
    asked = list(dict.fromkeys([by] if isinstance(by, str) else by))
    for name in asked:
        if name not in names:
            raise TableError(f"samples: {unknown('column of by=', name, names)}")
        if name in _OWN_COLUMNS:
            raise TableError(
                f"samples: by= cannot part by '{name}', which results hold themselves."
            )
    return [*asked, *(name for name in _NEVER_MIXED if name in names and name not in asked)]


def _cluster(names: Sequence[str], cluster: str | None) -> str | None:
    """Return the column of clusters: answers to one example belong together."""
    if cluster is not None and cluster not in names:
        raise TableError(f"samples: {unknown('column of cluster=', cluster, names)}")
    repeated = "repeat" in names and "example_id" in names
    return "example_id" if cluster is None and repeated else cluster


def _needed(
    metrics: Sequence[Metric], names: Sequence[str], keys: Sequence[str], cluster: str | None
) -> list[str]:
    """Return the columns to read: fewer columns, less memory."""
    used = {*keys, *([cluster] if cluster else []), *_read_by(metrics)}
    inputs = Inputs(pd.DataFrame(columns=list(names)))
    for metric in metrics:
        require_inputs(metric, inputs)
    if any("choice_logprobs" in metric.requires for metric in metrics):
        used.add("choices")
    if "example_id" in used:
        used.update(EXAMPLE)
    return [name for name in names if name in used]


def _read_by(metrics: Sequence[Metric]) -> set[str]:
    """Return the columns that the metrics read, each of those of which one is enough."""
    needs = [need for metric in metrics for need in metric.requires]
    return {option for need in needs for option in need.split("|")}


def _reduced(
    batch: Batch,
    metrics: Sequence[Metric],
    by: Sequence[str],
    columns: Sequence[str],
    cluster: str | None,
) -> pd.DataFrame:
    required = {need for metric in metrics for need in metric.requires if "|" not in need}
    pieces = read_batch(batch, columns, sorted(required))
    return merge_sums([batch_sums(piece, metrics, by, cluster) for piece in pieces], by)


def _streamed(batches: Iterable[Batch], reduce: Any, by: Sequence[str]) -> list[pd.DataFrame]:
    """Return the sums of all batches, merged now and then, so that what is held stays small."""
    held: list[pd.DataFrame] = []
    for batch in batches:
        held.append(reduce(batch))
        if len(held) >= 32:
            held = [merge_sums(held, by)]
    return held


def _results(sums: pd.DataFrame, metrics: Sequence[Metric], by: Sequence[str]) -> pd.DataFrame:
    place, quantity, label = INNER
    rows = []
    for key, group in sums.groupby([*by, place], dropna=False, sort=False):
        row = dict(zip([*by, "metric"], key, strict=True))
        metric = metrics[int(str(row["metric"]))]
        plain = dict(zip([quantity, label, *VALUES], _PLAIN, strict=True))
        sums_of = group[list(plain)].rename(columns=plain).set_index("label")
        rows.append(row | _scored(sums_of, metric))
    table = pd.DataFrame(rows)
    order = [name for name in RESULTS.names if name in table]
    return table[[*order, *(name for name in table if name not in order)]]


def _scored(sums: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    guess = sums[sums.index == CHANCE]
    own = sums[sums.index != CHANCE]
    outcome = (metric.finish or mean_of)(own)
    n = outcome.n_examples
    return {
        "metric": metric.name,
        "score": outcome.score,
        "stderr": outcome.stderr,
        "n_examples": n,
        "n_missing": int(own.groupby("quantity")["missing"].sum().max()) + outcome.n_dropped,
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
    said = "samples without the inputs of {0} were not scored"
    return [
        _as_mapping(("warning", "", str(metric), f"{count} {said.format(metric)}"))
        for metric, count in gaps[gaps > 0].items()
    ]


def _as_mapping(note: Note) -> dict[str, str]:
    return dict(zip(("severity", "file", "field", "message"), note, strict=True))
