r"""The curve of all fixed points of density evolution, on which learners come to rest.

For each position s there is one chance q and one ratio of texts to skills at which q is a fixed
point. If the degrees of texts are given, q is :math:`(1 - \pi) e^{-s}`, and
:math:`R = s / (c P(q))`. If those of skills are, s is one over the mean number of unknown skills in
a text, so that q is :math:`(1 - \pi) \lambda(1 - P)` there, and R is :math:`d q s`.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from emergekit.theory.branches import Curve, Knots, first_reaching, knots, last_holding
from emergekit.theory.degrees import DegreeDistribution, Degrees, as_degrees
from emergekit.theory.learners import Learner, as_learner, fails, succeeds
from emergekit.theory.ranges import Array, single, within

__all__ = [
    "System",
    "edge_at",
    "is_stuck",
    "next_edge",
    "node_of",
    "prior_at",
    "ratio_at",
    "rest",
    "system",
    "whole_curve",
]

_FAR = 1e12
_SMALLEST = 1e-300


class System(NamedTuple):
    """A learner on graphs of some degrees, and the share of skills it does not know beforehand."""

    degrees: DegreeDistribution
    learner: Learner
    start: float


def system(degrees: Degrees, learner: Learner, prior: float) -> System:
    """Return a system, once everything in it is within its range.

    Raises
    ------
    ValueError
        If it is not, or the learner does not fit the texts.
    """
    kind = as_degrees(degrees)
    known = within(prior, "prior", lambda p: (p >= 0) & (p < 1), "0 or more and below 1")
    return System(kind, as_learner(learner, kind), 1 - single(known, "prior"))


def next_edge(given: System, edge: Array, ratios: Array) -> Array:
    """Return q after one more round."""
    mean = given.degrees.mean_skills(ratios)
    if given.degrees.side == "texts":
        taught = succeeds(given.learner, given.degrees, edge, mean)
        return given.start * np.exp(-ratios * mean * taught)
    missed = fails(given.learner, given.degrees, edge, mean)
    return given.start * _series(given.degrees.edge_shares, missed)


def node_of(given: System, edge: Array, ratios: Array) -> Array:
    """Return the share of skills that is unlearned, when q is the chance along an edge."""
    if given.degrees.side == "texts":  # Poisson skills: other texts of an edge are like all texts
        return edge
    missed = fails(given.learner, given.degrees, edge, given.degrees.mean_skills(ratios))
    return given.start * _series(given.degrees.shares or (), missed)


def is_stuck(given: System) -> bool:
    """Return whether no text teaches anything to begin with, however many there are."""
    return given.degrees.side == "texts" and not _first_taught(given) > 0


def edge_at(given: System, position: Array) -> Array:
    """Return q at a position."""
    if given.degrees.side == "texts":
        return given.start * np.exp(-position)
    with np.errstate(divide="ignore"):
        unknown = 1 / position
    missed = fails(given.learner, given.degrees, np.ones_like(position), unknown)
    return given.start * _series(given.degrees.edge_shares, missed)


def ratio_at(given: System, position: Array) -> Array:
    """Return the ratio at which a position is a fixed point."""
    edge = edge_at(given, position)
    if given.degrees.side == "skills":
        return given.degrees.mean * edge * position
    mean = np.full_like(edge, given.degrees.mean)
    taught = succeeds(given.learner, given.degrees, edge, mean)
    with np.errstate(divide="ignore", over="ignore"):
        return position / (given.degrees.mean * taught)


def prior_at(given: System, ratio: float, position: Array) -> Array:
    """Return the prior knowledge at which q = exp(-position) is a fixed point."""
    edge = np.exp(-position)
    back = next_edge(given._replace(start=1.0), edge, np.full_like(edge, ratio))
    some = back > edge * _SMALLEST  # else beyond floating point: skills that are sure to be learned
    return np.where(some, 1 - edge / np.where(some, back, 1.0), -np.inf)


def whole_curve(given: System) -> tuple[Curve, Knots]:
    """Return the curve of ratios, and knots of all of it that has a shape."""
    curve: Curve = partial(ratio_at, given)
    if given.degrees.side == "skills":
        return curve, knots(curve, 1e-6, _FAR)
    # As long as what is learned adds little to the chance of the first text, the curve is straight.
    left = min(1e-6, 0.01 * _first_taught(given) / given.degrees.most_others)
    return curve, knots(curve, max(_SMALLEST, left), 1e3)


def rest(given: System, ratios: Array, retained: bool) -> Array:
    """Return the q at which the rounds end, for all ratios at once.

    `retained`: the rounds begin where all is known, not where nothing beyond the prior is.
    """
    if not ratios.size or (is_stuck(given) and not retained):
        return np.full_like(ratios, given.start)
    few, many, mean = float(ratios.min()), float(ratios.max()), given.degrees.mean
    if given.degrees.side == "texts":
        left = max(_SMALLEST, min(1e-6, 0.4 * few * mean * _first_taught(given)))
        right = max(1e-5, 1.01 * many * mean)
    else:
        left, right = 0.99 * few / mean, _FAR * max(1.0, many)
    curve: Curve = partial(ratio_at, given)
    follow = last_holding if retained else first_reaching
    return edge_at(given, follow(curve, knots(curve, left, right), ratios))


def _first_taught(given: System) -> float:
    """Return the chance that a text teaches a skill before anything has been learned."""
    start, mean = np.array(given.start), np.array(given.degrees.mean)
    return float(succeeds(given.learner, given.degrees, start, mean))


def _series(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return the power series with these coefficients, from order 0 on."""
    value: Array = np.polynomial.polynomial.polyval(x, np.array(coefficients))
    return value
