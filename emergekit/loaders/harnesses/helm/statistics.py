"""HELM's statistics: of a run, and of each of its examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, as_count, as_list, as_mapping, field, given

__all__ = ["Stat", "headline", "is_cost", "is_of_logprobs", "perturbed", "reported"]

_COSTS = ("num_", "training_", "inference_", "batch_size", "finish_reason_", "prompt_truncated")
_OF_LOGPROBS = ("logprob", "perplexity", "bits_per_byte", "max_prob")


@dataclass(frozen=True, slots=True)
class Stat:
    """A mean over examples (and then over trials).

    Parameters
    ----------
    metric : str
        Its name.
    split : str, optional
        The examples: "valid", "test".
    mean : float
        The score.
    n_trials : int
        Trials that it is the mean of: choices of worked examples, not examples.
    """

    metric: str
    split: str | None
    mean: float
    n_trials: int


def is_cost(metric: str) -> bool:
    """Return whether a statistic counts or costs something, and is no score."""
    return metric.startswith(_COSTS)


def is_of_logprobs(metric: str) -> bool:
    """Return whether a statistic is made of log-probabilities.

    Examples
    --------
    >>> [is_of_logprobs(name) for name in ("logprob_per_byte", "max_prob", "exact_match")]
    [True, True, False]
    """
    return metric.startswith(_OF_LOGPROBS)


def headline(content: Any, place: Place, notes: list[Note]) -> list[Stat]:
    """Return the statistics without perturbation, those that were never taken left out.

    Parameters
    ----------
    content : list
        What ``stats.json`` holds.
    place : Place
        Where that stands.
    notes : list
        Takes a note on the scores under perturbations, which are left out.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    kept = list(_stats(content, place))
    names = [record["name"] for record in content]
    under = [said for said in names if said.get("perturbation") is not None]
    scores = [said["perturbation"] for said in under if not is_cost(str(said.get("name")))]
    notes += perturbed(scores, "score", place)
    return kept


def perturbed(perturbations: Sequence[Any], what: str, place: Place) -> list[Note]:
    """Return the note on what was left out since HELM had changed the texts first, if anything."""
    if not perturbations:
        return []
    named = {str(p.get("name")) if isinstance(p, dict) else str(p) for p in perturbations}
    kinds = ", ".join(sorted(named)[:5])
    several = "s" if len(perturbations) > 1 else ""
    said = f"{len(perturbations)} {what}{several} under perturbations ({kinds:.80}) left out"
    return [("info", str(place.path), "perturbation", f"{said}; the headline is without them")]


def reported(content: Any, place: Place) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the scores of each example and trial as ``reported_<metric>``, with its split.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    rows = dict[tuple[str, int], dict[str, Any]]()
    for number, entry in enumerate(as_list(content, place)):
        inside = place.at(number)
        record = as_mapping(entry, inside)
        if record.get("perturbation") is not None:
            continue
        name = field(record, "instance_id", str, inside)
        trial = as_count(given(record, "train_trial_index", int, inside) or 0, inside)
        stats = list(_stats(field(record, "stats", list, inside), inside.at("stats")))
        scores = {f"reported_{s.metric}": s.mean for s in stats if not is_cost(s.metric)}
        split = next((stat.split for stat in stats), None)
        rows[name, trial] = {"split": split} | scores
    return rows


def _stats(content: Any, place: Place) -> Iterator[Stat]:
    for number, entry in enumerate(as_list(content, place)):
        inside = place.at(number)
        record = as_mapping(entry, inside)
        said = field(record, "name", dict, inside)
        count = as_count(field(record, "count", int, inside), inside.at("count"))
        if said.get("perturbation") is not None or count == 0:
            continue
        yield Stat(
            field(said, "name", str, inside.at("name")),
            given(said, "split", str, inside.at("name")),
            field(record, "mean", float, inside),
            count,
        )
