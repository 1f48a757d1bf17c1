"""Samples of Every Eval Ever 0.2 and 0.3: ``<uuid>_samples.jsonl``, one answer a line.

What the lines do not say of their model stands in ``<uuid>.json`` beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import (
    Place,
    as_mapping,
    as_number,
    field,
    given,
    outline,
    read_json,
    read_lines,
)
from emergekit.loaders.every_eval_ever.details import from_details, is_ours
from emergekit.loaders.every_eval_ever.results import model_of
from emergekit.loaders.streaming import bundles
from emergekit.tables import MODELS, Tables

__all__ = ["ABOUT", "NAME", "can_read", "read", "row_of", "stream"]

NAME = "every_eval_ever_samples"
ABOUT = "samples of Every Eval Ever, by evaluation_id, sample_id and interaction_type"

_END = "_samples.jsonl"


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    known = seen.shape == "lines" and seen.has("evaluation_id", "model_id", "sample_id")
    return 0.95 if known and seen.has("evaluation") else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file of samples: the answers, and their models.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    model = _beside(path)
    lines, samples = list[int](), list[dict[str, Any]]()
    for line, row in _rows(path, model):
        lines.append(line)
        samples.append(row)
    return assembled(path, models=_models(model, samples), samples=samples, lines=lines)


def stream(path: Path) -> Iterator[Tables]:
    """Yield what `read` gives, some rows at a time.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    model = _beside(path)
    for lines, samples in bundles(_rows(path, model)):
        yield assembled(path, models=_models(model, samples), samples=samples, lines=lines)


def _models(model: dict[str, Any], samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each model: the one that the results beside describe, or its name."""
    names = dict.fromkeys(row["model"] for row in samples)
    return [model if model.get("model") == name else {"model": name} for name in names]


def _rows(path: Path, model: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    keys = {name: model[name] for name in MODELS.keys if name in model}
    for line, record in read_lines(path):
        row = row_of(record, Place(path, line))
        yield line, (row | keys if row["model"] == keys.get("model") else row)


def _beside(path: Path) -> dict[str, Any]:
    """Return the row of the model in the results beside, nothing where there are none."""
    results = path.with_name(path.name.removesuffix(_END) + ".json")
    if not path.name.endswith(_END) or not results.is_file():
        return {}
    place = Place(results)
    return model_of(as_mapping(read_json(results), place), place)


def row_of(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return the row of one line.

    Raises
    ------
    LoadError
        If a field that is needed is absent or of another kind.
    """
    asked, answered = given(record, "input", dict, place) or {}, _answered(record, place)
    judged, at = given(record, "evaluation", dict, place) or {}, place.at("evaluation")
    metadata = given(record, "metadata", dict, place) or {}
    others = {f"metadata_{name}": value for name, value in metadata.items() if not is_ours(name)}
    row = {
        "model": field(record, "model_id", str, place),
        "task": field(record, "evaluation_name", str, place),
        "example_id": field(record, "sample_id", str, place),
        "target": _one_or_all(given(asked, "reference", list, place.at("input"))),
        "prediction": answered,
        "choices": given(asked, "choices", list, place.at("input")) or None,
        "input": given(asked, "raw", str, place.at("input")) or None,
        "score": as_number(judged.get("score"), at.at("score")),
        "is_correct": given(judged, "is_correct", bool, at),
        **others,
        **from_details(metadata, place.at("metadata")),
    }
    return {name: value for name, value in row.items() if value is not None}


def _answered(record: Mapping[str, Any], place: Place) -> str | None:
    """Return the final answer: what was taken out of the output, or the output as it is."""
    for taken in reversed(given(record, "answer_attribution", list, place) or []):
        inside = place.at("answer_attribution")
        if as_mapping(taken, inside).get("is_terminal") is not False:
            return given(taken, "extracted_value", str, inside)
    output = given(record, "output", dict, place) or {}
    answers = given(output, "raw", list, place.at("output")) or []
    return None if not answers or answers[0] is None else str(answers[0])


def _one_or_all(references: list[Any] | None) -> Any:
    if not references:
        return None
    return references[0] if len(references) == 1 else references
