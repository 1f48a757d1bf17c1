"""The third question: can so few items tell a smooth curve from a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from emergekit.emergence.counts import checked_counts
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH, GOMPERTZ_RISE, LOGISTIC_RISE
from emergekit.emergence.questions.responses import (
    Response,
    best_fit,
    fit_response,
    gompertz,
    logistic,
    mirrored_gompertz,
)
from emergekit.metrics.resolution import examples_for_one_success

__all__ = ["Resolution", "items_needed", "resolution_test", "resolve_counts"]

Array: TypeAlias = NDArray[np.float64]

_TOLERANCE = 0.01
_FORMS = (
    ("gompertz", gompertz, GOMPERTZ_RISE, -1.6, 4.6),
    ("logistic", logistic, LOGISTIC_RISE, -4.6, 4.6),
    ("mirrored_gompertz", mirrored_gompertz, GOMPERTZ_RISE, -4.6, 1.6),
)


@dataclass(frozen=True)
class Resolution:
    """How often a smooth curve gives counts as uneven as these, and the best such curve.

    `form` is its name, `width` its 10-90 % rise as a share of the range, infinite if it is flat.
    """

    p_value: float
    form: str
    width: float
    fitted: Array


def resolution_test(
    x: ArrayLike,
    n_correct: ArrayLike,
    n_examples: ArrayLike,
    *,
    chance: float = 0.0,
    width: float = DEFAULT_WIDTH,
    n_boot: int = 199,
    seed: int = 0,
) -> pd.Series:
    r"""Return whether a smooth rise from chance can have given these counts.

    .. math:: f = c + (1 - c)\,G(a + b t), \qquad b \le \text{rise}_G / \text{width}

    with G a Gompertz curve, its mirror or a logistic, whichever fits best, and a tolerance of 0.01.

    Parameters
    ----------
    x : array, shape (m,)
        Scales on the axis of the analysis, rising.
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    chance : float
        Score of guessing, c.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range.
    n_boot, seed : int
        Draws, and root of the random numbers.

    Returns
    -------
    Series
        p_value, form (the best of the three), width (its 10-90 % rise, a share of the range). A
        large p-value is no evidence that the curve is smooth: these counts cannot say.

    Raises
    ------
    ValueError
        If the scales do not rise or a count is impossible.

    Examples
    --------
    >>> step = np.array([0, 0, 0, 0, 5, 5, 5, 5])
    >>> few = resolution_test(range(8), step, [10] * 8).p_value
    >>> many = resolution_test(range(8), 100 * step, [1000] * 8).p_value
    >>> few > 0.05 >= many
    True
    """
    n = np.broadcast_to(n_examples, np.shape(n_correct))
    scale, k, n = checked_counts(x, n_correct, n)
    found = resolve_counts(
        (scale - scale[0]) / np.ptp(scale),
        k,
        n,
        chance=chance,
        width=width,
        rng=np.random.default_rng(seed),
        n_boot=n_boot,
    )
    told = {"p_value": found.p_value, "form": found.form, "width": found.width}
    return pd.Series(told, name="resolution_test")


def resolve_counts(
    t: Array,
    correct: Array,
    n: Array,
    *,
    chance: float,
    width: float,
    rng: np.random.Generator,
    n_boot: int,
    covariance: Array | None = None,
) -> Resolution:
    """Return the test for numbers that are checked, scales as shares of the range.

    `covariance` of the shares, where all scales share their items, makes the draws hang together.
    """
    forms = [Response(form, low, high, rise / width, chance) for _, form, rise, low, high in _FORMS]
    share = correct / n
    fits = [best_fit(form, t, share, n, _TOLERANCE) for form in forms]
    place = int(np.argmin([fit.misfit for fit in fits]))
    found = fit_response(
        forms[place],
        t,
        share,
        n,
        tolerance=_TOLERANCE,
        rng=rng,
        n_boot=n_boot,
        best=fits[place],
        covariance=covariance,
    )
    name, _, rise, *_ = _FORMS[place]
    reached = rise / found.b if found.b > 0 else np.inf
    return Resolution(found.p_value, name, float(reached), found.fitted)


def items_needed(score: float, chance: float = 0.0, power: float = 0.95) -> float:
    r"""Return how many items show that a score is above guessing.

    .. math:: \left\lceil \frac{\log(1 - \text{power})}{\log(1 - f)} \right\rceil
              \ (c = 0), \qquad
              \left\lceil \left( \frac{z_{0.95} \sqrt{c (1 - c)} + z_{power} \sqrt{f (1 - f)}}
              {f - c} \right)^2 \right\rceil \ (c > 0)

    Where a guess is never right, one hit is proof; else a one-sided test at 5 % must reject.

    Parameters
    ----------
    score : float
        True score, f.
    chance : float
        Score of guessing, c.
    power : float
        Wanted chance of seeing it.

    Returns
    -------
    float
        Whole number; infinite for a score at chance or below.

    Examples
    --------
    >>> items_needed(0.001), items_needed(0.3, chance=0.25)
    (2995.0, 860.0)
    """
    if not score > chance:
        return float("inf")
    if chance == 0:
        return float(examples_for_one_success(score, power))
    spread = norm.ppf(0.95) * np.sqrt(chance * (1 - chance))
    spread += norm.ppf(power) * np.sqrt(score * (1 - score))
    return float(np.ceil((spread / (score - chance)) ** 2))
