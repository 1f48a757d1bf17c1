"""What n examples can show: the smallest step of a share, and the chance of no success at all.

References
----------
Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities of Large Language Models a Mirage?",
appendix A (resolution).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from emergekit.metrics.checks import (
    require_counts,
    require_fractions,
    require_level,
    require_whole,
)

__all__ = ["examples_for_one_success", "is_resolution_limited", "p_zero", "resolution"]

Array: TypeAlias = NDArray[np.float64]


def resolution(n_examples: ArrayLike) -> Array:
    """Return the smallest step of a share of n examples, 1/n.

    Parameters
    ----------
    n_examples : array
        Number of examples n; times the target length, it gives the step of a per-token error.

    Returns
    -------
    array
        Share.

    Raises
    ------
    ValueError
        If n is no whole number above 0.

    References
    ----------
    Schaeffer et al. 2023, section 2 and A.1 (their A.3 prints 1/(n K) for accuracy as well).

    Examples
    --------
    >>> resolution([100, 2000])
    array([0.01  , 0.0005])
    """
    return 1 / require_whole(n_examples, "n_examples", least=1)


def p_zero(score: ArrayLike, n_examples: ArrayLike) -> Array:
    """Return the chance that n examples show no success at all, (1 - score)^n.

    Parameters
    ----------
    score : array
        True share of successes, between 0 and 1.
    n_examples : array
        Number of examples n; broadcasts against `score`.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a score lies outside [0, 1] or n is no whole number above 0.

    References
    ----------
    Schaeffer et al. 2023, section 2 (resolution) and appendix A.

    Examples
    --------
    >>> p_zero(0.001, [100, 1000]).round(6)
    array([0.904792, 0.367695])
    """
    n = require_whole(n_examples, "n_examples", least=1)
    chance: Array = np.exp(special.xlog1py(n, -require_fractions(score, "score")))
    return chance


def examples_for_one_success(score: ArrayLike, chance: float = 0.95) -> Array:
    """Return how many examples show at least one success with that chance.

    The smallest n with 1 - (1 - score)^n >= chance.

    Parameters
    ----------
    score : array
        True share of successes, between 0 and 1.
    chance : float
        Wanted chance, inside (0, 1).

    Returns
    -------
    array
        Whole numbers; inf for a score of 0.

    Raises
    ------
    ValueError
        If a score lies outside [0, 1] or the chance outside (0, 1).

    Examples
    --------
    >>> examples_for_one_success([0.5, 0.001])
    array([   5., 2995.])
    """
    wanted, share = require_level(chance, "chance"), require_fractions(score, "score")
    with np.errstate(divide="ignore"):
        needed = np.log1p(-wanted) / np.log1p(-share)
    # Rounding must not cost an example where the bound is met exactly (score 0.1, chance 0.19).
    n: Array = np.maximum(np.ceil(np.abs(needed) * (1 - 1e-13)), 1)
    return n


def is_resolution_limited(
    n_successes: ArrayLike, n_examples: ArrayLike, expected_score: ArrayLike, level: float = 0.95
) -> NDArray[np.bool_]:
    r"""Return whether too few examples explain why no success was seen.

    True where k = 0 and the one-sided Clopper-Pearson bound :math:`1 - (1 - \text{level})^{1/n}`
    exceeds the expected score: the zero is compatible with it.

    Parameters
    ----------
    n_successes, n_examples : array
        Counts k and n, whole numbers.
    expected_score : array
        Predicted share of successes, such as p^K; all three broadcast.
    level : float
        Confidence of the bound, inside (0, 1).

    Returns
    -------
    array of bool

    Raises
    ------
    ValueError
        If a count is no whole number, k exceeds n, a score lies outside [0, 1] or the level
        outside (0, 1).

    Examples
    --------
    >>> is_resolution_limited([0, 0, 1], 100, [0.02, 0.04, 0.02])
    array([ True, False, False])
    """
    successes, examples = require_counts(n_successes, n_examples)
    # The bound exceeds the score exactly where a zero has a chance above 1 - level.
    compatible = p_zero(expected_score, examples) > 1 - require_level(level)
    limited: NDArray[np.bool_] = (successes == 0) & compatible
    return limited
