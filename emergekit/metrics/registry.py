"""Metrics by name: `get` one, `describe` all, find what is smooth where another is sharp."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.errors import unknown
from emergekit.metrics import (
    calibration,
    choices,
    distances,
    likelihood,
    matches,
    overlap,
    probabilities,
    repeats,
)
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import Metric

__all__ = ["COMPAT", "METRICS", "continuous_counterparts", "describe", "get", "higher_is_better"]

COMPAT = ("bigbench", "lm-eval")

_BUILDERS: Mapping[str, Callable[..., Metric]] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            matches.exact_match,
            matches.case_insensitive_match,
            matches.quasi_exact_match,
            matches.numeric_match,
            matches.squad_em,
            distances.token_edit_distance,
            distances.character_edit_distance,
            distances.token_accuracy,
            overlap.squad_f1,
            overlap.rouge1,
            overlap.rouge2,
            overlap.rougeL,
            overlap.rougeLsum,
            overlap.bleu,
            choices.multiple_choice_grade,
            choices.acc,
            choices.acc_norm,
            choices.acc_bytes,
            choices.acc_mutual_info,
            probabilities.brier_sum,
            probabilities.brier_mean,
            probabilities.p_correct_choices,
            probabilities.p_correct_vocab,
            probabilities.logprob_correct,
            probabilities.cross_entropy_choices,
            probabilities.margin_logprob,
            probabilities.margin_prob,
            calibration.ece,
            calibration.macro_f1,
            calibration.mcc,
            likelihood.token_nll,
            likelihood.bits_per_byte,
            likelihood.word_perplexity,
            likelihood.byte_perplexity,
            repeats.subset_accuracy,
            repeats.pass_at_k,
            repeats.pass_until,
            repeats.chance_corrected_accuracy,
            repeats.normalized_preferred_score,
        )
    }
)
_LESS_IS_BETTER = re.compile(
    r"(^|[\W_])(perplexity|ppl|loss|nll|cross[\W_]?entropy|xent|ce|ece|rmse|mse|mae|error|brier|wer"
    r"|cer|edit[\W_]distance|bpb)([\W_]|$)|bits[\W_]per|(?<!log[\W_]prob)(?<!logprob)[\W_]per[\W_]byte",
    re.IGNORECASE,
)
_MORE_IS_BETTER = re.compile(
    r"(^|[\W_])(acc|accuracy|em|f1|match|exact|grade|bleu|rouge\w*|pass@?\w*|score|recall|precision)"
    r"([\W_]|$)",
    re.IGNORECASE,
)
_ALIASES = MappingProxyType({"p_correct": "p_correct_choices"})
# What a metric that is made from another one is made from, unless told.
_BASES = MappingProxyType(
    {
        "subset_accuracy": "exact_match",
        "pass_at_k": "exact_match",
        "pass_until": "exact_match",
        "chance_corrected_accuracy": "acc",
        "normalized_preferred_score": "multiple_choice_grade",
    }
)


def get(name: str, *, compat: str | None = None, **options: Any) -> Metric:
    """Return the metric of that registry name.

    Parameters
    ----------
    name : str
        Such as "exact_match"; `describe` lists them.
    compat : {"bigbench", "lm-eval"}, optional
        Reproduce that harness, defects included, where it differs from the sound definition.
    **options
        Of the metric, such as ``ignore_case=True``, ``first_tokens=3`` or ``of="acc"``.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If the name, an option or the harness is unknown, with the nearest match.

    Examples
    --------
    >>> get("exact_match").continuous
    False
    >>> get("token_edit_distance", normalise="longest").bounds
    (0.0, 1.0)
    """
    if compat is not None and compat not in COMPAT:
        raise ValueError(unknown("harness for compat=", compat, COMPAT))
    name = _ALIASES.get(name, name)
    if name not in _BUILDERS:
        raise ValueError(unknown("metric", name, _BUILDERS))
    builder = _BUILDERS[name]
    takes = inspect.signature(builder).parameters
    for option in options:
        if option not in takes:
            raise ValueError(unknown(f"option of {name}", option, takes or ["none"]))
    if "of" in takes:
        base = options.get("of", _BASES[name])
        options["of"] = get(base, compat=compat) if isinstance(base, str) else base
    if "compat" not in takes or compat is None:
        return builder(**options)
    metric = builder(**options, compat=compat)
    return replace(metric, name=_with_compat(metric.name, compat))


def _with_compat(name: str, compat: str) -> str:
    """Return a metric's name with the harness that it reproduces."""
    return f"{name[:-1]}, compat={compat})" if name.endswith(")") else f"{name}(compat={compat})"


METRICS: Mapping[str, Metric] = MappingProxyType({name: get(name) for name in _BUILDERS})
"""Every metric with its usual options, by name."""


def higher_is_better(name: str) -> bool | None:
    """Return the direction of a metric, None where nothing tells it.

    The registry is asked first, options set aside, then the usual words of names.

    Examples
    --------
    >>> higher_is_better("brier_sum"), higher_is_better("wikitext_ppl"), higher_is_better("elo")
    (False, False, None)
    """
    base = _ALIASES.get(name, name).partition("(")[0]
    if base in METRICS:
        return METRICS[base].higher_is_better
    if _LESS_IS_BETTER.search(name):
        return False
    return True if _MORE_IS_BETTER.search(name) else None


def describe() -> pd.DataFrame:
    """Return a table of all metrics: what each reads, its range, direction and behaviour.

    Returns
    -------
    DataFrame
        One row a metric: metric, meaning, requires, low, high, higher_is_better, continuous,
        per_token, chance_of_four (the score of
        a guess among four choices), expected, reference.

    Examples
    --------
    >>> table = describe().set_index("metric")
    >>> table.loc["brier_sum", "high"]
    np.float64(2.0)
    """
    rows = [
        {
            "metric": name,
            "meaning": (inspect.getdoc(_BUILDERS[name]) or "")
            .partition("\n\n")[0]
            .replace("\n", " "),
            "requires": ", ".join(metric.requires),
            "low": metric.bounds[0],
            "high": metric.bounds[1],
            "higher_is_better": metric.higher_is_better,
            "continuous": metric.continuous,
            "per_token": metric.per_token,
            "chance_of_four": _chance_of_four(metric),
            "expected": metric.expected,
            "reference": metric.reference,
        }
        for name, metric in METRICS.items()
    ]
    return pd.DataFrame(rows)


def _chance_of_four(metric: Metric) -> float:
    if metric.chance is None:
        return float("nan")
    four = {"choice_logprobs": [[0.0] * 4], "gold": [0], "choices": [["a"] * 4]}
    return float(metric.chance(Inputs(pd.DataFrame(four)))[0])


def continuous_counterparts(name: str) -> tuple[str, ...]:
    """Return the continuous metrics that score the same outputs as this one.

    Parameters
    ----------
    name : str
        A metric, such as "exact_match".

    Returns
    -------
    tuple of str
        Metrics that read the same columns; for text also those of the target's likelihood.

    Examples
    --------
    >>> continuous_counterparts("exact_match")[:2]
    ('token_edit_distance', 'character_edit_distance')
    >>> continuous_counterparts("multiple_choice_grade")[:2]
    ('brier_sum', 'brier_mean')
    """
    base = _ALIASES.get(name, name).partition("(")[0]
    kind = get(base).requires[0]
    alike = [kind] + ["token_logprobs|logprob"] * (kind == "prediction")
    return tuple(
        other
        for other, counterpart in METRICS.items()
        if counterpart.continuous and counterpart.requires[0] in alike and other != base
    )
