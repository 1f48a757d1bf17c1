"""Rows of our tables as the objects of Every Eval Ever 0.3.0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.loaders.documents import Place
from emergekit.loaders.every_eval_ever import results, samples
from emergekit.loaders.every_eval_ever.details import as_details, is_given, left_over
from emergekit.loaders.tabular.shares import is_share
from emergekit.tables.keys import is_nested, plain

__all__ = ["VERSION", "library_record", "model_record", "result_record", "sample_record"]

VERSION = "0.3.0"

_NOWHERE = Place(Path("what is written"))
_UNKNOWN = MappingProxyType({"deployment_type": "unknown", "model_availability": "unknown"})


# What the standard calls harnesses that we name as they name themselves.
_LIBRARIES = MappingProxyType(
    {"lm-evaluation-harness": "lm_eval", "HELM": "helm", "Inspect AI": "inspect_ai"}
)


def library_record(results: pd.DataFrame) -> dict[str, str]:
    """Return `eval_library`: harness and version where all results have the same, else "unknown".

    Examples
    --------
    >>> library_record(pd.DataFrame({"harness": ["HELM"], "harness_version": [None]}))
    {'name': 'helm', 'version': 'unknown'}
    """
    name = _shared(results, "harness")
    version = _shared(results, "harness_version") if name else None
    return {"name": _LIBRARIES.get(name or "", name or "unknown"), "version": version or "unknown"}


def _shared(results: pd.DataFrame, column: str) -> str | None:
    values = list(results[column]) if column in results else []
    texts = {str(value) if is_given(value) else "" for value in values}
    return texts.pop() if len(texts) == 1 else None


def model_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return `model_info`: the name, and all else in its details."""
    name = str(row["model"])
    developer, slash, _ = name.partition("/")
    record: dict[str, Any] = {"name": name, "id": name}
    if slash and developer:
        record["developer"] = developer
    bare = record | {"additional_details": {}}
    back = results.model_of({"model_info": bare}, _NOWHERE)
    details = as_details(left_over(row, back))
    return record | {"additional_details": {**_UNKNOWN, **details}}


def result_record(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an entry of `evaluation_results`.

    Parameters
    ----------
    row : mapping
        A row of results, without what tells models apart.
    name : str
        Its `evaluation_result_id`.
    """
    task, metric = str(row["task"]), str(row["metric"])
    low, high = _end(row.get("low")), _end(row.get("high"))
    scored: dict[str, Any] = {"score": float(row["score"])}
    uncertainty = _uncertainty(row)
    if uncertainty:
        scored["uncertainty"] = uncertainty
    record = {
        "evaluation_result_id": name,
        "evaluation_name": task,
        "source_data": {"dataset_name": task, "source_type": "other"},
        "metric_config": {
            "metric_id": metric,
            "metric_name": metric,
            "metric_unit": "proportion" if is_share(metric) and high in (1.0, None) else "points",
            # The standard has no word for a direction that is not known; the details say so.
            "lower_is_better": row.get("higher_is_better") in (False, 0),
            "score_type": "continuous",
            "min_score": low,
            "max_score": high,
        },
        "score_details": scored,
    }
    back, _ = results.row_of(record, _NOWHERE)
    details = as_details(left_over(row, back))
    if details:
        scored["details"] = details
    return record


def _end(value: object) -> float | None:
    """Return a bound as JSON has it; none that is infinite is given in our tables."""
    return float(str(value)) if is_given(value) and math.isfinite(float(str(value))) else None


def _uncertainty(row: Mapping[str, Any]) -> dict[str, Any]:
    said = dict[str, Any]()
    if is_given(row.get("stderr")):
        said["standard_error"] = {"value": float(row["stderr"])}
    if is_given(row.get("lower")) and is_given(row.get("upper")):
        ends = {name: float(row[name]) for name in ("lower", "upper")}
        said["confidence_interval"] = ends
    if is_given(row.get("n_examples")):
        said["num_samples"] = int(row["n_examples"])
    return said


def sample_record(row: Mapping[str, Any], evaluation: str) -> dict[str, Any]:
    """Return a line of samples.

    Parameters
    ----------
    row : mapping
        A row of samples, without the run, step and seed of its model; `score` and `is_correct` are
        what the standard wants of each answer, and `error` says why there is none.
    evaluation : str
        The `evaluation_id` of the results beside.
    """
    answer = row.get("prediction")
    is_text = isinstance(answer, str)
    score = row.get("score")
    is_scored = is_given(score) and math.isfinite(float(str(score)))
    record: dict[str, Any] = {
        "schema_version": VERSION,
        "evaluation_id": evaluation,
        "model_id": str(row["model"]),
        "evaluation_name": str(row["task"]),
        "sample_id": str(row["example_id"]),
        "interaction_type": "single_turn",
        "input": {
            "raw": row["input"] if isinstance(row.get("input"), str) else "",
            "reference": _texts(row.get("target")),
        },
        "output": {"raw": [answer] if is_text else []},
        "answer_attribution": [],
        "evaluation": {
            "score": float(str(score)) if is_scored else 0.0,
            "is_correct": bool(row.get("is_correct")) if is_given(row.get("is_correct")) else False,
        },
    }
    if not is_scored:
        record["error"] = "not scored"
    choices = _texts(row.get("choices"))
    if choices and is_nested(row.get("choices")):
        record["input"]["choices"] = choices
    details = as_details(left_over(row, samples.row_of(record, _NOWHERE)))
    return record | {"metadata": details} if details else record


def _texts(value: object) -> list[str]:
    """Return text, or a list of texts, as a list; nothing where some of it is none."""
    listed: list[Any] = list(plain(value)) if is_nested(value) else [value]
    return listed if all(isinstance(text, str) for text in listed) else []
