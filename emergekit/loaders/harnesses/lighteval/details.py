"""Details of LightEval: ``details/<model>/<date>/details_<task>_<date>.parquet``.

New files have the columns ``__doc__``, ``__model_response__`` and ``__metric__``; older ones are
flat. Neither is verified against a real file. The model is told by the results file of the same
date, else by the folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from emergekit.errors import LoadError
from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import (
    Place,
    as_list,
    as_mapping,
    as_number,
    field,
    outline,
    read_json,
)
from emergekit.loaders.harnesses.lighteval.names import parted
from emergekit.loaders.harnesses.lighteval.results import model_named
from emergekit.loaders.lm_eval.results import stamp_of
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read", "rows"]

NAME = "lighteval_details"
ABOUT = "details of LightEval in parquet, by __doc__ and __model_response__, or the flat columns"

_NEW = ("__doc__", "__model_response__")
_OLD = ("full_prompt", "predictions", "gold")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    known = seen.shape == "parquet" and (seen.has(*_NEW) or seen.has(*_OLD))
    return 0.95 if known else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file of details: the answers, and their model.

    Raises
    ------
    LoadError
        Naming file, row, field and remedy.
    """
    notes = list[Note]()
    model = _model(path, notes)
    samples = [row for _, row in _rows(path, model)]
    return assembled(path, models=[{"model": model}], samples=samples, notes=notes)


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the row of each sample, a batch of the file in memory at a time.

    Raises
    ------
    LoadError
        Naming file, row, field and remedy.
    """
    yield from _rows(path, _model(path, []))


def _rows(path: Path, model: str) -> Iterator[tuple[int, dict[str, Any]]]:
    stamp = stamp_of(path)
    bare = path.stem.removeprefix("details_")
    name = parted(bare.replace(stamp, "").rstrip("_") if stamp else bare)
    number = 0
    try:
        for batch in pa.parquet.ParquetFile(path).iter_batches(batch_size=1024):
            for record in batch.to_pylist():
                number += 1
                place = Place(path, number)
                found = _new(record, place) if "__doc__" in record else _old(record, place)
                yield (
                    number,
                    {
                        "model": model,
                        "task": name.task,
                        "n_shots": name.n_shots,
                        "evaluation": stamp,
                        "example_id": str(number - 1),
                        **found,
                    },
                )
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise LoadError(f"{path}: not a readable parquet file ({reason}); copy it again.") from None


def _new(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    doc = as_mapping(record["__doc__"], place.at("__doc__"))
    inside = place.at("__model_response__")
    answer = as_mapping(record.get("__model_response__"), inside)
    metrics = record.get("__metric__")
    return _sample(
        doc.get("choices"),
        doc.get("gold_index"),
        answer.get("logprobs"),
        answer.get("text"),
        metrics,
        place,
        answer.get("unconditioned_logprobs"),
    )


def _old(record: Mapping[str, Any], place: Place) -> dict[str, Any]:
    predictions = record.get("predictions")
    listed = predictions if isinstance(predictions, list) else []
    are_numbers = bool(listed) and all(isinstance(one, int | float) for one in listed)
    found = _sample(
        record.get("choices"),
        record.get("gold_index"),
        listed if are_numbers else None,
        None if are_numbers else predictions,
        record.get("metrics"),
        place,
    )
    if not are_numbers and found.get("target") is None:
        found["target"] = record.get("gold")
    return found


def _sample(
    choices: Any,
    gold: Any,
    logprobs: Any,
    texts: Any,
    metrics: Any,
    place: Place,
    unconditional: Any = None,
) -> dict[str, Any]:
    """Return the columns of a sample: of a choice where there are log-probabilities for each."""
    options = [str(one) for one in as_list(choices, place.at("choices"))] if choices else []
    right = _indices(gold, len(options))
    shared = _reported(metrics)
    if options and isinstance(logprobs, list) and len(logprobs) == len(options):
        without = unconditional if isinstance(unconditional, list) else []
        return shared | {
            "choices": options,
            "gold": right[0] if len(right) == 1 else (right or None),
            "choice_logprobs": _numbers(logprobs, place),
            "choice_logprobs_unconditional": _numbers(without, place)
            if len(without) == len(options)
            else None,
        }
    answers = texts if isinstance(texts, list) else [texts]
    targets = [options[index] for index in right]
    return shared | {
        "prediction": None if not answers or answers[0] is None else str(answers[0]),
        "target": targets[0] if len(targets) == 1 else (targets or None),
    }


def _numbers(values: list[Any], place: Place) -> list[float]:
    inside = place.at("logprobs")
    return [as_number(value, inside.at(number)) for number, value in enumerate(values)]


def _indices(gold: Any, n: int) -> list[int]:
    listed = gold if isinstance(gold, list) else [gold]
    return [index for index in listed if isinstance(index, int) and 0 <= index < n]


def _reported(metrics: Any) -> dict[str, float]:
    if not isinstance(metrics, dict):
        return {}
    return {
        f"reported_{name}": float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float)
    }


def _model(path: Path, notes: list[Note]) -> str:
    """Return the model: of the results file of the same date, else the folder's name.

    LightEval writes ``details/<org>/<model>/<date>/`` beside ``results/<org>/<model>/``.
    """
    stamp, folders = stamp_of(path), path.parent.parts
    if "details" in folders:
        place = len(folders) - 1 - folders[::-1].index("details")
        inner = [part for part in folders[place + 1 :] if not re.match(r"\d{4}-\d\d-\d\d", part)]
        root = Path(*folders[:place])
        for file in sorted((root / "results").joinpath(*inner).glob("results_*.json")):
            if stamp is not None and stamp_of(file) == stamp:
                content = as_mapping(read_json(file), Place(file))
                config = field(content, "config_general", dict, Place(file))
                return model_named(config, Place(file).at("config_general"))
        name = "/".join(inner)
    else:
        name = path.parent.name
    name = name or path.stem
    notes.append(("warning", str(path), "model", f"'{name}' is named by its folder"))
    return name
