"""HELM's run folders: ``run_spec.json``, and beside it statistics, and requests with answers.

HELM's own traps: `count` of a statistic counts trials, not examples; rows with a `perturbation` are
not the headline, and left out with a note; splits are rows of their own; and log-probabilities of
0.0 throughout mean that the client returned none. `n_shots` is what was asked for,
``max_train_instances``; where fewer fitted into the prompts a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import Place, as_mapping, field, given, outline, read_json
from emergekit.loaders.harnesses.attempts import attempted, check_something
from emergekit.loaders.harnesses.helm.answers import LOGPROBS, answers, have_logprobs
from emergekit.loaders.harnesses.helm.scales import scale_of
from emergekit.loaders.harnesses.helm.statistics import (
    Stat,
    headline,
    is_cost,
    is_of_logprobs,
    reported,
)
from emergekit.loaders.harnesses.scales import columns_of
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "beside", "can_read", "read"]

NAME = "helm"
ABOUT = "run folders of HELM, by run_spec.json with its adapter_spec"

_SPEC = "run_spec.json"
_FILES = ("per_instance_stats.json", _SPEC, "scenario.json", "scenario_state.json", "stats.json")
_FOR_THE_WEB = ("display_predictions.json", "display_requests.json", "instances.json")
_IN_COLUMNS = ("model", "model_deployment", "max_train_instances")

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    is_run = path.name in _FILES and outline(path.parent / _SPEC).has("adapter_spec", "name")
    return 0.95 if is_run else 0.0


def beside(path: Path) -> Iterable[Path]:
    """Return the files of the same run."""
    return [path.parent / name for name in (*_FILES, *_FOR_THE_WEB)]


def read(path: Path) -> Tables:
    """Return the tables of a run, whichever of its files is named.

    Where one file of the run is damaged the others are read, and a note of severity "error" says
    what it lacks.

    Raises
    ------
    LoadError
        If ``run_spec.json`` is absent or damaged, or nothing else can be read.
    """
    folder, notes = path.parent, list[Note]()
    place = Place(folder / _SPEC)
    spec = as_mapping(read_json(place.path), place)
    adapter = field(spec, "adapter_spec", dict, place)
    told = attempted(folder / "scenario.json", as_mapping, notes) or {}
    shared = _shared(spec, adapter, told, place)
    stats = attempted(folder / "stats.json", partial(headline, notes=notes), notes) or []
    scores = attempted(folder / "per_instance_stats.json", reported, notes) or {}
    samples = attempted(folder / "scenario_state.json", answers(adapter, notes), notes) or []
    is_scored = have_logprobs(samples)
    is_scored = _have_logprobs(stats) if is_scored is None else is_scored
    notes += _oddities(folder, adapter, stats, samples, is_scored)
    samples = _with_scores(samples, scores, is_scored)
    check_something(notes, stats, samples)
    return assembled(
        place.path,
        models=[{"model": shared["model"]}],
        results=[_part(shared, row) for row in _results(stats, is_scored)],
        samples=[_part(shared | {"source": None}, row) for row in samples],
        notes=notes,
    )


def _shared(
    spec: Mapping[str, Any], adapter: Mapping[str, Any], told: Mapping[str, Any], place: Place
) -> Row:
    """Return what all rows of the run have in common.

    The name of a run, ``mmlu:subject=anatomy,model=a_b``, tells it from all others: what of it
    stands in no other column is the subtask.
    """
    name = field(spec, "name", str, place)
    inside = place.at("adapter_spec")
    given_by = [part for part in name.partition(":")[2].split(",") if part]
    kept = [part for part in given_by if part.partition("=")[0] not in _IN_COLUMNS]
    task = told.get("name")
    return {
        "model": field(adapter, "model", str, inside),
        "task": task if isinstance(task, str) and task else name.partition(":")[0],
        "subtask": ",".join(kept) or None,
        "n_shots": given(adapter, "max_train_instances", int, inside),
        "harness": "HELM",
        "source": f"{place.path.parent.name}/stats.json",
    }


def _part(shared: Row, row: Row) -> Row:
    """Return the row with what is shared; its split is a subtask of its own."""
    subtask = ",".join(part for part in (shared["subtask"], row.get("split")) if part)
    return shared | {"subtask": subtask or None} | row


def _have_logprobs(stats: Sequence[Stat]) -> bool:
    return any(stat.mean for stat in stats if stat.metric == "logprob")


def _results(stats: Sequence[Stat], is_scored: bool) -> list[Row]:
    counts = {stat.split: stat.mean for stat in stats if stat.metric == "num_instances"}
    return [
        {
            "metric": stat.metric,
            "score": stat.mean,
            "n_examples": _whole(counts.get(stat.split)),
            "n_trials": stat.n_trials,
            "split": stat.split,
            **columns_of(scale_of(stat.metric), stat.mean),
        }
        for stat in stats
        if not is_cost(stat.metric) and (is_scored or not is_of_logprobs(stat.metric))
    ]


def _whole(count: float | None) -> int | None:
    """Return a count of examples, None where trials differ in theirs."""
    return int(count) if count is not None and count.is_integer() else None


def _with_scores(
    samples: Sequence[Row], scores: Mapping[tuple[str, int], Row], is_scored: bool
) -> list[Row]:
    """Return the samples with the scores that HELM gave them; those alone if there is no more."""
    rows = [row | scores.get((row["example_id"], row["repeat"]), {}) for row in samples]
    rows = rows or [{"example_id": n, "repeat": t} | row for (n, t), row in scores.items()]
    if is_scored:
        return rows
    return [
        {
            name: value
            for name, value in row.items()
            if name not in LOGPROBS and not is_of_logprobs(name.removeprefix("reported_"))
        }
        for row in rows
    ]


def _oddities(
    folder: Path,
    adapter: Mapping[str, Any],
    stats: Sequence[Stat],
    samples: Sequence[Row],
    is_scored: bool,
) -> Iterable[Note]:
    where = str(folder)
    if not is_scored and any(stat.metric == "logprob" for stat in stats):
        said = "log-probabilities are 0.0 throughout: the client returned none; left out as missing"
        yield ("warning", where, "logprob", said)
    limit = adapter.get("max_eval_instances")
    n_asked = sum(stat.mean for stat in stats if stat.metric == "num_instances")
    if isinstance(limit, int) and n_asked and n_asked >= limit:
        said = f"{n_asked:.0f} examples were asked, the most that max_eval_instances allowed"
        yield ("warning", where, "n_examples", f"{said}: there may be more")
    shots, asked = [row["n_shots_in_prompt"] for row in samples], adapter.get("max_train_instances")
    known = [n for n in shots if n is not None]
    if known and isinstance(asked, int) and min(known) < asked:
        mean = sum(known) / len(known)
        said = f"{asked} worked examples were asked for, but the prompts hold {mean:.3g} on average"
        yield ("warning", where, "n_shots", f"{said}, from {min(known)} to {max(known)}")
