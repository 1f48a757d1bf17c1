"""Results of lm-evaluation-harness 0.2 and 0.3: scores by task, versions, and one config for all.

They state no number of examples, no date and no size; the number is recovered from the standard
error where that tells it.
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

NAME = "lm_eval_early"
ABOUT = "results of lm-evaluation-harness 0.2 and 0.3, by the fields results and versions"


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape != "object" or not seen.has("results", "versions") or seen.has("configs"):
        return 0.0
    if seen.fields["results"] != "object" or seen.has("config_general"):
        return 0.0
    return 0.9


def read(path: Path) -> Tables:
    """Return the tables of a results file.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place, notes = Place(path), list[Note]()
    content = as_mapping(read_json(path), place)
    config = given(content, "config", dict, place) or {}
    model = model_row(config, place.at("config"), notes)
    n_shots = given(config, "num_fewshot", int, place.at("config"))
    limit = config.get("limit")
    if limit is not None:
        notes.append(("warning", str(path), "limit", f"only the first {limit} examples were asked"))
    if n_shots is not None:
        conflict = shot_conflict(path, {n_shots})
        notes += [conflict] if conflict else []
    shared = keys_of(model) | {"n_shots": n_shots, "harness": HARNESS}
    results = [shared | row for row in _rows(content, place)]
    return assembled(path, models=[model], results=results, notes=notes)


def _rows(content: Mapping[str, Any], place: Place) -> Iterator[dict[str, Any]]:
    versions = given(content, "versions", dict, place) or {}
    inside = place.at("results")
    for task in field(content, "results", dict, place):
        said = field(content["results"], task, dict, inside)
        version = versions.get(task)
        for row in scores_of(said, task, inside.at(task)):
            yield {"task": task, "task_version": None if version is None else str(version)} | row
