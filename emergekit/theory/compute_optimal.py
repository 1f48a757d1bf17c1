r"""Concepts and texts that a compute budget is best spent on, and the loss that remains.

A model of N parameters holds R concepts, its D tokens are T texts, a text tells of d concepts on
average, and compute is R T. Learning is decoding: too few texts a concept and nothing is
learned, too many and the budget would have held more concepts.

References
----------
Nayak & Varshney 2024, "An Information Theory of Compute-Optimal Size Scaling, Emergence, and
Plateaus in Language Models", arXiv 2410.01243, sections 3 and 4, and their code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.theory.ldpc import (
    BinomialDegrees,
    Convention,
    bit_error,
    block_error,
    bp_threshold,
    finite_length_alpha,
)
from emergekit.theory.learner_thresholds import emergence_threshold
from emergekit.theory.ranges import Array, existing, open_shares, positive, shares, single, within

__all__ = [
    "ComputeOptimum",
    "LearnedConcepts",
    "compute_optimal_sizes",
    "concepts_learned",
    "excess_entropy_bound",
    "flops_of_compute",
    "training_error",
]

PARAMS_PER_CONCEPT = 2e5
TOKENS_PER_TEXT = 8e5
FLOPS_PER_PARAM_TOKEN = 6.0
_PUBLISHED_CONCEPTS = 6.0
_PUBLISHED_SEARCH = (0.2, 0.6)
_GRID = 65
_GOLDEN = (np.sqrt(5) - 1) / 2
_SHRINKS = 45


class LearnedConcepts(NamedTuple):
    """What is learned of a number of concepts.

    Parameters
    ----------
    learned : array
        Concepts learned.
    erasure_threshold : array
        Belief-propagation threshold of the ensemble; 1 where it cannot fail.
    alpha : array
        Finite-length scaling parameter.
    """

    learned: Array
    erasure_threshold: Array
    alpha: Array


class ComputeOptimum(NamedTuple):
    """The best use of each compute budget.

    Parameters
    ----------
    n_concepts, n_texts : array
        R and T, whose product is the budget.
    learned : array
        Concepts learned, of R.
    erasure_threshold, alpha : array
        As in `LearnedConcepts`.
    at_bound : array of bool
        Whether the best R is an end of the range searched, and so no optimum.
    """

    n_concepts: Array
    n_texts: Array
    learned: Array
    erasure_threshold: Array
    alpha: Array
    at_bound: NDArray[np.bool_]

    @property
    def unlearned(self) -> Array:
        """Share of the concepts that is not learned, delta."""
        return 1 - self.learned / self.n_concepts

    def n_params(self, per_concept: float = PARAMS_PER_CONCEPT) -> Array:
        """Return model size N, in parameters; the default is that of the paper's figures."""
        return positive(per_concept, "per_concept") * self.n_concepts

    def n_tokens(self, per_text: float = TOKENS_PER_TEXT) -> Array:
        """Return training tokens D; the default is that of the paper's figures."""
        return positive(per_text, "per_text") * self.n_texts


def concepts_learned(
    n_concepts: ArrayLike,
    n_texts: ArrayLike,
    concepts_per_text: float = 6.0,
    erasure: float = 0.5,
    *,
    convention: Convention = "standard",
) -> LearnedConcepts:
    r"""Return how many of the concepts the texts teach.

    .. math:: R \left(1 - \frac{\gamma}{\epsilon} P_B\right), \qquad p = \min(d / R, 1)

    The concepts are the erased symbols of a code of length R / epsilon, whose concept-text graph
    has every edge with probability p.

    Parameters
    ----------
    n_concepts, n_texts : array
        R and T, positive.
    concepts_per_text : float
        Mean concepts of a text, d.
    erasure : float
        Share of the code's symbols that are concepts, epsilon, between 0 and 1. It sets how sharp
        the transition is, not where it lies.
    convention : {"standard", "published"}
        Signs of the finite-length parameter; see `finite_length_alpha`.

    Returns
    -------
    LearnedConcepts

    Raises
    ------
    ValueError
        If a number is outside its range or the convention is unknown.

    References
    ----------
    Nayak & Varshney 2024, section 3, eq. of R(1 - P_b / epsilon).

    Examples
    --------
    >>> float(concepts_learned(1000.0, [3000.0, 8000.0]).learned.round(0)[1])
    1000.0
    """
    R = within(n_concepts, "n_concepts", lambda r: r > 0, "positive")
    T = within(n_texts, "n_texts", lambda t: t > 0, "positive")
    d, eps = _checked(concepts_per_text, erasure)
    p = np.minimum(d / R, 1.0)
    variables, checks = BinomialDegrees(T, p), BinomialDegrees(R / eps, p)
    threshold = bp_threshold(variables, checks)
    alpha = finite_length_alpha(variables, checks, threshold, convention=convention)
    stuck = block_error(eps, R / eps, threshold.erasure, alpha)
    lost = bit_error(stuck, variables, checks, threshold) / eps
    # A threshold of 1 is no jump: the texts are so many that decoding cannot fail.
    lost = np.where(threshold.erasure >= 1, 0.0, np.clip(lost, 0.0, 1.0))
    return LearnedConcepts(R * (1 - lost), threshold.erasure, alpha)


