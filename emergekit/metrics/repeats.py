"""Metrics made from another one: several answers to one example, several examples together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import Metric, cell, mean_of, named

__all__ = [
    "chance_corrected_accuracy",
    "normalized_preferred_score",
    "pass_at_k",
    "pass_until",
    "subset_accuracy",
]


def subset_accuracy(
    *, length: int = 5, of: Metric, method: Literal["unbiased", "power"] = "unbiased"
) -> Metric:
    r"""Return the chance that so many samples drawn together are all right.

    .. math:: \binom{m}{K} / \binom{n}{K} \quad \text{or} \quad (m / n)^K

    Parameters
    ----------
    length : int
        Number of samples K that must all be right.
    of : Metric
        The metric that says whether one is right, such as exact match.
    method : {"unbiased", "power"}
        Subsets of the n samples without repetition (unbiased), or a^K of their accuracy a, which
        is what independent samples of that accuracy give.
    """
    if length < 1:
        raise ValueError(f"length must be 1 or more; it is {length}.")
    return _from(
        of,
        named(
            "subset_accuracy",
            {"length": length, "of": of.name, "method": method},
            {"method": "unbiased"},
        ),
        per_token="geometric",
        finish=partial(_all_right, length=length, method=method),
        expected="expected_exact_match",
        reference="Schaeffer et al. 2023, section 5 and appendix B.1; the unbiased form is derived",
    )


def pass_at_k(*, k: int = 1, of: Metric) -> Metric:
    r"""Return the chance that one of k answers to an example is right, without bias.

    .. math:: 1 - \binom{n - c}{k} / \binom{n}{k}

    for n answers to an example, c of them right; the mean over examples. Needs `example_id`.

    Parameters
    ----------
    k : int
        Number of answers; examples with fewer count as missing.
    of : Metric
        The metric that says whether an answer is right.
    """
    return _from(
        of,
        named("pass_at_k", {"k": k, "of": of.name}),
        per_token="none",
        quantities=partial(_by_example, of=of),
        finish=partial(_mean_over_examples, estimate=partial(_passed, k=k)),
        needs=("example_id",),
        reference="Chen et al. 2021, equation 1",
    )


def pass_until(*, of: Metric, method: Literal["unbiased", "biased"] = "unbiased") -> Metric:
    r"""Return the success rate of examples that were answered until r of the answers were right.

    .. math:: (r - 1) / (K - 1) \quad \text{or} \quad r / K

    for the r-th success at draw K; the mean over examples. Needs `example_id`.

    Parameters
    ----------
    of : Metric
        The metric that says whether an answer is right.
    method : {"unbiased", "biased"}
        The unbiased estimate needs two successes; examples with fewer count as missing. The biased
        one is the maximum of the likelihood, several times too high for r = 1.
    """
    return _from(
        of,
        named("pass_until", {"of": of.name, "method": method}, {"method": "unbiased"}),
        per_token="none",
        quantities=partial(_by_example, of=of),
        finish=partial(_mean_over_examples, estimate=partial(_until, method=method)),
        needs=("example_id",),
        reference="Hu et al. 2023, PassUntil (from memory); bias checked by simulation",
    )


def chance_corrected_accuracy(*, of: Metric) -> Metric:
    """Return how much of the way from chance to perfect a metric went: 0 for a guess, 1 at most.

    Parameters
    ----------
    of : Metric
        A metric with a chance level and a best score of 1.
    """
    return _rescaled(of, "chance_corrected_accuracy", "(score - chance) / (1 - chance)")


def normalized_preferred_score(*, of: Metric) -> Metric:
    """Return BIG-bench's normalised score, as a fraction: 0 at the lowest score, 1 at the highest.

    The lowest score is chance for the multiple-choice grade and 0 otherwise; BIG-bench multiplies
    by 100.

    Parameters
    ----------
    of : Metric
        The preferred metric of the task.
    """
    return _rescaled(
        of, "normalized_preferred_score", "BIG-bench, results.py, add_aggregate_scores"
    )


def _from(of: Metric, name: str, *, needs: tuple[str, ...] = (), **behaviour: Any) -> Metric:
    usual: dict[str, Any] = {"quantities": partial(_scores, of=of), "bounds": (0.0, 1.0)}
    return Metric(
        name=name,
        requires=(*of.requires, *needs),
        continuous=of.continuous,
        higher_is_better=True,
        **(usual | behaviour),
    )


def _rescaled(of: Metric, name: str, reference: str) -> Metric:
    if of.chance is None and name == "chance_corrected_accuracy":
        raise ValueError(f"{name} needs a metric with a chance level, and {of.name} has none.")
    return _from(
        of,
        named(name, {"of": of.name}),
        per_token=of.per_token,
        bounds=(-np.inf, 1.0),
        quantities=partial(_scores_and_chance, of=of),
        finish=_above_chance,
        reference=reference,
    )


def _scores(inputs: Inputs, of: Metric) -> Iterable[tuple[str, Array]]:
    yield "", of.score(inputs)


def _scores_and_chance(inputs: Inputs, of: Metric) -> Iterable[tuple[str, Array]]:
    scores = of.score(inputs)
    yield "score", scores
    guess = of.chance(inputs) if of.chance is not None else np.zeros(inputs.n_rows)
    yield "guess", np.where(np.isnan(scores), np.nan, guess)


def _by_example(inputs: Inputs, of: Metric) -> Iterable[tuple[pd.Series[Any], Array]]:
    yield pd.Series(inputs.column("example_id").to_pylist()).astype(str), of.score(inputs)


def _above_chance(sums: pd.DataFrame) -> tuple[float, float, int]:
    score, stderr, n = mean_of(sums.loc[["score"]].set_axis([""]))
    guess = cell(sums, "guess", "sum") / n if n else np.nan
    return (score - guess) / (1 - guess), stderr / (1 - guess), n


def _all_right(sums: pd.DataFrame, length: int, method: str) -> tuple[float, float, int]:
    accuracy, stderr, n = mean_of(sums)
    slope = length * accuracy ** (length - 1)
    if method == "power":
        return accuracy**length, slope * stderr, n
    if n < length:
        return np.nan, np.nan, n
    places = np.arange(length)
    unbiased = np.prod(np.maximum(accuracy * n - places, 0.0) / (n - places))
    return float(unbiased), slope * stderr, n


def _mean_over_examples(sums: pd.DataFrame, estimate: Any) -> tuple[float, float, int]:
    estimates = estimate(sums["n"].to_numpy(dtype=float), sums["sum"].to_numpy(dtype=float))
    known = estimates[np.isfinite(estimates)]
    if not len(known):
        return np.nan, np.nan, 0
    stderr = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else np.nan
    return float(known.mean()), stderr, len(known)


def _passed(n: Array, right: Array, k: int) -> Array:
    """Return 1 - C(n - c, k)/C(n, k) as a product, which overflows nowhere; NaN below k answers."""
    missed = np.ones_like(n)
    for place in range(k):
        with np.errstate(divide="ignore", invalid="ignore"):
            missed = missed * np.maximum(n - right - place, 0.0) / (n - place)
    return np.where(n >= k, 1 - missed, np.nan)


def _until(n: Array, right: Array, method: str) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "biased":
            return np.where(right >= 1, right / n, np.nan)
        return np.where(right >= 2, (right - 1) / (n - 1), np.nan)
