"""Metrics that ask how far an answer is from right, in tokens or characters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from rapidfuzz.distance import Levenshtein

from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.matches import UNITS, Unit, cut_pairs
from emergekit.metrics.metric import Metric, named, require_option

__all__ = ["character_edit_distance", "token_accuracy", "token_edit_distance"]

Normalise = Literal["target", "longest"]


def token_edit_distance(
    *,
    normalise: Normalise | None = None,
    first_tokens: int | None = None,
    unit: Unit = "words",
) -> Metric:
    """Return the Levenshtein distance to the nearest target, in tokens.

    For outputs of the target's length it is at most the number of wrong places (Hamming); the
    expected value K(1 - p) counts those.

    Parameters
    ----------
    normalise : {"target", "longest"}, optional
        Divide by the length of the target (a word error rate, which may exceed 1) or of the longer
        side (between 0 and 1).
    first_tokens : int, optional
        Compare the first so many tokens only.
    unit : {"words", "characters"}
        What a token is: what white space parts, or one character (digits of numbers).
    """
    require_option("unit", unit, UNITS)
    options: dict[str, Any] = {"normalise": normalise, "first_tokens": first_tokens, "unit": unit}
    return _distance("token_edit_distance", options, {"unit": "words"})


def character_edit_distance(
    *, normalise: Normalise | None = None, first_tokens: int | None = None
) -> Metric:
    """Return the Levenshtein distance to the nearest target, in characters.

    Parameters
    ----------
    normalise : {"target", "longest"}, optional
        Divide by the length of the target or of the longer side.
    first_tokens : int, optional
        Compare the first so many characters only.
    """
    options: dict[str, Any] = {"normalise": normalise, "first_tokens": first_tokens}
    options["unit"] = "characters"
    return _distance("character_edit_distance", options, {"unit": "characters"})


def token_accuracy(*, first_tokens: int | None = None, unit: Unit = "words") -> Metric:
    """Return the share of the target's tokens that stand in their place.

    Parameters
    ----------
    first_tokens : int, optional
        Compare the first so many tokens only.
    unit : {"words", "characters"}
        What a token is.
    """
    require_option("unit", unit, UNITS)
    options = {"first_tokens": first_tokens, "unit": unit}
    return Metric(
        name=named("token_accuracy", options, {"unit": "words"}),
        requires=("prediction", "target"),
        continuous=True,
        per_token="linear",
        bounds=(0.0, 1.0),
        higher_is_better=True,
        tokenises=True,
        scorer=partial(_in_place, first_tokens=first_tokens, unit=unit),
        expected="expected_token_accuracy",
        reference="Schaeffer et al. 2023, appendix A; 1 - error rate per token",
    )


def _distance(name: str, options: dict[str, Any], usual: dict[str, Any]) -> Metric:
    require_option("normalise", options["normalise"], (None, "target", "longest"))
    return Metric(
        name=named(name, options, usual),
        requires=("prediction", "target"),
        continuous=True,
        per_token="linear",
        bounds=(0.0, 1.0 if options["normalise"] == "longest" else np.inf),
        higher_is_better=False,
        tokenises=True,
        scorer=partial(_edits, **options),
        expected="expected_token_edit_distance" if options["normalise"] is None else None,
        reference="Schaeffer et al. 2023, section 2; Levenshtein 1966",
    )


def _edits(
    inputs: Inputs, normalise: Normalise | None, first_tokens: int | None, unit: Unit
) -> Array:
    pairs = cut_pairs(inputs, first_tokens, unit)
    compare = _word_edits if unit == "words" else Levenshtein.distance
    texts = (pairs.predictions, pairs.targets)
    edits = np.fromiter(map(compare, *texts), dtype=float, count=len(pairs.rows))
    if normalise is not None:
        n_answer, n_target = (_lengths(_tokens(inputs, side, unit)) for side in texts)
        length = n_target if normalise == "target" else np.maximum(n_target, n_answer)
        # Nothing against nothing is no edit; something against an empty target has no rate.
        edits = np.where(edits == 0, 0.0, edits / np.where(length > 0, length, np.nan))
    return pairs.best(edits, highest=False)


def _word_edits(answer: str, target: str) -> int:
    # Splitting costs more than the distance, and a right answer needs neither.
    return 0 if answer == target else Levenshtein.distance(answer.split(), target.split())


def _lengths(tokens: Sequence[Sequence[str]]) -> Array:
    return np.fromiter(map(len, tokens), dtype=float, count=len(tokens))


def _tokens(inputs: Inputs, texts: Sequence[str], unit: Unit) -> Sequence[Sequence[str]]:
    return inputs.split(texts, str.split) if unit == "words" else texts


def _in_place(inputs: Inputs, first_tokens: int | None, unit: Unit) -> Array:
    pairs = cut_pairs(inputs, first_tokens, unit)
    left, right = _tokens(inputs, pairs.predictions, unit), _tokens(inputs, pairs.targets, unit)
    shares = [_share_in_place(answer, target) for answer, target in zip(left, right, strict=True)]
    return pairs.best(np.array(shares, dtype=float), highest=True)


def _share_in_place(answer: Sequence[str], target: Sequence[str]) -> float:
    if not target:
        return float(not answer)
    return sum(a == b for a, b in zip(answer, target, strict=False)) / len(target)