def compute_optimal_sizes(
    compute: ArrayLike,
    concepts_per_text: float = 6.0,
    erasure: float = 0.5,
    *,
    search: tuple[float, float] | None = None,
    convention: Convention = "standard",
) -> ComputeOptimum:
    r"""Return how many concepts and texts a budget is best spent on.

    .. math:: \max_R\; R \left(1 - \frac{\gamma}{\epsilon} P_B\right) \quad
              \text{at}\ R\,T = C

    As C grows, T/R falls to the threshold R*(d) of the learners of Liao et al., for every epsilon
    (derived: with p = d/R the condition eps* = eps is that of density evolution), so R and T both
    grow as the root of compute.

    Parameters
    ----------
    compute : array
        C = R T, positive.
    concepts_per_text, erasure : float
        As in `concepts_learned`.
    search : (float, float), optional
        Least and largest R, in units of the root of C; if None, from .43 to 1.28 times the limit
        R*(d)^(-1/2), which is the paper's (.2, .6) for six concepts a text. Far past the threshold
        the formula promises more than is learned (see `bit_error`), so the range matters in budgets
        below 2e4, where the paper's own optima lie on its end; `at_bound` tells.
    convention : {"standard", "published"}
        Signs of the finite-length parameter; the paper's figures need "published".

    Returns
    -------
    ComputeOptimum
        NaN for a budget with which no R in the range has a threshold, as some of a few concepts;
        `at_bound` is true there.

    Raises
    ------
    ValueError
        If a number is outside its range, a single budget has no optimum, or there are e = 2.718
        concepts a text or fewer, so that learning sets in without a threshold.

    References
    ----------
    Nayak & Varshney 2024, section 4, figure of compute-optimal sizes.

    Examples
    --------
    >>> best = compute_optimal_sizes([1e8, 1e20])
    >>> (best.n_texts / best.n_concepts).round(2)
    array([5.19, 4.53])
    """
    C = positive(compute, "compute")
    options = (*_checked(concepts_per_text, erasure), convention)
    least, most = _range(concepts_per_text) if search is None else search
    if not 0 < least < most:
        raise ValueError(f"search must be two positive numbers in order; it is {search}.")
    logs = np.linspace(np.log(least), np.log(most), _GRID).reshape(-1, *([1] * C.ndim))
    values = _learned_at(logs, C, options)
    there = ~np.isinf(values).all(axis=0)
    existing(
        C,
        there,
        np.nan,
        f"compute = {{:g}}, search = ({least:g}, {most:g}): no size in this range has a threshold. "
        f"With {concepts_per_text:g} concepts a text the optimum of large budgets is near "
        f"{np.sqrt(np.prod(_range(concepts_per_text))):.2f}.",
        C,
    )
    best = np.argmax(values, axis=0)
    at = _maximum(logs, best, C, options)
    R = np.sqrt(C) * np.exp(at)
    found = concepts_learned(R, C / R, concepts_per_text, erasure, convention=convention)
    step = float(logs.ravel()[1] - logs.ravel()[0])
    on = (at - np.log(least) < 1e-6 * step) | (np.log(most) - at < 1e-6 * step)
    R, learned, erased, alpha = (np.where(there, part, np.nan) for part in (R, *found))
    return ComputeOptimum(R, C / R, learned, erased, alpha, np.asarray(on | ~there))


