"""OpenCompass's ``predictions/<model>/<dataset>.json`` and ``results/<model>/<dataset>.json``.

Model and dataset stand in the path alone. A large dataset is predicted in parts,
``<dataset>_0.json`` and on. What one file of the two lacks the other may have: predictions hold the
answers, and results the scores and, if asked for, details. Not verified against a real file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, given, outline
from emergekit.loaders.harnesses.attempts import attempted, check_something
from emergekit.loaders.harnesses.open_compass.answers import details_of, predictions_of
from emergekit.loaders.harnesses.open_compass.scales import (
    HARNESS,
    NO_SCORES,
    divisor,
    notes_on_scales,
)
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "beside", "can_read", "read"]

NAME = "open_compass"
ABOUT = "predictions and results of OpenCompass, by their folders and fields"

_PREDICTIONS, _RESULTS = "predictions", "results"
_OF_A_RUN = (_PREDICTIONS, _RESULTS, "summary", "configs")
_DEPTH = 2  # folders between a file and its run
_PART = re.compile(r"(.+)_(\d+)")

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    if len(path.parents) <= _DEPTH or path.suffix != ".json":
        return 0.0
    folder, seen = path.parents[1].name, outline(path)
    if seen.shape != "object":
        return 0.0
    if folder == _PREDICTIONS:
        return 0.9 if "prediction" in seen.inner.get("0", ()) else 0.0
    if folder == _RESULTS and "number" in seen.fields.values():
        run = path.parents[_DEPTH]
        others = [name for name in _OF_A_RUN if name != _RESULTS and (run / name).is_dir()]
        return 0.9 if others or seen.has("details") else 0.0
    return 0.0


def beside(path: Path) -> Iterable[Path]:
    """Return the other files of the same model and dataset, and the summaries of the run."""
    run, model, dataset = _named(path)
    parts = _parts(run, model, dataset)
    return [*parts, run / _RESULTS / model / f"{dataset}.json", *(run / "summary").glob("*")]


def read(path: Path) -> Tables:
    """Return what a model did on a dataset, whichever of the files is named.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    notes, (run, model, dataset) = list[Note](), _named(path)
    scored = run / _RESULTS / model / f"{dataset}.json"
    content = attempted(scored, as_mapping, notes) or {}
    details = attempted(scored, details_of, notes) or {}
    rows = dict[str, Row]()
    for part in _parts(run, model, dataset):
        found = attempted(part, partial(predictions_of, n_before=len(rows)), notes)
        if found is None:
            break  # examples of the parts after it count on from a number that nobody knows
        rows |= found
    names = dict.fromkeys([*rows, *details])
    samples = [{"example_id": n} | rows.get(n, {}) | details.get(n, {}) for n in names]
    check_something(notes, content, samples)
    kind = given(content, "type", str, Place(scored))
    shared: Row = {
        "model": model,
        "task": dataset,
        "filter": kind.lower() if kind else None,
        "harness": HARNESS,
        "evaluation": run.name or None,
    }
    results = [shared | row for row in _results(content, len(samples) or None)]
    notes += notes_on_scales((row["metric"] for row in results), scored)
    return assembled(
        path,
        models=[{"model": model}],
        results=[row | {"source": scored.name} for row in results],
        samples=[shared | sample for sample in samples],
        notes=notes,
    )


def _named(path: Path) -> tuple[Path, str, str]:
    """Return the folder of the run, the model and the dataset."""
    path = path if len(path.parents) > _DEPTH else path.absolute()
    if len(path.parents) <= _DEPTH:
        raise Place(path).error("lies in no folder <run>/results/<model>; move it into one.")
    run, model, dataset = path.parents[_DEPTH], path.parent.name, path.stem
    match = _PART.fullmatch(dataset)
    is_part = path.parents[1].name == _PREDICTIONS and match is not None
    if match is not None and is_part:
        whole, first = (path.parent / f"{match[1]}{end}.json" for end in ("", "_0"))
        if first.is_file() and not whole.is_file():
            dataset = match[1]
    return run, model, dataset


def _parts(run: Path, model: str, dataset: str) -> list[Path]:
    folder = run / _PREDICTIONS / model
    whole = folder / f"{dataset}.json"
    if whole.is_file():
        return [whole]
    numbered = [(_PART.fullmatch(file.stem), file) for file in folder.glob("*_*.json")]
    parts = [(int(m[2]), file) for m, file in numbered if m is not None and m[1] == dataset]
    return [file for _, file in sorted(parts)]


def _results(content: Mapping[str, Any], n_examples: int | None) -> Iterable[Row]:
    for metric, value in content.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and metric not in NO_SCORES:
            score = value / divisor(metric)
            yield {"metric": metric, "score": score, "n_examples": n_examples}
