"""HELM's statistics: of a run, and of each of its examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emergekit.loaders.documents import Place, as_count, as_list, as_mapping, field, given

__all__ = ["Stat", "headline", "is_cost", "is_of_logprobs", "reported"]

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


def headline(content: Any, place: Place) -> list[Stat]:
    """Return the statistics without perturbation, those that were never taken left out.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    return list(_stats(content, place))


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
