"""OLMES and DataDecide: ``task-000-<task>-predictions.jsonl``, and the metrics file beside it.

The names mislead: `sum_logits` is a log-probability, and `logits_per_byte` is positive and in bits,
-sum_logits / (n_bytes ln 2), which is where the bytes of a choice come from. The lines do not name
model, seed and step; the path does, as DataDecide lays it out
(``models/<mix>/<size>/seed-<n>/step-<n>``), or else the metrics file. The metrics file and answers
that were generated are not verified against a real file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
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
    read_lines,
)
from emergekit.metrics import registry
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "beside", "can_read", "read", "rows"]

NAME = "olmes"
ABOUT = "predictions and metrics of OLMES, by the fields native_id, model_output and task_hash"

_PLACE = re.compile(r"(?P<mix>[^/]+)/(?P<size>[^/]+)/seed-(?P<seed>\d+)/step-?(?P<step>\d+)(/|$)")
_TASK = re.compile(r"(?:task-\d+-)?(?P<task>.+?)[-_](?:predictions|metrics)$")
_OURS = MappingProxyType(
    {"acc_raw": "acc", "acc_per_char": "acc_norm", "acc_uncond": "acc_mutual_info"}
)
_INPUTS = ("requests.jsonl", "recorded-inputs.jsonl")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape == "lines" and seen.has("doc_id", "model_output", "metrics"):
        return 0.9
    is_metrics = seen.shape == "object" and seen.has("task_name", "metrics", "task_hash")
    return 0.9 if is_metrics else 0.0


def beside(path: Path) -> Iterator[Path]:
    """Yield the files of a task that hold what was asked, not what was answered."""
    stem = _bare(path).rpartition("predictions")[0] or _bare(path).rpartition("metrics")[0]
    for name in _INPUTS:
        yield from path.parent.glob(f"{stem}{name}*")


def read(path: Path) -> Tables:
    """Return the tables of a file of predictions, or of metrics.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    notes = list[Note]()
    if outline(path).shape == "object":
        return _metrics(path, notes)
    model, shared = _shared(path, _metrics_beside(path), notes)
    lines, samples = list[int](), list[dict[str, Any]]()
    for line, row in _rows(path, model, shared):
        lines.append(line)
        samples.append(row)
    if samples and model["model"] is None:
        model["model"] = samples[0]["model"]
        said = f"no path or file names the model; it is called '{model['model']}' by its hash"
        notes.append(("warning", str(path), "model", said))
    return assembled(path, models=[model], samples=samples, notes=notes, lines=lines)


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the row of each sample, one at a time, however long the file.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    model, shared = _shared(path, _metrics_beside(path), [])
    yield from _rows(path, model, shared)


