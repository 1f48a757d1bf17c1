r"""Knowledge in discrete pieces of unequal use: smooth laws out of many sudden gains.

Pieces are used with frequencies that fall as a power of their rank, and each is learned at once or
not at all. The mean loss is a power law; the loss of what needs a single piece is a step.

References
----------
Michaud, Liu, Girit & Tegmark 2023, "The Quantization Model of Neural Scaling", arXiv 2303.13506
(formulas from memory, their consequences derived); Hutter 2021, "Learning Curve Theory", arXiv
2102.04074 (form from memory, constant derived).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma, gammainc, zeta

from emergekit.theory.ranges import Array, counts, positive, single, within

__all__ = [
    "QuantaExponents",
    "hutter_error",
    "hutter_error_asymptotic",
    "quanta_by_data",
    "quanta_exponents",
    "quanta_frequencies",
    "quanta_loss",
    "token_loss",
]

_EXACT_RANKS = 20_000_000


class QuantaExponents(NamedTuple):
    """How the excess loss falls with each resource.

    Parameters
    ----------
    params, data : float
        Exponents of model size and of training tokens.
    """

    params: float
    data: float


def quanta_frequencies(rank: ArrayLike, a: float) -> Array:
    r"""Return how often the quantum of each rank is used.

    .. math:: p_k = \frac{k^{-(a + 1)}}{\zeta(a + 1)}

    Parameters
    ----------
    rank : array
        Rank k, 1 or more.
    a : float
        Exponent, positive.

    Returns
    -------
    array
        Summing to 1 over all ranks.

    Raises
    ------
    ValueError
        If a rank is below 1 or a is not positive.

    References
    ----------
    Michaud et al. 2023, section 2.
    """
    k = within(rank, "rank", lambda k: k >= 1, "1 or more")
    return np.asarray(k ** -(_exponent(a) + 1) / zeta(a + 1))


def quanta_loss(n_quanta: ArrayLike, a: float, gap: float = 1.0) -> Array:
    r"""Return the excess loss of a model that has learned the n most used quanta.

    .. math:: L_n = \Delta \sum_{k > n} p_k = \Delta \frac{\zeta(a + 1, n + 1)}{\zeta(a + 1)}
              \approx \frac{\Delta\, n^{-a}}{a\, \zeta(a + 1)}

    Parameters
    ----------
    n_quanta : array
        n, 0 or more.
    a : float
        Exponent, positive.
    gap : float
        What one unlearned quantum costs a token that uses it, nats, positive.

    Returns
    -------
    array
        Nats per token; `gap` for n = 0.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Michaud et al. 2023, section 2.

    Examples
    --------
    >>> quanta_loss([10, 100, 1000], 0.34).round(6)
    array([0.373184, 0.173167, 0.079273])
    """
    n = within(n_quanta, "n_quanta", lambda n: n >= 0, "0 or more")
    return np.asarray(positive(gap, "gap") * zeta(_exponent(a) + 1, n + 1) / zeta(a + 1))


def quanta_by_data(n_tokens: ArrayLike, a: float, samples_needed: float = 1.0) -> Array:
    r"""Return how many quanta a training set teaches.

    .. math:: D\,p_n = \tau \quad\Rightarrow\quad
              n = \left(\frac{D}{\tau\, \zeta(a + 1)}\right)^{1 / (1 + a)}

    Parameters
    ----------
    n_tokens : array
        Training tokens D, 0 or more.
    a : float
        Exponent, positive.
    samples_needed : float
        Uses tau of a quantum that teach it, positive.

    Returns
    -------
    array
        A real number; round it down for whole quanta.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Michaud et al. 2023, section 2.
    """
    D = within(n_tokens, "n_tokens", lambda d: d >= 0, "0 or more")
    tau = positive(samples_needed, "samples_needed")
    return np.asarray((D / (tau * zeta(_exponent(a) + 1))) ** (1 / (1 + a)))


def quanta_exponents(a: float) -> QuantaExponents:
    r"""Return by which powers of size and of data the excess loss falls.

    .. math:: \alpha_N = a, \qquad \alpha_D = \frac{a}{1 + a} = \frac{\alpha_N}{1 + \alpha_N}

    Parameters
    ----------
    a : float
        Exponent, positive.

    Returns
    -------
    QuantaExponents

    Raises
    ------
    ValueError
        If a is not positive.

    References
    ----------
    Michaud et al. 2023, section 2: as many quanta as parameters allow, or as data teach.

    Examples
    --------
    >>> quanta_exponents(1.0)
    QuantaExponents(params=1.0, data=0.5)
    """
    return QuantaExponents(_exponent(a), a / (1 + a))


def token_loss(
    n_quanta: ArrayLike, ranks: ArrayLike, weights: ArrayLike, floor: float = 0
) -> Array:
    r"""Return the loss of one token, or kind of token, that uses certain quanta.

    .. math:: \ell(n) = \ell_0 + \sum_i w_i\, [k_i > n]

    Parameters
    ----------
    n_quanta : array, shape (n,)
        Quanta learned.
    ranks, weights : array, shape (m,)
        Quanta that it uses, and what each saves, nats. One quantum makes the loss a step
        ("monogenic"), many of them a smooth curve ("polygenic").
    floor : float
        Loss once all are learned, nats.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    ValueError
        If ranks and weights differ in shape or a number is outside its range.

    References
    ----------
    Michaud et al. 2023, section 4.

    Examples
    --------
    >>> token_loss([1, 5, 50], [3], [2.0])
    array([2., 0., 0.])
    """
    n = within(n_quanta, "n_quanta", lambda n: n >= 0, "0 or more")
    k = within(ranks, "ranks", lambda k: k >= 1, "1 or more")
    w = within(weights, "weights", lambda w: w >= 0, "0 or more")
    if k.shape != w.shape:
        raise ValueError(f"ranks and weights must be as many; they are {k.size} and {w.size}.")
    return np.asarray(floor + ((k > n[..., None]) * w).sum(axis=-1))


def hutter_error(n_samples: ArrayLike, a: float, n_features: int = 100_000) -> Array:
    r"""Return the error of a learner that knows just the features it has seen.

    .. math:: E_n = \sum_i p_i (1 - p_i)^n, \qquad p_i \propto i^{-(1 + a)}

    Parameters
    ----------
    n_samples : array
        Training samples n, 0 or more.
    a : float
        Exponent, positive.
    n_features : int
        Features that are summed one by one; the rest is added as an integral.

    Returns
    -------
    array
        Chance that a fresh sample has a feature never seen.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Hutter 2021, section 3.

    Examples
    --------
    >>> hutter_error([100, 1000], 0.5).round(5)
    array([0.2024 , 0.09414])
    """
    n = within(n_samples, "n_samples", lambda n: n >= 0, "0 or more")
    ranks = int(single(counts(n_features, "n_features"), "n_features"))
    if ranks > _EXACT_RANKS:
        raise ValueError(f"n_features must lie from 1 to {_EXACT_RANKS}; it is {ranks}.")
    p = quanta_frequencies(np.arange(1, ranks + 1), a)
    logarithm = np.log1p(-p)
    unseen = [float(p @ np.exp(count * logarithm)) for count in n.ravel()]
    # The rest as an integral over p, from the middle between the last feature and the next.
    last = float(quanta_frequencies(ranks + 0.5, a))
    share = a / (1 + a)
    rest = (zeta(a + 1) ** (-1 / (1 + a)) / (1 + a)) * gamma(share) * _powered(n, last, share)
    return np.asarray(np.reshape(unseen, n.shape) + rest)


def _powered(n: Array, last: float, share: float) -> Array:
    """Return n^-share times the regularised incomplete gamma function at n times `last`."""
    few = n * last < 1e-8  # the leading term, which stays finite at n = 0
    inside = np.where(few, 1.0, n)
    leading = last**share / gamma(share + 1)
    return np.asarray(np.where(few, leading, inside**-share * gammainc(share, inside * last)))


def hutter_error_asymptotic(n_samples: ArrayLike, a: float) -> Array:
    r"""Return the power law that `hutter_error` approaches.

    .. math:: E_n \approx \frac{C^{1 / (1 + a)}}{1 + a}\,
              \Gamma\!\left(\frac{a}{1 + a}\right) n^{-a / (1 + a)}, \qquad C = 1 / \zeta(1 + a)

    Derived by turning the sum into an integral over p.

    Parameters
    ----------
    n_samples : array
        Training samples n, positive.
    a : float
        Exponent, positive.

    Returns
    -------
    array

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Hutter 2021, theorem on power-law data.

    Examples
    --------
    >>> hutter_error_asymptotic([100, 1000], 0.5).round(6)
    array([0.202853, 0.094156])
    """
    n = within(n_samples, "n_samples", lambda n: n > 0, "positive")
    constant = zeta(_exponent(a) + 1) ** (-1 / (1 + a)) / (1 + a)
    return np.asarray(constant * gamma(a / (1 + a)) * n ** (-a / (1 + a)))


def _exponent(a: float) -> float:
    return single(positive(a, "a"), "a")
