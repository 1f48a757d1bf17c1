r"""Where D-skill learners on Poisson texts emerge, in closed form.

With x = c q, the mean number of unknown skills in a text, the fixed points of density evolution lie
on :math:`R(x) = \ln(c / x) / (c P(x))`, with :math:`P(x) = e^{-x} \sum_{t < D} x^t / t!` the
chance that a text teaches a skill. Derived: with :math:`f(x) = -P'(x) = e^{-x} x^{D-1} / (D-1)!`,
the curve is flat where

.. math:: \ln c = g(x), \qquad g(x) = \ln x + \frac{P(x)}{x f(x)}
          = \ln x + \sum_{t < D} \frac{(D-1)!}{t!} x^{t-D},

and there :math:`R = 1 / (c x f(x))`. As :math:`g'(x) = P (x - D) / (x^2 f)`, g has its minimum at
x = D exactly: below c = exp(g(D)) nothing jumps, above there are two flat points, one on either
side of D. For D = 1 they solve :math:`x e^{1/x} = c`.

References
----------
Liao, Chang & Hong 2024, arXiv 2404.07009, for the model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from emergekit.theory.ranges import Array, counts, existing, positive, single
from emergekit.theory.roots import bisect

__all__ = [
    "CriticalPoint",
    "critical_point",
    "emergence_threshold",
    "hysteresis_window",
    "unlearned_at_threshold",
]

_LEAST = 1e-4  # left of every flat point: g(1e-4) is 1e4 or more, above the logarithm of any float


class CriticalPoint(NamedTuple):
    """Skills per text, texts per skill and share unlearned where jumps begin."""

    mean_skills: float
    ratio: float
    unlearned: float


def critical_point(learner: int = 1) -> CriticalPoint:
    r"""Return where the jump of a D-skill learner on Poisson texts begins.

    .. math:: c = e^{g(D)}, \quad R = \frac{(D-1)! \, e^D}{c D^D}, \quad q = D / c

    Derived, see the module. Texts with fewer skills are learned smoothly.

    Parameters
    ----------
    learner : int
        D, the number of skills that can be learned at once.

    Returns
    -------
    CriticalPoint

    Raises
    ------
    ValueError
        If D is no whole number of 1 or more.

    Examples
    --------
    >>> critical_point(1)  # e, 1 and 1 / e
    CriticalPoint(mean_skills=2.718281828459045, ratio=1.0, unlearned=0.36787944117144233)
    """
    depth = _depth(learner)
    x = np.array(float(depth))
    c = float(np.exp(_flat(x, depth)))
    return CriticalPoint(c, float(_ratio(x, _flat(x, depth), depth)), depth / c)


def emergence_threshold(mean_skills: ArrayLike, learner: int = 1) -> Array:
    r"""Return the texts per skill R* at which a D-skill learner on Poisson texts emerges.

    .. math:: R^* = \frac{(D-1)! \, e^x}{c x^D}, \qquad g(x) = \ln c, \; x > D

    for D = 1 :math:`R^* = e^x / (c x)` at the larger root of :math:`x e^{1/x} = c`. Derived, see
    the module. It is also the optimal number of texts per concept of Nayak & Varshney 2024.

    Parameters
    ----------
    mean_skills : array
        Mean number of skills per text c.
    learner : int
        D, the number of skills that can be learned at once.

    Returns
    -------
    array
        Texts per skill. NaN where learning is smooth, up to the `critical_point`; inf where the
        number is beyond floating point.

    Raises
    ------
    ValueError
        If an entry is not positive, D is no whole number of 1 or more, or a single c has no
        threshold.

    Examples
    --------
    >>> emergence_threshold([2.0, 3.0, 6.0])
    array([       nan, 1.0378857 , 4.53298962])
    """
    x, log_c, depth = _flat_points(mean_skills, learner, upper=True)
    return _there(_ratio(x, log_c, depth), log_c, depth)


def unlearned_at_threshold(mean_skills: ArrayLike, learner: int = 1) -> Array:
    """Return the share of skills that is unlearned just before the jump, q = x / c.

    Parameters
    ----------
    mean_skills, learner
        As in `emergence_threshold`.

    Returns
    -------
    array
        Between 0 and 1; NaN where learning is smooth.

    Raises
    ------
    ValueError
        As `emergence_threshold`.

    References
    ----------
    Derived, see the module.

    Examples
    --------
    >>> unlearned_at_threshold(3.0).round(6)
    np.float64(0.53845)
    """
    x, log_c, depth = _flat_points(mean_skills, learner, upper=True)
    return _there(x * np.exp(-log_c), log_c, depth)


def hysteresis_window(mean_skills: ArrayLike, learner: int = 1) -> tuple[Array, Array]:
    """Return the texts per skill between which a learner keeps what it would not have learned.

    Parameters
    ----------
    mean_skills, learner
        As in `emergence_threshold`.

    Returns
    -------
    lower, upper : array
        Where the learned state ends if texts are taken away, and `emergence_threshold`; NaN where
        learning is smooth.

    Raises
    ------
    ValueError
        As `emergence_threshold`.

    References
    ----------
    Derived, see the module: the smaller of the two flat points.

    Examples
    --------
    >>> [float(round(end, 6)) for end in hysteresis_window(3.0)]
    [0.976507, 1.037886]
    """
    x, log_c, depth = _flat_points(mean_skills, learner, upper=False)
    lower = _there(_ratio(x, log_c, depth), log_c, depth)
    return lower, emergence_threshold(mean_skills, learner)


def _depth(learner: int) -> int:
    return int(single(counts(learner, "learner"), "learner"))


def _flat(x: Array, depth: int) -> Array:
    """Return g(x), by Horner's rule in 1 / x; where it is flat, so is the curve of fixed points."""
    total = np.ones_like(x)
    with np.errstate(over="ignore"):
        for t in range(1, depth):
            total = 1 + total * t / x
    return np.log(x) + total / x


def _ratio(x: Array, log_c: Array, depth: int) -> Array:
    with np.errstate(over="ignore"):
        ratio: Array = np.exp(gammaln(depth) + x - depth * np.log(x) - log_c)
    return ratio


def _flat_points(mean_skills: ArrayLike, learner: int, *, upper: bool) -> tuple[Array, Array, int]:
    depth = _depth(learner)
    log_c = np.log(positive(mean_skills, "mean_skills"))
    if upper:  # g rises from D on and is above ln x
        ends = np.maximum(np.exp(log_c), depth)
        return bisect(lambda x: _flat(x, depth) - log_c, depth + 0 * log_c, ends), log_c, depth
    least = np.full_like(log_c, _LEAST)
    return bisect(lambda x: log_c - _flat(x, depth), least, depth + 0 * log_c), log_c, depth


def _there(values: Array, log_c: Array, depth: int) -> Array:
    return existing(
        values,
        np.exp(log_c) > critical_point(depth).mean_skills,
        np.nan,
        "With {:g} skills per text learning is smooth, so there is no threshold; one begins above "
        "critical_point(learner).mean_skills = {:.6g}.",
        np.exp(log_c),
        np.array(critical_point(depth).mean_skills),
    )
