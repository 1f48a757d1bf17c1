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

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.expected_scores import (
    expected_brier_mean,
    expected_brier_sum,
    expected_exact_match,
    expected_multiple_choice_grade,
    expected_p_correct_choices,
    expected_token_accuracy,
    expected_token_edit_distance,
)
from emergekit.theory.ranges import Array, chances, choices, lengths, within

__all__ = [
    "expected_brier_mean",
    "expected_brier_sum",
    "expected_exact_match",
    "expected_multiple_choice_grade",
    "expected_p_correct_choices",
    "expected_token_accuracy",
    "expected_token_edit_distance",
    "expected_token_nll",
    "grade_threshold",
    "p_token",
    "power_law_loss",
    "sharpest_size",
]


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
    _require_power_law(c, alpha)
    sizes = within(n_params, "n_params", lambda n: n > 0, "positive")
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
    return np.exp(-within(loss, "loss", lambda nats: nats >= 0, "0 or more"))


def expected_token_nll(p_token: ArrayLike) -> Array:
    r"""Return the negative log-likelihood of a target token, the inverse of `p_token`.

    .. math:: \text{nll} = -\ln p

    Parameters
    ----------
    p_token : array
        Chance that one target token is right, p, between 0 and 1; over tokens of unequal chance,
        their geometric mean.

    Returns
    -------
    array
        Nats per token, 0 or more; inf where p is 0.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1].

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2B.

    Examples
    --------
    >>> expected_token_nll([1.0, 0.5]).round(6)
    array([0.      , 0.693147])
    """
    with np.errstate(divide="ignore"):
        return 0.0 - np.log(chances(p_token))


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

    Raises
    ------
    ValueError
        If there are fewer than two choices, `c` is not positive, or `alpha` is not negative.

    Examples
    --------
    >>> f"{grade_threshold(2):.4e} {grade_threshold(4):.4e}"
    '2.0814e+09 5.2034e+08'
    """
    _require_power_law(c, alpha)
    return float(c * np.log(choices(n_choices)) ** (1 / alpha))


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
        Number of parameters; 0 for an empty target, which is always matched.

    Raises
    ------
    ValueError
        If a length is negative, `c` is not positive, or `alpha` is not negative.

    Examples
    --------
    >>> sharpest_size([1, 2]) / 1e9
    array([1., 4.])
    """
    _require_power_law(c, alpha)
    return c * lengths(n_target_tokens) ** (-1 / alpha)


def _require_power_law(c: float, alpha: float) -> None:
    if not (c > 0 and alpha < 0):
        raise ValueError(f"c must be positive and alpha negative; they are {c:g} and {alpha:g}.")
