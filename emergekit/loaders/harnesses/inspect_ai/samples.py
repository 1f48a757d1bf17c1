"""Samples of an Inspect AI log: one row for each example, epoch and scorer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, as_list, as_mapping, as_text, field, given

__all__ = ["as_score", "samples_of"]

_LETTERS = MappingProxyType({"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0})
_WORDS = MappingProxyType({"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0})
_ATTACHED = "attachment://"

Row = dict[str, Any]


def as_score(value: object) -> float:
    """Return the score of a sample as a number, NaN where it is none.

    Examples
    --------
    >>> [as_score(value) for value in ("C", "I", "P", "N", True, "0.25", [1])]
    [1.0, 0.0, 0.5, 0.0, 1.0, 0.25, nan]
    """
    if isinstance(value, str):
        known = _LETTERS.get(value, _WORDS.get(value.lower()))
        if known is not None:
            return known
        try:
            return float(value)
        except ValueError:
            return math.nan
    return float(value) if isinstance(value, int | float) else math.nan


def samples_of(samples: Iterable[Any], place: Place, notes: list[Note]) -> Iterator[Row]:
    """Yield the samples of a log that were scored, in the order of their epochs and names.

    Each is let go once its row is made.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    rows, n_unscored = list[Row](), 0
    inside = place.at("samples")
    for number, entry in enumerate(samples):
        here = inside.at(number)
        sample = as_mapping(entry, here)
        found = list(_scored(sample, here))
        n_unscored += not found
        rows += found
    if n_unscored:
        said = f"{n_unscored} without a score, which broke or were not reached, left out"
        notes.append(("warning", str(place.path), "samples", said))
    yield from sorted(rows, key=_position)


def _position(row: Row) -> tuple[int, str]:
    return row["repeat"], row["example_id"].zfill(20)


def _scored(sample: Mapping[str, Any], place: Place) -> Iterator[Row]:
    scores = given(sample, "scores", dict, place) or {}
    if not scores:
        return
    epoch = given(sample, "epoch", int, place)
    target = sample.get("target")
    choices = given(sample, "choices", list, place) or None
    shared: Row = {
        "example_id": _id(sample, place),
        "repeat": 0 if epoch is None else max(epoch - 1, 0),
        "target": target if isinstance(target, list) else given(sample, "target", str, place),
        "choices": choices,
        "gold": _gold(target, len(choices)) if choices else None,
        **_output(sample, place),
    }
    inside = place.at("scores")
    for scorer, entry in scores.items():
        score = as_mapping(entry, inside.at(scorer))
        answer = given(score, "answer", str, inside.at(scorer))
        prediction = shared["output"] if answer is None else _resolved(answer, sample)
        row = {"filter": scorer, "prediction": prediction}
        yield shared | row | _values(score.get("value"))


def _id(sample: Mapping[str, Any], place: Place) -> str:
    value = sample.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return field(sample, "id", str, place)
    return str(value)


def _values(value: object) -> Row:
    """Return the score of a sample; a scorer may give several by name."""
    if isinstance(value, dict):
        return {f"reported_{name}": as_score(one) for name, one in value.items()}
    return {"reported_score": as_score(value)}


def _gold(target: object, n_choices: int) -> int | list[int] | None:
    """Return which choices the letters of a target name, None if it names none of them."""
    letters = target if isinstance(target, list) else [target]
    known = {_letter(number): number for number in range(n_choices)}
    gold = [known[one] for one in letters if isinstance(one, str) and one in known]
    if not gold or len(gold) < len(letters):
        return None
    return gold[0] if len(gold) == 1 else gold


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else str(index - 25)


def _output(sample: Mapping[str, Any], place: Place) -> Row:
    """Return what the model wrote, with the log-probabilities of its tokens if it gave them."""
    output = given(sample, "output", dict, place) or {}
    inside = place.at("output")
    choices = given(output, "choices", list, inside) or []
    if not choices:
        completion = given(output, "completion", str, inside)
        return {"output": completion and _resolved(completion, sample)}
    here = inside.at("choices").at(0)
    first = as_mapping(choices[0], here)
    message = given(first, "message", dict, here) or {}
    row: Row = {"output": _text(message.get("content"), sample, here.at("message").at("content"))}
    logprobs = given(first, "logprobs", dict, here)
    if logprobs is not None:
        where = here.at("logprobs").at("content")
        tokens = as_list(logprobs.get("content"), where)
        numbers = [
            field(as_mapping(token, where.at(n)), "logprob", float, where.at(n))
            for n, token in enumerate(tokens)
        ]
        row |= {"output_logprob": sum(numbers), "output_token_logprobs": numbers}
    return row


def _text(content: object, sample: Mapping[str, Any], place: Place) -> str | None:
    """Return the text of a message, which may stand in parts among pictures and reasoning."""
    if content is None:
        return None
    if isinstance(content, str):
        return _resolved(content, sample)
    parts = [as_mapping(part, place.at(n)) for n, part in enumerate(as_list(content, place))]
    texts = [as_text(part.get("text"), place) for part in parts if part.get("type") == "text"]
    return "".join(_resolved(text, sample) for text in texts)


def _resolved(text: str, sample: Mapping[str, Any]) -> str:
    """Return the text itself: long ones stand once in the sample, under their hash."""
    if not text.startswith(_ATTACHED):
        return text
    attachments = sample.get("attachments")
    found = attachments.get(text[len(_ATTACHED) :]) if isinstance(attachments, dict) else None
    return found if isinstance(found, str) else text
