"""From a loss to a scale: performance past a threshold, and the size at which a loss is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from emergekit.errors import FitError, unknown
from emergekit.fitting import Fit
from emergekit.fitting.uncertainty.drawing import estimates_and_draws

__all__ = ["normalized_performance", "scale_at_loss", "threshold_size"]

Array: TypeAlias = NDArray[np.float64]

_DRAWS = 2000


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


def scale_at_loss(
    fit: Fit,
    loss: float,
    along: str = "n_params",
    *,
    given: Mapping[str, float] | None = None,
    tokens_per_param: float | None = None,
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the scale at which a fitted law of loss reaches a loss, such as a threshold.

    Parameters
    ----------
    fit : Fit
        A law of loss, such as ``ek.fit(laws.CHINCHILLA, runs)``.
    loss : float
        The loss to reach, on the text that the law was fitted to.
    along : str
        Variable of the law that grows.
    given : mapping, optional
        Values of the law's other variables, such as ``{"n_tokens": 1e12}``.
    tokens_per_param : float, optional
        Instead: n_tokens grows with n_params in this ratio.
    interval : (float, float), optional
        Ends of the interval of the loss at `level`, such as a threshold's; its uncertainty then
        goes into the answer, as a normal one.
    level : float
        Coverage that the interval aims at.
    seed : int
        Root of the random numbers, of 2,000 draws; a fit with bootstrap draws gives its own.

    Returns
    -------
    DataFrame
        One row: along, loss, scale, lower, upper, reached_share (of draws of the law that reach the
        loss at any scale). Infinite where the law never does; the bounds are percentiles, so that
        an upper one may be infinite. They cover what the parameters leave open, not whether the
        law holds that far out.

    Raises
    ------
    FitError
        If the law gives no loss or has no inverse, or a variable is unknown or not given.

    Examples
    --------
    >>> import warnings
    >>> from emergekit import datasets, laws
    >>> from emergekit.fitting import fit
    >>> runs = datasets.load_chinchilla()
    >>> law = fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.35, "beta": 0.37})
    >>> row = scale_at_loss(law, 2.2, tokens_per_param=20)
    >>> row[["scale", "lower", "upper"]].map("{:.2g}".format).to_dict("records")
    [{'scale': '5.7e+09', 'lower': '5.5e+09', 'upper': '5.9e+09'}]
    """
    law = fit.law
    if law.response != "loss" and not law.response.startswith("loss_"):
        raise FitError(f"scale_at_loss: needs a law of loss; {law.name} gives {law.response}.")
    if along not in law.variables:
        raise FitError(f"scale_at_loss: {unknown('variable', along, law.variables)}")
    others = _others(fit, along, dict(given or {}), tokens_per_param)
    params = estimates_and_draws(fit, _DRAWS, seed)
    losses = np.full(len(params), float(loss))
    if interval is not None:
        losses[1:] += _wobble(interval, level, len(params) - 1, seed)
    scales = _solved(fit, along, losses, params, others, tokens_per_param)
    ends = np.quantile(scales[1:], [(1 - level) / 2, (1 + level) / 2], method="nearest")
    return pd.DataFrame(
        {
            "along": [along],
            "loss": [float(loss)],
            "scale": [float(scales[0])],
            "lower": [float(ends[0])],
            "upper": [float(ends[1])],
            "reached_share": [float(np.isfinite(scales[1:]).mean())],
        }
    )


def _others(
    fit: Fit, along: str, given: dict[str, float], tokens_per_param: float | None
) -> dict[str, float]:
    tied = tokens_per_param is not None
    if tied and (along != "n_params" or "n_tokens" not in fit.law.variables):
        raise FitError("scale_at_loss: tokens_per_param ties n_tokens to along='n_params'.")
    needed = [name for name in fit.law.variables if name != along]
    needed = [name for name in needed if not (tied and name == "n_tokens")]
    absent = [name for name in needed if name not in given]
    if absent:
        raise FitError(
            f"scale_at_loss: {fit.law.name} also needs {', '.join(absent)}; give them with "
            f"given={{{absent[0]!r}: ...}}, or tie tokens with tokens_per_param=20."
        )
    return {name: float(given[name]) for name in needed}


def _wobble(interval: tuple[float, float], level: float, n: int, seed: int) -> Array:
    width = float(interval[1]) - float(interval[0])
    if not width >= 0:
        raise FitError(f"scale_at_loss: interval must be (lower, upper); it is {interval}.")
    sd = width / 2 / float(norm.ppf((1 + level) / 2))
    return np.asarray(np.random.default_rng([seed, 1]).normal(0.0, sd, n))


def _solved(
    fit: Fit,
    along: str,
    losses: Array,
    params: pd.DataFrame,
    others: dict[str, float],
    tokens_per_param: float | None,
) -> Array:
    """Return the scale that each draw reaches its loss at, by halving in the logarithm."""
    low, high = np.full(len(losses), -2.0), np.full(len(losses), 40.0)  # log10: any scale at all
    drawn = {str(name): params[name].to_numpy() for name in params}

    def above(place: Array) -> NDArray[np.bool_]:
        columns = {
            along: 10.0**place,
            **{name: np.full(len(place), v) for name, v in others.items()},
        }
        if tokens_per_param is not None:
            columns["n_tokens"] = tokens_per_param * columns[along]
        return np.asarray(fit.law.predict(columns, drawn) > losses)

    never = above(high)
    for _ in range(64):
        middle = (low + high) / 2
        over = above(middle)
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(never, np.inf, 10.0**high)
