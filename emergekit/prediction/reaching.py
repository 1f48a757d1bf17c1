"""The scale at which a fitted law, or a chain of them, reaches a score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from emergekit.errors import FitError, kind_of, unknown
from emergekit.fitting import Fit
from emergekit.fitting.bands import require_level
from emergekit.prediction.chains import Chain

__all__ = ["threshold"]

Array: TypeAlias = NDArray[np.float64]

_PLACES = 400
"""Scales that are looked at before a crossing is halved down."""
_HALVINGS = 48


def threshold(
    fit: Fit | Chain,
    score: float = 0.5,
    along: str = "n_params",
    *,
    given: Mapping[str, float] | None = None,
    tokens_per_param: float | None = None,
    interval: tuple[float, float] | None = None,
    reach: float = 1e6,
    level: float = 0.95,
    n_draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the scale at which a response is first reached, with its interval.

    Parameters
    ----------
    fit : Fit or Chain
        Law of the response.
    score : float
        The value of the response to reach, from whichever side small scale is on: a loss is
        reached from above, an accuracy from below.
    along : str
        Variable that grows; "flops" (as 6ND) as well for a law in n_params and n_tokens with
        `tokens_per_param`.
    given : mapping, optional
        Values of the other variables, such as ``{"n_tokens": 1e12}``.
    tokens_per_param : float, optional
        Instead: n_tokens grows with n_params in this ratio.
    interval : (float, float), optional
        Ends of the interval of the score itself at `level`, such as that of a threshold in loss;
        what it leaves open then goes into the answer, as a normal error.
    reach : float
        How many times the largest scale of the data is looked at.
    level : float
        Coverage that the interval aims at.
    n_draws : int
        Draws behind the interval of a `Fit`; a chain has its own.
    seed : int
        Root of the random numbers, as `n_draws`.

    Returns
    -------
    DataFrame
        One row: response, score, along, estimate, lower, upper (percentiles of the draws, so that
        `upper` is infinite where too many of them never reach the score; NaN where the fit cannot
        tell how sure it is), reached_share (of draws that reach it at all), times_data (estimate
        over the largest scale of the data). An estimate is infinite where the law never reaches
        the score within `reach`, and the smallest scale looked at, a thousandth of that of the
        data, where the law is beyond the score from there on.

    Raises
    ------
    FitError
        If a variable is unknown, or another one is not given.

    Notes
    -----
    The interval is for the law's value: what the parameters leave open. That the law holds so far
    out is assumed; `times_data` says how far that is.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla().query("used_in_fit")
    >>> law = fit(laws.CHINCHILLA, runs, fixed={"alpha": 0.35, "beta": 0.37})
    >>> row = threshold(law, 2.2, tokens_per_param=20)
    >>> row[["estimate", "lower", "upper"]].map("{:.2g}".format).to_dict("records")
    [{'estimate': '5.7e+09', 'lower': '5.5e+09', 'upper': '5.9e+09'}]
    """
    if not isinstance(fit, Fit | Chain):
        raise FitError(f"threshold takes a fit or a chain, not {kind_of(fit)}; fit a law first.")
    require_level(level)
    if not np.isfinite(score):
        raise FitError(f"threshold: score must be a number; it is {score}.")
    if not reach > 1:
        raise FitError(f"threshold: reach must be a factor above 1; it is {reach:g}.")
    steps = fit if isinstance(fit, Chain) else Chain((fit,), n_draws, seed)
    axis = _Axis(along, dict(given or {}), tokens_per_param)
    axis.require(steps.variables)
    smallest, largest = axis.span(steps)
    ends = (float(np.log(smallest / 1e3)), float(np.log(largest * reach)))
    draws = steps.draws()
    wanted = _scores(float(score), interval, level, steps.n_draws, [steps.seed, len(steps.fits)])

    def at_estimates(place: Array) -> Array:
        return steps.values(axis.columns(place))

    def at_draws(place: Array) -> Array:
        return steps.values(axis.columns(place), draws)

    estimate = _crossing(at_estimates, np.array([[float(score)]]), ends)
    drawn = _crossing(at_draws, wanted, ends)
    is_known = not np.isnan(drawn).any()
    bounds = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], method="nearest")
    lower, upper = bounds if is_known else (np.nan, np.nan)
    return pd.DataFrame(
        {
            "response": [steps.response],
            "score": [float(score)],
            "along": [along],
            "estimate": estimate,
            "lower": [float(lower)],
            "upper": [float(upper)],
            "reached_share": [float(np.isfinite(drawn).mean()) if is_known else np.nan],
            "times_data": estimate / largest,
        }
    )


