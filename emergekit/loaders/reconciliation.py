"""Hold samples against the scores that their harness made of them.

Published scores and the answers beside them do not always belong together: a file was cut, another
filter was averaged, a run was repeated. What can be scored again is, and must agree.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emergekit.errors import TableError
from emergekit.loaders.lm_eval.scales import as_ours
from emergekit.metrics import Metric, registry, rescore
from emergekit.tables import RESULTS, SAMPLES, Tables
from emergekit.tables.keys import as_text

__all__ = ["reconcile"]

_KEYS = tuple(name for name in RESULTS.keys if name in SAMPLES.keys)
_HARNESS = "lm-eval"  # the harness whose ties are broken as all but BIG-bench break them
_EXACT = 1e-9
_REPORTED = "reported_"
_ONE_SCORE = ("reported_score", "score")  # of harnesses that give a sample one score, unnamed
_MEANS = frozenset({"accuracy", "acc", "exact_match", "em", "mean", "score"})
_COLUMNS = ("severity", "file", "field", "message", *_KEYS, "metric", "score", "rescored",
            "n_examples", "n_samples", "compared")  # fmt: skip


@dataclass(frozen=True)
class _Again:
    """A score that was made of the samples again.

    Parameters
    ----------
    score : float
        What they give.
    low, high : float
        Lowest and highest score of one sample, infinite where there is none.
    influence : float
        How far one sample moves the score, where it has no bounds.
    how : str
        What was done: "re-scored", or "averaged" from the harness's own scores of each sample.
    is_text : bool
        Whether answers in text were compared, which harnesses do in ways of their own.
    """

    score: float
    low: float
    high: float
    influence: float
    how: str
    is_text: bool = False


def reconcile(tables: Tables, *, allow: bool | Collection[str] = False) -> pd.DataFrame:
    """Return what the samples of each task say of the scores beside them.

    A score agrees if the samples, scored again, give it to within one sample: the range of the
    metric over the number of samples (of a metric without bounds, three typical influences of one
    sample on it). Of samples that are only a part, the rest must be able to make up the difference.
    Where answers in text give another score but the harness's own scores of the samples agree, the
    harness compares them in a way of its own, which is a warning.

    Parameters
    ----------
    tables : Tables
        Results and the samples behind them, as `load` gives them of one folder.
    allow : bool or collection of str
        Whether disagreement is returned and not raised: of all tasks, or of these.

    Returns
    -------
    DataFrame
        One row for each score of a task that has samples: a note (severity "info" where they
        agree, "warning" where that cannot be told, "error" where they do not; file, field,
        message), the keys, `score` as the harness has it, `rescored`, `n_examples` and `n_samples`
        behind them, and `compared`, "re-scored" or "averaged".

    Raises
    ------
    TableError
        If there are no results or no samples, or some disagree that are not allowed to.

    Examples
    --------
    >>> keys = {"model": "m", "task": "t"}
    >>> samples = [{"example_id": n, "prediction": p, "target": "1"} for n, p in enumerate("12")]
    >>> result = {"metric": "exact_match", "score": 0.5, "n_examples": 2}
    >>> tables = Tables(samples=pd.DataFrame([keys | row for row in samples]),
    ...                 results=pd.DataFrame([keys | result]))
    >>> reconcile(tables)["message"].tolist()
    ["'t' exact_match: 2 samples give 0.5, as the file says"]
    """
    for name in ("results", "samples"):
        if not len(getattr(tables, name)):
            raise TableError(
                f"there are no {name} to reconcile; load the folder that holds results and samples."
            )
    samples = _by_key(tables.samples)
    results = list(_results_by_key(tables.results, _shared_keys(tables)))
    means = Counter(key for key, row in results if _is_mean(str(row["metric"])))
    rows = [
        _compared(row, samples[key], is_only_mean=means[key] == 1)
        for key, row in results
        if key in samples
    ]
    if not rows:
        raise TableError(
            "no score has samples: their model, task, shots or filter differ; load both from one "
            "folder."
        )
    table = pd.DataFrame(rows)
    table = table[[name for name in _COLUMNS if name in table]]
    _raise_unless_allowed(table, allow)
    return table


def _shared_keys(tables: Tables) -> list[str]:
    return [n for n in _KEYS if n in tables.samples]


def _by_key(samples: pd.DataFrame) -> dict[tuple[str, ...], pd.DataFrame]:
    """Return the samples of each run, task and filter, without the columns they leave empty."""
    keys = [name for name in _KEYS if name in samples]
    text = samples[keys].apply(as_text).fillna("")
    groups = samples.groupby([text[name] for name in keys], sort=False)
    return {
        tuple(map(str, key if isinstance(key, tuple) else (key,))): rows.dropna(axis=1, how="all")
        for key, rows in groups
    }


def _results_by_key(
    results: pd.DataFrame, keys: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield each score of a task, groups left out, with its keys as text."""
    own = results
    if "is_group" in results:
        own = results[~results["is_group"].fillna(False).astype(bool)]
    text = pd.DataFrame(
        {n: as_text(own[n]).fillna("") if n in own else "" for n in keys}, index=own.index
    )
    for key, row in zip(text.itertuples(index=False), own.to_dict("records"), strict=True):
        yield tuple(key), {str(name): value for name, value in row.items()}


