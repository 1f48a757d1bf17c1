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
from emergekit.theory.ranges import Array, counts, existing, open_shares, within
from emergekit.theory.roots import bisect

__all__ = [
    "Bound",
    "failing_share",
    "max_alpha",
    "performance_curve",
    "text_size",
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
    return np.exp(-_entropy_per_edge(failing_share(theta), text_size(k)))


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
    a, t, n = open_shares(alpha, "alpha"), failing_share(theta), text_size(k)
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


def failing_share(theta: ArrayLike) -> Array:
    """Return shares of texts that fail, above 0: of none that fail nothing can be said."""
    return within(theta, "theta", lambda p: (p > 0) & (p <= 1), "above 0 and up to 1")


def text_size(k: ArrayLike) -> Array:
    """Return numbers of skills per text, 1 or more; the union bound takes any such number."""
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
