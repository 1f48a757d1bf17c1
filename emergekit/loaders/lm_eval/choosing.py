"""Columns of samples where the model was asked how likely each of several choices is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from emergekit.loaders.documents import Place
from emergekit.loaders.lm_eval.answers import printed_list
from emergekit.loaders.lm_eval.requests import Pair, Request

__all__ = ["choice_columns"]

_INDICES = re.compile(r"\[\s*\d{1,9}(\s*,\s*\d{1,9})*\s*\]")


def choice_columns(
    pairs: Sequence[Pair],
    record: Mapping[str, Any],
    asked: Sequence[Request],
    delimiter: str | None,
    place: Place,
) -> dict[str, Any]:
    """Return the columns of a multiple-choice sample.

    Parameters
    ----------
    pairs : sequence of (float, bool)
        One a request; for `acc_mutual_info` each choice is asked twice, with the question and
        without, in either order.
    record : mapping
        The line.
    asked : sequence of (str, str)
        Contexts and continuations.
    delimiter : str, optional
        What the harness put before each choice, which no length counts; a single space if all
        have one, if None.
    place : Place
        Where the line stands.

    Raises
    ------
    LoadError
        If the target is no choice.
    """
    if asked and len(asked) != len(pairs):
        raise place.at("arguments").error(
            f"has {len(asked)} requests, but there are {len(pairs)} answers; mend or drop that "
            f"line."
        )
    with_question, without = _halves(record, asked, len(pairs))
    texts = _texts([asked[n] for n in with_question], delimiter) if asked else None
    return {
        "choices": texts,
        "gold": _gold(record.get("target"), texts, len(with_question), place.at("target")),
        "choice_logprobs": [pairs[n][0] for n in with_question],
        "choice_logprobs_unconditional": [pairs[n][0] for n in without] or None,
        "choice_chars": [len(text) for text in texts] if texts else None,
        "choice_bytes": [len(text.encode("utf-8", "replace")) for text in texts] if texts else None,
    }


def _halves(
    record: Mapping[str, Any], asked: Sequence[Request], n: int
) -> tuple[Sequence[int], Sequence[int]]:
    """Return the numbers of the requests with the question, and of those without."""
    metrics = record.get("metrics")
    if n % 2 or not isinstance(metrics, list) or "acc_mutual_info" not in metrics:
        return range(n), ()
    without = [number for number, (context, _) in enumerate(asked) if not context]
    if asked and len(without) == n // 2:
        return [number for number in range(n) if asked[number][0]], without
    return range(n // 2), range(n // 2, n)


def _texts(asked: Sequence[Request], delimiter: str | None) -> list[str] | None:
    """Return the choices as the task has them; None where the contexts differ, not they."""
    texts = [str(continuation) for _, continuation in asked]
    contexts = {context for context, _ in asked}
    if len(contexts) > 1 and len(set(texts)) == 1:
        return None
    mark = delimiter if delimiter is not None else " "
    if mark and all(text.startswith(mark) for text in texts):
        return [text[len(mark) :] for text in texts]
    return texts


def _gold(
    target: Any, texts: Sequence[str] | None, n_choices: int, place: Place
) -> int | list[int] | None:
    """Return the right choice, or the list of them: the harness prints its index, or its text."""
    if isinstance(target, list):
        named = [_index(str(one), texts) for one in target]
        found: list[int] | None = None if None in named else [n for n in named if n is not None]
    else:
        text = "" if target is None else str(target)
        if _INDICES.fullmatch(text):
            return _within([int(digits) for digits in re.findall(r"\d+", text)], n_choices, place)
        several = printed_list(text)
        if several is None:
            index = _index(text, texts)
            return None if index is None else _within([index], n_choices, place)[0]
        named = [_index(one, texts) for one in several]
        found = None if None in named else [n for n in named if n is not None]
    return None if found is None else _within(found, n_choices, place)


def _index(text: str, texts: Sequence[str] | None) -> int | None:
    if text.isdecimal() and text.isascii() and len(text) < 10:
        return int(text)
    bare = [one.strip() for one in texts or ()]
    return bare.index(text.strip()) if text.strip() in bare else None


def _within(indices: list[int], n_choices: int, place: Place) -> list[int]:
    for index in indices:
        if index >= n_choices:
            raise place.error(f"names choice {index}, but there are {n_choices}, counted from 0.")
    return indices