def _compared(row: dict[str, Any], samples: pd.DataFrame, *, is_only_mean: bool) -> dict[str, Any]:
    metric, score = str(row["metric"]), float(row["score"])
    n_samples = samples["example_id"].nunique()
    stated = row.get("n_examples")
    n_examples = n_samples if stated is None or pd.isna(stated) else int(stated)
    again = _rescored(row, samples)
    own = _averaged(metric, samples, is_only_mean)
    severity, said = _judged(score, again or own, n_samples, n_examples)
    if severity == "error" and again is not None and again.is_text and own is not None:
        of_own, _ = _judged(score, own, n_samples, n_examples)
        if of_own == "info":
            severity = "warning"
            said = (
                f"{n_samples} samples give {again.score:.6g} as text, and the file {score:.6g}, "
                f"which is the mean of the harness's own scores of them"
            )
    found = again or own
    return {
        "severity": severity,
        "file": row.get("source"),
        "field": metric,
        "message": f"'{row['task']}' {metric}: {said}",
        **{name: row[name] for name in _KEYS if name in row},
        "metric": metric,
        "score": score,
        "rescored": math.nan if found is None else found.score,
        "n_examples": n_examples,
        "n_samples": n_samples,
        "compared": None if found is None else found.how,
    }


def _judged(score: float, again: _Again | None, n_samples: int, n_examples: int) -> tuple[str, str]:
    """Return how severe the difference is, and what it is in words."""
    if again is None or math.isnan(again.score):
        return "warning", "cannot be made of what the samples hold"
    several = f"{n_samples:,} sample{'s' if n_samples != 1 else ''}"
    gives = f"{several} give{'s' if n_samples == 1 else ''} {again.score:.6g}"
    if n_samples > n_examples:
        return "error", f"{several} stand beside a score of {n_examples:,} examples"
    apart = abs(again.score - score)
    if n_samples < n_examples:
        if not _reachable(score, again, n_samples, n_examples):
            return "error", f"{gives}, and the other {n_examples - n_samples:,} cannot make it " + (
                f"the {score:.6g} of the file"
            )
        return "warning", f"only {n_samples:,} of {n_examples:,} samples are here; they give " + (
            f"{again.score:.6g}, and the file says {score:.6g}"
        )
    if apart <= _EXACT * max(1.0, abs(score)):
        return "info", f"{gives}, as the file says"
    bounded = math.isfinite(again.high - again.low)
    one = (again.high - again.low) / n_samples if bounded else again.influence
    if apart <= one * (1 + _EXACT):
        return "info", f"{gives}, within one sample of the {score:.6g} that the file says"
    return "error", f"{gives}, but the file says {score:.6g}"


def _reachable(score: float, again: _Again, n_samples: int, n_examples: int) -> bool:
    """Return whether samples that are not here could make up the difference."""
    if not math.isfinite(again.high - again.low):
        return True
    here, rest = again.score * n_samples, n_examples - n_samples
    room = again.high - again.low  # one sample
    least, most = here + again.low * rest - room, here + again.high * rest + room
    return least <= score * n_examples <= most


