"""Results that model repositories on Hugging Face state: in a model card, or in `.eval_results`.

A card (``README.md``) has a `model-index` in the YAML before its text: task, dataset, and metrics
whose value may be any text, such as ``20.0 ± 1.2``. The newer ``.eval_results/*.yaml`` are lists of
dataset and value; they name neither the metric nor the model, which is that of the repository's
folder. Not verified against a real file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import (
    Place,
    as_list,
    as_mapping,
    field,
    given,
    head,
    parse_yaml,
    read_bytes,
)
from emergekit.loaders.tabular.shares import is_of_either_scale, is_share
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "hugging_face"
ABOUT = "results of model cards (model-index) and .eval_results of Hugging Face, in YAML"

_YAML = (".yaml", ".yml")
_FRONT = re.compile(rb"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_INDEX = re.compile(rb"^model-index:", re.MULTILINE)
_DATASET, _VALUE = (
    re.compile(rb"^[-\s]*" + n + rb":", re.MULTILINE) for n in (b"dataset", b"value")
)
_NUMBER = re.compile(r"\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(%?)\s*(?:(?:±|\+/?-)\s*([\d.]+)\s*%?)?\s*")

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    suffix = path.suffix.lower()
    if suffix not in (*_YAML, ".md"):
        return 0.0
    start = head(path)
    if suffix == ".md":
        return 0.9 if start.startswith(b"---") and _INDEX.search(start) else 0.0
    if _INDEX.search(start):
        return 0.9
    return 0.8 if _DATASET.search(start) and _VALUE.search(start) else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a model card, or of a file of results.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    raw, place, notes = read_bytes(path), Place(path), list[Note]()
    if path.suffix.lower() not in _YAML:
        front = _FRONT.match(raw)
        if front is None:
            raise place.error("has no YAML between two lines of '---' at its start; mend it.")
        raw = b"\n" + front[1]  # so that lines count as they do in the file
    content = parse_yaml(raw, place)
    if isinstance(content, list):
        rows = list(_stated(content, place, notes))
    else:
        rows = list(_indexed(as_mapping(content, place), place))
    results = _told_apart(_scaled(rows, path, notes))
    models = [{"model": name} for name in dict.fromkeys(row["model"] for row in results)]
    return assembled(path, models=models, results=results, notes=notes)


def _indexed(content: Mapping[str, Any], place: Place) -> Iterator[Row]:
    inside = place.at("model-index")
    for number, entry in enumerate(field(content, "model-index", list, place)):
        here = inside.at(number)
        model = as_mapping(entry, here)
        name = field(model, "name", str, here)
        for index, result in enumerate(field(model, "results", list, here)):
            where = here.at("results").at(index)
            for row in _metrics(as_mapping(result, where), where):
                yield {"model": name} | row


def _metrics(result: Mapping[str, Any], place: Place) -> Iterator[Row]:
    dataset, inside = field(result, "dataset", dict, place), place.at("dataset")
    task = given(result, "task", dict, place) or {}
    source = given(result, "source", dict, place) or {}
    arguments = dataset.get("args")
    shots = arguments.get("num_few_shot") if isinstance(arguments, dict) else None
    shared: Row = {
        "task": field(dataset, "type", str, inside),
        "subtask": _joined(dataset, ("config", "split")),
        "n_shots": shots if isinstance(shots, int) and not isinstance(shots, bool) else None,
        "task_type": given(task, "type", str, place.at("task")),
        "dataset_name": given(dataset, "name", str, inside),
        "reported_by": source.get("name") or source.get("url"),
    }
    metrics = field(result, "metrics", list, place)
    for number, entry in enumerate(metrics):
        here = place.at("metrics").at(number)
        metric = as_mapping(entry, here)
        row = shared | {
            "metric": field(metric, "type", str, here),
            "metric_name": given(metric, "name", str, here),
            "verified": given(metric, "verified", bool, here),
        }
        yield row | _value(metric.get("value"), here.at("value"))


def _stated(content: list[Any], place: Place, notes: list[Note]) -> Iterator[Row]:
    folder = place.path.absolute().parent
    model = folder.parent.name if folder.name == ".eval_results" else folder.name
    where = str(place.path)
    notes.append(("warning", where, "model", f"the file names no model; '{model}' is its folder"))
    notes.append(
        ("warning", where, "metric", "the file names no metric; 'score' is that of the benchmark")
    )
    for number, entry in enumerate(as_list(content, place)):
        inside = place.at(number)
        record = as_mapping(entry, inside)
        dataset, source = field(record, "dataset", dict, inside), record.get("source")
        date = record.get("date")
        yield {
            "model": model,
            "task": field(dataset, "id", str, inside.at("dataset")),
            "subtask": _joined(dataset, ("task_id", "config", "split")),
            "metric": "score",
            "metric_name": None,
            "reported_by": source.get("name") or source.get("url")
            if isinstance(source, dict)
            else None,
            "date": None if date is None else str(date),
            **_value(record.get("value"), inside.at("value")),
        }


def _joined(dataset: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return ",".join(str(dataset[name]) for name in names if dataset.get(name)) or None


def _value(value: object, place: Place) -> Row:
    """Return the score, and what stands behind a ± (nobody says what it is)."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return {"score": value, "is_percent": False}
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    try:
        score, spread = (float(match[n]) if match and match[n] else None for n in (1, 3))
    except ValueError:
        score = None
    if match is None or score is None:
        raise place.error(f"must be a number, but holds {str(value)[:40]!r}; mend the file.")
    return {"score": score, "spread": spread, "is_percent": bool(match[2])}


def _scaled(rows: list[Row], path: Path, notes: list[Note]) -> list[Row]:
    """Return the rows with shares as fractions; a metric of which one is above 1 is in percent."""
    largest = dict[str, float]()
    for row in rows:
        largest[row["metric"]] = max(largest.get(row["metric"], 0.0), row["score"] or 0.0)
    percent = {
        name
        for name, value in largest.items()
        if value > 1 and (is_share(name) or is_of_either_scale(name))
    }
    if percent or any(row["is_percent"] for row in rows):
        named = percent | {row["metric"] for row in rows if row["is_percent"]}
        said = f"in percent, divided by 100: {', '.join(sorted(named))}"
        notes.append(("info", str(path), "score", said))
    scaled = list[Row]()
    for row in rows:
        divisor = 100.0 if row.pop("is_percent") or row["metric"] in percent else 1.0
        numbers = {n: row[n] / divisor for n in ("score", "spread") if row.get(n) is not None}
        scaled.append(row | numbers)
    return scaled


def _told_apart(rows: list[Row]) -> list[Row]:
    """Return the rows, metrics of one type by their full name where there are several."""
    keys = ("model", "task", "subtask", "n_shots", "metric")
    counts = Counter(tuple(row.get(key) for key in keys) for row in rows)
    return [
        row | {"metric": f"{row['metric']} ({row['metric_name']})"}
        if row.get("metric_name") and counts[tuple(row.get(key) for key in keys)] > 1
        else row
        for row in rows
    ]
