"""Samples of lm-evaluation-harness 0.4: ``samples_<task>_<date>.jsonl``, one line for each filter.

Everything is taken from `filtered_resps` and the requests; the metrics beside them are read only
where nothing else tells a length, and kept as ``reported_<metric>``. Log-probabilities are text.
What the lines do not say, model and shots, stands in the results file of the same date beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.errors import LoadError
from emergekit.files import Note
from emergekit.loaders.assembling import Gathered, assembled, tables_of
from emergekit.loaders.documents import (
    Place,
    as_count,
    as_mapping,
    field,
    given,
    outline,
    read_json,
    read_lines,
)
from emergekit.loaders.lm_eval.answers import generated, likelihood_columns
from emergekit.loaders.lm_eval.choosing import choice_columns
from emergekit.loaders.lm_eval.identity import keys_of
from emergekit.loaders.lm_eval.requests import is_generated, pairs_of, requests_of
from emergekit.loaders.lm_eval.results import described_in, shots_of, stamp_of
from emergekit.loaders.lm_eval.rows import split_name
from emergekit.loaders.streaming import bundles
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "gather", "read", "stream"]

NAME = "lm_eval_samples"
ABOUT = "samples of lm-evaluation-harness 0.4, by the fields doc_id, doc, target and filtered_resps"


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    known = seen.shape == "lines" and seen.has("doc_id", "doc", "target")
    return 0.9 if known and (seen.has("filtered_resps") or seen.has("resps")) else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    return tables_of([gather(path)])


def gather(path: Path) -> Gathered:
    """Return the rows of a file of samples: the answers, and their model.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    notes = list[Note]()
    model, shared, delimiter = _beside(path, notes)
    lines, samples = list[int](), list[dict[str, Any]]()
    for line, row in _rows(path, shared, delimiter):
        lines.append(line)
        samples.append(row)
    return Gathered(path, models=[model], samples=samples, notes=notes, lines=lines)


def stream(path: Path) -> Iterator[Tables]:
    """Yield what `read` gives, some rows at a time.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    notes = list[Note]()
    model, shared, delimiter = _beside(path, notes)
    for lines, samples in bundles(_rows(path, shared, delimiter)):
        yield assembled(path, models=[model], samples=samples, notes=notes, lines=lines)
        notes = []


def _rows(
    path: Path, shared: Mapping[str, Any], delimiter: str | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, record in read_lines(path):
        for row in _samples_of(record, Place(path, line), delimiter):
            yield line, dict(shared) | row


def _beside(path: Path, notes: list[Note]) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """Return the row of the model, what all samples share, and what stands before a choice."""
    results = _results_file(path)
    if results is not None:
        own = list[Note]()
        try:
            content = as_mapping(read_json(results), Place(results))
            told = _told(path, content, Place(results), own)
        except LoadError as error:
            notes.append(("warning", str(path), "model", f"no results beside it: {error}"))
        else:
            notes += own
            return told
    return _told(path, {}, Place(path), notes)


def _told(
    path: Path, content: Mapping[str, Any], place: Place, notes: list[Note]
) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """Return what a results file tells of the samples in `path`."""
    task = _task(path, given(content, "results", dict, place) or {})
    model = described_in(content, place, notes)
    shared = keys_of(model) | {
        "task": task,
        "n_shots": shots_of(content, task, place),
        "evaluation": stamp_of(path),
    }
    config = (given(content, "configs", dict, place) or {}).get(task)
    delimiter = config.get("target_delimiter") if isinstance(config, dict) else None
    return model, shared, delimiter if isinstance(delimiter, str) else None


def _results_file(path: Path) -> Path | None:
    """Return the results file of the same evaluation, or the only one there is."""
    there = sorted(path.parent.glob("results*.json*"))
    stamp = stamp_of(path)
    same = [file for file in there if stamp is not None and stamp_of(file) == stamp]
    return same[0] if same else (there[0] if len(there) == 1 and stamp is None else None)


def _task(path: Path, results: Mapping[str, Any]) -> str:
    """Return the task of a file: its name has it, between "samples_" and the date."""
    name = path.name.split(".jsonl")[0].split(".json")[0].removeprefix("samples_")
    stamp = stamp_of(path)
    name = name.replace(stamp, "").rstrip("_") if stamp else name
    known = [task for task in results if _as_file(task) == name]
    return known[0] if known else (name or path.stem)


def _as_file(task: str) -> str:
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in task)


def _samples_of(
    record: Mapping[str, Any], place: Place, delimiter: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one line: one, or one for each repeat of the answer."""
    answers = given(record, "filtered_resps", list, place)
    if answers is None:
        answers = field(record, "resps", list, place)
    inside = place.at("filtered_resps")
    if not answers:
        raise inside.error("is empty; mend or drop that line.")
    shared = {
        "example_id": str(as_count(field(record, "doc_id", int, place), place.at("doc_id"))),
        "filter": split_name(f",{given(record, 'filter', str, place) or ''}")[1],
        "doc_hash": given(record, "doc_hash", str, place),
        "prompt_hash": given(record, "prompt_hash", str, place),
        **_reported(record),
    }
    asked = requests_of(record, place)
    pairs = None if is_generated(asked) else pairs_of(answers, asked, inside)
    if pairs is None:
        found = generated(answers, record.get("target"), inside)
    elif len(pairs) == 1:
        found = [likelihood_columns(pairs[0], record, asked)]
    else:
        found = [choice_columns(pairs, record, asked, delimiter, place)]
    for row in found:
        yield shared | row


def _reported(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores that the harness gave this sample, those that are one number."""
    names = record.get("metrics")
    known = names if isinstance(names, list) else ()
    return {
        f"reported_{name}": float(record[name])
        for name in known
        if isinstance(name, str) and isinstance(record.get(name), int | float)
    }