def _rescored(row: Mapping[str, Any], samples: pd.DataFrame) -> _Again | None:
    """Return the score of the samples under our metric of that name, None where there is none."""
    name = str(row["metric"])
    if name in ("perplexity", "ppl") and "logprob" in samples and "choices" not in samples:
        return _perplexity(samples)
    if name == "acc" and "is_greedy" in samples and "choice_logprobs" not in samples:
        greedy = samples["is_greedy"].astype(float)
        return _Again(float(greedy.mean()), 0.0, 1.0, 0.0, "re-scored")
    metric = _metric(as_ours(name), row.get("metric_options"))
    if metric is None or not _has_inputs(metric, samples):
        return None
    try:
        found = rescore(samples, [metric], by=["task"])
    except (TableError, ValueError):
        return None  # a prediction that is no text, or choices of several lengths
    if len(found) != 1 or found["n_missing"].iloc[0]:
        return None
    score, stderr = found["score"].iloc[0], found["stderr"].iloc[0]
    low, high = metric.bounds
    influence = 0.0 if math.isnan(stderr) else 3 * stderr / math.sqrt(len(samples))
    is_text = "prediction" in metric.requires
    return _Again(float(score), low, high, influence, "re-scored", is_text)


def _metric(name: str, options: Any) -> Metric | None:
    """Return our metric of that name with the options that the harness was given, if both exist."""
    if name not in registry.METRICS:
        return None
    told = json.loads(options) if isinstance(options, str) else {}
    if not isinstance(told, dict):
        return None
    if "regexes_to_ignore" in told and not isinstance(told["regexes_to_ignore"], list):
        return None
    try:
        return registry.get(name, compat=_HARNESS, **told)
    except (ValueError, TypeError):
        return None


def _has_inputs(metric: Metric, samples: pd.DataFrame) -> bool:
    return all(any(one in samples for one in need.split("|")) for need in metric.requires)


def _perplexity(samples: pd.DataFrame) -> _Again:
    """Return exp of the mean of -log p over texts, as the harness has it for continuations."""
    logprobs = samples["logprob"].to_numpy(dtype=float)
    score = float(np.exp(-logprobs.mean()))
    influence = 3 * score * float(logprobs.std()) / len(logprobs)
    return _Again(score, 1.0, math.inf, influence, "re-scored")


def _averaged(metric: str, samples: pd.DataFrame, is_only_mean: bool) -> _Again | None:
    """Return the mean of the scores that the harness gave the samples, if it did."""
    name = _score_column(metric, samples, is_only_mean)
    if name is None or metric in ("perplexity", "ppl") or samples[name].isna().any():
        return None
    values = samples[name].astype(float).groupby(samples["example_id"]).mean()
    low, high = (0.0, 1.0) if values.between(0, 1).all() else (-math.inf, math.inf)
    influence = 3 * float(values.std(ddof=0)) / len(values)
    return _Again(float(values.mean()), low, high, influence, "averaged")


def _score_column(metric: str, samples: pd.DataFrame, is_only_mean: bool) -> str | None:
    """Return the column of the harness's own scores of the samples that a metric averages.

    Inspect AI and Every Eval Ever give a sample one score without a name, which is that of the
    metric if it alone is a plain mean; a scorer of Inspect AI with several has ``style/mean``.
    """
    named = [f"{_REPORTED}{metric}"]
    scorer, slash, last = metric.rpartition("/")
    if slash and last in _MEANS:
        named.append(f"{_REPORTED}{scorer}")
    if is_only_mean and _is_mean(metric):
        named += _ONE_SCORE
    return next((name for name in named if name in samples), None)


def _is_mean(metric: str) -> bool:
    return metric in _MEANS


def _raise_unless_allowed(table: pd.DataFrame, allow: bool | Collection[str]) -> None:
    if allow is True:
        return
    tasks = {allow} if isinstance(allow, str) else set(allow or ())
    bad = table[(table["severity"] == "error") & ~table["task"].isin(tasks)]
    if bad.empty:
        return
    first = bad.iloc[0]
    more = f" ({len(bad)} of {len(table)} scores disagree)" if len(bad) > 1 else ""
    raise TableError(
        f"{first['file']}: {first['model']}: {first['message']}{more}. Mend the files, or pass "
        f"allow=True to see every difference, allow=['{first['task']}'] for this task."
    )
