"""Results of Every Eval Ever 0.2 and 0.3: ``<uuid>.json``, the scores of one model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import (
    Place,
    as_mapping,
    as_number,
    field,
    given,
    outline,
    read_json,
)
from emergekit.loaders.every_eval_ever.details import from_details
from emergekit.loaders.tabular.shares import is_share
from emergekit.tables import MODELS, RESULTS, Tables

__all__ = ["ABOUT", "NAME", "can_read", "model_of", "read", "row_of"]

NAME = "every_eval_ever"
ABOUT = "results of Every Eval Ever, by schema_version, model_info and evaluation_results"

_SIZES_IN_BILLIONS = ("params_billions", "size_billions_parameters")
_SHOTS = ("num_fewshot", "n_shots", "n_shot")
_PERCENT = ("percent", "percentage", "%")
_SCALED = ("score", "stderr", "lower", "upper", "low", "high")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    known = seen.shape == "object" and seen.has("schema_version", "model_info")
    return 0.95 if known and seen.has("evaluation_results") else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file: the model, and its results.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place = Place(path)
    content = as_mapping(read_json(path), place)
    notes = _of_version(content, place)
    model = model_of(content, place)
    keys = {name: model[name] for name in MODELS.keys if name in model}
    listed = field(content, "evaluation_results", list, place)
    results, percent = list[dict[str, Any]](), list[str]()
    for number, entry in enumerate(listed):
        inside = place.at("evaluation_results").at(number)
        row, is_percent = row_of(as_mapping(entry, inside), inside)
        results.append({**keys, **row})
        percent += [row["metric"]] if is_percent else []
    if percent:
        said = f"{len(percent)} scores in percent became fractions, such as {percent[0]}"
        notes.append(("info", str(path), "score", said))
    results = _told_apart(results, listed)
    return assembled(path, models=[model], results=results if listed else None, notes=notes)


def _of_version(content: Mapping[str, Any], place: Place) -> list[Note]:
    version = str(content.get("schema_version"))
    if version.startswith(("0.2", "0.3")):
        return []
    said = f"is version {version[:20]}; read as 0.3, which is the newest that is known"
    return [("warning", str(place.path), "schema_version", said)]


def model_of(content: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return the row of the model: its name, and what its details say of it.

    Raises
    ------
    LoadError
        If the file names no model, or a size is no number.
    """
    said, inside = field(content, "model_info", dict, place), place.at("model_info")
    details = given(said, "additional_details", dict, inside) or {}
    at = inside.at("additional_details")
    model: dict[str, Any] = {"model": given(said, "id", str, inside) or said.get("name")}
    if not isinstance(model["model"], str) or not model["model"]:
        model["model"] = field(said, "id", str, inside)
    for name in _SIZES_IN_BILLIONS:
        if details.get(name) is not None and "n_params" not in model:
            size = as_number(details[name], at.at(name)) * 1e9
            # The Open LLM Leaderboard states sizes that it does not know as 0 or -1.
            if size > 0 and math.isfinite(size):
                model |= {"n_params": round(size), "n_params_source": "reported"}
    return _with_details(model, from_details(details, at))


def _with_details(row: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as it was written: what the details say goes before what was made of it."""
    return {name: value for name, value in {**row, **details}.items() if value is not None}


def row_of(entry: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], bool]:
    """Return the row of one result, and whether it was in percent.

    Raises
    ------
    LoadError
        If a field that is needed is absent or of another kind.
    """
    config = given(entry, "metric_config", dict, place) or {}
    scored, at = field(entry, "score_details", dict, place), place.at("score_details")
    task = field(entry, "evaluation_name", str, place)
    lower_is_better = given(config, "lower_is_better", bool, place.at("metric_config"))
    row = {
        "task": task,
        "metric": _metric(config, task),
        "n_shots": _shots(entry, place),
        "score": _score(scored, config, at),
        "low": _bound(config, "min_score", place.at("metric_config")),
        "high": _bound(config, "max_score", place.at("metric_config")),
        "higher_is_better": None if lower_is_better is None else not lower_is_better,
        **_uncertainty(scored, at),
    }
    is_percent = _is_percent(config, row)
    if is_percent:
        row |= {name: row[name] / 100 for name in _SCALED if row[name] is not None}
    details = given(scored, "details", dict, at) or {}
    return _with_details(row, from_details(details, at.at("details"))), is_percent


def _metric(config: Mapping[str, Any], task: str) -> str:
    """Return the name of the metric: its id, or its kind where the id is that of the benchmark.

    Version 0.2 has neither; its description often reads "Accuracy on TASK".
    """
    texts = {
        name: value for name, value in config.items() if isinstance(value, str) and value.strip()
    }
    metric = texts.get("metric_id", "")
    if "metric_kind" in texts and (not metric or any(mark in metric for mark in "/.:")):
        return texts["metric_kind"]
    words, on, of = texts.get("evaluation_description", "").partition(" on ")
    described = words.lower().replace(" ", "_") if on and of.strip() == task else ""
    return metric or texts.get("metric_name") or described or "score"


def _shots(entry: Mapping[str, Any], place: Place) -> int | None:
    config = given(entry, "generation_config", dict, place) or {}
    details = config.get("additional_details")
    said = details if isinstance(details, dict) else {}
    text = next((str(said[name]) for name in _SHOTS if said.get(name) is not None), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _score(scored: Mapping[str, Any], config: Mapping[str, Any], place: Place) -> float | None:
    score = as_number(scored.get("score"), place.at("score"))
    is_unknown = config.get("has_unknown_level") is True and score == -1
    return None if is_unknown or not math.isfinite(score) else score


def _bound(config: Mapping[str, Any], name: str, place: Place) -> float | None:
    bound = as_number(config.get(name), place.at(name))
    return bound if math.isfinite(bound) else None


def _uncertainty(scored: Mapping[str, Any], place: Place) -> dict[str, Any]:
    said, at = given(scored, "uncertainty", dict, place) or {}, place.at("uncertainty")
    error = said.get("standard_error")
    value = error.get("value") if isinstance(error, dict) else error
    interval = given(said, "confidence_interval", dict, at) or {}
    within = at.at("confidence_interval")
    ends = {name: _bound(interval, name, within) for name in ("lower", "upper")}
    stderr = as_number(value, at.at("standard_error"))
    return {
        "stderr": stderr if stderr >= 0 and math.isfinite(stderr) else None,
        "n_examples": given(said, "num_samples", int, at),
        **ends,
    }


def _is_percent(config: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    unit = config.get("metric_unit")
    if isinstance(unit, str) and unit:
        return unit.lower() in _PERCENT
    return row["high"] == 100 and is_share(row["metric"])


def _told_apart(rows: Sequence[dict[str, Any]], listed: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows with a subtask where the file tells scores apart by their id alone."""
    names = [name for name in RESULTS.keys if any(name in row for row in rows)]
    keys = [tuple(str(row.get(name)) for name in names) for row in rows]
    counts = Counter(keys)
    again = [
        row | {"subtask": str(entry.get("evaluation_result_id") or number)}
        if counts[key] > 1 and row.get("subtask") is None
        else row
        for number, (row, key, entry) in enumerate(zip(rows, keys, listed, strict=True))
    ]
    return again
