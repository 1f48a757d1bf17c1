r"""Accuracy on composed tasks as concepts and texts grow: emergence, and plateaus between levels.

Learned concepts relate skills to each other. Skills of level l need so many related pairs of
concepts for one edge between two skills; a task of n skills is solved if all lie in the giant
component of the graph of their level. Where tasks need levels far apart, accuracy rests between
them: plateaus lie at the cumulative weights of the levels' distribution.

References
----------
Nayak & Varshney 2024, "An Information Theory of Compute-Optimal Size Scaling, Emergence, and
Plateaus in Language Models", arXiv 2410.01243, section 5, and their code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from scipy.stats import binom, poisson

from emergekit.errors import unknown
from emergekit.theory import ranges
from emergekit.theory.percolation import random_graph_giant
from emergekit.theory.ranges import Array, counts, positive, single, within

__all__ = [
    "composed_accuracy",
    "concept_pairs_needed",
    "level_giant_fraction",
    "level_weights",
    "prerequisites",
    "skill_edge_chance",
    "skill_pair_chance",
]

Tail: TypeAlias = Literal["exact", "chernoff"]

_TAILS = ("exact", "chernoff")
N_LEVELS = 100
SKILLS_PER_LEVEL = 1000.0
SKILLS_PER_TASK = (2, 3, 4, 5, 6, 7)
_POISSON_PAIRS = 1e9  # binomial tails of more trials lose digits; the Poisson's error is below 1e-6


def concept_pairs_needed(n_levels: int = N_LEVELS, steepness: float = 7.0) -> Array:
    r"""Return how many related pairs of concepts an edge between skills needs, by level.

    .. math:: \eta_l = \mathrm{round}(e^{7 l / 100})

    Parameters
    ----------
    n_levels : int
        Number of levels, 1 or more; they count from 1.
    steepness : float
        Natural logarithm of the pairs that the last level needs, positive.

    Returns
    -------
    array, shape (n_levels,)

    Raises
    ------
    ValueError
        If the levels are no whole number of 1 or more, or the steepness is not positive.

    References
    ----------
    Nayak & Varshney 2024, section 5 and code.

    Examples
    --------
    >>> concept_pairs_needed()[[0, 10, 99]]
    array([1.000e+00, 2.000e+00, 1.097e+03])
    """
    levels = _levels(n_levels)
    steep = single(positive(steepness, "steepness"), "steepness")
    return np.asarray(np.round(np.exp(steep * levels / len(levels))))


def level_weights(
    shares: Sequence[float] = (1.0,), centres: Sequence[float] = (0.5,), n_levels: int = N_LEVELS
) -> Array:
    r"""Return how tasks are spread over levels, as a mixture of binomials.

    .. math:: q(l) = \sum_m w_m \binom{n}{l} c_m^l (1 - c_m)^{n - l}

    Parameters
    ----------
    shares, centres : sequence of float
        Weights w and centres c of the parts, both within [0, 1]; the paper's unimodal case is the
        default, its multimodal one (.4, .4, .2) at (.2, .6, .95).
    n_levels : int
        Number of levels n.

    Returns
    -------
    array, shape (n_levels,)
        Their sum falls short of the sum of shares by what level 0 would hold.

    Raises
    ------
    ValueError
        If shares and centres differ in number or lie outside [0, 1], the shares sum to more than 1,
        or the levels are no whole number of 1 or more.

    References
    ----------
    Nayak & Varshney 2024, section 5 and code.
    """
    w, c = ranges.shares(shares, "shares"), ranges.shares(centres, "centres")
    if w.shape != c.shape or w.ndim != 1:
        raise ValueError(f"shares and centres must be as many; they are {w.size} and {c.size}.")
    if w.sum() > 1 + 1e-9:
        raise ValueError(f"shares must sum to 1 or less; they sum to {w.sum():g}.")
    levels = _levels(n_levels)
    return np.asarray(w @ binom.pmf(levels, len(levels), c[:, None]))


def skill_pair_chance(
    n_concepts: ArrayLike,
    n_texts: ArrayLike,
    concepts_per_text: float = 6.0,
    skills_per_level: float = SKILLS_PER_LEVEL,
) -> Array:
    r"""Return the chance that one pair of concepts relates one pair of skills of a level.

    .. math:: p_{ss} = \frac{1 - (1 - (d / R)^2)^T}{S_l^2}

    Parameters
    ----------
    n_concepts, n_texts : array
        R and T, positive.
    concepts_per_text, skills_per_level : float
        d, positive, and S_l, 1 or more.

    Returns
    -------
    array
        Within [0, 1].

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Nayak & Varshney 2024, section 5 and code.
    """
    R = within(n_concepts, "n_concepts", lambda r: r > 0, "positive")
    T = within(n_texts, "n_texts", lambda t: t > 0, "positive")
    d = positive(concepts_per_text, "concepts_per_text")
    S = within(skills_per_level, "skills_per_level", lambda s: s >= 1, "1 or more")
    with np.errstate(divide="ignore"):
        never = T * np.log1p(-(np.minimum(d / R, 1.0) ** 2))
    return np.asarray(-np.expm1(never) / S**2)


def skill_edge_chance(
    chance: ArrayLike, n_concepts: ArrayLike, needed: ArrayLike, *, tail: Tail = "exact"
) -> Array:
    r"""Return the chance that two skills are joined.

    .. math:: p_l = P\left(\mathrm{Bin}\left(\tfrac{1}{2} R (R - 1), p_{ss}\right)
              \ge \eta_l\right)

    Parameters
    ----------
    chance : array
        What `skill_pair_chance` gives.
    n_concepts : array
        R, above 1.
    needed : array
        Pairs of concepts that an edge needs, eta_l; broadcasts against the others.
    tail : {"exact", "chernoff"}
        The tail itself, or the paper's bounds, which take logarithms to base 2 under a natural
        exponential and jump at the mean. In N, a single level emerges 30 times later by the second.

    Returns
    -------
    array
        Within [0, 1].

    Raises
    ------
    ValueError
        If a number is outside its range or the tail is unknown.

    References
    ----------
    Nayak & Varshney 2024, section 5 and code.
    """
    if tail not in _TAILS:
        raise ValueError(unknown("tail", tail, _TAILS))
    p = ranges.shares(chance, "chance")
    R = within(n_concepts, "n_concepts", lambda r: r > 1, "above 1")
    eta = within(needed, "needed", lambda n: n >= 0, "0 or more")
    pairs = R * (R - 1) / 2
    if tail == "chernoff":
        return _chernoff(eta / pairs, p, pairs)
    # Whole numbers for the binomial; where pairs are that many, the Poisson takes any number.
    exact = binom.sf(eta - 1, np.floor(np.minimum(pairs, _POISSON_PAIRS)), p)
    return np.asarray(np.where(pairs < _POISSON_PAIRS, exact, poisson.sf(eta - 1, pairs * p)))


def _chernoff(share: Array, p: Array, pairs: Array) -> Array:
    """Return the bound of the paper's code for a tail from `share` of the pairs on."""
    with np.errstate(all="ignore"):
        left = np.maximum(1 - share, 0)
        distance = xlogy(share, share / p) + xlogy(left, left / (1 - p))
        small = np.exp(-pairs * distance / np.log(2))
        above = small / np.sqrt(2 * pairs)
    chance = np.where(share < p, 1 - small, np.where(share > p, above, 0.0))
    return np.asarray(np.where(share >= 1, 0.0, np.nan_to_num(chance)))