def training_error(unlearned: ArrayLike, concepts_per_text: float, n_concepts: ArrayLike) -> Array:
    r"""Return the share of texts of the training set that stay unexplained.

    .. math:: P_e = 1 - (1 - p \delta)^{R - 1} (1 + p (R - 1) \delta)
              \approx \tfrac{1}{2} (d \delta)^2, \qquad p = d / R

    A text that misses two concepts or more is unexplained; a single one would be learned. The
    paper's code simplifies R - 1 to R in the second factor, which makes the error negative where
    delta is below 2 / (d R); its approximation has a factor 4 for the half, and is not used.

    Parameters
    ----------
    unlearned : array
        Share of concepts not learned, delta, within [0, 1].
    concepts_per_text : float
        d.
    n_concepts : array
        R, 1 or more.

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
    Nayak & Varshney 2024, section 4. For large R this is the train error of the learners of Liao et
    al. 2024.

    Examples
    --------
    >>> training_error(0.01, 6.0, 1e6).round(6)
    np.float64(0.00173)
    """
    delta = shares(unlearned, "unlearned")
    R = within(n_concepts, "n_concepts", lambda r: r >= 1, "1 or more")
    p = np.minimum(positive(concepts_per_text, "concepts_per_text") / R, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # log1p on both sides: the error is of second order, and 1 - (1 - small) would lose it.
        logarithm = (R - 1) * np.log1p(-p * delta) + np.log1p(p * (R - 1) * delta)
    return np.clip(-np.expm1(logarithm), 0.0, 1.0)


def excess_entropy_bound(error: ArrayLike) -> Array:
    r"""Return the least excess cross-entropy that a training error implies.

    .. math:: D_{KL} \ge \tfrac{1}{2} P_e^2

    Parameters
    ----------
    error : array
        Training error, within [0, 1].

    Returns
    -------
    array
        Nats, by Pinsker's inequality with a total variation of half the error.

    Raises
    ------
    ValueError
        If an error is outside [0, 1].

    References
    ----------
    Nayak & Varshney 2024, section 4, figure of excess entropy.

    Examples
    --------
    >>> float(excess_entropy_bound(0.2).round(6))
    0.02
    """
    return 0.5 * shares(error, "error") ** 2


def flops_of_compute(
    compute: ArrayLike,
    per_concept: float = PARAMS_PER_CONCEPT,
    per_text: float = TOKENS_PER_TEXT,
) -> Array:
    r"""Return training compute in FLOPs: six a parameter and token.

    .. math:: 6 N D = 6 \varsigma \tau\, R T

    Parameters
    ----------
    compute : array
        C = R T.
    per_concept, per_text : float
        Parameters a concept and tokens a text, positive; the defaults are those of the paper's
        figures.

    Returns
    -------
    array
        FLOPs.

    Raises
    ------
    ValueError
        If a number is not positive.

    References
    ----------
    Nayak & Varshney 2024, figure of compute-optimal sizes.
    """
    params, tokens = positive(per_concept, "per_concept"), positive(per_text, "per_text")
    return np.asarray(FLOPS_PER_PARAM_TOKEN * params * tokens * positive(compute, "compute"))


def _checked(concepts_per_text: float, erasure: float) -> tuple[float, float]:
    d = single(positive(concepts_per_text, "concepts_per_text"), "concepts_per_text")
    return d, single(open_shares(erasure, "erasure"), "erasure")


def _range(concepts_per_text: float) -> tuple[float, float]:
    """Return the range to search: the paper's, moved to where this number's optimum lies."""
    if concepts_per_text <= np.e:
        raise ValueError(
            f"concepts_per_text={concepts_per_text:g}: learning sets in without a threshold, so "
            f"no size is optimal; the theory needs more than e = 2.718 concepts a text."
        )
    published, wanted = emergence_threshold([_PUBLISHED_CONCEPTS, concepts_per_text])
    shift = float(np.sqrt(published / wanted))
    return _PUBLISHED_SEARCH[0] * shift, _PUBLISHED_SEARCH[1] * shift


def _learned_at(logs: Array, C: Array, options: tuple[float, float, Convention]) -> Array:
    """Return concepts learned, in units of the root of C, at R = sqrt(C) exp(logs).

    Minus infinity where there is no threshold and so no answer.
    """
    d, eps, convention = options
    R = np.sqrt(C) * np.exp(logs)
    learned = concepts_learned(R, C / R, d, eps, convention=convention).learned
    return np.where(np.isnan(learned), -np.inf, learned / np.sqrt(C))


def _maximum(
    logs: Array, best: NDArray[np.int64], C: Array, options: tuple[float, float, Convention]
) -> Array:
    """Return where the most is learned, by golden sections of the two cells beside the best."""
    grid = logs.ravel()
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    one, two = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_one, at_two = _learned_at(one, C, options), _learned_at(two, C, options)
    for _ in range(_SHRINKS):
        left = at_one > at_two
        low, high = np.where(left, low, one), np.where(left, two, high)
        new = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = _learned_at(new, C, options)
        one, two, at_one, at_two = (
            np.where(left, new, two),
            np.where(left, one, new),
            np.where(left, at_new, at_two),
            np.where(left, at_one, at_new),
        )
    inside = (low + high) / 2
    # Golden sections never look at the ends themselves.
    ends = np.stack([inside, grid[best] + 0 * inside])
    values = np.stack([_learned_at(end, C, options) for end in ends])
    return np.asarray(np.where(values[1] > values[0], ends[1], ends[0]))
