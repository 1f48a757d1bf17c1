"""DCLM: evaluations ``exp_data/evals/*.json``, models ``exp_data/models/*.json``, and their table.

An evaluation states accuracies without examples or errors; sizes and tokens stand in the model's
own file, which has the same name for it, or in ``DCLM_model_database.csv``. The files of models are
not verified against a real file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.loaders.assembling import Gathered, tables_of
from emergekit.loaders.documents import (
    Place,
    as_mapping,
    as_number,
    field,
    given,
    outline,
    read_json,
)
from emergekit.loaders.tabular.exports import named_once, numbers_in
from emergekit.loaders.tabular.files import read_rows
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "gather", "read"]

NAME = "dclm"
ABOUT = "evaluations and models of DCLM, by eval_metrics and model_uuid, or its table's header"

_HEADER = re.compile(r'^"?Model JSON"?,.*\bparams\b.*\bmodel_uuid\b')
# Averages over tasks; those with chance taken off are "centered".
_AVERAGES = ("Core", "Extended", "Core_v1", "Extended_v1", "Core_v2", "Extended_v2",
             "low_variance_datasets", "low_variance_datasets_centered", "aggregated_results",
             "aggregated_centered_results", "rw_small", "rw_small_centered")  # fmt: skip
_CATEGORIES = "aggregated_task_categories_centered"
_NOT_TASKS = frozenset({"Model JSON", "Dataset", "model", "params", "tokens", "name",
    "creation_date", "model_uuid", "_filename", "missing tasks", "dataset_uuid", "tokenizer",
    "eval_metrics.perplexity", "eval_version"})  # fmt: skip


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape == "object":
        is_model = seen.has("uuid", "name", "hyperparameters", "dataset_uuid")
        return 0.9 if seen.has("eval_metrics", "model_uuid") or is_model else 0.0
    return 0.9 if seen.shape == "text" and _HEADER.match(seen.first_line) else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    return tables_of([gather(path)])


def gather(path: Path) -> Gathered:
    """Return the rows of an evaluation, of a model, or of the table of both.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    if outline(path).shape == "text":
        return _gather_table(path)
    place = Place(path)
    content = as_mapping(read_json(path), place)
    if "eval_metrics" not in content:
        return Gathered(path, models=[_model(content, place)])
    name = given(content, "model_name", str, place) or field(content, "model_uuid", str, place)
    model = {
        "model": name,
        "model_uuid": given(content, "model_uuid", str, place),
        "architecture": given(content, "model", str, place),
    }
    results = [{"model": name} | row for row in _scores(content, place)]
    return Gathered(path, models=[model], results=results)


def _scores(content: Mapping[str, Any], place: Place) -> Iterator[dict[str, Any]]:
    shared = {
        "harness": "DCLM",
        "evaluation_kind": given(content, "name", str, place),
        "evaluation": given(content, "creation_date", str, place),
    }
    inside = place.at("eval_metrics")
    tasks = field(field(content, "eval_metrics", dict, place), "icl", dict, inside)
    for task, value in tasks.items():
        score = as_number(value, inside.at("icl").at(task))
        yield shared | _row(task, score)
    categories = given(content, _CATEGORIES, dict, place) or {}
    for name, value in categories.items():
        score = as_number(value, place.at(_CATEGORIES).at(name))
        yield shared | _row(f"{_CATEGORIES}.{name}", score)
    for name in _AVERAGES:
        if content.get(name) is not None:
            yield shared | _row(name, as_number(content[name], place.at(name)))


def _row(name: str, score: float) -> dict[str, Any]:
    """Return a row of results: an accuracy, or an average of several, with chance off or on."""
    is_group = name in _AVERAGES or name.startswith(_CATEGORIES)
    centered = "centered" in name or name.startswith(("Core", "Extended"))
    is_perplexity = name.startswith("perplexity.")
    metric = "centered_accuracy" if centered else "accuracy"
    return {
        "task": name.removeprefix("perplexity."),
        "metric": "perplexity" if is_perplexity else metric,
        "score": score,
        "low": 1.0 if is_perplexity else (None if centered else 0.0),
        "high": None if is_perplexity else 1.0,
        "higher_is_better": not is_perplexity,
        "is_group": is_group,
    }


def _model(content: Mapping[str, Any], place: Place) -> dict[str, Any]:
    told, inside = given(content, "hyperparameters", dict, place) or {}, place.at("hyperparameters")
    n_params = given(told, "params", float, inside)
    return {
        "model": field(content, "name", str, place),
        "n_params": n_params,
        "n_params_source": "reported" if n_params else None,
        "n_tokens": given(told, "tokens", float, inside),
        "seed": given(told, "seed", int, inside),
        "model_uuid": given(content, "uuid", str, place),
        "architecture": given(told, "model", str, inside),
        "dataset": given(content, "dataset_name", str, place),
    }


def _gather_table(path: Path) -> Gathered:
    """Return the rows of DCLM_model_database.csv: a row a model, a column a task."""
    rows = named_once(read_rows(path, ","), path)
    models, results = list[dict[str, Any]](), list[dict[str, Any]]()
    names = [str(name) for name in rows if name not in _NOT_TASKS]
    scores = {
        name: numbers_in(rows, name, path) for name in names if not name.startswith(("95%", "99%"))
    }
    params, tokens = numbers_in(rows, "params", path), numbers_in(rows, "tokens", path)
    for place, row in enumerate(rows.to_dict("records")):
        name = re.sub(r"^evaluation_|(_heavy)?\.json$", "", str(row["Model JSON"]))
        models.append(
            {
                "model": name,
                "n_params": params[place],
                "n_params_source": "reported",
                "n_tokens": tokens[place],
                "architecture": row.get("model"),
                "dataset": row.get("Dataset"),
                "model_uuid": row.get("model_uuid"),
            }
        )
        results += [
            {"model": name, "harness": "DCLM"} | _row(task, values[place])
            for task, values in scores.items()
            if values[place] == values[place]  # a gap is a task that was not run
        ]
    return Gathered(path, models=models, results=results)
