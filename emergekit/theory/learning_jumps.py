r"""Where learning jumps: as texts are added, or as more is known beforehand.

Both thresholds are peaks of a curve of fixed points, found as such: nothing is iterated where
iteration would stand still.

References
----------
Liao, Chang & Hong 2024, "Modeling Language Learning as Iterative Decoding", arXiv 2404.07009, for
the model; the equations are derived.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.branches import Curve, Jump, jumps, knots
from emergekit.theory.degrees import Degrees
from emergekit.theory.fixed_points import (
    edge_at,
    is_stuck,
    node_of,
    prior_at,
    system,
    whole_curve,
)
from emergekit.theory.learners import Learner
from emergekit.theory.ranges import Array, positive

__all__ = ["Transition", "critical_prior", "transition"]

_LEAST_PRIOR = 1e-11  # less is lost beside 1
_ROUNDING = 1e-9  # a smaller jump is a wave of rounding errors on a level curve


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


def transition(degrees: Degrees, learner: Learner = 1, prior: float = 0.0) -> Transition:
    """Return where, and how, what is learned jumps as texts are added.

    For D-skill learners on Poisson texts `emergence_threshold` has the closed form, for many c at
    once; here any degrees, success functions and prior knowledge will do. The curve of fixed points
    is searched at 100 places a decade: a fold narrower than that, next to a critical point, counts
    as smooth. With texts of given numbers of skills, a prior of 1e-10 has its jump to 6 digits; one
    below 1e-11 is lost in rounding.

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

    References
    ----------
    Derived: jumps are peaks of the curve of fixed points, see the module.

    Examples
    --------
    >>> from emergekit.theory import regular_skills
    >>> found = transition(regular_skills(3))
    >>> round(found.ratio, 6), found.order  # three copies of each: 0.818469 skills per text
    (1.221793, 'first')
    """
    given = system(degrees, learner, prior)
    if is_stuck(given):
        return Transition(np.inf, given.start, given.start, np.inf, "never")
    curve, grid = whole_curve(given)
    drains = given.degrees.side == "skills"  # such curves may fall to 0 as all is learned

    def unlearned(position: float, ratio: float) -> float:
        return float(node_of(given, edge_at(given, np.array(position)), np.array(ratio)))

    found = [
        Transition(
            jump.value,
            unlearned(jump.before, jump.value),
            unlearned(jump.after, jump.value),
            0.0 if drains and jump.lowest <= _ROUNDING * jump.value else jump.lowest,
            "first",
        )
        for jump in jumps(curve, grid)
    ]
    largest = max(found, key=_drop, default=None)
    if largest is not None and _drop(largest) > _ROUNDING:
        return largest
    # Degrees of skills: where the curve ends level, all is learned from there on.
    before, last = (float(value) for value in grid.values[-100::99])
    if given.degrees.side == "skills" and abs(last - before) <= _ROUNDING * last:
        left = unlearned(np.inf, last)
        return Transition(last, left, left, last, "continuous")
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
        Between 0 and 1, to 5 digits at least; NaN where no share makes a jump, as learning is
        smooth or needs no prior, and where so many texts need less than 1e-11.

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
    ratios, given = positive(ratio, "ratio"), system(degrees, learner, 0.0)
    found = np.full(ratios.shape, np.nan)
    for at, value in np.ndenumerate(ratios):
        curve: Curve = partial(prior_at, given, value)
        # Before a text that is sure to teach something, each prior has its own place.
        left = min(1e-6, 0.01 / max(value * given.degrees.mean * given.degrees.most_others, 1e-9))
        risen = jumps(curve, knots(curve, max(left, _LEAST_PRIOR), 1e3))
        jump = max((jump for jump in risen if jump.value > _LEAST_PRIOR), key=_width, default=None)
        if jump is not None and _width(jump) > _ROUNDING:
            found[at] = jump.value
    if not ratios.ndim and np.isnan(found):
        raise ValueError(
            f"At ratio = {float(ratios):g} no prior knowledge makes learning jump: it is smooth, "
            f"starts without any, or with less than {_LEAST_PRIOR:g}."
        )
    return found[()]


def _drop(jump: Transition) -> float:
    return jump.unlearned_before - jump.unlearned_after


def _width(jump: Jump) -> float:
    """Return how far the state falls in a jump of the prior."""
    return float(np.exp(-jump.before) - np.exp(-jump.after))
