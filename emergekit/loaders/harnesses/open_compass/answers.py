"""Answers in OpenCompass's predictions, and in the details of its results.

What it calls `PPL` of a label is no perplexity but the mean loss over all tokens of the prompt with
that label, in nats; the least is the answer. So it is kept as `choice_losses` and is no
log-probability of a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emergekit.loaders.documents import Place, as_mapping, field, given

__all__ = ["details_of", "predictions_of"]

_LABEL = "label:"

Row = dict[str, Any]


def predictions_of(content: Any, place: Place, n_before: int = 0) -> dict[str, Row]:
    """Return a sample for each example of a file of predictions, by its number.

    Parameters
    ----------
    content : object
        What the file holds.
    place : Place
        The file.
    n_before : int
        Examples in the parts before this one, each of which counts from 0.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    rows = dict[str, Row]()
    for name, entry in as_mapping(content, place).items():
        inside = place.at(name)
        if not name.isdecimal():
            raise inside.error("must be the number of an example; mend the file.")
        record = as_mapping(entry, inside)
        rows[str(int(name[:18]) + n_before)] = _answer(record, inside)
    return rows


def _answer(record: Mapping[str, Any], place: Place) -> Row:
    prediction = record.get("prediction")
    if isinstance(prediction, list):
        prediction = prediction[0] if prediction else None  # of several answers the first
    row: Row = {"prediction": _text(prediction), "target": _texts(record.get("gold"))}
    labels = {
        name.removeprefix(_LABEL).strip(): as_mapping(said, place.at(name))
        for name, said in record.items()
        if name.startswith(_LABEL)
    }
    return row | _labels(labels, row["target"], place) if labels else row


def _labels(labels: Mapping[str, Mapping[str, Any]], target: Any, place: Place) -> Row:
    names = list(labels)
    losses = [field(said, "PPL", float, place.at(name)) for name, said in labels.items()]
    bits = [given(said, "BPB", float, place.at(name)) for name, said in labels.items()]
    return {
        "choices": names,
        "gold": names.index(target) if target in names else None,
        "choice_losses": losses,
        "choice_bits_per_byte": bits if None not in bits else None,
    }


def details_of(content: Any, place: Place) -> dict[str, Row]:
    """Return what the details of a results file say of each example, by its number.

    Raises
    ------
    LoadError
        Naming file, field and remedy.
    """
    found, inside = as_mapping(content, place).get("details"), place.at("details")
    if isinstance(found, list):
        found = {str(number): entry for number, entry in enumerate(found)}
    entries = as_mapping(found or {}, inside)
    return {
        name: _detail(as_mapping(entry, inside.at(name)), inside.at(name))
        for name, entry in entries.items()
        if name.isdecimal()
    }


def _detail(record: Mapping[str, Any], place: Place) -> Row:
    row: Row = {}
    answer = record.get("predictions", record.get("pred"))
    if answer is not None and not isinstance(answer, list):
        row["prediction"] = _text(answer)
    references = record.get("references", record.get("answer"))
    if references is not None:
        row["target"] = _texts(references)
    output = record.get("origin_prediction")
    if isinstance(output, str):
        row["output"] = output
    elif isinstance(output, dict):
        inside = place.at("origin_prediction")
        labels = {n: s for n, s in output.items() if isinstance(s, dict) and "PPL" in s}
        row |= _labels(labels, row.get("target"), inside) if labels else {}
    right = record.get("correct")
    if isinstance(right, bool | int | float):
        row["reported_accuracy"] = float(right)
    return row


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> str | list[str] | None:
    """Return an answer as text, or as a list of texts."""
    if isinstance(value, list):
        texts = [str(one) for one in value]
        return texts[0] if len(texts) == 1 else texts
    return _text(value)
