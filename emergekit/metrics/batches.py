"""Samples of one kind, side by side: texts against targets, choices against the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Block", "Pairs"]

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Predictions against targets, one entry a target.

    Parameters
    ----------
    rows : array, shape (m,)
        Row of each pair; equal rows stand together.
    predictions, targets : sequence of str, length m
        The texts.
    n_rows : int
        Number of samples.
    """

    rows: NDArray[np.int64]
    predictions: Sequence[str]
    targets: Sequence[str]
    n_rows: int

    @property
    def starts(self) -> NDArray[np.int64]:
        """Places of the first pair of each row that has one."""
        return np.flatnonzero(np.diff(self.rows, prepend=-1))

    def best(self, values: Array, *, highest: bool) -> Array:
        """Return the best value of each row over its targets, NaN where it has no pair."""
        scores = np.full(self.n_rows, np.nan)
        starts = self.starts
        if not len(starts):
            return scores
        reduce = np.fmax if highest else np.fmin
        scores[self.rows[starts]] = reduce.reduceat(values, starts)
        return scores


@dataclass(frozen=True)
class Block:
    """Multiple-choice samples that have the same number of choices.

    Parameters
    ----------
    rows : array, shape (n,)
        Rows of the samples.
    rowwise : array, shape (n, K)
        Log-probabilities in nats.
    gold : array, shape (n,), or None
        Index of the right choice, where every sample has exactly one.
    given_scores : array, shape (K, n), or None
        Score of each choice otherwise.
    """

    rows: NDArray[np.int64]
    rowwise: Array
    gold: NDArray[np.int64] | None
    given_scores: Array | None

    @property
    def n_choices(self) -> int:
        """Number of choices K."""
        return int(self.rowwise.shape[1])

    @cached_property
    def logprobs(self) -> Array:
        """Log-probabilities, shape (K, n): reductions over choices then run along memory."""
        return np.ascontiguousarray(self.rowwise.T)

    @cached_property
    def highest(self) -> Array:
        """Highest log-probability, shape (n,)."""
        return np.asarray(self.logprobs.max(axis=0))

    @cached_property
    def exponents(self) -> Array:
        """exp(logprobs - highest), shape (K, n): probabilities but for their sum."""
        exponents = self.logprobs - self.highest
        np.exp(exponents, out=exponents)
        return exponents

    @cached_property
    def total(self) -> Array:
        """Sum of the exponents, shape (n,)."""
        return np.asarray(self.exponents.sum(axis=0))

    @cached_property
    def probabilities(self) -> Array:
        """Probabilities over the choices, shape (K, n)."""
        return np.asarray(self.exponents / self.total)

    @cached_property
    def scores(self) -> Array:
        """Score of each choice, 1 for a right one, shape (K, n)."""
        if self.given_scores is not None:
            return self.given_scores
        scores = np.zeros_like(self.logprobs)
        scores[self.gold, np.arange(len(self.rows))] = 1.0
        return scores

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which choices are right, shape (K, n)."""
        return self.scores > 0

    @cached_property
    def targets(self) -> Array:
        """Scores as a distribution, zero where no choice is right, shape (K, n)."""
        total = self.scores.sum(axis=0)
        return np.asarray(self.scores / np.where(total > 0, total, 1.0))

    def once(self, make: Callable[[], Any]) -> Any:
        """Return what `make` returns, made once for this block."""
        if "made" not in self.__dict__:
            self.__dict__["made"] = make()
        return self.__dict__["made"]

    def of_right(self, values: Array) -> Array:
        """Return the values of the right choices, summed where there are several, shape (n,)."""
        if self.gold is not None:
            return np.asarray(values[self.gold, np.arange(len(self.rows))])
        return np.asarray(np.where(self.right, values, 0.0).sum(axis=0))
