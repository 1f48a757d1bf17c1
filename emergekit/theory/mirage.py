r"""The mathematical model of the Mirage paper: one smooth loss, seen through six metrics.

Cross-entropy falls as a power law of model size, so the chance that a token is right rises
smoothly; what a metric makes of that chance decides whether the rise looks sudden. Tokens are taken
as independent throughout (the paper's footnote 1 says that this is not true, but close enough).

References
----------
Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities of Large Language Models a Mirage?",
section 2 and figure 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "expected_brier_mean",
    "expected_exact_match",
    "expected_multiple_choice_grade",
    "expected_token_edit_distance",
    "grade_threshold",
    "p_token",
    "power_law_loss",
    "sharpest_size",
]

Array: TypeAlias = NDArray[np.float64]


def power_law_loss(n_params: ArrayLike, c: float = 1e9, alpha: float = -0.5) -> Array:
    r"""Return the cross-entropy of a model of each size.

    .. math:: L(N) = (N / c)^{\alpha}

    Parameters
    ----------
    n_params : array
        Number of parameters N, above 0.
    c : float
        Size at which the loss is 1 nat per token. The paper gives no constants; the defaults are
        ours, chosen so that all six metrics move between 1e8 and 1e12 parameters.
    alpha : float
        Exponent, below 0: the paper writes N/c, not c/N.

    Returns
    -------
    array
        Nats per token.

    Raises
    ------
    ValueError
        If a size or `c` is not positive, or `alpha` is not negative.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2A.

    Examples
    --------
    >>> power_law_loss([1e9, 1e11])
    array([1. , 0.1])
    """
    if not (c > 0 and alpha < 0):
        raise ValueError(f"c must be positive and alpha negative; they are {c:g} and {alpha:g}.")
    sizes = _within(n_params, "n_params", lambda n: n > 0, "positive")
    return (sizes / c) ** alpha


def p_token(loss: ArrayLike) -> Array:
    r"""Return the chance that a token is right, given the cross-entropy.

    .. math:: p = e^{-L}

    For an average over tokens this is the geometric mean of their chances, not the mean.

    Parameters
    ----------
    loss : array
        Cross-entropy L, nats per token, 0 or more.

    Returns
    -------
    array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a loss is negative.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2B.

    Examples
    --------
    >>> p_token(1.0).round(6)
    np.float64(0.367879)
    """
    return np.exp(-_within(loss, "loss", lambda nats: nats >= 0, "0 or more"))


def expected_exact_match(p_token: ArrayLike, n_target_tokens: ArrayLike) -> Array:
    r"""Return the expected exact-match score when tokens are right independently.

    .. math:: E[\text{score}] = p^K

    Parameters
    ----------
    p_token : array
        Chance that one target token is right, p, between 0 and 1.
    n_target_tokens : array or int
        Target length K, in tokens; broadcasts against `p_token`.

    Returns
    -------
    array
        Between 0 and 1; falls geometrically in K, so smooth gains in p look sudden.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or a length is negative.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2C.

    Examples
    --------
    >>> expected_exact_match([0.5, 0.9], 2)
    array([0.25, 0.81])
    """
    return _chance(p_token) ** _length(n_target_tokens)


def expected_token_edit_distance(p_token: ArrayLike, n_target_tokens: ArrayLike) -> Array:
    r"""Return the expected number of wrong tokens when tokens are right independently.

    .. math:: E[\text{distance}] \approx K (1 - p)

    This counts position by position; the Levenshtein distance, which may also insert and delete,
    is at most this for outputs of the target's length (the paper's Eq. 6 has the inequality the
    other way round, and its Eqs. 9 and 10 print 1 - error for error).

    Parameters
    ----------
    p_token : array
        Chance that one target token is right, p, between 0 and 1.
    n_target_tokens : array or int
        Target length K, in tokens; broadcasts against `p_token`.

    Returns
    -------
    array
        Tokens, from 0 to K; lower is better, linear in p.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or a length is negative.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2E.

    Examples
    --------
    >>> expected_token_edit_distance([0.5, 0.9], 2).round(9)
    array([1. , 0.2])
    """
    return _length(n_target_tokens) * (1 - _chance(p_token))


def expected_multiple_choice_grade(p_token: ArrayLike, n_choices: int = 2) -> Array:
    r"""Return the grade of a model that puts p on the right choice and shares the rest evenly.

    .. math:: \text{grade} = 1[p > 1/k]

    The paper gives no formula for its panel D; this reading of "akin to a step function" is ours.

    Parameters
    ----------
    p_token : array
        Chance p on the right choice, between 0 and 1.
    n_choices : int
        Number of choices k.

    Returns
    -------
    array
        0 or 1, and 1/k where all choices tie.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or there are fewer than two choices.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2D.

    Examples
    --------
    >>> expected_multiple_choice_grade([0.2, 0.25, 0.3], 4)
    array([0.  , 0.25, 1.  ])
    """
    p, k = _chance(p_token), _choices(n_choices)
    return np.where(np.isclose(p * k, 1, rtol=1e-12), 1 / k, (p * k > 1).astype(float))


def expected_brier_mean(p_token: ArrayLike, n_choices: int = 2) -> Array:
    r"""Return the Brier score, mean over choices, of p on the right choice and the rest shared.

    .. math:: \frac{1}{k} \left[(1 - p)^2 + (k - 1) \left(\frac{1 - p}{k - 1}\right)^2\right]
              = \frac{(1 - p)^2}{k - 1}

    With two choices this is the paper's (1 - p)^2. For k choices it is derived: the k - 1 wrong
    choices each hold (1 - p)/(k - 1).

    Parameters
    ----------
    p_token : array
        Chance p on the right choice, between 0 and 1.
    n_choices : int
        Number of choices k.

    Returns
    -------
    array
        From 0 (best) to 1/(k - 1); (k - 1)/k^2 at p = 1/k.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or there are fewer than two choices.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2F.

    Examples
    --------
    >>> expected_brier_mean([0.25, 1.0], 4)
    array([0.1875, 0.    ])
    """
    return (1 - _chance(p_token)) ** 2 / (_choices(n_choices) - 1)


def grade_threshold(n_choices: int = 2, c: float = 1e9, alpha: float = -0.5) -> float:
    r"""Return the size at which the multiple-choice grade flips from 0 to 1.

    .. math:: N^* = c \, (\ln k)^{1/\alpha}

    Derived: the grade flips at p = 1/k, and p = exp(-(N/c)^alpha).

    Parameters
    ----------
    n_choices : int
        Number of choices k.
    c, alpha : float
        As in `power_law_loss`.

    Returns
    -------
    float
        Number of parameters.

    Examples
    --------
    >>> f"{grade_threshold(2):.4e} {grade_threshold(4):.4e}"
    '2.0814e+09 5.2034e+08'
    """
    return float(c * np.log(_choices(n_choices)) ** (1 / alpha))


def sharpest_size(n_target_tokens: ArrayLike, c: float = 1e9, alpha: float = -0.5) -> Array:
    r"""Return the size at which exact match rises fastest on a logarithmic axis.

    .. math:: N = c \, K^{-1/\alpha}

    Derived: with u = (N/c)^alpha, the slope of exp(-K u) against ln N is \|alpha\| K u exp(-K u),
    largest at u = 1/K, where the score is 1/e and the slope \|alpha\|/e *for every K*. A longer
    target does not make the curve steeper on this axis: it moves it to the right, behind a flat
    foot.

    Parameters
    ----------
    n_target_tokens : array or int
        Target length K, in tokens.
    c, alpha : float
        As in `power_law_loss`.

    Returns
    -------
    array
        Number of parameters.

    Examples
    --------
    >>> sharpest_size([1, 2]) / 1e9
    array([1., 4.])
    """
    return c * _length(n_target_tokens) ** (-1 / alpha)


def _chance(values: ArrayLike) -> Array:
    return _within(values, "p_token", lambda p: (p >= 0) & (p <= 1), "within [0, 1]")


def _length(values: ArrayLike) -> Array:
    return _within(values, "n_target_tokens", lambda k: k >= 0, "0 or more")


def _choices(n_choices: int) -> int:
    if n_choices < 2:
        raise ValueError(f"n_choices must be 2 or more; it is {n_choices}.")
    return n_choices


def _within(
    values: ArrayLike, name: str, holds: Callable[[Array], NDArray[np.bool_]], must: str
) -> Array:
    array = np.asarray(values, dtype=float)
    bad = ~holds(array)
    if bad.any():
        first = int(np.argmax(bad.ravel()))
        raise ValueError(f"{name} must be {must}; entry {first} is {array.ravel()[first]:g}.")
    return array