def _rows(
    path: Path, model: Mapping[str, Any], shared: Mapping[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, record in read_lines(path):
        place = Place(path, line)
        named = model["model"] or (given(record, "model_hash", str, place) or path.stem)[:12]
        yield line, {"model": named} | dict(shared) | _sample(record, place)


def _sample(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    outputs = field(record, "model_output", list, place)
    inside = place.at("model_output")
    said = [as_mapping(one, inside.at(number)) for number, one in enumerate(outputs)]
    native = record.get("native_id")
    shared = {
        "example_id": str(field(record, "doc_id", int, place) if native is None else native),
        **_reported(given(record, "metrics", dict, place) or {}),
    }
    if said and "continuation" in said[0]:
        target = record.get("label")
        listed = [str(one) for one in target] if isinstance(target, list) else None
        answer = given(said[0], "continuation", str, inside.at(0))
        return shared | {"prediction": answer, "target": listed or _as_text(target)}
    return shared | _choices(said, record, place)


def _choices(
    said: Sequence[Mapping[str, Any]], record: Mapping[str, Any], place: Place
) -> dict[str, Any]:
    inside = place.at("model_output")

    def numbers(name: str) -> list[float]:
        return [as_number(one.get(name), inside.at(n).at(name)) for n, one in enumerate(said)]

    logprobs = numbers("sum_logits")
    n_bytes = _bytes(logprobs, numbers("logits_per_byte"))
    gold = given(record, "label", int, place)
    if gold is not None and not 0 <= gold < len(said):
        raise place.at("label").error(
            f"names choice {gold}, but there are {len(said)}, counted from 0."
        )
    tokens, chars = _counts(numbers("num_tokens")), _counts(numbers("num_chars"))
    return {
        "gold": gold,
        "choice_logprobs": logprobs,
        "choice_logprobs_unconditional": _known(numbers("sum_logits_uncond")),
        "choice_chars": chars,
        "choice_bytes": n_bytes,
        "choice_tokens": tokens,
        "logprob": None if gold is None else logprobs[gold],
        "n_bytes": n_bytes[gold] if n_bytes and gold is not None else None,
        "n_target_tokens": tokens[gold] if tokens and gold is not None else None,
    }


def _bytes(logprobs: Sequence[float], bits: Sequence[float]) -> list[int] | None:
    """Return the bytes of each choice, None where the numbers do not give whole ones."""
    found = [-p / (b * math.log(2)) if b else math.nan for p, b in zip(logprobs, bits, strict=True)]
    if not all(math.isfinite(n) and abs(n - round(n)) < 1e-3 for n in found):
        return None
    return [round(n) for n in found]


def _counts(values: Sequence[float]) -> list[int] | None:
    whole = all(math.isfinite(value) and value == int(value) >= 0 for value in values)
    return [int(value) for value in values] if whole and values else None


def _known(values: Sequence[float]) -> list[float] | None:
    return None if any(math.isnan(value) for value in values) else list(values)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _reported(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"reported_{_OURS.get(name, name)}": float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float) and not name.startswith(("predicted_", "correct_"))
    }


def _shared(
    path: Path, metrics: Mapping[str, Any], notes: list[Note]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the row of the model, and what all samples of the file share."""
    place = Place(path)
    found = _PLACE.search(path.parent.as_posix())
    config = given(metrics, "model_config", dict, place) or {}
    named = given(config, "model", str, place)
    model: dict[str, Any] = {"model": named, "step": None, "seed": None}
    if found:
        model |= {
            "model": named or f"{found['mix']}-{found['size']}",
            "step": int(found["step"]),
            "seed": int(found["seed"]),
            "family": found["mix"],
        }
        notes.append(("info", str(path), "step", "model, seed and step are told by the path only"))
    task_config = given(metrics, "task_config", dict, place) or {}
    match = _TASK.fullmatch(_bare(path))
    task = given(metrics, "task_name", str, place) or (match["task"] if match else _bare(path))
    keys = {name: model[name] for name in ("step", "seed")}
    shots = given(task_config, "num_shots", int, place)
    return model, keys | {"task": task, "n_shots": shots}


def _bare(path: Path) -> str:
    return re.sub(r"\.jsonl?(\.gz|\.zst)?$", "", path.name)


def _metrics_beside(path: Path) -> dict[str, Any]:
    file = path.with_name(_bare(path).replace("predictions", "metrics") + ".json")
    if file == path or not file.is_file():
        return {}
    return as_mapping(read_json(file), Place(file))


def _metrics(path: Path, notes: list[Note]) -> Tables:
    place = Place(path)
    content = as_mapping(read_json(path), place)
    model, shared = _shared(path, content, notes)
    if model["model"] is None:
        model["model"] = (given(content, "model_hash", str, place) or path.stem)[:12]
    n_examples = given(content, "num_instances", int, place)
    inside = place.at("metrics")
    numbers = {
        name: as_number(value, inside.at(name))
        for name, value in field(content, "metrics", dict, place).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    results = [
        {
            "model": model["model"],
            **shared,
            "metric": _OURS.get(name, name),
            "score": score,
            "n_examples": n_examples,
            "higher_is_better": registry.higher_is_better(_OURS.get(name, name)),
            "harness": "OLMES",
        }
        for name, score in numbers.items()
    ]
    return assembled(path, models=[model], results=results, notes=notes)
