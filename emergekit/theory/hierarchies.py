r"""Skills of several kinds: a model fine-tuned on a foundation, classes, and what they compress.

References
----------
Liao, Chang & Hong 2024, arXiv 2404.07009, on hierarchies, classes and semantic compression; Chang,
Lin, Wang & Lin 2021, arXiv 2107.10696, on several classes. All equations are derived for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from emergekit.theory.degrees import poisson_texts
from emergekit.theory.density_evolution import LearningCurve, learning_curve
from emergekit.theory.learner_thresholds import emergence_threshold
from emergekit.theory.learners import Learner, as_learner, misunderstands, succeeds
from emergekit.theory.ranges import Array, counts, positive, shares, within

__all__ = [
    "ClassCurve",
    "class_curve",
    "compressed_bits",
    "fine_tuned_curve",
    "fine_tuned_threshold",
]

_MOST_ROUNDS = 20_000
_ROUNDING = 1e-15
_RISE = 1e-9  # a larger one is no rounding
_POISSON = poisson_texts(1.0)  # the kind of the texts; their means are given with each call


class ClassCurve(NamedTuple):
    """What is learned of each class of skills, and the errors on each class of texts."""

    learned: Array
    testing_error: Array
    training_error: Array


def fine_tuned_curve(
    ratio: ArrayLike,
    mean_domain: float,
    mean_basic: float,
    unlearned_basic: float,
    learner: Learner = 1,
) -> LearningCurve:
    r"""Return what a foundation model learns of a domain, its basic skills being frozen.

    A domain text has Poisson numbers of domain skills and of basic skills, and is of use if all its
    basic skills are known, with chance :math:`h = e^{-c_b q_1}`. So the domain is learned as alone,
    from h R texts per skill.

    Parameters
    ----------
    ratio : array
        Domain texts per domain skill R.
    mean_domain, mean_basic : float
        Mean numbers of domain skills and of basic skills per domain text, the latter 0 or more.
    unlearned_basic : float
        Share q1 of the basic skills that the foundation has not learned, from `learning_curve`.
    learner : int or callable
        As in `learning_curve`.

    Returns
    -------
    LearningCurve
        Errors are of domain texts; one with an unknown basic skill is in error.

    Raises
    ------
    ValueError
        If an entry is out of range.

    References
    ----------
    Liao, Chang & Hong 2024, foundation and fine-tuned models; the factor h is derived.

    Examples
    --------
    >>> q1 = learning_curve(1.2, 3.0).unlearned_edge
    >>> fine_tuned_curve([1.1, 1.2], 3.0, 2.0, q1).learned.round(4)
    array([0.3547, 0.9338])
    """
    useful = _useful(mean_basic, unlearned_basic)
    alone = learning_curve(positive(ratio, "ratio") * useful, mean_domain, learner)
    return alone._replace(
        testing_error=1 - useful * (1 - alone.testing_error),
        training_error=1 - useful * (1 - alone.training_error),
    )


def fine_tuned_threshold(
    mean_domain: ArrayLike, mean_basic: ArrayLike, unlearned_basic: ArrayLike, learner: int = 1
) -> Array:
    r"""Return the domain texts per domain skill at which a fine-tuned model emerges.

    .. math:: R_2^* = R^*(c_2) \, e^{c_b q_1}

    Parameters
    ----------
    mean_domain, mean_basic, unlearned_basic
        As in `fine_tuned_curve`; arrays.
    learner : int
        D, the number of skills that can be learned at once.

    Returns
    -------
    array
        NaN where learning is smooth.

    Raises
    ------
    ValueError
        If an entry is out of range, or a single threshold does not exist.

    References
    ----------
    Derived from `fine_tuned_curve`: the domain is learned as alone, from h R texts per skill.

    Examples
    --------
    >>> fine_tuned_threshold(3.0, 2.0, 0.0417404).round(5)
    np.float64(1.12825)
    """
    return emergence_threshold(mean_domain, learner) / _useful(mean_basic, unlearned_basic)


def class_curve(
    n_skills: ArrayLike, n_texts: ArrayLike, mean_skills: ArrayLike, learner: Learner = 1
) -> ClassCurve:
    r"""Return what is learned of several classes of skills from several classes of texts.

    .. math:: q_k = \exp\Big(-\sum_j \frac{T_j}{S_k} c_{jk} \, P\big(\sum_m c_{jm} q_m\big)\Big)

    With several unknowns there is no single curve of fixed points to follow, so the rounds are run
    from nothing learned, ever more of them in one stride where they are slow and alike: next to a
    threshold a stride takes half of the way that is left, where a round would take next to nothing.
    At a threshold, to rounding, the state is that before the jump, to half of the digits.

    Parameters
    ----------
    n_skills : array, shape (n_skill_classes,)
        Skills of each class S.
    n_texts : array, shape (n_text_classes,)
        Texts of each class T.
    mean_skills : array, shape (n_text_classes, n_skill_classes)
        Mean number of skills of each class in a text of each class c, 0 or more.
    learner : int or callable
        As in `learning_curve`.

    Returns
    -------
    ClassCurve
        Learned fractions, shape (n_skill_classes,), and errors, shape (n_text_classes,).

    Raises
    ------
    ValueError
        If an entry is out of range, shapes do not fit, or the rounds do not come to rest, as those
        of a success function that grows with the skills unknown may not.

    References
    ----------
    Derived, as density evolution of each class; compare Chang et al. 2021.

    Examples
    --------
    >>> class_curve([2000, 8000], [10_000], [[2.0, 1.0]]).learned.round(5)
    array([0.99823, 0.54698])
    """
    sizes = np.atleast_1d(positive(n_skills, "n_skills"))
    texts = np.atleast_1d(positive(n_texts, "n_texts"))
    means = within(mean_skills, "mean_skills", lambda c: (c >= 0) & np.isfinite(c), "0 or more")
    if means.shape != (len(texts), len(sizes)):
        raise ValueError(
            f"mean_skills must have one row a class of texts and one column a class of skills, "
            f"shape {(len(texts), len(sizes))}; its shape is {means.shape}."
        )
    depth = as_learner(learner, _POISSON)
    per_skill = means * texts[:, None] / sizes
    ones = np.ones(len(texts))

    def next_round(q: Array) -> Array:
        found: Array = np.exp(-succeeds(depth, _POISSON, ones, means @ q) @ per_skill)
        return found

    q = _rest(next_round, np.ones(len(sizes)))
    unknown = means @ q
    missed = misunderstands(depth, _POISSON, ones, unknown)
    return ClassCurve(1 - q, -np.expm1(-unknown), missed)


def compressed_bits(
    unlearned: ArrayLike, mean_skills: ArrayLike, n_skills: ArrayLike, raw_bits: ArrayLike
) -> Array:
    r"""Return the mean length of a text that is sent as its skills where they are all known.

    .. math:: e^{-c q} \, c (1 - q) \log_2 S + (1 - e^{-c q}) B

    Derived: an understood text has a Poisson number of known skills, of mean c (1 - q), each sent
    by its number; any other text is sent as it is.

    Parameters
    ----------
    unlearned : array
        Share of skills that is not learned, q.
    mean_skills, n_skills : array
        Mean number of skills per text c, Poisson, and number of skills S.
    raw_bits : array
        Bits of a text that is sent as it is B.

    Returns
    -------
    array
        Bits per text.

    Raises
    ------
    ValueError
        If an entry is out of range.

    References
    ----------
    Liao, Chang & Hong 2024, semantic compression; the formula is derived.

    Examples
    --------
    >>> compressed_bits([1.0, 0.0417, 0.0], 3.0, 1024, 10_000).round(1)
    array([9502.1, 1201.3,   30. ])
    """
    q, c = shares(unlearned, "unlearned"), positive(mean_skills, "mean_skills")
    understood = np.exp(-c * q)
    as_skills = c * (1 - q) * np.log2(counts(n_skills, "n_skills"))
    return understood * as_skills + (1 - understood) * positive(raw_bits, "raw_bits")


def _rest(next_round: Callable[[Array], Array], q: Array) -> Array:
    """Return where falling rounds come to rest.

    What falls in one round is a smooth function of q, so where it is positive and nearly the same
    at both ends of a stride and in the middle, no rest lies between: strides never jump over one.
    """
    stride = 1.0
    for _ in range(_MOST_ROUNDS):
        falls = q - next_round(q)
        noise = _ROUNDING * (q - xlogy(q, q))
        if (falls <= noise).all() and (falls >= -_RISE).all():
            return q
        ends = [q - part * stride * falls for part in (0.5, 1.0)]
        if all((end >= 0).all() and _alike(end - next_round(end), falls, noise) for end in ends):
            q, stride = ends[1], 2 * stride
        else:
            q, stride = q - falls, max(1.0, stride / 4)
    raise ValueError(
        f"The rounds of learning do not come to rest within {_MOST_ROUNDS} strides. A success "
        "function must fall, or stay, as more skills are unknown."
    )


def _alike(falls: Array, before: Array, noise: Array) -> bool:
    """Return whether no class falls by less than half, or more than twice, of what it did."""
    return bool(((falls >= before / 2 - noise) & (falls <= 2 * before + noise)).all())


def _useful(mean_basic: ArrayLike, unlearned_basic: ArrayLike) -> Array:
    """Return the chance that all basic skills of a domain text are known."""
    basic = within(mean_basic, "mean_basic", lambda c: (c >= 0) & np.isfinite(c), "0 or more")
    known: Array = np.exp(-basic * shares(unlearned_basic, "unlearned_basic"))
    return known
