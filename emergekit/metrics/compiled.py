"""Compiled versions of `kernels`; imported only where numba (extra `fast`) is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["below_highest", "right_share_by_length", "softmax"]

# Conditions are counted, not branched on: a mispredicted branch costs more than the arithmetic.


@njit(cache=True)
def below_highest(logprobs: Any, gold: Any) -> Any:
    """Return how far each choice, shape (n, K), and the right one are below the highest.

    And the share of the pick that falls on the right choice, shape (n,), from the same pass.
    """
    n, k = logprobs.shape
    below, own, share = np.empty((n, k)), np.empty(n), np.empty(n)
    for i in range(n):
        highest = logprobs[i, 0]
        for j in range(1, k):
            highest = max(highest, logprobs[i, j])
        tied = 0
        for j in range(k):
            below[i, j] = logprobs[i, j] - highest
            tied += logprobs[i, j] == highest
        own[i] = below[i, gold[i]]
        share[i] = (own[i] == 0.0) / max(tied, 1)
    return below, own, share


@njit(cache=True, error_model="numpy")
def right_share_by_length(logprobs: Any, lengths: Any, gold: Any) -> Any:
    """Return the same for log-probabilities per unit of length, shape (n,)."""
    n, k = logprobs.shape
    share = np.empty(n)
    for i in range(n):
        own, above, tied = logprobs[i, gold[i]] / lengths[i, gold[i]], 0, 0
        for j in range(k):
            value = logprobs[i, j] / lengths[i, j]
            above += value > own
            tied += value == own
        share[i] = ((above == 0) & (tied > 0)) / max(tied, 1)
    return share


@njit(cache=True)
def softmax(exponents: Any, gold: Any) -> Any:
    """Return probability, squared error and the sum of each sample's exponentials, shape (n,)."""
    n, k = exponents.shape
    p, error, total = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        whole, squares = 0.0, 0.0
        for j in range(k):
            whole += exponents[i, j]
            squares += exponents[i, j] * exponents[i, j]
        right = exponents[i, gold[i]] / whole
        p[i], total[i] = right, whole
        error[i] = squares / (whole * whole) - 2.0 * right + 1.0
    return p, error, total
