"""Results of LightEval: ``results_<date>.json``.

`model_size` is bytes on disk, no count of parameters. Averages over tasks ("all") are marked
`is_group`. Only an excerpt of a real file was at hand: the sections `versions` and `config_tasks`
are not verified against one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, field, given, outline, read_json
from emergekit.loaders.harnesses.lighteval.names import parted
from emergekit.loaders.lm_eval.results import stamp_of
from emergekit.loaders.lm_eval.rows import scores_of
from emergekit.metrics import registry
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "model_named", "read"]

NAME = "lighteval"
ABOUT = "results of LightEval, by the fields config_general and results"

_PERCENT = ("bleu", "chrf", "chrf++", "ter")  # as sacrebleu writes them
_UNBOUND = ("ppl", "perplexity", "loss", "bits", "nll", "length", "time", "ter")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    return 0.95 if seen.shape == "object" and seen.has("config_general", "results") else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a results file.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place, notes = Place(path), list[Note]()
    content = as_mapping(read_json(path), place)
    config = field(content, "config_general", dict, place)
    model = _model(config, place.at("config_general"))
    results = [{"model": model["model"]} | row for row in _rows(content, config, place)]
    if config.get("max_samples") is not None:
        said = f"a run with max_samples {config['max_samples']}; not the whole of a task"
        notes.append(("warning", str(path), "n_examples", said))
    percent = sorted({row["metric"] for row in results if row["metric"] in _PERCENT})
    if percent:
        said = f"{', '.join(percent)} divided by 100: the harness states them in percent"
        notes.append(("info", str(path), "score", said))
    return assembled(path, models=[model], results=results, notes=notes)


def model_named(config: Mapping[str, Any], place: Place) -> str:
    """Return the model that the general config names, itself or in the config of its model."""
    inner = given(config, "model_config", dict, place) or {}
    inside = place.at("model_config")
    name = given(config, "model_name", str, place) or given(inner, "model_name", str, inside)
    return name or field(config, "model_name", str, place)


def _model(config: Mapping[str, Any], place: Place) -> dict[str, Any]:
    return {
        "model": model_named(config, place),
        "revision": _text(config.get("model_sha")),
        "dtype": _text(config.get("model_dtype")),
        "size_on_disk": _text(config.get("model_size")),
    }


def _text(value: Any) -> str | None:
    return None if value in (None, "") or isinstance(value, dict | list) else str(value)


def _rows(
    content: Mapping[str, Any], config: Mapping[str, Any], place: Place
) -> Iterator[dict[str, Any]]:
    tasks = given(content, "config_tasks", dict, place) or {}
    versions = given(content, "versions", dict, place) or {}
    shared = {
        "harness": "LightEval",
        "harness_version": _text(config.get("lighteval_sha")),
        "evaluation": stamp_of(place.path),
    }
    inside = place.at("results")
    for key in field(content, "results", dict, place):
        name = parted(key)
        rows = scores_of(
            field(content["results"], key, dict, inside),
            name.task,
            inside.at(key),
            n_examples=_examples(tasks.get(key, tasks.get(key.rpartition("|")[0]))),
            is_group=name.is_group,
            scale=_scaled,
        )
        for row in rows:
            yield {
                "task": name.task,
                "n_shots": name.n_shots,
                "suite": name.suite,
                "is_group": name.is_group,
                "task_version": _text(versions.get(key)),
                **shared,
                **row,
            }


def _examples(config: Any) -> int | None:
    count = config.get("effective_num_docs") if isinstance(config, dict) else None
    is_count = isinstance(count, int) and not isinstance(count, bool) and count > 0
    return count if is_count else None


def _scaled(
    metric: str, task: str, score: float, stderr: float | None, is_better: bool | None
) -> dict[str, Any]:
    factor = 0.01 if metric in _PERCENT else 1.0
    is_share = not any(word in metric for word in _UNBOUND) and 0 <= score * factor <= 1
    return {
        "metric": metric,
        "score": score * factor if factor != 1.0 else score,
        "stderr": stderr * factor if stderr is not None and factor != 1.0 else stderr,
        "low": 0.0 if is_share else None,
        "high": 1.0 if is_share else None,
        "higher_is_better": registry.higher_is_better(metric),
    }
