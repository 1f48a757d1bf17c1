"""Metrics of multiple choice: log-probabilities of the choices against the right one.

Probabilities are renormalised over the choices unless the name says "vocab" or "logprob". Choices
that tie share their credit; several right choices share the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from emergekit.metrics.inputs import Array, Block, Inputs
from emergekit.metrics.kernels import Scores, right_share_by_length, single_answer_scores
from emergekit.metrics.metric import Metric, ratio_of

__all__ = [
    "acc",
    "acc_bytes",
    "acc_mutual_info",
    "acc_norm",
    "brier_mean",
    "brier_sum",
    "cross_entropy_choices",
    "each_sample",
    "logprob_correct",
    "margin_logprob",
    "margin_prob",
    "multiple_choice_grade",
    "p_correct_choices",
    "p_correct_vocab",
    "pick",
]

CHOICES = ("choice_logprobs", "gold|choice_scores")


def multiple_choice_grade(*, compat: str | None = None) -> Metric:
    """Return the score of the likeliest choice; chance is the mean score of the choices.

    Parameters
    ----------
    compat : {"bigbench", "lm-eval"}, optional
        How ties are broken: BIG-bench by a hash of the log-probabilities, lm-evaluation-harness by
        taking the first; shared if None.
    """
    return _sharp(
        "multiple_choice_grade",
        partial(each_sample, score=partial(_grade, compat=compat)),
        "Schaeffer et al. 2023, section 1; BIG-bench, task_metrics.py",
        chance=_mean_score,
    )


def acc(*, compat: str | None = None) -> Metric:
    """Return 1 where the likeliest choice is right.

    Parameters
    ----------
    compat : {"bigbench", "lm-eval"}, optional
        How ties are broken, as for the multiple-choice grade.
    """
    scorer = partial(each_sample, score=partial(_likeliest, compat=compat))
    return _sharp("acc", scorer, "lm-evaluation-harness 0.4.13, acc")


def acc_norm(*, compat: str | None = None) -> Metric:
    """Return 1 where the likeliest choice per character is right.

    Reads `choice_chars`, or counts the characters of `choices`.
    """
    scorer = partial(_likeliest_by_length, unit="chars", compat=compat)
    return _sharp(
        "acc_norm", scorer, "lm-evaluation-harness 0.4.13, acc_norm", "choice_chars|choices"
    )


def acc_bytes(*, compat: str | None = None) -> Metric:
    """Return 1 where the likeliest choice per byte is right.

    Reads `choice_bytes`, or counts the UTF-8 bytes of `choices`.
    """
    scorer = partial(_likeliest_by_length, unit="bytes", compat=compat)
    return _sharp(
        "acc_bytes", scorer, "lm-evaluation-harness 0.4.13, acc_bytes", "choice_bytes|choices"
    )


def acc_mutual_info(*, compat: str | None = None) -> Metric:
    """Return 1 where the choice that the question makes likelier by most is right."""
    scorer = partial(_likeliest_by_information, compat=compat)
    reference = "lm-evaluation-harness 0.4.13, acc_mutual_info"
    return _sharp("acc_mutual_info", scorer, reference, "choice_logprobs_unconditional")


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


def each_sample(inputs: Inputs, score: Callable[[Block], Array]) -> Array:
    """Return the score of every sample, block by block, NaN where an input is missing."""
    blocks = inputs.blocks
    if len(blocks) == 1 and len(blocks[0].rows) == inputs.n_rows:
        return score(blocks[0])
    scores = np.full(inputs.n_rows, np.nan)
    for block in blocks:
        scores[block.rows] = score(block)
    return scores


def pick(values: Array, compat: str | None = None) -> Array:
    """Return how much of each sample's pick falls on each choice, shape (K, n).

    Tied choices share the pick evenly, or one of them gets it as a harness would have it.
    """
    best = values == values.max(axis=0)
    if compat is None:
        return np.asarray(best / np.add.reduce(best, axis=0, dtype=np.int32))
    first = values.argmax(axis=0)
    if compat == "bigbench":
        for sample in np.flatnonzero(np.add.reduce(best, axis=0, dtype=np.int32) > 1):
            first[sample] = _hashed_pick(values[:, sample], np.flatnonzero(best[:, sample]))
    picked = np.zeros(values.shape)
    picked[first, np.arange(values.shape[1])] = 1.0
    return picked


def _hashed_pick(logprobs: Array, tied: NDArray[np.int64]) -> int:
    """Return BIG-bench's pick: SHA-256 of the normalised log-probabilities, modulo the ties."""
    normalised = np.ascontiguousarray(logprobs - logsumexp(logprobs))
    return int(tied[int(hashlib.sha256(normalised.tobytes()).hexdigest(), 16) % len(tied)])


