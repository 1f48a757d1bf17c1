r"""Abilities composed of concepts: the product of smooth gains is late, and hardly sharper.

A task that needs n concepts at once succeeds with the product of their chances. Each chance is a
logistic curve of training time, or of the logarithm of scale; the product begins later, and at most
39 % steeper where it is one half, however many concepts there are. With equal chances this is the
algebra of `mirage.expected_exact_match`, with concepts for tokens.

References
----------
Okawa, Lubana, Dick & Tanaka 2023, "Compositional Abilities Emerge Multiplicatively", arXiv
2310.09336 (from memory; the formulas below are derived).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from emergekit.theory.ranges import Array, shares, within

__all__ = [
    "composed_success",
    "composition_delay",
    "composition_steepness",
    "concept_success",
]


def concept_success(t: ArrayLike, midpoint: ArrayLike = 0.0, width: ArrayLike = 1.0) -> Array:
    r"""Return the chance that one concept is rendered right.

    .. math:: p(t) = \frac{1}{1 + e^{-(t - t_0) / w}}

    Parameters
    ----------
    t : array
        Training time, or the logarithm of scale.
    midpoint : array
        t_0, where the chance is one half.
    width : array
        w, positive, in units of t.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a width is not positive.

    References
    ----------
    Okawa et al. 2023; the logistic form is a choice.
    """
    w = within(width, "width", lambda w: w > 0, "positive")
    return np.asarray(expit((np.asarray(t, dtype=float) - np.asarray(midpoint)) / w))


def composed_success(p_concepts: ArrayLike, axis: int = -1) -> Array:
    r"""Return the chance that all concepts are right at once.

    .. math:: P = \prod_i p_i

    Parameters
    ----------
    p_concepts : array
        Chances of the concepts, independent of each other, within [0, 1].
    axis : int
        Along which concepts lie.

    Returns
    -------
    array
        Without that axis; no more than the least of the chances.

    Raises
    ------
    ValueError
        If a chance is outside [0, 1].

    References
    ----------
    Okawa et al. 2023: the multiplicative emergence of compositions.

    Examples
    --------
    >>> composed_success([0.5, 0.9, 0.9]).round(6)
    np.float64(0.405)
    """
    return np.asarray(shares(p_concepts, "p_concepts").prod(axis=axis))


def composition_delay(n_concepts: ArrayLike) -> Array:
    r"""Return how much later a composition is right half of the time than one of its concepts.

    .. math:: \frac{\Delta t}{w} = -\ln(2^{1/n} - 1)

    Derived: the n-th power of a logistic curve is one half where the curve is 2^(-1/n).

    Parameters
    ----------
    n_concepts : array
        Concepts n, 1 or more, all with one curve.

    Returns
    -------
    array
        In units of the logistic width; about ln(n / ln 2).

    Raises
    ------
    ValueError
        If there is less than one concept.

    References
    ----------
    Derived, for Okawa et al. 2023.

    Examples
    --------
    >>> composition_delay([2, 4, 8]).round(4)
    array([0.8814, 1.6649, 2.4023])
    """
    return np.asarray(0.0 - np.log(np.expm1(np.log(2) / _number(n_concepts))))


def composition_steepness(n_concepts: ArrayLike) -> Array:
    r"""Return how much steeper a composition is, where it is one half, than one concept.

    .. math:: 2 n (1 - 2^{-1/n}) \to 2 \ln 2

    Derived: the slope of the n-th power of a logistic p is n p^n (1 - p) / w.

    Parameters
    ----------
    n_concepts : array
        Concepts n, 1 or more.

    Returns
    -------
    array
        From 1 to 1.3863: composing many smooth curves makes no sharp one.

    Raises
    ------
    ValueError
        If there is less than one concept.

    References
    ----------
    Derived, for Okawa et al. 2023.

    Examples
    --------
    >>> composition_steepness([1, 2, 1000]).round(4)
    array([1.    , 1.1716, 1.3858])
    """
    n = _number(n_concepts)
    return np.asarray(-2 * n * np.expm1(-np.log(2) / n))


def _number(n_concepts: ArrayLike) -> Array:
    return within(n_concepts, "n_concepts", lambda n: n >= 1, "1 or more")
