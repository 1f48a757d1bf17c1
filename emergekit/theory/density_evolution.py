r"""How much an abstract learner learns from its texts: density evolution of the skill-text graph.

Skills are learned from texts as erasures are decoded: a text in which few enough skills are unknown
teaches them, and so helps with other texts. On a random graph the chance q that a skill is still
unknown to one of its texts follows

.. math:: q_{i+1} = (1 - \pi) \, \lambda\big(1 - P(q_i)\big), \qquad q_0 = 1 - \pi,

with P the chance that a text teaches one of its skills, :math:`\lambda` the generating function of
the number of *other* texts of a skill and :math:`\pi` the share of skills known beforehand. The
rounds end at the largest fixed point, which is found here by following the curve of all fixed
points (`branches`), not by iterating: at a threshold the iteration stands still.

All equations are derived for the model of the paper and checked by the decoder in `peeling`.

References
----------
Liao, Chang & Hong 2024, "Modeling Language Learning as Iterative Decoding", arXiv 2404.07009.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.branches import Curve, Jump, first_reaching, jumps, knots, last_holding
from emergekit.theory.degrees import DegreeDistribution, Degrees, as_degrees
from emergekit.theory.learners import (
    Learner,
    as_learner,
    fails,
    misunderstands,
    not_all_known,
    succeeds,
)
from emergekit.theory.ranges import Array, counts, positive, single, within

__all__ = [
    "LearningCurve",
    "Transition",
    "asymptotic_testing_error",
    "critical_prior",
    "learned_fraction",
    "learning_curve",
    "learning_rounds",
    "transition",
]

_FAR = 1e12
_SMALLEST = 1e-300
_ROUNDING = 1e-9  # a smaller jump is a wave of rounding errors on a level curve


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


class Transition(NamedTuple):
    """The largest jump of what is learned, as the ratio of texts to skills grows.

    Parameters
    ----------
    ratio : float
        Texts per skill R* at the jump; NaN if learning is smooth, inf if it never starts.
    unlearned_before, unlearned_after : float
        Share of skills unlearned on either side of it.
    lower_ratio : float
        Where the learned state would end if texts were taken away again.
    order : {"first", "continuous", "smooth", "never"}
        A jump; a kink beyond which all is learned; neither; or nothing is learned at any ratio.
    """

    ratio: float
    unlearned_before: float
    unlearned_after: float
    lower_ratio: float
    order: Literal["first", "continuous", "smooth", "never"]


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
    ratios, kind = positive(ratio, "ratio"), as_degrees(degrees)
    learner, start = as_learner(learner, kind), 1 - _known(prior)
    mean = kind.mean_skills(ratios)
    edge = _fixed_point(ratios, kind, learner, start, retained)
    if kind.side == "texts":
        node = edge
    else:
        node = start * _series(kind.shares or (), fails(learner, kind, edge, mean))
    return LearningCurve(
        edge[()],
        (1 - node)[()],
        not_all_known(kind, node, mean)[()],
        misunderstands(learner, kind, edge, mean)[()],
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

    Examples
    --------
    >>> learning_rounds(1.2, 3.0, 3).round(4)
    array([1.    , 0.8359, 0.7459, 0.681 ])
    """
    ratios, kind = positive(ratio, "ratio"), as_degrees(degrees)
    learner, start = as_learner(learner, kind), 1 - _known(prior)
    rounds = [np.full_like(ratios, start)]
    for _ in range(int(counts(n_rounds, "n_rounds", least=0))):
        rounds.append(_next(rounds[-1], ratios, kind, learner, start))
    return np.array(rounds)


def transition(degrees: Degrees, learner: Learner = 1, prior: float = 0.0) -> Transition:
    """Return where, and how, what is learned jumps as texts are added.

    For D-skill learners on Poisson texts `emergence_threshold` has the closed form, for many c at
    once; here any degrees, success functions and prior knowledge will do.

    Parameters
    ----------
    degrees, learner, prior
        As in `learning_curve`.

    Returns
    -------
    Transition

    Raises
    ------
    ValueError
        As `learning_curve`.

    Examples
    --------
    >>> from emergekit.theory import regular_skills
    >>> found = transition(regular_skills(3))
    >>> round(found.ratio, 6), found.order  # three copies of each: 0.818469 skills per text
    (1.221793, 'first')
    """
    kind, start = as_degrees(degrees), 1 - _known(prior)
    learner = as_learner(learner, kind)
    if _is_stuck(kind, learner, start):
        return Transition(np.inf, start, start, np.inf, "never")
    curve: Curve = partial(_ratio_at, degrees=kind, learner=learner, start=start)
    grid = knots(curve, *((1e-6, 1e3) if kind.side == "texts" else (1e-6, _FAR)))

    def node(position: float, ratio: float) -> float:
        """Return the share of skills that is unlearned at a position on the curve."""
        edge = _edge_at(np.array(position), kind, learner, start)
        if kind.side == "texts":
            return float(edge)
        missed = fails(learner, kind, edge, kind.mean_skills(ratio))
        return float(start * _series(kind.shares or (), missed))

    found = [
        Transition(j.value, node(j.before, j.value), node(j.after, j.value), lowest, "first")
        for j in jumps(curve, grid)
        for lowest in [j.lowest if j.lowest > _ROUNDING * j.value else 0.0]
    ]
    largest = max(found, key=_drop, default=None)
    if largest is not None and _drop(largest) > _ROUNDING:
        return largest
    last = float(grid.values[-1])
    if kind.side == "skills" and last >= grid.values.max() * (1 - 1e-9) and last < 1e3 * kind.mean:
        rest = node(np.inf, last)
        return Transition(last, rest, rest, last, "continuous")
    return Transition(np.nan, np.nan, np.nan, np.nan, "smooth")