def level_giant_fraction(
    n_concepts: ArrayLike,
    n_texts: ArrayLike,
    needed: ArrayLike,
    concepts_per_text: float = 6.0,
    skills_per_level: float = SKILLS_PER_LEVEL,
    *,
    tail: Tail = "exact",
) -> Array:
    """Return the share of a level's skills in the giant component of their graph.

    Parameters
    ----------
    n_concepts, n_texts : array
        R and T of the models.
    needed : array
        Pairs of concepts that an edge of the level needs.
    concepts_per_text, skills_per_level : float
        d and S_l.
    tail : {"exact", "chernoff"}
        As in `skill_edge_chance`.

    Returns
    -------
    array
        Within [0, 1], by `random_graph_giant` of the mean degree S_l p_l.

    References
    ----------
    Nayak & Varshney 2024, section 5.
    """
    chance = skill_pair_chance(n_concepts, n_texts, concepts_per_text, skills_per_level)
    edge = skill_edge_chance(chance, n_concepts, needed, tail=tail)
    return random_graph_giant(skills_per_level * edge)


def prerequisites(
    n_concepts: ArrayLike,
    n_texts: ArrayLike,
    level: int = 11,
    concepts_per_text: float = 6.0,
    *,
    n_levels: int = N_LEVELS,
    tail: Tail = "exact",
) -> Array:
    r"""Return by which factor edges of each level are rarer where prerequisites are not known.

    .. math:: g^{2 \sigma_l}, \qquad \sigma_l = \mathrm{round}(\log_2 l)

    with g the giant share of one early level; 1 up to that level.

    Parameters
    ----------
    n_concepts, n_texts : array, shape (n,)
        R and T of the models.
    level : int
        The early level, from 1.
    concepts_per_text : float
        d.
    n_levels : int
        Number of levels.
    tail : {"exact", "chernoff"}
        As in `skill_edge_chance`.

    Returns
    -------
    array, shape (n_levels, n)

    References
    ----------
    The code of Nayak & Varshney 2024; the factor 2 is for the two skills of an edge.
    """
    levels, early = _levels(n_levels), int(single(counts(level, "level"), "level"))
    if early > len(levels):
        raise ValueError(f"level must lie from 1 to {len(levels)}; it is {early}.")
    needed = concept_pairs_needed(n_levels)[early - 1]
    g = level_giant_fraction(n_concepts, n_texts, needed, concepts_per_text, tail=tail)
    rarer = np.atleast_1d(g) ** (2 * np.round(np.log2(levels[:, None])))
    return np.where(levels[:, None] > early, rarer, 1.0)


