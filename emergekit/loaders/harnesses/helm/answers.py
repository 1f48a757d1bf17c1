"""HELM's requests and their answers, ``scenario_state.json``, as samples.

Choices that are scored one by one (``multiple_choice_separate_*``) and running text
(``language_modeling``) follow HELM's source; not verified against a real file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, as_count, as_list, as_mapping, as_text, field, given
from emergekit.loaders.harnesses.helm.statistics import perturbed

__all__ = ["LOGPROBS", "answers", "have_logprobs"]

LOGPROBS = (
    "choice_logprobs",
    "choice_logprobs_unconditional",
    "token_logprobs",
    "logprob",
    "output_logprob",
)
"""Columns that hold log-probabilities."""

Row = dict[str, Any]
_Asked = tuple[Mapping[str, Any], Place]


def have_logprobs(samples: Sequence[Row]) -> bool | None:
    """Return whether any log-probability is other than 0.0, which HELM writes for none.

    Examples
    --------
    >>> have_logprobs([{"output_logprob": 0.0}]), have_logprobs([{"output": "a"}])
    (False, None)
    """
    values = [row[name] for row in samples for name in LOGPROBS if row.get(name) is not None]
    numbers = [n for value in values for n in (value if isinstance(value, list) else [value])]
    return any(numbers) if numbers else None


def answers(adapter: Mapping[str, Any], notes: list[Note]) -> Callable[[Any, Place], list[Row]]:
    """Return the function from ``scenario_state.json`` to samples, for requests made like this.

    The notes take one on requests under perturbations, which are left out.
    """
    return partial(_answers, method=str(adapter.get("method", "")), notes=notes)


def _answers(content: Any, place: Place, method: str, notes: list[Note]) -> list[Row]:
    grouped, perturbations = dict[tuple[str, int], list[_Asked]](), list[Any]()
    for record, inside in _requests(content, place):
        instance = field(record, "instance", dict, inside)
        if instance.get("perturbation") is not None:
            perturbations.append(instance["perturbation"])
            continue  # not the headline; nor are they in its scores
        trial = given(record, "train_trial_index", int, inside) or 0
        name = field(instance, "id", str, inside.at("instance"))
        key = (name, as_count(trial, inside.at("train_trial_index")))
        grouped.setdefault(key, []).append((record, inside))
    notes += perturbed(perturbations, "request", place)
    return [_sample(name, trial, asked, method) for (name, trial), asked in grouped.items()]


def _sample(name: str, trial: int, asked: Sequence[_Asked], method: str) -> Row:
    record, inside = asked[0]
    instance, where = field(record, "instance", dict, inside), inside.at("instance")
    shared: Row = {
        "example_id": name,
        "repeat": trial,
        "split": given(instance, "split", str, where),
        "n_shots_in_prompt": given(record, "num_train_instances", int, inside),
    }
    if method == "language_modeling":
        return shared | _running_text(asked)
    references = _references(instance, where)
    gold = [number for number, (_, tags) in enumerate(references) if "correct" in tags]
    texts = [text for text, _ in references]
    if record.get("reference_index") is not None:
        shared |= {"choices": texts, "gold": _one(gold)} | _separate(asked, texts)
        return shared | {"target": _one([texts[number] for number in gold])}
    mapping = given(record, "output_mapping", dict, inside)
    if mapping is not None:
        shared |= {"choices": texts, "gold": _one(gold)}
    shared["target"] = _one([texts[number] for number in gold])
    return shared | _output(record, mapping or {}, inside)


def _requests(content: Any, place: Place) -> Iterator[_Asked]:
    states = field(as_mapping(content, place), "request_states", list, place)
    for number, entry in enumerate(states):
        inside = place.at("request_states").at(number)
        yield as_mapping(entry, inside), inside


def _completions(record: Mapping[str, Any], place: Place) -> Iterator[_Asked]:
    result = given(record, "result", dict, place) or {}
    inside = place.at("result").at("completions")
    for number, entry in enumerate(as_list(result.get("completions") or [], inside)):
        yield as_mapping(entry, inside.at(number)), inside.at(number)


def _token_logprobs(said: Mapping[str, Any], place: Place) -> list[float]:
    tokens = given(said, "tokens", list, place) or []
    inside = place.at("tokens")
    return [
        field(as_mapping(token, inside.at(n)), "logprob", float, inside.at(n))
        for n, token in enumerate(tokens)
    ]


def _references(instance: Mapping[str, Any], place: Place) -> list[tuple[str, list[Any]]]:
    inside, found = place.at("references"), list[tuple[str, list[Any]]]()
    for number, entry in enumerate(given(instance, "references", list, place) or []):
        here = inside.at(number)
        record = as_mapping(entry, here)
        text = field(field(record, "output", dict, here), "text", str, here.at("output"))
        found.append((text, given(record, "tags", list, here) or []))
    return found


def _one(values: list[Any]) -> Any:
    """Return the only value as itself, several as a list, and none as None."""
    return values[0] if len(values) == 1 else values or None


def _output(record: Mapping[str, Any], mapping: Mapping[str, Any], place: Place) -> Row:
    """Return the first answer, which HELM scores: the choice that it names, if it names one."""
    first = next(_completions(record, place), None)
    if first is None:
        return {"prediction": None}
    said, inside = first
    text = field(said, "text", str, inside)
    chosen = mapping.get(text.strip())
    prediction = text if chosen is None else as_text(chosen, place.at("output_mapping"))
    return {
        "prediction": prediction,
        "output": text if mapping else None,
        "output_logprob": field(said, "logprob", float, inside),
    }


def _separate(asked: Sequence[_Asked], texts: Sequence[str]) -> Row:
    """Return the log-probability of each choice, asked for on its own: that of its last tokens."""
    rows = dict[str, list[Any]]()
    for record, inside in asked:
        index = as_count(field(record, "reference_index", int, inside), inside)
        if index >= len(texts):
            raise inside.at("reference_index").error(
                f"is {index}, but the instance has {len(texts)} references; mend the file."
            )
        logprob, n_tokens = _ending(record, texts[index], inside)
        is_bare = record.get("request_mode") == "calibration"
        name = "choice_logprobs_unconditional" if is_bare else "choice_logprobs"
        rows.setdefault(name, [None] * len(texts))[index] = logprob
        if not is_bare:
            rows.setdefault("choice_tokens", [None] * len(texts))[index] = n_tokens
    return rows | {"choice_chars": [len(text) for text in texts]}


def _ending(record: Mapping[str, Any], text: str, place: Place) -> tuple[float | None, int | None]:
    """Return the log-probability and number of those last tokens that cover a text."""
    first = next(_completions(record, place), None)
    if first is None:
        return None, None
    said, inside = first
    tokens = field(said, "tokens", list, inside)
    logprobs, covered, taken = _token_logprobs(said, inside), 0, 0
    while covered < len(text) and taken < len(tokens):
        taken += 1
        here = inside.at("tokens").at(len(tokens) - taken)
        covered += len(field(as_mapping(tokens[-taken], here), "text", str, here))
    return sum(logprobs[len(logprobs) - taken :]), taken


def _running_text(asked: Sequence[_Asked]) -> Row:
    """Return the log-probabilities of a text, which long texts ask for in several windows."""
    logprobs = list[float]()
    for record, inside in asked:
        n_given = as_count(given(record, "num_conditioning_tokens", int, inside) or 0, inside)
        for said, where in _completions(record, inside):
            logprobs += _token_logprobs(said, where)[n_given:]
    return {"token_logprobs": logprobs, "logprob": sum(logprobs)}
