"""The arithmetic of single-answer multiple choice, in NumPy and, with the extra `fast`, compiled.

NumPy reduces fast along long axes only, so its versions take the choices first, shape (K, n); the
compiled ones go row by row through what the file held. Exponentials are NumPy's in both: its
vectorised ones are faster than a compiled loop's.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emergekit.metrics.batches import Array, Block

__all__ = ["Scores", "right_share_by_length", "single_answer_scores"]

_WORTH_COMPILING = 10_000  # samples at a time; below, loading the compiler costs more than it saves

Index = NDArray[np.int64]


class Scores(NamedTuple):
    """What one pass over single-answer samples gives, each of shape (n,).

    The share of the pick that falls on the right choice (1, or 1/m where m choices tie for the
    likeliest, or 0), the probability of the right choice, the summed squared error, and the
    cross-entropy in nats, which is finite where that probability is too small for a float.
    """

    share: Array
    p: Array
    error: Array
    cross_entropy: Array


def single_answer_scores(block: Block, gold: Index) -> Scores:
    """Return the scores of samples with one right choice each, computed once for a block.

    Parameters
    ----------
    block : Block
        The samples; probabilities are renormalised over their choices.
    gold : array, shape (n,)
        Index of the right choice.
    """
    scores: Scores = block.once(lambda: _scores(block, gold))
    return scores


def _scores(block: Block, gold: Index) -> Scores:
    compiled = _compiled(len(gold))
    if compiled is not None:
        below, own, share = compiled.below_highest(block.rowwise, gold)
        p, error, total = compiled.softmax(np.exp(below, out=below), gold)
        cross_entropy = np.log(total, out=total)
        cross_entropy -= own
        return Scores(share, p, error, cross_entropy)
    exponents, total = block.exponents, block.total
    p = _of(exponents, gold) / total
    squares = np.einsum("kn,kn->n", exponents, exponents)
    return Scores(
        share=_share(block.logprobs, block.highest, gold),
        p=p,
        error=squares / (total * total) - 2 * p + 1,
        cross_entropy=np.log(total) + block.highest - _of(block.logprobs, gold),
    )


def right_share_by_length(block: Block, lengths: Array, gold: Index) -> Array:
    """Return the share of the pick by log-probability per unit of length, lengths (n, K)."""
    compiled = _compiled(len(gold))
    if compiled is not None:
        return np.asarray(compiled.right_share_by_length(block.rowwise, lengths, gold))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.ascontiguousarray((block.rowwise / lengths).T)
    return _share(values, values.max(axis=0), gold)


def _share(values: Array, highest: Array, gold: Index) -> Array:
    tied = np.add.reduce(values == highest, axis=0, dtype=np.int32)
    return np.asarray((_of(values, gold) == highest) / np.maximum(tied, 1))


def _of(values: Array, gold: Index) -> Array:
    """Return the entry of each sample's right choice; flat, which is three times as fast."""
    n = values.shape[1]
    return np.asarray(values.ravel().take(gold * n + np.arange(n)))


@cache
def _module() -> ModuleType | None:
    if find_spec("numba") is None:
        return None
    from emergekit.metrics import compiled

    return compiled


def _compiled(n: int) -> ModuleType | None:
    return _module() if n >= _WORTH_COMPILING else None
