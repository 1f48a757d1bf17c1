"""Columns of samples where the model wrote an answer, or was asked for one text's probability."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from emergekit.loaders.documents import Place
from emergekit.loaders.lm_eval.requests import Pair, Request

__all__ = ["generated", "likelihood_columns", "printed_list"]

_LONGEST_LIST = 100_000  # characters of a printed list of targets


def generated(answers: Sequence[Any], target: Any, place: Place) -> list[dict[str, Any]]:
    """Return a row for each answer to one prompt: several where no filter chose among repeats.

    Raises
    ------
    LoadError
        If an answer is no text.
    """
    listed = answers[0] if isinstance(answers[0], list) else [answers[0]]
    rows = []
    for number, answer in enumerate(listed):
        while isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]
        if isinstance(answer, dict | list):
            raise place.at(number).error(
                f"must be text, but holds {answer!s:.60}; mend or drop that line."
            )
        rows.append(
            {
                "prediction": None if answer is None else str(answer),
                "target": targets_in(target),
                "repeat": number if len(listed) > 1 else None,
            }
        )
    return rows


def targets_in(target: Any) -> str | list[str] | None:
    """Return the right answer, or the list of them: the harness prints lists into the text."""
    if isinstance(target, list):
        return [str(one) for one in target]
    text = None if target is None else str(target)
    return printed_list(text) or text


def printed_list(text: str | None) -> list[str] | None:
    """Return the texts of a list that Python printed, None for any other text.

    Examples
    --------
    >>> printed_list("['a', 'b']"), printed_list("[1, 2]"), printed_list("a")
    (['a', 'b'], None, None)
    """
    if not text or len(text) > _LONGEST_LIST or text[:2] not in ("['", '["') or text[-1] != "]":
        return None
    try:
        found = ast.literal_eval(text)  # reads literals only; nothing is run
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    is_texts = isinstance(found, list) and all(isinstance(one, str) for one in found)
    return found if is_texts else None


def likelihood_columns(
    pair: Pair, record: Mapping[str, Any], asked: Sequence[Request]
) -> dict[str, Any]:
    """Return the columns of one text's log-probability: a continuation, or a whole text.

    Words and bytes of a whole text are those that the harness divided by, which its metrics hold.
    """
    logprob, is_greedy = pair
    continuation = asked[0][1] if asked else None
    target = record.get("target")
    text = continuation if isinstance(continuation, str) else None
    text = text if text is not None else (target if isinstance(target, str) else None)
    return {
        "logprob": logprob,
        "is_greedy": is_greedy,
        "target": text,
        "n_words": _counted(record, "word_perplexity") or (len(text.split()) if text else None),
        "n_bytes": _counted(record, "byte_perplexity", "bits_per_byte")
        or (len(text.encode("utf-8", "replace")) if text else None),
    }


def _counted(record: Mapping[str, Any], *metrics: str) -> int | None:
    """Return the length in a metric of the harness, which is [log-probability, length]."""
    for metric in metrics:
        value = record.get(metric)
        length = value[1] if isinstance(value, list) and len(value) == 2 else None
        if isinstance(length, int) and not isinstance(length, bool) and length > 0:
            return length
    return None
