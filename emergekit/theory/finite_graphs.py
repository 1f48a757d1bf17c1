r"""How a finite number of skills blurs and delays the jump of a 1-skill learner.

Derived, for Poisson texts of c skills. Let skills be learned one by one, nu the share still
unlearned, and :math:`S r(\nu)` the number of texts with one unknown skill; learning stops where r
comes down to 0. A text comes to have one unknown skill with rate :math:`m` per skill learned; then
either it is used, or its skill is learned elsewhere, with rate :math:`r / \nu`. So r follows
:math:`r = \nu (c R e^{-c \nu} + \ln \nu)` with a variance, per skill, of

.. math:: V = \nu (1 - \nu) - \nu^2 \ln^2(\nu) / R

at a fixed point: the texts add :math:`R \operatorname{Var} W`, where W is :math:`\nu / \nu'` for a
text that came to one unknown skill at :math:`\nu'`, and the removals
:math:`\nu^2 \int_\nu^1 r(x) x^{-3} dx`; their exponential integrals cancel. At the threshold r only
touches 0, with curvature :math:`a = c - 1 / \nu`, and moves by :math:`\nu c e^{-c \nu}` with R,
which is :math:`-\nu \ln(\nu) / R = 1 / (c R)`. Hence a width of :math:`c R \sqrt{V}`, in units of
:math:`S^{-1/2}`. Near the touching point r is a random walk of unit variance on a parabola, whose
least value lies :math:`\Omega (S / a)^{1/3}` lower on average, with :math:`\Omega = 0.996193` the
mean maximum of two-sided Brownian motion less :math:`t^2 / 2`: a delay of
:math:`\Omega a^{-1/3} c R`, in units of :math:`S^{-2/3}`.

References
----------
Amraoui, Montanari, Richardson & Urbanke 2009, "Finite-length scaling for iteratively decoded LDPC
ensembles", and Dembo & Montanari 2008, "Finite size scaling for the core of large random
hypergraphs", for the method; Daniels & Skyrme 1985 for the maximum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from emergekit.theory.learner_thresholds import emergence_threshold, unlearned_at_threshold
from emergekit.theory.ranges import Array, counts, positive

__all__ = ["JumpScaling", "jump_probability", "jump_scaling"]

_OMEGA = 0.9961930199283624  # 2^(-1/3) / (2 pi i) times the integral of y / Ai(i y)^2 over all y


class JumpScaling(NamedTuple):
    """Where the jump comes on S skills: about R* + shift S^(-2/3), give or take width S^(-1/2)."""

    ratio: Array
    width: Array
    shift: Array


def jump_scaling(mean_skills: ArrayLike) -> JumpScaling:
    r"""Return threshold, width and shift of the jump of a 1-skill learner on Poisson texts.

    .. math:: \text{width} = c R^* \sqrt{\nu (1 - \nu) - \nu^2 \ln^2(\nu) / R^*}, \qquad
              \text{shift} = \Omega \, (c - 1 / \nu)^{-1/3} \, c R^*

    Derived, see the module.

    Parameters
    ----------
    mean_skills : array
        Mean number of skills per text c, above e.

    Returns
    -------
    JumpScaling
        NaN where learning is smooth.

    Raises
    ------
    ValueError
        If an entry is not positive, or a single c has no threshold.

    Examples
    --------
    >>> [float(round(value, 4)) for value in jump_scaling(3.0)]
    [1.0379, 1.1711, 2.9668]
    """
    c = positive(mean_skills, "mean_skills")
    ratio, left = emergence_threshold(c), unlearned_at_threshold(c)
    variance = left * (1 - left) - 1 / (c**2 * ratio)  # -ln(left) is 1 / (c left)
    width = c * ratio * np.sqrt(variance)
    return JumpScaling(ratio, width, _OMEGA * c * ratio / np.cbrt(c - 1 / left))


def jump_probability(ratio: ArrayLike, n_skills: ArrayLike, mean_skills: ArrayLike) -> Array:
    r"""Return the chance that a 1-skill learner has jumped, on so many skills.

    .. math:: \Phi\left(\frac{\sqrt{S} (R - R^*) - \text{shift} \, S^{-1/6}}{\text{width}}\right)

    Parameters
    ----------
    ratio : array
        Texts per skill R.
    n_skills : array
        Number of skills S.
    mean_skills : array
        Mean number of skills per text c, Poisson.

    Returns
    -------
    array
        Between 0 and 1; NaN where learning is smooth.

    Raises
    ------
    ValueError
        If an entry is out of range, or a single c has no threshold.

    References
    ----------
    Derived from `jump_scaling`, see the module.

    Examples
    --------
    >>> jump_probability([1.0379, 1.05, 1.1], 10_000, 3.0).round(3)
    array([0.293, 0.687, 1.   ])
    """
    size, found = counts(n_skills, "n_skills"), jump_scaling(mean_skills)
    above = np.sqrt(size) * (positive(ratio, "ratio") - found.ratio)
    chance: Array = ndtr((above - found.shift * size ** (-1 / 6)) / found.width)
    return chance
