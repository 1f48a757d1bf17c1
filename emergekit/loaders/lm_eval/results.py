"""Results of lm-evaluation-harness 0.4: ``<model>/results_<date>.json``.

Names of scores are "metric,filter". Groups stand beside the tasks they are made of, and are marked
`is_group`. Their standard error was not pooled before pull request 1390: where it is off, the
pooled one is taken, and the file's own kept as `stderr_reported`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, field, given, outline, read_json
from emergekit.loaders.lm_eval.groups import groups_of, with_groups_checked
from emergekit.loaders.lm_eval.identity import keys_of, model_row, shot_conflict
from emergekit.loaders.lm_eval.rows import scores_of
from emergekit.loaders.lm_eval.scales import HARNESS, is_percent
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "described_in", "read", "stamp_of"]

NAME = "lm_eval"
ABOUT = "results of lm-evaluation-harness 0.4, by the fields results, configs and versions"

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[T_ ]\d\d[-:]\d\d[-:]\d\d(?:\.\d+)?)")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    known = seen.shape == "object" and seen.has("results", "configs", "versions")
    return 0.9 if known and not seen.has("config_general") else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a results file.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place, notes = Place(path), list[Note]()
    content = as_mapping(read_json(path), place)
    model = described_in(content, place, notes)
    rows = [keys_of(model) | row for row in _rows(content, place)]
    rows = with_groups_checked(rows, groups_of(content, place), path, notes)
    notes += _limited(content, place)
    conflict = shot_conflict(path, {row["n_shots"] for row in rows if row["n_shots"] is not None})
    notes += [conflict] if conflict else []
    percent = sorted({row["metric"] for row in rows if is_percent(row["metric"], row["task"])})
    if percent:
        said = f"{', '.join(percent)} divided by 100: the harness states them in percent"
        notes.append(("info", str(path), "score", said))
    return assembled(path, models=[model], results=rows, notes=notes)


def described_in(content: Mapping[str, Any], place: Place, notes: list[Note]) -> dict[str, Any]:
    """Return the row of the model that a results file is of."""
    config = given(content, "config", dict, place) or {}
    name = given(content, "model_name", str, place)
    return model_row(config, place.at("config"), notes, name or None)


def stamp_of(path: Path) -> str | None:
    """Return the date and time in the name of a file, which tell one evaluation from another.

    Examples
    --------
    >>> stamp_of(Path("samples_a_b_2026-01-21T03-44-18.458309.jsonl"))
    '2026-01-21T03-44-18.458309'
    """
    found = _STAMP.findall(path.name)
    return found[-1] if found else None


def shots_of(content: Mapping[str, Any], task: str, place: Place) -> int | None:
    """Return the shots of a task: of its own entry, its config, or the config of all."""
    shots = (given(content, "n-shot", dict, place) or {}).get(task)
    for where in (("configs", task), ("config",)):
        if shots is None:
            config: Any = content
            for name in where:
                config = config.get(name) if isinstance(config, dict) else None
            shots = config.get("num_fewshot") if isinstance(config, dict) else None
    return int(shots) if isinstance(shots, int) and not isinstance(shots, bool) else None


def _rows(content: Mapping[str, Any], place: Place) -> Iterator[dict[str, Any]]:
    groups = groups_of(content, place)
    better = given(content, "higher_is_better", dict, place) or {}
    shared = {
        "harness": HARNESS,
        "harness_version": given(content, "lm_eval_version", str, place)
        or given(content, "git_hash", str, place),
        "evaluation": stamp_of(place.path),
    }
    parents = {leaf: group for group, leaves in groups.items() for leaf in leaves}
    inside = place.at("results")
    for task in field(content, "results", dict, place):
        direction = better.get(task)
        versions = given(content, "versions", dict, place) or {}
        rows = scores_of(
            field(content["results"], task, dict, inside),
            task,
            inside.at(task),
            better=direction if isinstance(direction, dict) else None,
            n_examples=None if task in groups else _effective(content, task, place),
            is_group=task in groups,
        )
        for row in rows:
            yield {
                "task": task,
                "n_shots": shots_of(content, task, place),
                "is_group": task in groups if groups else None,
                "group": parents.get(task),
                "task_version": _as_version(versions.get(task)),
                "metric_options": _options(content, task, row["metric"]),
                **shared,
                **row,
            }


def _as_version(version: Any) -> str | None:
    return None if version in (None, "N/A", "Yaml") else str(version)


def _effective(content: Mapping[str, Any], task: str, place: Place) -> int | None:
    counts = (given(content, "n-samples", dict, place) or {}).get(task)
    effective = counts.get("effective") if isinstance(counts, dict) else None
    is_count = isinstance(effective, int) and not isinstance(effective, bool) and effective > 0
    return effective if is_count else None


def _options(content: Mapping[str, Any], task: str, metric: str) -> str | None:
    """Return how the harness computed a metric where it was told, as JSON."""
    config = (content.get("configs") or {}).get(task) if content.get("configs") else None
    listed = config.get("metric_list") if isinstance(config, dict) else None
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and entry.get("metric") == metric:
            own = ("metric", "aggregation", "higher_is_better")
            options = {name: value for name, value in entry.items() if name not in own}
            return json.dumps(options, sort_keys=True) if options else None
    return None


def _limited(content: Mapping[str, Any], place: Place) -> Sequence[Note]:
    """Return a note if only a part of the examples was asked."""
    counts = given(content, "n-samples", dict, place) or {}
    part = [
        f"{task} ({count['effective']} of {count['original']})"
        for task, count in counts.items()
        if isinstance(count, dict) and _is_part(count)
    ]
    limit = (given(content, "config", dict, place) or {}).get("limit")
    if not part and limit is None:
        return []
    tasks = f": {', '.join(part[:3])}{' and more' if len(part) > 3 else ''}" if part else ""
    said = f"a run with --limit {limit}" if limit is not None else "a part of the examples"
    return [("warning", str(place.path), "n_examples", f"{said}; not the whole of a task{tasks}")]


def _is_part(count: Mapping[str, Any]) -> bool:
    asked, all_of_them = count.get("effective"), count.get("original")
    return isinstance(asked, int) and isinstance(all_of_them, int) and asked < all_of_them
