"""The scores of one task, however the harness names them: ``acc`` early, ``acc,none`` late."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emergekit.loaders.documents import Place, as_number
from emergekit.loaders.lm_eval.counts import recovered_count
from emergekit.loaders.lm_eval.scales import scaled

__all__ = ["scores_of", "split_name"]

_NO_SCORES = frozenset({"alias", "name", "sample_len", "sample_count", "samples"})
_NONE = ("N/A", "", "NaN", "nan", "None")


def split_name(name: str) -> tuple[str, str | None]:
    """Return metric and filter of a name; the filter "none" is none.

    Examples
    --------
    >>> split_name("exact_match,strict-match"), split_name("acc,none"), split_name("acc")
    (('exact_match', 'strict-match'), ('acc', None), ('acc', None))
    """
    metric, _, chosen = name.partition(",")
    return metric, None if chosen in ("", "none") else chosen


def scores_of(
    said: Mapping[str, Any],
    task: str,
    place: Place,
    *,
    better: Mapping[str, Any] | None = None,
    n_examples: int | None = None,
    is_group: bool = False,
    scale: Callable[..., dict[str, Any]] = scaled,
) -> Iterator[dict[str, Any]]:
    """Yield a row of results for each score of a task.

    Parameters
    ----------
    said : mapping
        What the file has under the task: scores, standard errors, and other things, which are text.
    task : str
        Name of the task.
    place : Place
        Where that stands.
    better : mapping, optional
        Whether more of a metric is better, as the file states it.
    n_examples : int, optional
        Examples behind the scores, as the file states it; else it is recovered.
    is_group : bool
        Whether these are scores of a group, of which nothing is recovered.
    scale : function
        Gives score, error, bounds and direction of a metric, percentages as fractions.

    Raises
    ------
    LoadError
        If a score is no number.
    """
    numbers = {
        # Most are plain numbers, of which no place needs to be known.
        name: value if type(value) is float else _number(value, place.at(name))
        for name, value in _scores(said)
    }
    found = n_examples
    if found is None and not is_group:
        found = _recovered(numbers)
    for name, score in numbers.items():
        metric, chosen = split_name(name)
        if metric.endswith("_stderr"):
            continue
        stderr = numbers.get(_stderr_name(name), math.nan)
        direction = (better or {}).get(metric)
        yield {
            **scale(
                metric,
                task,
                score,
                stderr if 0 <= stderr < math.inf else None,
                direction if isinstance(direction, bool) else None,
            ),
            "filter": chosen,
            "n_examples": found,
            "n_examples_source": None
            if found is None
            else ("reported" if n_examples is not None else "recovered"),
        }


def _scores(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what may be a score: numbers, and text that stands for none."""
    for name, value in said.items():
        is_text = isinstance(value, str) and value not in _NONE and "," not in name
        if name.strip() and name not in _NO_SCORES and not is_text:
            yield name, value


def _number(value: Any, place: Place) -> float:
    return math.nan if isinstance(value, str) and value in _NONE else as_number(value, place)


def _stderr_name(name: str) -> str:
    metric, comma, chosen = name.partition(",")
    return f"{metric}_stderr{comma}{chosen}"


def _recovered(numbers: Mapping[str, float]) -> int | None:
    """Return the examples that every score of a task agrees on, None if they do not."""
    found = {
        recovered_count(score, numbers.get(_stderr_name(name), math.nan))
        for name, score in numbers.items()
    } - {None}
    return found.pop() if len(found) == 1 else None
