"""What a line of samples asked the model, and the log-probabilities that came back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emergekit.loaders.documents import Place, as_list, as_mapping, as_number

__all__ = ["Pair", "Request", "is_generated", "pairs_of", "requests_of"]

Request = tuple[str, Any]
"""Context, and what the model had to continue it with: text, settings of a generation, or None."""

Pair = tuple[float, bool | None]
"""Log-probability, and whether it is that of the greedy answer."""


def requests_of(record: Mapping[str, Any], place: Place) -> list[Request]:
    """Return the requests of a line, in order; none where an early file lacks them.

    Raises
    ------
    LoadError
        If they are of the wrong type.
    """
    asked, inside = record.get("arguments"), place.at("arguments")
    if isinstance(asked, dict):
        by_name = [as_mapping(one, inside.at(name)) for name, one in asked.items()]
        return [(str(one.get("arg_0", "")), one.get("arg_1")) for one in by_name]
    if isinstance(asked, list):
        lists = [as_list(one, inside.at(number)) for number, one in enumerate(asked)]
        return [(str(one[0]), one[1] if len(one) > 1 else None) for one in lists if one]
    return []


def is_generated(asked: Sequence[Request]) -> bool:
    """Return whether the model was asked to write: such requests carry settings, not a text."""
    return bool(asked) and isinstance(asked[0][1], dict)


def pairs_of(answers: Sequence[Any], asked: Sequence[Request], place: Place) -> list[Pair] | None:
    """Return the log-probabilities of a line, None if the answers are text.

    Parameters
    ----------
    answers : sequence
        `filtered_resps`: each ``["-25.6", "False"]``, ``[[-25.6, false]]``, or, of a whole text,
        ``"-25.6"``.
    asked : sequence
        The requests: a whole text has no continuation.
    place : Place
        Where the answers stand.

    Raises
    ------
    LoadError
        If some are log-probabilities and others are not.
    """
    is_rolling = len(asked) == 1 and asked[0][1] is None
    bare = [_bare(answer) for answer in answers]
    if is_rolling and len(bare) == 1 and not isinstance(bare[0], list):
        return [(_logprob(bare[0], place.at(0)), None)]
    if not _is_pair(bare[0]):
        return None
    for number, pair in enumerate(bare):
        if not _is_pair(pair):
            raise place.at(number).error(
                f"must be a log-probability and whether it is greedy, but holds {pair!s:.60}; mend "
                f"or drop that line."
            )
    return [(_logprob(pair[0], place.at(n)), _truth(pair[1])) for n, pair in enumerate(bare)]


def _bare(answer: Any) -> Any:
    """Return an answer without the lists of one around it."""
    for _ in range(3):
        if isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]
    return answer


def _is_pair(answer: Any) -> bool:
    is_two = isinstance(answer, list) and len(answer) == 2
    return is_two and (isinstance(answer[1], bool) or answer[1] in ("True", "False"))


def _truth(value: Any) -> bool:
    return value is True or value == "True"


def _logprob(value: Any, place: Place) -> float:
    number = as_number(value, place)
    if number > 1e-3 or math.isnan(number):
        raise place.error(f"must be a log-probability, at most 0, but holds {value!s:.40}.")
    return number
