"""Queries of a full log of BIG-bench as samples: multiple choice, generated text, and scoring.

Generated text and the scoring of its target are asked in turns, and become one sample. Examples
have no names there: the question itself names them (its hash), so that models meet on the same
ones. Not verified against a real file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, as_list, as_mapping, as_number, as_text, field, given

__all__ = ["samples_of"]

_KNOWN = ("cond_log_prob", "generate_text")

Row = dict[str, Any]
_Key = tuple[Any, ...]


def samples_of(
    content: Mapping[str, Any], task: str, place: Place, notes: list[Note]
) -> Iterator[Row]:
    """Yield the samples behind the scores, of a file that has them.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    merged, n_unknown = dict[_Key, Row](), 0
    for key, row in _asked(content, task, place):
        n_unknown += row["n_shots"] is None
        count = 0
        while not _completes(row, merged.get((*key, count))):
            count += 1  # the same question again
        name = f"{key[-1]}-{count}" if count else key[-1]
        merged.setdefault((*key, count), {"example_id": name}).update(row)
    if n_unknown:
        said = f"{n_unknown} answers do not say how many worked examples stood before them"
        notes.append(("warning", str(place.path), "n_shots", said))
    for row in merged.values():
        yield {name: value for name, value in row.items() if name != "kinds"}


def _completes(row: Row, there: Row | None) -> bool:
    """Return whether a row says what the one that is there does not: its output, or its score."""
    if there is None:
        return True
    if row["kinds"] & there["kinds"]:
        return False
    row["kinds"] |= there["kinds"]
    return True


def _asked(content: Mapping[str, Any], task: str, place: Place) -> Iterator[tuple[_Key, Row]]:
    for number, entry in enumerate(given(content, "queries", list, place) or []):
        inside = place.at("queries").at(number)
        query = as_mapping(entry, inside)
        function = field(query, "function", str, inside)
        if function not in _KNOWN:
            raise inside.at("function").error(
                f"is {function[:40]!r}, but must be {' or '.join(_KNOWN)}; mend the file."
            )
        described = given(query, "subtask", str, inside)
        subtask = None if described in (None, task) else str(described).removeprefix(f"{task}:")
        shared: Row = {"n_shots": given(query, "shots", int, inside), "subtask": subtask}
        for index, one in enumerate(field(query, "samples", list, inside)):
            here = inside.at("samples").at(index)
            sample = as_mapping(one, here)
            row = shared | _answer(sample, function, here)
            yield (subtask, shared["n_shots"], "choices" in row, _name(sample, here)), row


def _name(sample: Mapping[str, Any], place: Place) -> str:
    text = field(sample, "input", str, place)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _answer(sample: Mapping[str, Any], function: str, place: Place) -> Row:
    if function == "generate_text":
        return _generated(sample, place)
    if sample.get("target_values") is not None:
        return _multiple_choice(sample, place)
    return _scored(sample, place)


def _multiple_choice(sample: Mapping[str, Any], place: Place) -> Row:
    choices = _texts(sample, "targets", place)
    logprobs = _logprobs(sample, len(choices), place)
    values, inside = field(sample, "target_values", dict, place), place.at("target_values")
    scores = [field(values, choice, float, inside) for choice in choices]
    best = max(scores, default=0.0)
    gold = [number for number, score in enumerate(scores) if score == best and score > 0]
    likeliest = max(range(len(choices)), key=lambda n: logprobs[n], default=None)
    return {
        "kinds": {"choices"},
        "choices": choices,
        "choice_scores": scores,
        "gold": gold[0] if len(gold) == 1 else gold or None,
        "choice_logprobs": logprobs,
        "prediction": None if likeliest is None else choices[likeliest],
        "target": _one([choices[number] for number in gold]),
        **_reported([given(sample, "metrics", dict, place) or {}], place.at("metrics")),
    }


def _generated(sample: Mapping[str, Any], place: Place) -> Row:
    targets, inside = sample.get("targets"), place.at("targets")
    scores = list(targets.values()) if isinstance(targets, dict) else []
    metrics = [as_mapping(one or {}, inside) for one in scores]
    output = sample.get("output")
    return {
        "kinds": {"output"},
        "prediction": None if output is None else as_text(output, place.at("output")),
        "target": _one(_texts(sample, "targets", place)),
        **_reported(metrics, inside),
    }


def _scored(sample: Mapping[str, Any], place: Place) -> Row:
    targets = _texts(sample, "targets", place)
    logprobs = _logprobs(sample, len(targets), place)
    return {
        "kinds": {"logprob"},
        "target": _one(targets),
        "target_logprobs": logprobs if len(logprobs) > 1 else None,
        "logprob": _log_sum(logprobs),
    }


def _log_sum(logprobs: Sequence[float]) -> float:
    """Return the log-probability that one of the targets is written, whichever."""
    known = [value for value in logprobs if not math.isnan(value)]
    highest = max(known, default=math.nan)
    if not math.isfinite(highest):
        return math.nan
    return highest + math.log(sum(math.exp(value - highest) for value in known))


def _logprobs(sample: Mapping[str, Any], n: int, place: Place) -> list[float]:
    """Return log-probabilities in nats, of each target; a lone number is that of a lone target."""
    inside, found = place.at("absolute_scores"), sample.get("absolute_scores")
    if found is None:
        found = field(sample, "scores", list, place)  # as some older logs call them
    values = found if isinstance(found, list) else [found]
    numbers = [as_number(value, inside.at(number)) for number, value in enumerate(values)]
    if len(numbers) != n:
        raise inside.error(f"has {len(numbers)} numbers for {n} targets; mend the file.")
    return numbers


def _texts(sample: Mapping[str, Any], name: str, place: Place) -> list[str]:
    """Return the targets: one text, a list of them, or the keys of their scores."""
    value, inside = sample.get(name), place.at(name)
    if isinstance(value, str):
        return [value]
    names = list(value) if isinstance(value, dict) else as_list(value, inside)
    return [as_text(one, inside.at(number)) for number, one in enumerate(names)]


def _reported(metrics: Sequence[Mapping[str, Any]], place: Place) -> Row:
    """Return the scores of a sample, that of the target which it meets best."""
    row = dict[str, Any]()
    for one in metrics:
        for name, value in one.items():
            score = as_number(value, place.at(name))
            row[f"reported_{name}"] = max(score, row.get(f"reported_{name}", -math.inf))
    return row


def _one(values: list[str]) -> str | list[str] | None:
    return values[0] if len(values) == 1 else values or None
