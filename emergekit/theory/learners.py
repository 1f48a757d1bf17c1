r"""What a learner makes of one text, given how likely each of its skills is still unknown.

A D-skill learner understands a text with at most D unknown skills, and learns these. Any other
learner is a *success function*: the chance that a text teaches one of its skills, given the mean
number of other unknown skills in it, which are Poisson then.

References
----------
Liao, Chang & Hong 2024, arXiv 2404.07009, abstract learners; Chang, Lin, Wang & Lin 2020, "Poisson
receivers", arXiv 2008.07561, for success functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.special import betainc, gammainc, gammaincc

from emergekit.theory.degrees import DegreeDistribution
from emergekit.theory.ranges import Array, counts, shares, single

__all__ = ["Learner", "as_learner", "fails", "misunderstands", "not_all_known", "succeeds"]

Learner: TypeAlias = int | Callable[[Array], Array]


def as_learner(learner: Learner, degrees: DegreeDistribution) -> Learner:
    """Return the learner, once it is sure that texts of such degrees mean something to it.

    Raises
    ------
    ValueError
        If D is no whole number of 1 or more, or a success function meets texts that are not
        Poisson.
    """
    if not callable(learner):
        return int(single(counts(learner, "learner"), "learner"))
    if degrees.side == "texts" and degrees.shares is not None:
        raise ValueError(
            "A success function takes the mean of a Poisson number of other unknown skills, so "
            "texts must be Poisson; give D, the number of skills a learner can learn at once."
        )
    return learner


def succeeds(learner: Learner, degrees: DegreeDistribution, unknown: Array, mean: Array) -> Array:
    """Return the chance that a text teaches one skill in it.

    Parameters
    ----------
    learner : int or callable
        D, or a success function.
    degrees : DegreeDistribution
        Of the graph.
    unknown : array
        Chance that each other skill in the text is unknown.
    mean : array
        Mean number of skills per text, where it is Poisson.
    """
    if callable(learner):
        return shares(learner(np.asarray(mean * unknown)), "the success function")
    if degrees.side == "skills" or degrees.shares is None:
        chance: Array = gammaincc(learner, mean * unknown)
        return chance
    return _mixture(degrees.edge_shares, learner, unknown, at_most=True)


def fails(learner: Learner, degrees: DegreeDistribution, unknown: Array, mean: Array) -> Array:
    """Return one minus `succeeds`, to all digits where it is small."""
    if callable(learner):
        return 1 - succeeds(learner, degrees, unknown, mean)
    if degrees.side == "skills" or degrees.shares is None:
        chance: Array = gammainc(learner, mean * unknown)
        return chance
    return _mixture(degrees.edge_shares, learner, unknown, at_most=False)


def misunderstands(
    learner: Learner, degrees: DegreeDistribution, unknown: Array, mean: Array
) -> Array:
    """Return the chance that a text of the corpus has more than D unknown skills, NaN without D."""
    if callable(learner):
        return np.full(np.broadcast_shapes(np.shape(unknown), np.shape(mean)), np.nan)[()]
    if degrees.side == "skills" or degrees.shares is None:
        chance: Array = gammainc(learner + 1, mean * unknown)
        return chance
    return _mixture(degrees.shares, learner + 1, unknown, at_most=False)


def not_all_known(degrees: DegreeDistribution, unknown: Array, mean: Array) -> Array:
    """Return the chance that a fresh text has an unknown skill."""
    if degrees.side == "skills" or degrees.shares is None:
        return -np.expm1(-mean * unknown)
    return _mixture(degrees.shares, 1, unknown, at_most=False)


def _mixture(parts: tuple[float, ...], few: int, unknown: Array, at_most: bool) -> Array:
    """Return the chance that fewer (`at_most`) than `few` skills, or as many or more, are unknown.

    `parts` are the shares of texts with 0, 1, 2, ... skills.
    """
    total = np.zeros(np.shape(unknown))
    for n, part in enumerate(parts):
        if part and at_most:
            total = total + part * (betainc(n - few + 1, few, 1 - unknown) if n >= few else 1.0)
        elif part and n >= few:
            total = total + part * betainc(few, n - few + 1, unknown)
    return total
