"""Metrics of multiple choice that follow the probability of the right choice smoothly.

Probabilities are renormalised over the choices unless the name says "vocab" or "logprob"; several
right choices share the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from emergekit.metrics.batches import Array, Block
from emergekit.metrics.choices import CHOICES, each_sample
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.kernels import single_answer_scores
from emergekit.metrics.metric import Metric, ratio_of

__all__ = [
    "brier_mean",
    "brier_sum",
    "cross_entropy_choices",
    "logprob_correct",
    "margin_logprob",
    "margin_prob",
    "p_correct_choices",
    "p_correct_vocab",
]


def brier_sum() -> Metric:
    """Return the Brier score as a sum over the choices: 0 to 2, (K - 1)/K for a uniform guess."""
    return _smooth(
        "brier_sum",
        _squared_error,
        bounds=(0.0, 2.0),
        higher_is_better=False,
        expected="expected_brier_sum",
        reference="Brier 1950; lm-evaluation-harness 0.4.13, brier_score",
    )


def brier_mean(*, compat: str | None = None) -> Metric:
    """Return the Brier score as a mean over the choices: 0 to 1, (K - 1)/K^2 for a uniform guess.

    Parameters
    ----------
    compat : {"bigbench"}, optional
        BIG-bench weights both errors by the target, so that several right choices never score 0,
        and pools all choices of all samples, so that samples with many choices count for more.
    """
    bigbench = compat == "bigbench"
    return _smooth(
        "brier_mean",
        _bigbench_error if bigbench else _mean_squared_error,
        higher_is_better=False,
        expected="expected_brier_mean",
        reference="Schaeffer et al. 2023, section 2; BIG-bench, task_metrics.py",
        quantities=_pooled_error if bigbench else None,
        finish=partial(ratio_of, top="error", bottom="choices") if bigbench else None,
    )


def p_correct_choices() -> Metric:
    """Return the probability of the right choices among the choices."""
    reference = "Schaeffer et al. 2023, section 4"
    return _smooth(
        "p_correct_choices", _p_right, expected="expected_p_correct_choices", reference=reference
    )


def p_correct_vocab() -> Metric:
    """Return the probability of the right choices among all texts, summed over them."""
    reference = "BIG-bench, task_metrics.py, weighted_probabilities"
    return _smooth(
        "p_correct_vocab", _p_vocab, bounds=(0.0, np.inf), chance=None, reference=reference
    )


def logprob_correct(*, compat: str | None = None) -> Metric:
    """Return the log-probability of the right choices, nats; NaN where none is right.

    Parameters
    ----------
    compat : {"bigbench"}, optional
        BIG-bench adds up the log-probabilities of several right choices, weighted by their scores,
        where ours is the logarithm of their summed probability.
    """
    return _smooth(
        "logprob_correct",
        _weighted_logprob if compat == "bigbench" else _logprob,
        bounds=(-np.inf, np.inf),
        per_token="logarithmic",
        chance=None,
        reference="BIG-bench, task_metrics.py, weighted_log_probabilities",
    )


def cross_entropy_choices() -> Metric:
    """Return minus the log of the right choices' probability among the choices, nats.

    A uniform guess has ln K; NaN where no choice is right.
    """
    return _smooth(
        "cross_entropy_choices",
        _cross_entropy,
        bounds=(0.0, np.inf),
        higher_is_better=False,
        per_token="logarithmic",
        reference="log loss, as scikit-learn 1.9",
    )


def margin_logprob() -> Metric:
    """Return how far the best right choice is above the best wrong one, nats.

    The multiple-choice grade is 1 where this is positive; NaN where there is no rival.
    """
    reference = "the quantity whose sign decides the multiple-choice grade"
    bounds = (-np.inf, np.inf)
    return _smooth(
        "margin_logprob", _margin, bounds=bounds, per_token="logarithmic", reference=reference
    )


def margin_prob() -> Metric:
    """Return how far the best right choice is above the best wrong one, in probability."""
    reference = "the quantity whose sign decides the multiple-choice grade"
    return _smooth("margin_prob", _probability_margin, bounds=(-1.0, 1.0), reference=reference)


def _smooth(name: str, score: Callable[[Block], Array], **behaviour: Any) -> Metric:
    usual: dict[str, Any] = {
        "continuous": True,
        "per_token": "none",
        "bounds": (0.0, 1.0),
        "higher_is_better": True,
        "chance": partial(each_sample, score=partial(_of_uniform, score=score)),
    }
    return Metric(
        name=name, requires=CHOICES, scorer=partial(each_sample, score=score), **(usual | behaviour)
    )


def _of_uniform(block: Block, score: Callable[[Block], Array]) -> Array:
    """Return what a model that finds all choices equally likely would score."""
    n = len(block.rows)
    if block.gold is not None:  # the same for every sample
        one = Block(block.rows[:1], np.zeros((1, block.n_choices)), block.gold[:1], None)
        return np.full(n, score(one)[0])
    return score(Block(block.rows, np.zeros_like(block.rowwise), None, block.given_scores))


def _p_right(block: Block) -> Array:
    if block.gold is not None:
        return single_answer_scores(block, block.gold).p
    return block.of_right(block.probabilities)


def _squared_error(block: Block) -> Array:
    if block.gold is not None:
        return single_answer_scores(block, block.gold).error
    return np.asarray(((block.probabilities - block.targets) ** 2).sum(axis=0))


def _mean_squared_error(block: Block) -> Array:
    return _squared_error(block) / block.n_choices


def _bigbench_error(block: Block) -> Array:
    p, target = block.probabilities, block.targets
    return np.asarray((target * (p - 1) ** 2 + (1 - target) * p**2).mean(axis=0))


def _pooled_error(inputs: Inputs) -> Iterable[tuple[str, Array]]:
    choices = each_sample(inputs, _n_choices)
    yield "error", each_sample(inputs, _bigbench_error) * choices
    yield "choices", choices


def _n_choices(block: Block) -> Array:
    return np.full(len(block.rows), float(block.n_choices))


def _p_vocab(block: Block) -> Array:
    if block.gold is not None:
        return np.exp(block.of_right(block.logprobs))
    return np.asarray((block.scores * np.exp(block.logprobs)).sum(axis=0))


def _logprob(block: Block) -> Array:
    if block.gold is not None:
        return block.of_right(block.logprobs)
    # Below the best right choice, not the best of all: far behind it every exponential is 0.
    right = np.where(block.right, block.logprobs, -np.inf)
    best = right.max(axis=0)
    above = np.where(np.isfinite(best), best, 0.0)
    with np.errstate(divide="ignore"):
        together = np.log(np.exp(right - above).sum(axis=0)) + above
    return np.where(block.right.any(axis=0), together, np.nan)


def _weighted_logprob(block: Block) -> Array:
    weighed = np.where(block.scores == 0, 0.0, block.logprobs) * block.scores
    return np.asarray(weighed.sum(axis=0))


def _cross_entropy(block: Block) -> Array:
    if block.gold is not None:
        return single_answer_scores(block, block.gold).cross_entropy
    return np.asarray(np.log(block.total) + block.highest - _logprob(block))


def _margin(block: Block, values: Array | None = None) -> Array:
    values = block.logprobs if values is None else values
    best_right = np.where(block.right, values, -np.inf).max(axis=0)
    best_wrong = np.where(block.right, -np.inf, values).max(axis=0)
    rivals = block.right.any(axis=0) & ~block.right.all(axis=0)
    return np.where(rivals, best_right, np.nan) - np.where(rivals, best_wrong, np.nan)


def _probability_margin(block: Block) -> Array:
    return _margin(block, block.probabilities)