def composed_accuracy(
    n_concepts: ArrayLike,
    n_texts: ArrayLike,
    weights: ArrayLike,
    concepts_per_text: float = 6.0,
    skills_per_level: float = SKILLS_PER_LEVEL,
    *,
    skills_per_task: Sequence[int] = SKILLS_PER_TASK,
    edge_factor: ArrayLike = 1.0,
    tail: Tail = "exact",
) -> Array:
    r"""Return the accuracy on tasks composed of several skills of one level each.

    .. math:: \sum_l q(l)\, \frac{1}{m} \sum_n \gamma_l^{\,n}

    Parameters
    ----------
    n_concepts, n_texts : array, shape (n,)
        R and T of the models.
    weights : array, shape (n_levels,)
        How tasks are spread over levels, as by `level_weights`.
    concepts_per_text, skills_per_level : float
        d and S_l.
    skills_per_task : sequence of int
        Numbers of skills n that a task needs, all alike often; 2 to 7 in the paper, whose text says
        8 and whose code drops it.
    edge_factor : array, shape (n_levels, n) or a number
        By which factor edges are rarer, within [0, 1], as by `prerequisites`.
    tail : {"exact", "chernoff"}
        As in `skill_edge_chance`; the paper's figures need "chernoff".

    Returns
    -------
    array, shape (n,)
        From 0 to the sum of weights.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Nayak & Varshney 2024, section 5, figure of emergence and plateaus.
    """
    q = within(weights, "weights", lambda w: w >= 0, "0 or more")
    tasks = counts(skills_per_task, "skills_per_task")
    if q.ndim != 1 or tasks.ndim != 1 or not tasks.size:
        raise ValueError("weights must be one number a level, and a task needs a skill.")
    R, T = np.atleast_1d(n_concepts, n_texts)
    needed = concept_pairs_needed(len(q))[:, None]
    chance = skill_pair_chance(R, T, concepts_per_text, skills_per_level)
    edge = skill_edge_chance(chance, R, needed, tail=tail)
    giant = random_graph_giant(skills_per_level * edge * ranges.shares(edge_factor, "edge_factor"))
    solved = np.mean([giant**n for n in tasks], axis=0)
    return np.asarray(q @ solved)


def _levels(n_levels: int) -> Array:
    """Return the numbers of the levels, which count from 1."""
    return np.arange(1, int(single(counts(n_levels, "n_levels"), "n_levels")) + 1, dtype=float)
