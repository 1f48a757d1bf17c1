r"""Where a smooth curve seems to jump: target length, number of examples, number of models.

The three knobs of the Mirage model. A long target moves the rise of exact match to larger models; m
examples cannot tell a score below 1/m from none; and few models may leave the rise between two of
them. None of the three is a property of the models' ability.

References
----------
Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities of Large Language Models a Mirage?",
section 2: metrics, test data of low resolution, and too few large models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emergekit.theory.mirage import expected_exact_match, p_token, power_law_loss
from emergekit.theory.ranges import Array, lengths, within

__all__ = ["apparent_threshold", "models_in_rise", "simulate_exact_match", "size_at_score"]


def size_at_score(
    score: ArrayLike, n_target_tokens: ArrayLike, c: float = 1e9, alpha: float = -0.5
) -> Array:
    r"""Return the size at which exact match is expected to reach a score.

    .. math:: N = c \left(\frac{-\ln s}{K}\right)^{1 / \alpha}

    Derived: the inverse of p^K with p = exp(-(N/c)^alpha); one half at a loss of ln 2 / K.

    Parameters
    ----------
    score : array
        Score s, between 0 and 1.
    n_target_tokens : array
        Target length K, 1 or more.
    c, alpha : float
        As in `mirage.power_law_loss`.

    Returns
    -------
    array
        Number of parameters.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> size_at_score(np.exp(-1.0), [1, 2]) / 1e9
    array([1., 4.])
    """
    s = within(score, "score", lambda s: (s > 0) & (s < 1), "between 0 and 1")
    K = within(n_target_tokens, "n_target_tokens", lambda k: k >= 1, "1 or more")
    if not (c > 0 and alpha < 0):
        raise ValueError(f"c must be positive and alpha negative; they are {c:g} and {alpha:g}.")
    return np.asarray(c * (-np.log(s) / K) ** (1 / alpha))


def apparent_threshold(
    n_examples: ArrayLike, n_target_tokens: ArrayLike, c: float = 1e9, alpha: float = -0.5
) -> Array:
    r"""Return the size below which a test set is expected to show no right answer.

    .. math:: m\, p^K = 1

    Parameters
    ----------
    n_examples : array
        Examples m, 2 or more.
    n_target_tokens : array
        Target length K, 1 or more.
    c, alpha : float
        As in `mirage.power_law_loss`.

    Returns
    -------
    array
        Number of parameters; the threshold moves with the test set, as the (ln m)^(1/alpha).

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Schaeffer et al. 2023, section 2: resolution of 1 over the size of the test set.

    Examples
    --------
    >>> f"{apparent_threshold(100, 5):.3g} {apparent_threshold(10000, 5):.3g}"
    '1.18e+09 2.95e+08'
    """
    m = within(n_examples, "n_examples", lambda m: m >= 2, "2 or more")
    return size_at_score(1 / m, n_target_tokens, c, alpha)


def models_in_rise(
    n_params: ArrayLike,
    n_examples: int,
    n_target_tokens: int,
    c: float = 1e9,
    alpha: float = -0.5,
) -> NDArray[np.bool_]:
    """Return which models are expected to score neither nothing nor everything.

    Parameters
    ----------
    n_params : array, shape (n,)
        Sizes of the models, positive.
    n_examples, n_target_tokens : int
        m and K.
    c, alpha : float
        As in `mirage.power_law_loss`.

    Returns
    -------
    array of bool, shape (n,)
        Whether 1/m < p^K < 1 - 1/m; where it holds for none or one, the rise looks like a jump.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Schaeffer et al. 2023, section 2: too few models of large scale.

    Examples
    --------
    >>> models_in_rise([1e8, 1e10, 1e16], 100, 5).tolist()
    [False, True, False]
    """
    m = within(n_examples, "n_examples", lambda m: m >= 2, "2 or more")
    score = expected_exact_match(p_token(power_law_loss(n_params, c, alpha)), n_target_tokens)
    return np.asarray((score > 1 / m) & (score < 1 - 1 / m))


def simulate_exact_match(
    n_params: ArrayLike,
    n_target_tokens: int,
    n_examples: int,
    *,
    n_runs: int = 1,
    c: float = 1e9,
    alpha: float = -0.5,
    seed: int = 0,
) -> Array:
    """Return exact-match scores of simulated models on simulated test sets.

    Parameters
    ----------
    n_params : array, shape (n,)
        Sizes of the models, positive.
    n_target_tokens, n_examples : int
        K, 0 or more, and m, 1 or more.
    n_runs : int
        Test sets, 1 or more.
    c, alpha : float
        As in `mirage.power_law_loss`.
    seed : int
        Seed; the same scores every time.

    Returns
    -------
    array, shape (n, n_runs)
        Shares of m.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Schaeffer et al. 2023, section 2: binomial scores of `mirage.expected_exact_match`.
    """
    if n_examples < 1 or n_runs < 1:
        raise ValueError(
            f"n_examples and n_runs must be 1 or more; they are {n_examples} and {n_runs}."
        )
    lengths(n_target_tokens)
    score = expected_exact_match(p_token(power_law_loss(n_params, c, alpha)), n_target_tokens)
    rng = np.random.default_rng(seed)
    right = rng.binomial(n_examples, np.atleast_1d(score)[:, None], (np.size(score), n_runs))
    return np.asarray(right / n_examples)