def _sharp(
    name: str,
    scorer: Callable[[Inputs], Array],
    reference: str,
    *more: str,
    chance: Callable[[Block], Array] | None = None,
) -> Metric:
    return Metric(
        name=name,
        requires=(*CHOICES, *more),
        continuous=False,
        per_token="none",
        bounds=(0.0, 1.0),
        higher_is_better=True,
        scorer=scorer,
        chance=partial(each_sample, score=chance or _share_right),
        expected="expected_multiple_choice_grade",
        reference=reference,
    )


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


def _grade(block: Block, compat: str | None) -> Array:
    if block.gold is not None:
        return _likeliest(block, compat)
    return _weighed(pick(block.logprobs, compat), block.scores)


def _weighed(picked: Array, scores: NDArray[Any]) -> Array:
    return np.asarray((picked * scores).sum(axis=0))


def _likeliest(block: Block, compat: str | None) -> Array:
    if block.gold is not None and compat is None:
        return _single(block, block.gold).share
    return _right_share(block, block.logprobs, compat)


def _right_share(block: Block, values: Array, compat: str | None) -> Array:
    """Return how much of the pick falls on right choices."""
    return _weighed(pick(values, compat), block.right)


def _likeliest_by_length(
    inputs: Inputs, unit: Literal["chars", "bytes"], compat: str | None
) -> Array:
    def score(block: Block) -> Array:
        lengths = inputs.lengths(unit, block)
        if block.gold is not None and compat is None:
            return right_share_by_length(block, lengths, block.gold)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _right_share(block, block.logprobs / lengths.T, compat)

    return each_sample(inputs, score)


def _likeliest_by_information(inputs: Inputs, compat: str | None) -> Array:
    def score(block: Block) -> Array:
        without = inputs.stacked("choice_logprobs_unconditional", block.rows, block.n_choices)
        values = block.logprobs - without.T
        return _right_share(block, values, compat)

    return each_sample(inputs, score)


def _mean_score(block: Block) -> Array:
    return np.asarray(block.scores.mean(axis=0)) if block.gold is None else _share_right(block)


def _share_right(block: Block) -> Array:
    if block.gold is not None:
        return np.full(len(block.rows), 1 / block.n_choices)
    return np.asarray(block.right.mean(axis=0))


def _of_uniform(block: Block, score: Callable[[Block], Array]) -> Array:
    """Return what a model that finds all choices equally likely would score."""
    n = len(block.rows)
    if block.gold is not None:  # the same for every sample
        one = Block(block.rows[:1], np.zeros((1, block.n_choices)), block.gold[:1], None)
        return np.full(n, score(one)[0])
    return score(Block(block.rows, np.zeros_like(block.rowwise), None, block.given_scores))


def _p_right(block: Block) -> Array:
    if block.gold is not None:
        return _single(block, block.gold).p
    return block.of_right(block.probabilities)


def _single(block: Block, gold: NDArray[np.int64]) -> Scores:
    """Return the scores of a block with single answers, computed once for it."""
    if "single" not in block.__dict__:
        block.__dict__["single"] = single_answer_scores(block, gold)
    scores: Scores = block.__dict__["single"]
    return scores


def _squared_error(block: Block) -> Array:
    if block.gold is not None:
        return _single(block, block.gold).error
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
    with np.errstate(divide="ignore"):
        together = np.log(block.of_right(block.exponents)) + block.highest
    return np.where(block.right.any(axis=0), together, np.nan)


def _weighted_logprob(block: Block) -> Array:
    weighed = np.where(block.scores == 0, 0.0, block.logprobs) * block.scores
    return np.asarray(weighed.sum(axis=0))


def _cross_entropy(block: Block) -> Array:
    if block.gold is not None:
        return _single(block, block.gold).cross_entropy
    return np.asarray(np.log(block.total) + block.highest - _logprob(block))


def _margin(block: Block, values: Array | None = None) -> Array:
    values = block.logprobs if values is None else values
    best_right = np.where(block.right, values, -np.inf).max(axis=0)
    best_wrong = np.where(block.right, -np.inf, values).max(axis=0)
    rivals = block.right.any(axis=0) & ~block.right.all(axis=0)
    return np.where(rivals, best_right, np.nan) - np.where(rivals, best_wrong, np.nan)


def _probability_margin(block: Block) -> Array:
    return _margin(block, block.probabilities)
