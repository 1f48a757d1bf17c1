r"""Skills that are needed together: curves of tuples, competence, and what a corpus can show.

References
----------
Arora & Goyal 2023, "A Theory for Emergence of Complex Skills in Language Models", arXiv 2307.15936.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from emergekit.errors import unknown
from emergekit.theory.ranges import Array, counts, shares, within
from emergekit.theory.skills import Bound, failing_share, performance_curve, text_size

__all__ = [
    "competence",
    "tuple_coverage_bound",
    "tuple_failure",
    "tuple_performance_curve",
    "unseen_share",
]


def tuple_failure(theta: ArrayLike, k_prime: ArrayLike) -> Array:
    r"""Return the share of bundles of k' texts in which some text fails.

    .. math:: \theta' = 1 - (1 - \theta)^{k'} \le k' \theta

    Parameters
    ----------
    theta : array
        Share of texts that fail, within [0, 1].
    k_prime : array
        Texts per bundle k', 1 or more.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an entry is out of range.

    References
    ----------
    Arora & Goyal 2023, corollary 13.

    Examples
    --------
    >>> tuple_failure(0.05, [1, 2, 4]).round(5)
    array([0.05   , 0.0975 , 0.18549])
    """
    with np.errstate(divide="ignore"):  # where all fail
        return -np.expm1(counts(k_prime, "k_prime") * np.log1p(-shares(theta, "theta")))


def tuple_performance_curve(
    alpha: ArrayLike,
    theta: ArrayLike,
    k: ArrayLike,
    k_prime: ArrayLike,
    *,
    by: Literal["tensor", "split"] = "tensor",
    method: Bound = "union_bound",
) -> Array:
    r"""Return the performance curve of tuples of k' skills, in units of theta.

    "tensor": texts are taken k' at a time, and a bundle fails if one of its texts does. A bundle
    has k k' skills, that is k disjoint tuples, so tuples have the curve of single skills at
    `tuple_failure`; a loss k' times smaller therefore gives tuples what single skills had before.

    "split" (derived): a text is itself cut into floor(k / k') disjoint tuples, so tuples have the
    curve of single skills in texts of so many. This takes many more texts than there are tuples.

    Parameters
    ----------
    alpha, theta, k, method
        As in `performance_curve`; alpha is now a share of the tuples.
    k_prime : array
        Skills per tuple k', 1 or more; for "split" at most k.
    by : {"tensor", "split"}
        How tuples come out of texts.

    Returns
    -------
    array
        Failure rate of tuples over theta; inf where nothing is guaranteed.

    Raises
    ------
    ValueError
        As `performance_curve`; for "split" also if a tuple is larger than a text.

    References
    ----------
    Arora & Goyal 2023, corollary 13 for "tensor"; the paper's own direct version is theorem 14.

    Examples
    --------
    >>> tuple_performance_curve([0.2], 0.05, 8, [1, 2, 4]).round(4)
    array([ 3.2981,  5.9985, 10.497 ])
    """
    tuples, t, n = counts(k_prime, "k_prime"), failing_share(theta), text_size(k)
    if by == "tensor":
        failing = tuple_failure(t, tuples)
        return performance_curve(alpha, failing, n, method) * failing / t
    if by != "split":
        raise ValueError(unknown("way to tuples", by, ("tensor", "split")))
    pieces = within(
        np.floor(n / tuples),
        "k / k_prime",
        lambda m: m >= 1,
        "1 or more to split texts into tuples",
    )
    return performance_curve(alpha, t, pieces, method)


def competence(
    theta: ArrayLike,
    alpha: ArrayLike,
    k: ArrayLike,
    k_prime: ArrayLike = 1,
    method: Bound = "union_bound",
) -> Array:
    r"""Return the success rate that all but a share alpha of the k'-tuples are sure to have.

    .. math:: 1 - \min(1, \beta(\alpha, \theta', k) \, \theta')

    Parameters
    ----------
    theta : array
        Share of texts that fail, within [0, 1].
    alpha, k, k_prime, method
        As in `tuple_performance_curve`, tensorised.

    Returns
    -------
    array
        Between 0 and 1; 0 also where the bound guarantees nothing, 1 where no text fails.

    Raises
    ------
    ValueError
        If an entry is out of range or the method is unknown.

    References
    ----------
    Arora & Goyal 2023, definition 7 (competence), corollary 13.

    Examples
    --------
    >>> competence([0.2, 0.05, 0.0], alpha=0.2, k=8).round(4)
    array([0.4405, 0.8351, 1.    ])
    """
    failing = tuple_failure(theta, k_prime)
    some = np.where(failing > 0, failing, 1.0)
    beta = performance_curve(np.atleast_1d(alpha), some, k, method)  # of one: inf, not an error
    sure = np.where(failing > 0, 1 - np.minimum(1.0, beta * failing), 1.0)
    alone = not (np.ndim(alpha) or np.ndim(failing) or np.ndim(k))
    return sure[0] if alone else sure


def tuple_coverage_bound(
    n_skills: ArrayLike, n_texts: ArrayLike, k: ArrayLike, k_prime: ArrayLike
) -> Array:
    r"""Return the largest share of all k'-tuples of skills that a corpus can show.

    .. math:: \min\left(1, \; T \binom{k}{k'} \Big/ \binom{S}{k'}\right)

    Parameters
    ----------
    n_skills, n_texts : array
        Skills S and texts T of the corpus.
    k, k_prime : array
        Skills per text, and per tuple; no text shows a tuple larger than itself.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an entry is no whole number of 1 or more, or a tuple has more skills than there are.

    References
    ----------
    Arora & Goyal 2023, section on paucity of stimulus.

    Examples
    --------
    >>> tuple_coverage_bound(1000, 1_000_000, 8, [2, 3, 4]).round(6)
    array([1.     , 0.33701, 0.00169])
    """
    skills, texts = counts(n_skills, "n_skills"), counts(n_texts, "n_texts")
    drawn, tuples = counts(k, "k"), counts(k_prime, "k_prime")
    within(skills - tuples, "n_skills - k_prime", lambda m: m >= 0, "0 or more")
    shown: Array = np.prod(_falling(drawn, tuples) / _falling(skills, tuples), axis=-1)
    return np.minimum(1.0, texts * shown)


def unseen_share(competent: ArrayLike, seen: ArrayLike) -> Array:
    r"""Return the share of the competent tuples that were surely never seen together.

    .. math:: \max(0, \; 1 - \text{seen} / \text{competent})

    Above 0 the model has skills that no text could have shown it: the paucity of stimulus.

    Parameters
    ----------
    competent : array
        Share of all tuples on which the model is competent, as 1 - alpha of a performance curve.
    seen : array
        Share of all tuples that the corpus can show, from `tuple_coverage_bound`.

    Returns
    -------
    array
        Between 0 and 1; 0 where the model is competent on nothing.

    Raises
    ------
    ValueError
        If an entry is outside [0, 1].

    References
    ----------
    Arora & Goyal 2023, section on paucity of stimulus.

    Examples
    --------
    >>> unseen_share(0.8, [0.2, 0.9])
    array([0.75, 0.  ])
    """
    able, shown = shares(competent, "competent"), shares(seen, "seen")
    return np.where(able > shown, 1 - shown / np.where(able > 0, able, 1.0), 0.0)[()]


def _falling(n: Array, tuples: Array) -> Array:
    """Return the factors of n (n - 1) ... of each tuple, along a last axis, 1 beyond them."""
    steps = np.arange(int(np.max(tuples, initial=0)))
    factors = np.maximum(n[..., None] - steps, 0.0)
    return np.where(steps < tuples[..., None], factors, 1.0)
