r"""Competence on skills when texts fail: the theorem of Arora & Goyal, and the worst case.

A text is made of k skills drawn at random; a model fails on a share theta of the texts. A
*performance curve* says how bad the skills can then be, whichever texts fail: all but a share alpha
of the skills have at most beta times theta of their texts among the failures. There are many more
texts than skills throughout.

References
----------
Arora & Goyal 2023, "A Theory for Emergence of Complex Skills in Language Models", arXiv 2307.15936.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, entr, xlog1py

from emergekit.errors import unknown
from emergekit.theory.ranges import Array, counts, existing, open_shares, shares, within
from emergekit.theory.roots import bisect

__all__ = [
    "Bound",
    "competence",
    "max_alpha",
    "performance_curve",
    "tuple_coverage_bound",
    "tuple_failure",
    "tuple_performance_curve",
    "unseen_share",
]

Bound: TypeAlias = Literal["union_bound", "exact"]


def max_alpha(theta: ArrayLike, k: ArrayLike) -> Array:
    r"""Return the share of skills below which the union bound says anything at all.

    .. math:: \alpha_{\max} = e^{-H(\theta) / (k \theta)}

    Derived from the condition in `performance_curve`, whose left side is at most
    :math:`k \theta \ln(1 / \alpha)`, reached where every edge of the skills fails.

    Parameters
    ----------
    theta : array
        Share of texts that fail, above 0 and up to 1.
    k : array
        Skills per text, 1 or more.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an entry is out of range.

    Examples
    --------
    >>> max_alpha(0.05, [2, 8]).round(6)
    array([0.13736 , 0.608786])
    """
    return np.exp(-_entropy_per_edge(_failing(theta), _skills_per_text(k)))


def performance_curve(
    alpha: ArrayLike, theta: ArrayLike, k: ArrayLike, method: Bound = "union_bound"
) -> Array:
    r"""Return how much worse than the texts all but a share alpha of the skills can be.

    Whichever share theta of texts fails, at least 1 - alpha of the skills fail on at most beta
    times theta of their texts. By the union bound over all sets of failures, beta is the smallest
    with

    .. math:: k \theta \, \mathrm{KL}(\alpha \beta \,\|\, \alpha) \ge H(\theta),

    which is the paper's condition, arranged: :math:`e^{N_1 H(\theta)}` sets of texts, each with a
    chance :math:`e^{-N_1 k \theta \mathrm{KL}}` that a given share alpha of skills meets it so
    often; the choice of skills does not count, as texts are many more. (In print beta stands alone
    in the last two terms, where the proof has alpha times beta.)

    Exactly (derived): who chooses the failures against a share alpha of skills takes the texts with
    most edges into them, so with X binomial (k, alpha)

    .. math:: \beta = \frac{E[X \mid X \text{ in its upper tail of weight } \theta]}{k \alpha},

    never above the bound, and 15 to 60 % below it where models are.

    Parameters
    ----------
    alpha : array
        Share of skills that may be worse, strictly between 0 and 1.
    theta : array
        Share of texts that fail, above 0 and up to 1.
    k : array
        Skills per text, 1 or more; a whole number for the exact curve.
    method : {"union_bound", "exact"}
        The paper's guarantee, or the worst case itself.

    Returns
    -------
    array
        1 or more. By the union bound inf where it guarantees nothing, that is from `max_alpha` on.

    Raises
    ------
    ValueError
        If an entry is out of range, the method is unknown, or a single value has no guarantee.

    References
    ----------
    Arora & Goyal 2023, theorem on performance curves (section 5); the exact curve is derived.

    Examples
    --------
    >>> performance_curve([0.2, 0.7], 0.05, 8).round(4)
    array([3.2981,    inf])
    >>> performance_curve(0.2, 0.05, 8, method="exact").round(4)
    np.float64(2.6466)
    """
    a, t, n = open_shares(alpha, "alpha"), _failing(theta), _skills_per_text(k)
    if method not in get_args(Bound):
        raise ValueError(unknown("method", method, get_args(Bound)))
    if method == "exact":
        return _upper_tail(a, t, counts(k, "k")) / (n * a)
    needed = _entropy_per_edge(t, n)
    beta = 1 + bisect(
        lambda above: _divergence(above, a) - needed, 0 * needed, 1 / a - 1 + 0 * needed
    )
    limit = np.exp(-needed)
    return existing(
        beta,
        a < limit,
        np.inf,
        "The union bound guarantees nothing for this alpha, which is not below max_alpha(theta, k) "
        "= {:.6g}; method='exact' has the worst case for every alpha.",
        limit,
    )


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
    tuples, t, n = counts(k_prime, "k_prime"), _failing(theta), _skills_per_text(k)
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


def _failing(theta: ArrayLike) -> Array:
    return within(theta, "theta", lambda p: (p > 0) & (p <= 1), "above 0 and up to 1")


def _skills_per_text(k: ArrayLike) -> Array:
    return within(k, "k", lambda n: (n >= 1) & np.isfinite(n), "1 or more")


def _entropy_per_edge(theta: Array, k: Array) -> Array:
    """Return the logarithm of the number of sets of failed texts, per edge that fails."""
    entropy: Array = entr(theta) - xlog1py(1 - theta, -theta)
    return entropy / (k * theta)


def _divergence(above: Array, alpha: Array) -> Array:
    """Return KL(alpha (1 + above) || alpha), nats, without the loss of digits near 0."""
    share = np.minimum(alpha * (1 + above), 1.0)
    rest = np.where(share < 1, alpha * above / (1 - alpha), 0.0)
    nats: Array = xlog1py(share, above) + xlog1py(1 - share, -np.minimum(rest, 1.0))
    return nats


def _upper_tail(alpha: Array, theta: Array, k: Array) -> Array:
    """Return the mean of a binomial (k, alpha) in its upper tail of weight theta.

    The tail begins inside the atom at m, the smallest value that is exceeded with chance theta or
    less; E[X; X > m] = k alpha P(Y >= m) with Y binomial (k - 1, alpha).
    """
    alpha, theta, k = np.broadcast_arrays(alpha, theta, k)
    low, high = np.full(k.shape, -1.0), k.astype(float)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        few = _exceeds(middle, k, alpha) <= theta
        low, high = np.where(few, low, middle), np.where(few, middle, high)
    beyond = k * alpha * _exceeds(high - 1, k - 1, alpha)
    mean: Array = (beyond + high * (theta - _exceeds(high, k, alpha))) / theta
    return mean


def _exceeds(m: Array, n: Array, p: Array) -> Array:
    """Return P(X > m) for X binomial (n, p) and -1 <= m."""
    inside = (m >= 0) & (m < n)
    tail: Array = betainc(np.where(inside, m + 1, 1.0), np.where(inside, n - m, 1.0), p)
    return np.where(inside, tail, (m < 0).astype(float))


def _falling(n: Array, tuples: Array) -> Array:
    """Return the factors of n (n - 1) ... of each tuple, along a last axis, 1 beyond them."""
    steps = np.arange(int(np.max(tuples, initial=0)))
    factors = np.maximum(n[..., None] - steps, 0.0)
    return np.where(steps < tuples[..., None], factors, 1.0)
