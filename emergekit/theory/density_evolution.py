r"""How much an abstract learner learns from its texts: density evolution of the skill-text graph.

Skills are learned from texts as erasures are decoded: a text in which few enough skills are unknown
teaches them, and so helps with other texts. On a random graph the chance q that a skill is still
unknown to one of its texts follows

.. math:: q_{i+1} = (1 - \pi) \, \lambda\big(1 - P(q_i)\big), \qquad q_0 = 1 - \pi,

with P the chance that a text teaches one of its skills, :math:`\lambda` the generating function of
the number of *other* texts of a skill and :math:`\pi` the share of skills known beforehand. The
rounds end at the largest fixed point, which is found here by following the curve of all fixed
points (`fixed_points`), not by iterating: at a threshold the iteration stands still.

All equations are derived for the model of the paper and checked by the decoder in `peeling`.

References
----------
Liao, Chang & Hong 2024, "Modeling Language Learning as Iterative Decoding", arXiv 2404.07009.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.degrees import Degrees
from emergekit.theory.fixed_points import next_edge, node_of, rest, system
from emergekit.theory.learners import Learner, misunderstands, not_all_known
from emergekit.theory.ranges import Array, counts, positive

__all__ = [
    "LearningCurve",
    "asymptotic_testing_error",
    "learned_fraction",
    "learning_curve",
    "learning_rounds",
]


class LearningCurve(NamedTuple):
    """What is learned at each ratio of texts to skills.

    Parameters
    ----------
    unlearned_edge : array
        Chance q that a skill is unknown to one of its texts, by what its other texts teach.
    learned : array
        Share of skills that are known in the end.
    testing_error : array
        Chance that a fresh text, its skills drawn evenly, has an unknown skill.
    training_error : array
        Chance that a text of the corpus has more unknown skills than can be learned at once; NaN
        for a success function. Texts without skills are understood in both.
    """

    unlearned_edge: Array
    learned: Array
    testing_error: Array
    training_error: Array


def learning_curve(
    ratio: ArrayLike,
    degrees: Degrees,
    learner: Learner = 1,
    prior: float = 0.0,
    *,
    retained: bool = False,
) -> LearningCurve:
    r"""Return what is learned at each ratio of texts to skills.

    With Poisson texts of c skills, :math:`q = (1 - \pi) e^{-c R P(c q)}`, P = exp(-c q) for a
    1-skill learner, the upper incomplete gamma function Q(D, c q) for a D-skill learner; with
    skills of given degree of mean d, :math:`q = (1 - \pi) \lambda(1 - P(d q / R))`; with k skills
    per text and D = 1, :math:`q = (1 - \pi) e^{-k R (1 - q)^{k-1}}`. Without prior knowledge the
    last never starts for k of 2 or more: no text has just one unknown skill.

    Parameters
    ----------
    ratio : array
        Texts per skill R.
    degrees : float or DegreeDistribution
        Mean skills per text c, Poisson; or one of `fixed_texts`, `irregular_texts`,
        `regular_skills`, `irregular_skills`.
    learner : int or callable
        D, the number of unknown skills in a text that can be learned at once; or a success
        function, from the mean number of *other* unknown skills in a (Poisson) text to the chance
        that it teaches one, which must not rise.
    prior : float
        Share of skills known beforehand, pi, from 0 up to but not 1.
    retained : bool
        Whether to follow a learner that had all the texts it could want, and lost them again: the
        other side of hysteresis, where the smallest stable fixed point is.

    Returns
    -------
    LearningCurve
        Arrays of the shape of `ratio`.

    Raises
    ------
    ValueError
        If an entry is out of range, or the learner does not fit the texts.

    References
    ----------
    Liao, Chang & Hong 2024; derived, see the module.

    Examples
    --------
    >>> curve = learning_curve([1.0, 1.2], 3.0)
    >>> curve.learned.round(5), curve.testing_error.round(4), curve.training_error.round(5)
    (array([0.33526, 0.95826]), array([0.8639, 0.1177]), array([0.59243, 0.00722]))
    """
    ratios, given = positive(ratio, "ratio"), system(degrees, learner, prior)
    mean = given.degrees.mean_skills(ratios)
    edge = rest(given, ratios, retained)
    node = node_of(given, edge, ratios)
    return LearningCurve(
        edge[()],
        (1 - node)[()],
        not_all_known(given.degrees, node, mean)[()],
        misunderstands(given.learner, given.degrees, edge, mean)[()],
    )


def learned_fraction(
    ratio: ArrayLike, degrees: Degrees, learner: Learner = 1, prior: float = 0.0
) -> Array:
    """Return the share of skills that is learned: `learning_curve` without the errors.

    Parameters
    ----------
    ratio, degrees, learner, prior
        As in `learning_curve`.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        As `learning_curve`.

    References
    ----------
    Liao, Chang & Hong 2024, density evolution; see `learning_curve`.

    Examples
    --------
    >>> learned_fraction(1.2, 3.0).round(5)
    np.float64(0.95826)
    """
    return learning_curve(ratio, degrees, learner, prior).learned


def learning_rounds(
    ratio: ArrayLike,
    degrees: Degrees,
    n_rounds: int,
    learner: Learner = 1,
    prior: float = 0.0,
) -> Array:
    """Return q round by round, as the decoder on a large graph goes.

    Parameters
    ----------
    ratio, degrees, learner, prior
        As in `learning_curve`.
    n_rounds : int
        Rounds, 0 or more.

    Returns
    -------
    array, shape (n_rounds + 1, ...)
        Chance that a skill is unknown to one of its texts, from 1 - prior on; it never rises.

    Raises
    ------
    ValueError
        As `learning_curve`.

    References
    ----------
    Liao, Chang & Hong 2024, density evolution.

    Examples
    --------
    >>> learning_rounds(1.2, 3.0, 3).round(4)
    array([1.    , 0.8359, 0.7459, 0.681 ])
    """
    ratios, given = positive(ratio, "ratio"), system(degrees, learner, prior)
    rounds = [np.full_like(ratios, given.start)]
    for _ in range(int(counts(n_rounds, "n_rounds", least=0))):
        rounds.append(next_edge(given, rounds[-1], ratios))
    return np.array(rounds)


def asymptotic_testing_error(ratio: ArrayLike, mean_skills: ArrayLike) -> Array:
    r"""Return what the testing error of a learner on Poisson texts tends to with many texts.

    .. math:: 1 - e^{-c q} \to c \, e^{-c R}

    Derived, for every D: as q vanishes each text teaches, P = 1. The scaling law in the number of
    texts is exponential, not a power.

    Parameters
    ----------
    ratio, mean_skills : array
        Texts per skill R and mean skills per text c.

    Returns
    -------
    array
        Above 0.

    Raises
    ------
    ValueError
        If an entry is not positive.

    Examples
    --------
    >>> ratio = [2.0, 4.0, 6.0]
    >>> error = learning_curve(ratio, 3.0).testing_error
    >>> (error / asymptotic_testing_error(ratio, 3.0)).round(4)
    array([1.0436, 1.0002, 1.    ])
    """
    c = positive(mean_skills, "mean_skills")
    return c * np.exp(-c * positive(ratio, "ratio"))