@dataclass(frozen=True)
class _Axis:
    """One scale that grows, with all else held or tied to it."""

    along: str
    given: Mapping[str, float]
    ratio: float | None

    @property
    def splits_flops(self) -> bool:
        """Whether compute is split into size and tokens."""
        return self.along == "flops" and self.ratio is not None

    def require(self, variables: tuple[str, ...]) -> None:
        """Raise a `FitError` unless the law reads this axis and all else it reads is known."""
        tied = {"n_params", "n_tokens"} if self.splits_flops else {"n_tokens"}
        if self.ratio is None:
            tied = set()
            if self.along not in variables:
                raise FitError(f"threshold: {unknown('variable', self.along, variables)}")
        elif not (
            self.ratio > 0
            and {"n_params", "n_tokens"} <= set(variables)
            and self.along in ("n_params", "flops")
        ):
            raise FitError(
                "threshold: tokens_per_param is a positive ratio for laws in n_params and "
                "n_tokens, along one of n_params and flops."
            )
        needed = [name for name in variables if name != self.along and name not in tied]
        absent = [name for name in needed if name not in self.given]
        if absent:
            tie = ", or tie tokens with tokens_per_param=20" if "n_tokens" in absent else ""
            raise FitError(
                f"threshold: the law also needs {', '.join(absent)}; give them with "
                f"given={{{absent[0]!r}: ...}}{tie}."
            )
        extra = [name for name in self.given if name not in needed]
        if extra:
            raise FitError(f"threshold: {unknown('variable in given=', extra[0], needed)}")

    def span(self, steps: Chain) -> tuple[float, float]:
        """Return the smallest and the largest scale that the law was fitted at."""
        names = ("n_params", "n_tokens") if self.splits_flops else (self.along,)
        data = next(fit.data for fit in steps.fits if set(names) <= set(fit.law.variables))
        scale = data[list(names)].prod(axis=1) * (6.0 if self.splits_flops else 1.0)
        if not scale.min() > 0:
            raise FitError(
                f"threshold: '{self.along}' must be positive in the rows that were fitted, as "
                f"scales are; its smallest is {scale.min():g}."
            )
        return float(scale.min()), float(scale.max())

    def columns(self, place: Array) -> dict[str, Array]:
        """Return the law's variables at logarithms of the scale."""
        scale = np.exp(place)
        columns = {name: np.full_like(scale, value) for name, value in self.given.items()}
        if self.ratio is None:
            return columns | {self.along: scale}
        size = np.sqrt(scale / (6.0 * self.ratio)) if self.splits_flops else scale
        return columns | {"n_params": size, "n_tokens": self.ratio * size}


def _scores(
    score: float, interval: tuple[float, float] | None, level: float, n: int, seed: list[int]
) -> Array:
    """Return the score to reach in each draw, shape (n, 1)."""
    if interval is None:
        return np.full((n, 1), score)
    width = float(interval[1]) - float(interval[0])
    if not width >= 0:
        raise FitError(f"threshold: interval must be (lower, upper); it is {interval}.")
    sd = width / 2 / float(ndtri((1 + level) / 2))
    return score + np.random.default_rng(seed).normal(0.0, sd, size=(n, 1))


def _crossing(value: Callable[[Array], Array], score: Array, ends: tuple[float, float]) -> Array:
    """Return the smallest scale of each draw at which its score is crossed, inf without one.

    A grid finds the stretch of the first crossing, since a law need not be monotone; halving does
    the rest.
    """
    n = len(score)
    places = np.linspace(*ends, _PLACES)
    values = np.broadcast_to(value(places), (n, _PLACES))
    rises = values[:, -1:] >= values[:, :1]
    beyond = np.where(rises, values >= score, values <= score)
    first = beyond.argmax(axis=1)
    left, right = (places[np.maximum(first - back, 0)][:, None] for back in (1, 0))
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        at = np.broadcast_to(value(middle), (n, 1))
        over = np.where(rises, at >= score, at <= score)
        left, right = np.where(over, left, middle), np.where(over, middle, right)
    found = np.where(beyond.any(axis=1), np.exp(right[:, 0]), np.inf)
    return np.where(np.isnan(values).any(axis=1), np.nan, found)