def critical_prior(ratio: ArrayLike, degrees: Degrees, learner: Learner = 1) -> Array:
    r"""Return the share of skills that must be known beforehand for learning to take off.

    Derived: at a fixed ratio the fixed points are those of :math:`\pi(q) = 1 - q / \lambda(1 -
    P(q))`, so the threshold is the first peak of :math:`\pi` as q falls from 1. For k skills per
    text and D = 1, :math:`\pi(q) = 1 - q \, e^{k R (1 - q)^{k-1}}`.

    Parameters
    ----------
    ratio : array
        Texts per skill R.
    degrees, learner
        As in `learning_curve`.

    Returns
    -------
    array
        Between 0 and 1; NaN where no share makes a jump, as learning is smooth or needs no prior.

    Raises
    ------
    ValueError
        If an entry is out of range, or a single ratio has no such share.

    Examples
    --------
    >>> from emergekit.theory import fixed_texts
    >>> critical_prior([1.0, 2.0], fixed_texts(5)).round(6)
    array([0.324841, 0.245744])
    """
    ratios, kind = positive(ratio, "ratio"), as_degrees(degrees)
    learner = as_learner(learner, kind)
    found = np.full(ratios.shape, np.nan)
    for at, value in np.ndenumerate(ratios):
        curve: Curve = partial(_prior_at, ratio=value, degrees=kind, learner=learner)
        risen = jumps(curve, knots(curve, 1e-6, 1e3))
        jump = max((jump for jump in risen if jump.value > 0), key=_width, default=None)
        if jump is not None and _width(jump) > _ROUNDING:
            found[at] = jump.value
    if not ratios.ndim and np.isnan(found):
        raise ValueError(
            f"At ratio = {float(ratios):g} no prior knowledge makes learning jump: it is smooth, "
            "or starts without any."
        )
    return found[()]


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


def _known(prior: float) -> float:
    known = within(prior, "prior", lambda p: (p >= 0) & (p < 1), "0 or more and below 1")
    return single(known, "prior")


def _series(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return the power series with these coefficients, from order 0 on."""
    value: Array = np.polynomial.polynomial.polyval(x, np.array(coefficients))
    return value


def _next(
    edge: Array, ratios: Array, kind: DegreeDistribution, learner: Learner, start: float
) -> Array:
    """Return q after one more round."""
    mean = kind.mean_skills(ratios)
    if kind.side == "texts":
        return start * np.exp(-ratios * mean * succeeds(learner, kind, edge, mean))
    return start * _series(kind.edge_shares, fails(learner, kind, edge, mean))


def _is_stuck(kind: DegreeDistribution, learner: Learner, start: float) -> bool:
    """Return whether no text teaches anything to begin with, however many there are."""
    if kind.side == "skills":
        return False
    return not succeeds(learner, kind, np.array(start), np.array(kind.mean)) > 0


def _edge_at(position: Array, kind: DegreeDistribution, learner: Learner, start: float) -> Array:
    """Return q at a position: start exp(-s) for given texts; for given skills s is 1 / (c q)."""
    with np.errstate(divide="ignore"):
        if kind.side == "texts":
            return start * np.exp(-position)
        one = np.ones_like(position)
        return start * _series(kind.edge_shares, fails(learner, kind, one, 1 / position))


def _ratio_at(
    position: Array, *, degrees: DegreeDistribution, learner: Learner, start: float
) -> Array:
    """Return the ratio at which a position is a fixed point."""
    edge = _edge_at(position, degrees, learner, start)
    if degrees.side == "skills":
        return degrees.mean * edge * position
    taught = succeeds(learner, degrees, edge, np.full_like(edge, degrees.mean))
    with np.errstate(divide="ignore", over="ignore"):
        return position / (degrees.mean * taught)


def _prior_at(
    position: Array, *, ratio: float, degrees: DegreeDistribution, learner: Learner
) -> Array:
    """Return the prior knowledge at which q = exp(-position) is a fixed point."""
    edge = np.exp(-position)
    back = _next(edge, np.full_like(edge, ratio), degrees, learner, 1.0)
    some = np.where(
        back > 0, back, 1.0
    )  # below floating point for skills that are sure to be learned
    return np.where(back > 0, 1 - edge / some, -np.inf)


def _fixed_point(
    ratios: Array, kind: DegreeDistribution, learner: Learner, start: float, retained: bool
) -> Array:
    """Return where the rounds end, for all ratios at once; `retained`, from where all is known."""
    if not ratios.size or (_is_stuck(kind, learner, start) and not retained):
        return np.full_like(ratios, start)
    curve: Curve = partial(_ratio_at, degrees=kind, learner=learner, start=start)
    few, many = float(ratios.min()), float(ratios.max())
    if kind.side == "texts":
        first = float(succeeds(learner, kind, np.array(start), np.array(kind.mean)))
        left = max(_SMALLEST, min(1e-6, 0.4 * few * kind.mean * first))
        right = max(1e-5, 1.01 * many * kind.mean)
    else:
        left, right = 0.99 * few / kind.mean, _FAR * max(1.0, many)
    follow = last_holding if retained else first_reaching
    return _edge_at(follow(curve, knots(curve, left, right), ratios), kind, learner, start)


def _drop(jump: Transition) -> float:
    return jump.unlearned_before - jump.unlearned_after


def _width(jump: Jump) -> float:
    """Return how far the state falls in a jump of the prior."""
    return float(np.exp(-jump.before) - np.exp(-jump.after))
