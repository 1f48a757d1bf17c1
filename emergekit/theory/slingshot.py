r"""From the loss of a language model to its skills: how scale pulls up tuples of skills.

The excess of the cross-entropy over the entropy of the text bounds how often a model errs on
questions about it; a scaling law says how fast that excess falls; the performance curves of
`skills` say what this means for every skill, and every tuple of skills: twice the tuple for half
the loss.

References
----------
Arora & Goyal 2023, arXiv 2307.15936, sections 3 to 6. Hoffmann et al. 2022, equation 10.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from emergekit.errors import unknown
from emergekit.theory.ranges import Array, positive, within
from emergekit.theory.skill_tuples import competence
from emergekit.theory.skills import Bound

__all__ = ["Link", "chinchilla_competence", "chinchilla_excess", "failure_from_excess"]

Link: TypeAlias = Literal["pinsker", "proportional"]


def chinchilla_excess(
    n_params: ArrayLike,
    n_tokens: ArrayLike,
    A: float = 406.4,
    B: float = 410.7,
    alpha: float = 0.34,
    beta: float = 0.28,
) -> Array:
    r"""Return the loss that more parameters or tokens would remove.

    .. math:: \epsilon = \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D.
    A, B, alpha, beta : float
        Coefficients and exponents, above 0; as published by default.

    Returns
    -------
    array
        Nats per token.

    Raises
    ------
    ValueError
        If an entry is not positive.

    References
    ----------
    Hoffmann et al. 2022, equation 10.

    Examples
    --------
    >>> before, after = chinchilla_excess([7e10, 7e11], [1.4e12, 1.4e13])
    >>> (after / before).round(5)  # ten times the parameters and the tokens: half the excess
    np.float64(0.50189)
    """
    for name, value in (("A", A), ("B", B), ("alpha", alpha), ("beta", beta)):
        positive(value, name)
    size, tokens = positive(n_params, "n_params"), positive(n_tokens, "n_tokens")
    return A / size**alpha + B / tokens**beta


def failure_from_excess(excess: ArrayLike, link: Link = "pinsker", factor: float = 1.0) -> Array:
    r"""Return how often a model errs on questions of two choices, given its excess loss.

    .. math:: \theta = \min\left(1, \sqrt{2 f \epsilon}\right)
              \quad \text{or} \quad \theta = \min(1, f \epsilon)

    The first is Pinsker's inequality, the worst case; the second is what the paper's reading of
    scaling laws takes, where half the loss is half the failures.

    Parameters
    ----------
    excess : array
        Loss above the entropy of the text, nats per answer, 0 or more.
    link : {"pinsker", "proportional"}
        Which of the two.
    factor : float
        How much more excess the questions have than the text, f; the paper's assumption 2 has 1.1.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an excess is negative, the factor is not positive or the link is unknown.

    References
    ----------
    Arora & Goyal 2023, assumption 2 and theorem 3.

    Examples
    --------
    >>> failure_from_excess([0.005, 0.02, 3.0])
    array([0.1, 0.2, 1. ])
    >>> failure_from_excess(0.05, "proportional")
    np.float64(0.05)
    """
    above = within(excess, "excess", lambda nats: nats >= 0, "0 or more") * positive(
        factor, "factor"
    )
    if link not in get_args(Link):
        raise ValueError(unknown("link", link, get_args(Link)))
    return np.minimum(1.0, np.sqrt(2 * above) if link == "pinsker" else above)


def chinchilla_competence(
    n_params: ArrayLike,
    n_tokens: ArrayLike,
    alpha: ArrayLike,
    k: ArrayLike,
    k_prime: ArrayLike = 1,
    *,
    link: Link = "proportional",
    factor: float = 1.0,
    method: Bound = "union_bound",
    coefficients: tuple[float, float, float, float] = (406.4, 410.7, 0.34, 0.28),
) -> Array:
    r"""Return the competence that scale is sure to give all but a share alpha of the k'-tuples.

    `chinchilla_excess`, then `failure_from_excess`, then `competence`.

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D.
    alpha, k, k_prime, method
        As in `competence`.
    link, factor
        As in `failure_from_excess`; proportional by default, as in the paper's reading.
    coefficients : tuple of float
        A, B, alpha and beta of the scaling law.

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
    Arora & Goyal 2023, section 5: ten times the scale doubles the tuples.

    Examples
    --------
    >>> chinchilla_competence([7e9, 7e10, 7e11], [1.4e11, 1.4e12, 1.4e13], 0.2, 8, [1]).round(3)
    array([0.   , 0.333, 0.63 ])
    """
    excess = chinchilla_excess(n_params, n_tokens, *coefficients)
    return competence(failure_from_excess(excess, link, factor), alpha, k, k_prime, method)
