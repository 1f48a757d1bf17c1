"""Logs of one training run: step, loss and tokens as CSV, TSV or JSONL; trainer_state.json too.

The run becomes a model with one row a step. `loss` is that of the training batches
(`loss_dataset` "train") and `loss_validation` the other, or `loss` itself where there is no other.
The log seldom names its model: `constants` does, with its size, else the file or its folder. Not
verified against a real file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

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
    read_lines,
)
from emergekit.loaders.tabular.exports import named_once
from emergekit.loaders.tabular.files import file_kind, read_rows
from emergekit.tables import MODELS, RESULTS, SAMPLES, Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "training_log"
ABOUT = "logs of a training run, by a step and a loss without a model, or by log_history"

_NAMES = MappingProxyType(
    {
        "step": ("step", "steps", "_step", "global_step", "iteration", "iter", "train/step"),
        "loss": ("loss", "train_loss", "train/loss", "training_loss", "loss/train", "lm_loss"),
        "loss_validation": (
            *("val_loss", "eval_loss", "valid_loss", "validation_loss", "test_loss"),
            *("val/loss", "eval/loss", "valid/loss", "validation/loss", "loss/val", "loss/eval"),
        ),
        "n_tokens": (
            *("n_tokens", "tokens", "num_tokens", "tokens_seen", "total_tokens", "train/tokens"),
            *("consumed_tokens", "num_input_tokens_seen", "throughput/total_tokens"),
        ),
        "flops": ("flops", "total_flos", "total_flops", "train/flops"),
    }
)
_OURS = MappingProxyType({theirs: ours for ours, names in _NAMES.items() for theirs in names})
_OF_OTHERS = frozenset({"model", "run", "task", "metric", "score", "n_params", "params", "value"})
_ANYBODYS = frozenset(
    {"log", "logs", "train", "training", "metrics", "history", "trainer_state", "loss", "stats"}
)
_NOT_OF_MODELS = frozenset({*SAMPLES.names, *RESULTS.names}.difference(MODELS.names))
_HISTORY = "log_history"

Row = dict[str, Any]
_Record = tuple[Mapping[str, Any], Place]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape == "object":
        return 0.95 if seen.has(_HISTORY) and seen.fields[_HISTORY] == "list" else 0.0
    if seen.shape in ("lines", "list"):
        inside = {f"{name}/{one}" for name, others in seen.inner.items() for one in others}
        names = {*seen.fields, *inside}
    elif seen.shape == "text" and file_kind(path) in ("csv", "tsv"):
        mark = "\t" if file_kind(path) == "tsv" else ","
        names = {name.strip('"\r ') for name in seen.first_line.split(mark)}
    else:
        return 0.0
    plain = {_plain(name) for name in names}
    ours = {_OURS.get(name) for name in plain}
    has_loss = bool({"loss", "loss_validation"} & ours)
    return 0.8 if "step" in ours and has_loss and not plain & _OF_OTHERS else 0.0


def read(path: Path, *, constants: Mapping[str, Any] | None = None) -> Tables:
    """Return the model of a log, with a row for each step.

    Parameters
    ----------
    path : Path
        The file.
    constants : mapping, optional
        What the log does not say of the model, such as ``{"model": "tiny", "n_params": 1e6}``.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    notes = list[Note]()
    known = {name: value for name, value in (constants or {}).items() if name not in _NOT_OF_MODELS}
    steps = _steps(path, notes)
    if not any("loss" in row or "loss_validation" in row for row in steps.values()):
        raise LoadError(
            f"{path}: no line has a step and a loss above 0; a step is called one of "
            f"{', '.join(_NAMES['step'][:5])}, a loss one of {', '.join(_NAMES['loss'][:5])}."
        )
    if "model" not in known:
        known["model"] = _named(path)
        said = f"the log names no model; '{known['model']}' is its file or folder"
        notes.append(("warning", str(path), "model", f"{said}, and constants= names another"))
    return assembled(path, models=_models(steps, known), notes=notes)


def _steps(path: Path, notes: list[Note]) -> dict[int, Row]:
    """Return what the log says of each step, all of its lines put together."""
    steps, n_again, n_bad = dict[int, Row](), 0, 0
    for record, place in _records(path):
        row, bad = _row(record, place)
        n_bad += bad
        if row is None:
            continue
        there = steps.setdefault(row["step"], {})
        n_again += any(name != "step" and name in there for name in row)
        there.update(row)
    if n_again:
        said = f"{n_again} lines are of a step that was there, as after a restart; they were taken"
        notes.append(("warning", str(path), "step", said))
    if n_bad:
        said = f"{n_bad} losses that are no number above 0 left out: did the run diverge?"
        notes.append(("warning", str(path), "loss", said))
    return steps


def _records(path: Path) -> Iterator[_Record]:
    """Yield the lines of a log, and where each stands."""
    seen = outline(path)
    if seen.shape == "lines":
        for line, record in read_lines(path):
            yield record, Place(path, line)
    elif seen.shape in ("object", "list"):
        yield from _of_document(read_json(path), Place(path))
    else:
        rows = named_once(read_rows(path), path)
        for line, cells in zip(rows.index, rows.to_dict("records"), strict=True):
            kept = {str(n): v for n, v in cells.items() if isinstance(v, str) and v.strip()}
            yield kept, Place(path, int(line))


def _of_document(content: Any, place: Place) -> Iterator[_Record]:
    is_history = not isinstance(content, list)
    if is_history:
        content = field(as_mapping(content, place), _HISTORY, list, place)
        place = place.at(_HISTORY)
    for number, entry in enumerate(as_list(content, place)):
        record = as_mapping(entry, place.at(number))
        if is_history:  # there `train_loss` is the mean over the whole run, in its last entry
            record = {name: value for name, value in record.items() if name != "train_loss"}
        yield record, place.at(number)


def _row(record: Mapping[str, Any], place: Place) -> tuple[Row | None, int]:
    """Return what a line says of its step, None if it has no step, and how many losses are none."""
    found, n_bad = Row(), 0
    for name, value in _flat(record):
        ours = _OURS.get(_plain(name))
        if ours is None or value is None or ours in found:
            continue
        number = as_number(value, place.at(name))
        if ours.startswith("loss") and not (0 < number < math.inf):
            n_bad += 1
        elif ours == "step":
            if not (number >= 0 and number.is_integer()):
                raise place.at(name).error(
                    f"must be a whole number from 0 on, but holds {value!s:.20}; mend the file."
                )
            found["step"] = int(number)
        elif not math.isnan(number):
            found[ours] = number
    return (found, n_bad) if "step" in found else (None, n_bad)


def _flat(record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Yield the fields of a line, those of an object inside it as ``<name>/<field>``."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from ((f"{name}/{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _models(steps: Mapping[int, Row], known: Mapping[str, Any]) -> list[Row]:
    has_training = any("loss" in row for row in steps.values())
    rows = list[Row]()
    for step in sorted(steps):
        row = dict(steps[step])
        if not has_training and "loss_validation" in row:
            row["loss"] = row.pop("loss_validation")
        if "loss" in row:
            row["loss_dataset"] = "train" if has_training else "validation"
        rows.append({**known, **row})
    return rows


def _named(path: Path) -> str:
    """Return the name of the file, or of the first folder above it that is a name."""
    stem = path.name.split(".")[0]
    if stem.lower() not in _ANYBODYS:
        return stem
    folders = [folder.name for folder in path.absolute().parents]
    named = (n for n in folders if n.lower() not in _ANYBODYS and not n.startswith("checkpoint-"))
    return next(named, "") or stem
