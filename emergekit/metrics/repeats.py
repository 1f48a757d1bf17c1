"""Metrics made from another one: several answers to one example, several examples together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import (
    Metric,
    Outcome,
    labelled,
    mean_of,
    named,
    require_above_zero,
    require_option,
)

__all__ = [
    "chance_corrected_accuracy",
    "normalized_preferred_score",
    "pass_at_k",
    "pass_until",
    "subset_accuracy",
]

# Lowest and highest score as BIG-bench states them, where they are not those of the metric.
_STATED_RANGE = {"logprob_correct": (-10.0, 0.0), "p_correct_vocab": (-1.0, 1.0)}


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
    require_above_zero("length", length)
    require_option("method", method, ("unbiased", "power"))
    options = {"length": length, "of": of.name, "method": method}
    return _from_marks(
        of,
        named("subset_accuracy", options, {"method": "unbiased"}),
        per_token="geometric",
        quantities=partial(_scores, of=of),
        finish=partial(_all_right, length=length, method=method),
        clusters=True,
        expected="expected_exact_match",
        reference="Schaeffer et al. 2023, section 5 and appendix B.1; the unbiased form is derived",
    )


def pass_at_k(*, k: int = 1, of: Metric) -> Metric:
    r"""Return the chance that one of k answers to an example is right, without bias.

    .. math:: 1 - \binom{n - c}{k} / \binom{n}{k}

    for n answers to an example, c of them right; the mean over examples. Needs `example_id`.
    Answers that differ in a column that parts the samples, such as a seed, are not taken together:
    leave it out of ``by``.

    Parameters
    ----------
    k : int
        Number of answers; examples with fewer count as missing.
    of : Metric
        The metric that says whether an answer is right.
    """
    require_above_zero("k", k)
    return _from_marks(
        of,
        named("pass_at_k", {"k": k, "of": of.name}),
        per_token="none",
        quantities=partial(_by_example, of=of),
        finish=partial(_mean_over_examples, estimate=partial(_passed, k=k)),
        needs=("example_id",),
        reference="Chen et al. 2021, equation 1",
    )


def pass_until(
    *, r: int = 2, of: Metric, method: Literal["unbiased", "biased"] = "unbiased"
) -> Metric:
    r"""Return the success rate of examples that were answered until r answers were right.

    .. math:: (r - 1) / (K - 1) \quad \text{or} \quad r / K

    for the r-th success at draw K; the mean over examples. Examples with fewer successes were cut
    off by the budget: theirs is the share of right answers, unbiased for a fixed number of draws.
    Examples with more than r successes did not stop as they should, and count as missing. Needs
    `example_id`.

    Parameters
    ----------
    r : int
        Number of successes at which answering stopped.
    of : Metric
        The metric that says whether an answer is right.
    method : {"unbiased", "biased"}
        The unbiased estimate needs r of 2 or more. The biased one is the maximum of the
        likelihood, several times too high for r = 1.
    """
    require_above_zero("r", r)
    require_option("method", method, ("unbiased", "biased"))
    if method == "unbiased" and r < 2:
        raise ValueError("r must be 2 or more for the unbiased estimate; pass method='biased'.")
    options = {"r": r, "of": of.name, "method": method}
    return _from_marks(
        of,
        named("pass_until", options, {"r": 2, "method": "unbiased"}),
        per_token="none",
        quantities=partial(_by_example, of=of),
        finish=partial(_mean_over_examples, estimate=partial(_until, r=r, method=method)),
        needs=("example_id",),
        reference="Hu et al. 2023, PassUntil (from memory); bias checked by simulation",
    )


def chance_corrected_accuracy(*, of: Metric) -> Metric:
    """Return how much of the way from chance to perfect a metric went: 0 for a guess, 1 at most.

    Parameters
    ----------
    of : Metric
        A metric between 0 and 1, higher better, with a chance level.
    """
    if of.chance is None or of.bounds != (0.0, 1.0) or not of.higher_is_better:
        raise ValueError(
            f"chance_corrected_accuracy needs a metric between 0 and 1, higher better, with a "
            f"chance level, and {of.name} is none."
        )
    reference = "(score - chance) / (1 - chance)"
    return _rescaled(of, "chance_corrected_accuracy", of.chance, 1.0, reference)


def normalized_preferred_score(*, of: Metric) -> Metric:
    """Return BIG-bench's normalised score, as a fraction: 0 at the lowest score, 1 at the highest.

    The lowest score is chance for the multiple-choice grade, and else the lowest of the metric
    (-10 for log-probabilities). BIG-bench multiplies by 100.

    Parameters
    ----------
    of : Metric
        The preferred metric of the task.
    """
    base = of.name.partition("(")[0]
    low, high = _STATED_RANGE.get(base, of.bounds)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"normalized_preferred_score needs a metric with a range: not {of.name}.")
    guess = of.chance if base == "multiple_choice_grade" and of.chance else partial(_flat, low=low)
    reference = "BIG-bench, results.py, add_aggregate_scores"
    return _rescaled(of, "normalized_preferred_score", guess, high, reference)


def _from_marks(of: Metric, name: str, *, needs: tuple[str, ...] = (), **behaviour: Any) -> Metric:
    if of.bounds != (0.0, 1.0) or not of.higher_is_better or of.scorer is None:
        raise ValueError(
            f"{name.partition('(')[0]} needs a metric that marks samples from 0 (wrong) to 1 "
            f"(right), and {of.name} is none."
        )
    return Metric(
        name=name,
        requires=(*of.requires, *needs),
        continuous=of.continuous,
        bounds=(0.0, 1.0),
        higher_is_better=True,
        **behaviour,
    )


def _rescaled(
    of: Metric, name: str, guess: Callable[[Inputs], Array], high: float, reference: str
) -> Metric:
    return Metric(
        name=named(name, {"of": of.name}),
        requires=of.requires,
        continuous=of.continuous,
        per_token=of.per_token,
        bounds=(-np.inf, np.inf if of.bounds[1] > high else 1.0),
        higher_is_better=of.higher_is_better,
        quantities=partial(_scores_and_guesses, of=of, guess=guess),
        finish=partial(_above_guess, high=high),
        clusters=True,
        reference=reference,
    )


def _flat(inputs: Inputs, low: float) -> Array:
    return np.full(inputs.n_rows, low)


def _scores(inputs: Inputs, of: Metric) -> Iterable[tuple[str, Array]]:
    yield "", of.score(inputs)


def _scores_and_guesses(
    inputs: Inputs, of: Metric, guess: Callable[[Inputs], Array]
) -> Iterable[tuple[str, Array]]:
    scores = of.score(inputs)
    yield "score", scores
    yield "guess", np.where(np.isnan(scores), np.nan, guess(inputs))


def _by_example(inputs: Inputs, of: Metric) -> Iterable[tuple[pd.Series[Any], Array]]:
    known = inputs.valid("example_id")
    yield inputs.examples(), np.where(known, of.score(inputs), np.nan)


def _above_guess(sums: pd.DataFrame, high: float) -> Outcome:
    score, stderr, n, _ = mean_of(labelled(sums, "score"))
    guess = mean_of(labelled(sums, "guess")).score
    room = high - guess
    if not room > 0:  # a guess is perfect already, or nothing was scored
        return Outcome(np.nan, np.nan, n)
    return Outcome((score - guess) / room, stderr / room, n)


def _all_right(sums: pd.DataFrame, length: int, method: str) -> Outcome:
    accuracy, stderr, n, _ = mean_of(sums)
    slope = length * accuracy ** (length - 1)
    if method == "power":
        return Outcome(accuracy**length, slope * stderr, n)
    if n < length:
        return Outcome(np.nan, np.nan, n)
    places = np.arange(length)
    unbiased = np.prod(np.maximum(accuracy * n - places, 0.0) / (n - places))
    return Outcome(float(unbiased), slope * stderr, n)


def _mean_over_examples(sums: pd.DataFrame, estimate: Callable[[Array, Array], Array]) -> Outcome:
    n, right = (sums[name].to_numpy(dtype=float) for name in ("n", "sum"))
    n, right = n[n > 0], right[n > 0]
    estimates = estimate(n, right)
    used = np.isfinite(estimates)
    known, dropped = estimates[used], int(n[~used].sum())
    if not len(known):
        return Outcome(np.nan, np.nan, 0, dropped)
    stderr = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else np.nan
    return Outcome(float(known.mean()), stderr, len(known), dropped)


def _passed(n: Array, right: Array, k: int) -> Array:
    """Return 1 - C(n - c, k)/C(n, k) as a product, which overflows nowhere; NaN below k answers."""
    missed = np.ones_like(n)
    for place in range(k):
        missed *= np.maximum(n - right - place, 0.0) / np.maximum(n - place, 1.0)
    return np.where(n >= k, 1 - missed, np.nan)


def _until(n: Array, right: Array, r: int, method: str) -> Array:
    stopped = r / n if method == "biased" else (r - 1) / np.maximum(n - 1, 1)
    return np.select([right == r, right < r], [stopped, right / n], np.nan)
