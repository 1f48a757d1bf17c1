"""Performance on the scale from guessing to perfect, and the size at which a loss is reached."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["normalized_performance", "threshold_size"]

Array: TypeAlias = NDArray[np.float64]


def normalized_performance(score: ArrayLike, chance: ArrayLike, ceiling: ArrayLike = 1.0) -> Array:
    r"""Return scores on the scale where guessing is 0 and the best possible score 1.

    .. math:: \frac{y - c}{t - c}

    Parameters
    ----------
    score : array
        Scores y.
    chance : array or float
        Score of guessing, c.
    ceiling : array or float
        Best possible score, t: below chance where less is better, as 0 for a Brier score.

    Returns
    -------
    array
        Negative below chance, which is not cut off: noise about chance should average to 0.

    Raises
    ------
    ValueError
        If chance and ceiling are equal, or not finite.

    References
    ----------
    Du et al. 2024, section 2 (definition from a second-hand reading): 0 at random performance.

    Examples
    --------
    >>> normalized_performance([0.25, 0.625, 1.0], 0.25)
    array([0. , 0.5, 1. ])
    >>> normalized_performance([0.6, 0.0], chance=0.75, ceiling=0.0)  # a Brier score of four
    array([0.2, 1. ])
    """
    y, c, t = (np.asarray(part, dtype=float) for part in (score, chance, ceiling))
    if not (np.isfinite(c).all() and np.isfinite(t).all() and (c != t).all()):
        raise ValueError(f"chance and ceiling must be two different numbers; they are {c} and {t}.")
    return np.asarray((y - c) / (t - c))


def threshold_size(eta: ArrayLike, L_inf: ArrayLike, N0: ArrayLike, alpha: ArrayLike) -> Array:
    r"""Return the model size at which a loss threshold is reached.

    .. math:: L(N) = L_\infty + (N_0 / N)^{\alpha} \le \eta
              \iff N \ge N_0\,(\eta - L_\infty)^{-1/\alpha}

    Parameters
    ----------
    eta : array or float
        Loss threshold, nats per token.
    L_inf : array or float
        Loss that no size gets below, nats per token.
    N0 : array or float
        Size N_0 at which the reducible loss is one nat, parameters.
    alpha : array or float
        Exponent, above 0.

    Returns
    -------
    array
        Parameters; infinite where the threshold is not above `L_inf`: then no size reaches it.

    Raises
    ------
    ValueError
        If N0 or alpha is not positive.

    References
    ----------
    Du et al. 2024, section 5, who publish no constants.

    Examples
    --------
    >>> f"{threshold_size(2.2, L_inf=1.7, N0=1e8, alpha=0.5):.3g}"
    '4e+08'
    >>> f"{threshold_size(1.6, L_inf=1.7, N0=1e8, alpha=0.5)}"
    'inf'
    """
    excess = np.asarray(eta, dtype=float) - np.asarray(L_inf, dtype=float)
    size, power = np.asarray(N0, dtype=float), np.asarray(alpha, dtype=float)
    if not ((size > 0).all() and (power > 0).all()):
        raise ValueError(f"N0 and alpha must be positive; they are {size} and {power}.")
    with np.errstate(divide="ignore", over="ignore"):
        reached = size * np.maximum(excess, 0.0) ** (-1 / power)
    return np.asarray(np.where(excess > 0, reached, np.inf))
