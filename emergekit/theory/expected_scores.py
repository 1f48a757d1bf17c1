r"""What each metric is expected to make of the chance that one token, or one choice, is right.

Tokens are right independently of each other; a model that puts p on the right one of k choices
shares the rest evenly among the others. A metric's `expected` names one of these functions, which
`mirage` hands on beside its own.

References
----------
Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities of Large Language Models a Mirage?",
section 2 and figure 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.ranges import Array, chances, choices, lengths

__all__ = [
    "expected_brier_mean",
    "expected_brier_sum",
    "expected_exact_match",
    "expected_multiple_choice_grade",
    "expected_p_correct_choices",
    "expected_token_accuracy",
    "expected_token_edit_distance",
]


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
    return chances(p_token) ** lengths(n_target_tokens)


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
    return lengths(n_target_tokens) * (1 - chances(p_token))


def expected_token_accuracy(p_token: ArrayLike) -> Array:
    r"""Return the expected share of target tokens that stand in their place.

    .. math:: E[\text{score}] = p

    Parameters
    ----------
    p_token : array
        Chance that one target token is right, p, between 0 and 1.

    Returns
    -------
    array
        Between 0 and 1, whatever the target's length.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1].

    References
    ----------
    Schaeffer et al. 2023, section 2: one minus the edit distance per token.

    Examples
    --------
    >>> expected_token_accuracy([0.5, 0.9])
    array([0.5, 0.9])
    """
    return chances(p_token)


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
    p, k = chances(p_token), choices(n_choices)
    return np.where(np.isclose(p * k, 1, rtol=1e-12, atol=0), 1 / k, (p * k > 1).astype(float))


def expected_p_correct_choices(p_token: ArrayLike) -> Array:
    r"""Return the expected probability of the right choice among the choices.

    .. math:: E[\text{score}] = p

    Parameters
    ----------
    p_token : array
        Chance p on the right choice, between 0 and 1.

    Returns
    -------
    array
        Between 0 and 1; 1/k for a uniform guess among k choices.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1].

    References
    ----------
    Schaeffer et al. 2023, section 4.

    Examples
    --------
    >>> expected_p_correct_choices([0.25, 1.0])
    array([0.25, 1.  ])
    """
    return chances(p_token)


def expected_brier_sum(p_token: ArrayLike, n_choices: int = 2) -> Array:
    r"""Return the Brier score, sum over choices, of p on the right choice and the rest shared.

    .. math:: (1 - p)^2 + (k - 1) \left(\frac{1 - p}{k - 1}\right)^2 = (1 - p)^2 \frac{k}{k - 1}

    Derived: the k - 1 wrong choices each hold (1 - p)/(k - 1).

    Parameters
    ----------
    p_token : array
        Chance p on the right choice, between 0 and 1.
    n_choices : int
        Number of choices k.

    Returns
    -------
    array
        From 0 (best) to k/(k - 1); (k - 1)/k at p = 1/k.

    Raises
    ------
    ValueError
        If a chance lies outside [0, 1] or there are fewer than two choices.

    References
    ----------
    Brier 1950, "Verification of forecasts expressed in terms of probability".

    Examples
    --------
    >>> expected_brier_sum([0.25, 1.0], 4)
    array([0.75, 0.  ])
    """
    k = choices(n_choices)
    return (1 - chances(p_token)) ** 2 * (k / (k - 1))


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
    return (1 - chances(p_token)) ** 2 / (choices(n_choices) - 1)
