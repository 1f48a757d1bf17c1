"""Metrics of multiple choice that look at the likeliest choice only.

Choices that tie share their credit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from emergekit.metrics.batches import Array, Block
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.kernels import right_share_by_length, single_answer_scores
from emergekit.metrics.metric import Metric

__all__ = [
    "CHOICES",
    "acc",
    "acc_bytes",
    "acc_mutual_info",
    "acc_norm",
    "each_sample",
    "multiple_choice_grade",
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


def _grade(block: Block, compat: str | None) -> Array:
    if block.gold is not None:
        return _likeliest(block, compat)
    return _weighed(pick(block.logprobs, compat), block.scores)


def _weighed(picked: Array, scores: NDArray[Any]) -> Array:
    return np.asarray((picked * scores).sum(axis=0))


def _likeliest(block: Block, compat: str | None) -> Array:
    if block.gold is not None and compat is None:
        return single_answer_scores(block, block.gold).share
    return _right_share(block, block.logprobs, compat)


def _right_share(block: Block, values: Array, compat: str | None) -> Array:
    """Return how much of the pick falls on right choices."""
    return _weighed(pick(values, compat), block.right)


def _likeliest_by_length(
    inputs: Inputs, unit: Literal["chars", "bytes"], compat: str | None
) -> Array:
    source, name = inputs.lengths(unit), f"choice_{unit}"

    def score(block: Block) -> Array:
        lengths = source.stacked(name, block.rows, block.n_choices)
        if block.gold is not None and compat is None:
            share = right_share_by_length(block, lengths, block.gold)
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                share = _right_share(block, block.logprobs / lengths.T, compat)
        # A choice without a length has no log-probability per unit of it.
        return share if lengths.min() > 0 else np.where((lengths > 0).all(axis=1), share, np.nan)

    return each_sample(inputs, score)


def _likeliest_by_information(inputs: Inputs, compat: str | None) -> Array:
    def score(block: Block) -> Array:
        name = "choice_logprobs_unconditional"
        without = np.asarray(inputs.stacked(name, block.rows, block.n_choices), dtype=float)
        known = np.isfinite(without).all(axis=1)
        values = block.logprobs - np.where(known[:, None], without, 0.0).T
        return np.where(known, _right_share(block, values, compat), np.nan)

    return each_sample(inputs, score)


def _mean_score(block: Block) -> Array:
    return np.asarray(block.scores.mean(axis=0)) if block.gold is None else _share_right(block)


def _share_right(block: Block) -> Array:
    if block.gold is not None:
        return np.full(len(block.rows), 1 / block.n_choices)
    return np.asarray(block.right.mean(axis=0))
