"""BigScience's variants of early results: one score for each task and prompt.

``bslmeval.json`` has ``results[task+prompt][time]`` and no config, so that its folder or file
names the model. Others have a list of results, each with `task_name` and `prompt_name`. The prompt
is the `subtask`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, field, given, outline, read_json
from emergekit.loaders.lm_eval.identity import keys_of, model_row, shot_conflict
from emergekit.loaders.lm_eval.rows import scores_of
from emergekit.loaders.lm_eval.scales import HARNESS
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "lm_eval_bigscience"
ABOUT = "results of BigScience's lm-evaluation-harness, by results with one prompt each"

_FILE = "bslmeval"


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape != "object" or not seen.has("results", "versions"):
        return 0.0
    if seen.fields["results"] == "list":
        return 0.9 if seen.has("config") else 0.6
    prompts = any("+" in name for name in seen.inner.get("results", ()))
    is_named = _FILE in path.name
    return 0.95 if not seen.has("config") and (is_named or prompts) else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a results file.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place, notes = Place(path), list[Note]()
    content = as_mapping(read_json(path), place)
    config = given(content, "config", dict, place)
    if config is None:
        model: dict[str, Any] = {"model": _named_by_file(path)}
        said = f"'{model['model']}' is named by its file or folder; the file does not say"
        notes.append(("warning", str(path), "model", said))
        n_shots = None
    else:
        model = model_row(config, place.at("config"), notes)
        n_shots = given(config, "num_fewshot", int, place.at("config"))
        conflict = shot_conflict(path, {n_shots} if n_shots is not None else set())
        notes += [conflict] if conflict else []
    rows = _listed if isinstance(content.get("results"), list) else _by_time
    shared = keys_of(model) | {"n_shots": n_shots, "harness": HARNESS}
    versions = given(content, "versions", dict, place) or {}
    results = [shared | row for row in rows(content, versions, place)]
    return assembled(path, models=[model], results=results, notes=notes)


def _named_by_file(path: Path) -> str:
    name = path.name.split(".")[0].replace(_FILE, "").strip("_-. ")
    return name or path.parent.name or path.stem


def _listed(
    content: Mapping[str, Any], versions: Mapping[str, Any], place: Place
) -> Iterator[dict[str, Any]]:
    for number, entry in enumerate(field(content, "results", list, place)):
        inside = place.at("results").at(number)
        said = as_mapping(entry, inside)
        task = field(said, "task_name", str, inside)
        prompt = given(said, "prompt_name", str, inside)
        version = versions.get(f"{task}+{prompt}", versions.get(task))
        more = {"subtask": prompt, "prompt_id": said.get("prompt_id")}
        yield from _rows(said, task, more | _version(version), inside)


def _by_time(
    content: Mapping[str, Any], versions: Mapping[str, Any], place: Place
) -> Iterator[dict[str, Any]]:
    for name in field(content, "results", dict, place):
        inside = place.at("results").at(name)
        evaluations = as_mapping(content["results"][name], inside)
        for time in evaluations:
            said = field(evaluations, time, dict, inside)
            task = given(said, "task_name", str, inside.at(time)) or name.partition("+")[0]
            prompt = given(said, "prompt_name", str, inside.at(time))
            more = {
                "subtask": prompt or name.partition("+")[2] or None,
                "run": time if len(evaluations) > 1 else None,
                "evaluation": time,
            }
            yield from _rows(said, task, more | _version(versions.get(name)), inside.at(time))


def _version(version: object) -> dict[str, str | None]:
    return {"task_version": None if version is None else str(version)}


def _rows(
    said: Mapping[str, Any], task: str, more: Mapping[str, Any], place: Place
) -> Iterator[dict[str, Any]]:
    numbers = {
        name: value
        for name, value in said.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    for row in scores_of(numbers, task, place):
        yield {"task": task, **more, **row}
