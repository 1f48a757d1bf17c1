"""BIG-bench's ``<task>/results/scores_<model>.json``, and full logs, which have `queries` as well.

A row for each shot, subtask and metric; `is_preferred` marks the metric that the task prefers, and
only for it does the file state the lowest and the highest score. Rows that put subtasks together
(``normalized_aggregate_score``) are no scores of examples, and left out. BLEU, ROUGE and sequence
F1 are written from 0 to 100 there, and are fractions here. Not verified against a real file.

References
----------
Srivastava et al. 2022, "Beyond the Imitation Game", appendix on metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import (
    Place,
    as_count,
    as_mapping,
    as_number,
    field,
    given,
    outline,
    read_json,
)
from emergekit.loaders.harnesses.big_bench.queries import samples_of
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "beside", "can_read", "read"]

NAME = "big_bench"
ABOUT = "scores and full logs of BIG-bench, by the fields model, task and scores"

_AGGREGATE = "normalized_aggregate_score"
_PERCENT = frozenset({"bleu", "rouge1", "rouge2", "rougeLsum", "sequence_f1"})
_SIZES = (
    ("flop_matched_non_embedding_params", "non-embedding"),
    ("non_embedding_params", "non-embedding"),
    ("total_params", "total"),
)

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    is_ours = seen.shape == "object" and seen.has("model", "task", "scores")
    return 0.95 if is_ours and "model_name" in seen.inner.get("model", ()) else 0.0


def beside(path: Path) -> Iterable[Path]:
    """Return the definitions of the task, which hold no model's answers, and the scores of a log.

    A full log has the scores of its model as well, which would be there twice.
    """
    if path.parent.name != "results":
        return []
    folder, task = path.parent, path.parent.parent
    named = path.name.partition("_")[2]
    scores = [folder / f"scores_{named}"] if outline(path).has("queries") else []
    return [*scores, *task.glob("task.json"), *task.glob("*/task.json")]


def read(path: Path) -> Tables:
    """Return the tables of a file of scores, or of a full log.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    place, notes = Place(path), list[Note]()
    content = as_mapping(read_json(path), place)
    model = _model(field(content, "model", dict, place), place.at("model"))
    task = field(field(content, "task", dict, place), "task_name", str, place.at("task"))
    shared: Row = {"model": model["model"], "task": task, "harness": "BIG-bench"}
    results = [shared | row for row in _results(content, task, place, notes)]
    samples = [shared | row for row in samples_of(content, task, place, notes)]
    return assembled(path, models=[model], results=results, samples=samples, notes=notes)


def _model(said: Mapping[str, Any], place: Place) -> Row:
    """Return the row of the model; a size of 0 is one that nobody wrote down."""
    family, name = field(said, "model_family", str, place), field(said, "model_name", str, place)
    row: Row = {"model": f"{family} {name}".strip(), "family": family or None}
    for column, kind in _SIZES:
        size = given(said, column, float, place)
        if size and size > 0:
            row |= {"n_params": size, "n_params_kind": kind, "n_params_source": "reported"}
            break
    for ours, theirs in (
        ("n_params_total", "total_params"),
        ("n_params_non_embedding", "non_embedding_params"),
        ("batch_size", "training_batch_size"),
        ("n_steps", "training_steps"),
    ):
        row[ours] = given(said, theirs, float, place) or None
    return row


def _results(
    content: Mapping[str, Any], task: str, place: Place, notes: list[Note]
) -> Iterator[Row]:
    inside, n_aggregates, divided = place.at("scores"), 0, set[str]()
    for number, entry in enumerate(field(content, "scores", list, place)):
        here = inside.at(number)
        said = as_mapping(entry, here)
        preferred = field(said, "preferred_score", str, here)
        if preferred == _AGGREGATE:
            n_aggregates += 1
            continue
        shots = given(said, "number_of_shots", int, here)
        shared: Row = {
            "subtask": _subtask(given(said, "subtask_description", str, here), task),
            "n_shots": None if shots is None else as_count(shots, here.at("number_of_shots")),
        }
        bounds = [given(said, name, float, here) for name in ("low_score", "high_score")]
        for metric, score in field(said, "score_dict", dict, here).items():
            if metric == _AGGREGATE:
                continue
            divisor = 100.0 if metric in _PERCENT else 1.0
            divided |= {metric} & _PERCENT
            row = {"metric": metric, "is_preferred": metric == preferred}
            value = as_number(score, here.at("score_dict").at(metric))
            known = _bounds(bounds, divisor) if metric == preferred else {}
            yield shared | row | {"score": value / divisor} | known
    where = str(place.path)
    if n_aggregates:
        what = f"{n_aggregates} rows of {_AGGREGATE}, which put subtasks together, left out"
        notes.append(("info", where, "scores", what))
    if divided:
        what = f"in percent, divided by 100: {', '.join(sorted(divided))}"
        notes.append(("info", where, "score", what))


def _bounds(bounds: list[float | None], divisor: float) -> Row:
    low, high = (None if one is None else one / divisor for one in bounds)
    better = None if low is None or high is None or low == high else high > low
    return {"low": low, "high": high, "higher_is_better": better}


def _subtask(description: str | None, task: str) -> str | None:
    """Return the subtask of a description ``<task>:<subtask>``, None for the whole task."""
    if description is None or description == task:
        return None
    return description.removeprefix(f"{task}:") or None
