"""Metrics that ask whether an answer is right: string, normalised and numeric matches."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from emergekit.metrics.batches import Array, Pairs
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import Metric, named, require_option

__all__ = [
    "Unit",
    "case_insensitive_match",
    "cut_pairs",
    "exact_match",
    "numeric_match",
    "quasi_exact_match",
    "squad_em",
    "squad_normalised",
]

Unit = Literal["words", "characters"]
UNITS = ("words", "characters")

_ROUNDING = 2 * np.finfo(float).eps
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_DIGITS = str.maketrans("", "", string.digits)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def exact_match(
    *,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
    ignore_numbers: bool = False,
    regexes_to_ignore: Sequence[str] = (),
    first_tokens: int | None = None,
    unit: Unit = "words",
) -> Metric:
    """Return the metric that is 1 where the prediction equals any target to the letter.

    Parameters
    ----------
    ignore_case, ignore_punctuation, ignore_numbers : bool
        Fold these away on both sides first, as lm-evaluation-harness does.
    regexes_to_ignore : sequence of str
        Patterns taken out of both sides before that.
    first_tokens : int, optional
        Compare the first so many tokens only.
    unit : {"words", "characters"}
        What a token is then; characters for digits of numbers.
    """
    require_option("unit", unit, UNITS)
    options: dict[str, Any] = {
        "ignore_case": ignore_case,
        "ignore_punctuation": ignore_punctuation,
        "ignore_numbers": ignore_numbers,
        "regexes_to_ignore": tuple(regexes_to_ignore),
    }
    folded = any(options.values())
    fold = partial(_lm_folded, **options) if folded else None
    return _match(
        named("exact_match", options | _cut_options(first_tokens, unit)),
        fold,
        "Schaeffer et al. 2023, section 1; options as lm-evaluation-harness 0.4.13, exact_match",
        first_tokens,
        unit,
    )


def case_insensitive_match(*, first_tokens: int | None = None, unit: Unit = "words") -> Metric:
    """Return the metric that is 1 where both sides agree without outer space and case."""
    return _match(
        named("case_insensitive_match", _cut_options(first_tokens, unit)),
        _case_folded,
        "BIG-bench, task_metrics.py, case_insensitive_str_match",
        first_tokens,
        unit,
    )


def quasi_exact_match() -> Metric:
    """Return the metric that is 1 where both sides agree after HELM's normalisation.

    Lower case, no punctuation, no articles, single spaces. An empty prediction scores 0.
    """
    return _match(
        "quasi_exact_match",
        squad_normalised,
        "HELM 0.5.16, evaluate_reference_metrics.py, quasi_exact_match",
        empty_scores=False,
    )


def squad_em() -> Metric:
    """Return the metric that is 1 where both sides agree after SQuAD's normalisation."""
    return _match("squad_em", squad_normalised, "Rajpurkar et al. 2016; t5 0.9.4, squad metric")


def numeric_match(*, tolerance: float = 0.1, compat: str | None = None) -> Metric:
    r"""Return the metric that is 1 where a number is within a share of the target.

    .. math:: |\hat{y} - t| \le 0.1\,|t|, \quad |\hat{y}| \le 0.1 \text{ if } t = 0

    The bound itself counts: 1.1 matches 1, although in floats it is further than a tenth away.

    Parameters
    ----------
    tolerance : float
        The share.
    compat : {"bigbench"}, optional
        BIG-bench divides by the signed target, so that every number matches a negative one, and
        its bound is that of floats: 1.1 does not match 1.
    """
    signed = compat == "bigbench"
    return Metric(
        name=named("numeric_match", {"tolerance": tolerance}, {"tolerance": 0.1}),
        requires=("prediction", "target"),
        continuous=False,
        per_token="none",
        bounds=(0.0, 1.0),
        higher_is_better=True,
        scorer=partial(_numeric, tolerance=tolerance, signed=signed),
        reference="BIG-bench, task_metrics.py, numeric_match_with_0_1_relative_error",
    )


