"""Fail the texts that hurt most, on a graph that is there: the performance curves put to the test.

References
----------
Arora & Goyal 2023, arXiv 2307.15936, whose theorem is about any set of failures.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from emergekit.errors import unknown
from emergekit.theory.ranges import counts, open_shares, single

__all__ = ["Strategy", "simulate_adversary"]

Strategy: TypeAlias = Literal["greedy", "random"]


def simulate_adversary(
    n_skills: int,
    n_texts: int,
    k: int,
    theta: float,
    alpha: float,
    strategy: Strategy = "greedy",
    seed: int | np.random.Generator = 0,
) -> float:
    """Return how much worse than the texts the worst share alpha of skills fares on a random graph.

    Parameters
    ----------
    n_skills, n_texts : int
        Skills and texts; each text draws k skills anew. The curves hold for many more texts than
        skills.
    k : int
        Skills per text.
    theta : float
        Share of texts that fail, strictly between 0 and 1; as `alpha`, rounded to whole ones, at
        least one.
    alpha : float
        Share of skills that are looked at, strictly between 0 and 1.
    strategy : {"greedy", "random"}
        "greedy" fails the texts with most of these skills, which are as good as any as all are
        alike, ties at random; "random" fails any, and looks for the skills that suffer most.
    seed : int or numpy.random.Generator
        Equal seeds give equal numbers.

    Returns
    -------
    float
        Mean failure rate of the skills over the share of texts that fail: beta of
        `performance_curve`.

    Raises
    ------
    ValueError
        If a number is out of range, or the strategy is unknown.

    References
    ----------
    Arora & Goyal 2023, theorem on performance curves; the strategies are derived.

    Examples
    --------
    >>> from emergekit.theory import performance_curve
    >>> found = simulate_adversary(500, 100_000, 8, 0.1, 0.2)
    >>> round(found / float(performance_curve(0.2, 0.1, 8, "exact")), 2)
    1.0
    """
    size = int(single(counts(n_skills, "n_skills", least=2), "n_skills"))
    n = int(single(counts(n_texts, "n_texts", least=2), "n_texts"))
    per_text, rng = int(single(counts(k, "k"), "k")), np.random.default_rng(seed)
    n_failing = min(max(1, round(single(open_shares(theta, "theta"), "theta") * n)), n - 1)
    n_worst = min(max(1, round(single(open_shares(alpha, "alpha"), "alpha") * size)), size - 1)
    if strategy not in get_args(Strategy):
        raise ValueError(unknown("strategy", strategy, get_args(Strategy)))
    drawn = rng.integers(0, size, (n, per_text), dtype=np.int32)
    order = rng.random(n)
    if strategy == "greedy":
        order -= (drawn < n_worst).sum(axis=1)
    failing = np.argpartition(order, n_failing)[:n_failing]
    seen = np.bincount(drawn.ravel(), minlength=size)
    missed = np.bincount(drawn[failing].ravel(), minlength=size)
    rates = missed / np.maximum(seen, 1)
    worst = rates[:n_worst] if strategy == "greedy" else np.sort(rates)[-n_worst:]
    return float(worst.mean() * n / n_failing)
