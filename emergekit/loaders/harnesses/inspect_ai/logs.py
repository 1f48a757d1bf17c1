"""Logs of Inspect AI, version 2: ``.json``, or ``.eval``, as results and samples.

A score of a sample may be a letter: C (correct) 1, I (incorrect) 0, P (partial) 0.5, N (no answer)
0. The scorer is the `filter`, as it takes the answer out of the output. A scorer that gives several
scores by name, or a way to reduce epochs other than their mean, is part of the metric:
``style/mean``, ``accuracy/pass_at_5``. Epochs are repeats, counted from 0. An evaluation that was
cancelled may have results that are of use; a note says how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.errors import LoadError
from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, field, given, outline
from emergekit.loaders.harnesses.inspect_ai.documents import document, is_archive
from emergekit.loaders.harnesses.inspect_ai.samples import samples_of
from emergekit.loaders.harnesses.inspect_ai.scales import scale_of
from emergekit.loaders.harnesses.scales import columns_of
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "inspect_ai"
ABOUT = "logs of Inspect AI, .json or .eval, by the fields status, eval and plan"

_OF_MEANS = ("accuracy", "mean")  # what the metric "stderr" beside them belongs to
_SPREADS = frozenset({"stderr", "bootstrap_stderr", "std", "var"})

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape == "object" and seen.has("version", "eval", "status"):
        return 0.95 if seen.fields["eval"] == "object" else 0.0
    return 0.95 if is_archive(path) else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a log.

    Raises
    ------
    LoadError
        Naming file, field and remedy, or how the evaluation ended if it left no scores.
    """
    place, (log, answers) = Place(path), document(path)
    told = field(log, "eval", dict, place)
    inside = place.at("eval")
    arguments = _arguments(told, inside)
    shared: Row = {
        "model": field(told, "model", str, inside),
        "task": field(told, "task", str, inside),
        "subtask": _named(arguments),
        "n_shots": _shots(arguments),
        "harness": "Inspect AI",
        "evaluation": told.get("eval_id") or told.get("run_id") or told.get("created"),
    }
    notes = list(_oddities(log, told, place))
    results = [shared | row for row in _results(log, place)]
    samples = [shared | row for row in samples_of(answers, place, notes)]
    if not results and not samples:
        raise LoadError(f"{path}: holds no scores ({_ending(log)}); run the evaluation again.")
    return assembled(
        path, models=[{"model": shared["model"]}], samples=samples, results=results, notes=notes
    )


def _arguments(told: Mapping[str, Any], place: Place) -> Row:
    """Return the arguments that the task was given; older logs do not tell them from defaults."""
    passed = given(told, "task_args_passed", dict, place)
    return passed if passed is not None else given(told, "task_args", dict, place) or {}


def _named(arguments: Mapping[str, Any]) -> str | None:
    """Return the arguments as the name of a subtask: with others it is another task."""
    kept = {name: value for name, value in arguments.items() if name != "fewshot"}
    texts = [f"{n}={v if isinstance(v, str) else json.dumps(v)}" for n, v in kept.items()]
    return ",".join(texts) or None


def _shots(arguments: Mapping[str, Any]) -> int | None:
    n = arguments.get("fewshot")
    return n if isinstance(n, int) and not isinstance(n, bool) and n >= 0 else None


def _results(log: Mapping[str, Any], place: Place) -> Iterator[Row]:
    results = given(log, "results", dict, place) or {}
    inside = place.at("results").at("scores")
    epochs = _epochs(log)
    n_completed = given(results, "completed_samples", int, place.at("results"))
    for number, entry in enumerate(given(results, "scores", list, place.at("results")) or []):
        here = inside.at(number)
        score = as_mapping(entry, here)
        n_scored = given(score, "scored_samples", int, here)
        if n_scored is None and n_completed is not None:
            n_scored = n_completed // epochs
        metrics = _metrics(field(score, "metrics", dict, here), here.at("metrics"))
        scorer = given(score, "scorer", str, here)
        name = field(score, "name", str, here)
        reducer = given(score, "reducer", str, here)
        for metric, value, stderr in metrics:
            parts = [name] if scorer not in (name, None) else []
            parts += [metric] + ([reducer] if reducer not in ("mean", None) else [])
            yield {
                "metric": "/".join(map(str, parts)),
                "filter": scorer or name,
                "score": value,
                "stderr": stderr,
                "n_examples": n_scored,
                **columns_of(scale_of(metric, scorer or name), value),
            }


def _metrics(metrics: Mapping[str, Any], place: Place) -> Iterator[tuple[str, float, float | None]]:
    """Yield the scores among the metrics, each with its standard error if that is stated."""
    values = {
        name: field(as_mapping(entry, place.at(name)), "value", float, place.at(name))
        for name, entry in metrics.items()
    }
    stderr = values.get("stderr", values.get("bootstrap_stderr"))
    for name, value in values.items():
        if name not in _SPREADS:
            yield name, value, stderr if name in _OF_MEANS else None


def _epochs(log: Mapping[str, Any]) -> int:
    config = log["eval"].get("config")
    n = config.get("epochs") if isinstance(config, dict) else None
    return n if isinstance(n, int) and n > 0 else 1


def _oddities(log: Mapping[str, Any], told: Mapping[str, Any], place: Place) -> Iterator[Note]:
    where = str(place.path)
    if log.get("status") != "success":
        said = f"{_ending(log)}; what it left was read"
        yield ("warning", where, "status", said)
    config = given(told, "config", dict, place.at("eval")) or {}
    limit, dataset = config.get("limit"), given(told, "dataset", dict, place.at("eval")) or {}
    if limit is not None:
        of = f" of {dataset['samples']}" if isinstance(dataset.get("samples"), int) else ""
        asked = (
            f"examples {limit[0]} to {limit[1]}{of}"
            if _is_range(limit)
            else f"{limit}{of} examples"
        )
        yield ("warning", where, "limit", f"only {asked} were asked")
    if log.get("invalidated") is True:
        yield ("warning", where, "invalidated", "the log is marked as not valid")


def _is_range(limit: object) -> bool:
    return isinstance(limit, list) and len(limit) == 2


def _ending(log: Mapping[str, Any]) -> str:
    status = log.get("status") or "started"
    error = log.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    more = f": {message.splitlines()[0][:120]}" if isinstance(message, str) and message else ""
    return f"the status of the evaluation is '{str(status)[:20]}'{more}"