def squad_normalised(text: str) -> str:
    """Return text in lower case without punctuation and articles, single-spaced."""
    plain = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def cut_pairs(inputs: Inputs, first_tokens: int | None, unit: Unit) -> Pairs:
    """Return the pairs of texts, each cut after its first tokens."""
    if first_tokens is None:
        return inputs.pairs
    if first_tokens < 1:
        raise ValueError(f"first_tokens must be 1 or more; it is {first_tokens}.")
    cut = _first_words if unit == "words" else _first_characters
    key = ("cut", first_tokens, unit)
    pairs: Pairs = inputs.once(key, lambda: _cut(inputs.pairs, cut, first_tokens))
    return pairs


def _cut_options(first_tokens: int | None, unit: Unit) -> dict[str, Any]:
    """Return the options that stand in a name: the unit matters where texts are cut."""
    return {"first_tokens": first_tokens, "unit": None if first_tokens is None else unit}


def _cut(pairs: Pairs, cut: Callable[[str, int], str], n: int) -> Pairs:
    predictions = [cut(text, n) for text in pairs.predictions]
    targets = [cut(text, n) for text in pairs.targets]
    return Pairs(pairs.rows, predictions, targets, pairs.n_rows)


def _first_words(text: str, n: int) -> str:
    return " ".join(text.split()[:n])


def _first_characters(text: str, n: int) -> str:
    return text[:n]


def _match(
    name: str,
    fold: Callable[[str], str] | None,
    reference: str,
    first_tokens: int | None = None,
    unit: Unit = "words",
    *,
    empty_scores: bool = True,
) -> Metric:
    return Metric(
        name=name,
        requires=("prediction", "target"),
        continuous=False,
        per_token="geometric",
        bounds=(0.0, 1.0),
        higher_is_better=True,
        scorer=partial(
            _equal, fold=fold, first_tokens=first_tokens, unit=unit, empty_scores=empty_scores
        ),
        expected="expected_exact_match",
        reference=reference,
    )


def _equal(
    inputs: Inputs,
    fold: Callable[[str], str] | None,
    first_tokens: int | None,
    unit: Unit,
    empty_scores: bool,
) -> Array:
    if fold is None and first_tokens is None:
        return _identical(inputs)
    pairs = cut_pairs(inputs, first_tokens, unit)
    left, right = pairs.predictions, pairs.targets
    if fold is not None:
        left, right = [fold(text) for text in left], [fold(text) for text in right]
    same = np.array([a == b for a, b in zip(left, right, strict=True)], dtype=float)
    if not empty_scores:
        same *= np.array([bool(text) for text in pairs.predictions], dtype=float)
    return pairs.best(same, highest=True)


def _identical(inputs: Inputs) -> Array:
    """Return equality to the letter; in one pass of Arrow where there is one target a row."""
    equal = inputs.equal_columns("prediction", "target")
    if equal is not None:
        return equal
    pairs = inputs.pairs
    texts = zip(pairs.predictions, pairs.targets, strict=True)
    return pairs.best(np.array([a == b for a, b in texts], dtype=float), highest=True)


def _case_folded(text: str) -> str:
    return text.strip().lower()


def _lm_folded(
    text: str,
    ignore_case: bool,
    ignore_punctuation: bool,
    ignore_numbers: bool,
    regexes_to_ignore: tuple[str, ...],
) -> str:
    for pattern in regexes_to_ignore:
        text = re.sub(pattern, "", text)
    if ignore_case:
        text = text.lower()
    if ignore_punctuation:
        text = text.translate(_PUNCTUATION)
    return text.translate(_DIGITS) if ignore_numbers else text


def _numeric(inputs: Inputs, tolerance: float, signed: bool) -> Array:
    pairs = inputs.pairs
    answer = np.array([_number(text) for text in pairs.predictions])
    target = np.array([_number(text) for text in pairs.targets])
    scale = np.where(target == 0, 1.0, target if signed else np.abs(target))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(answer - target)
        if signed:
            near = apart / scale <= tolerance
        else:
            # What reading both numbers and subtracting them may have rounded away.
            rounding = _ROUNDING * (np.abs(answer) + np.abs(target)) if tolerance > 0 else 0.0
            near = np.isfinite(apart) & (apart <= tolerance * scale + rounding)
    return pairs.best(near.astype(float), highest=True)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
