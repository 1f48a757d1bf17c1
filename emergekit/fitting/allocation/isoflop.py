"""Compute-optimal sizes from runs at equal compute: one minimum a budget, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, shown
from emergekit.fitting.allocation.bias import method_bias
from emergekit.fitting.allocation.curves import (
    IsoflopCurve,
    Method,
    Noise,
    isoflop_curves,
    known_method,
)
from emergekit.fitting.allocation.surface import FLOPS_PER_TOKEN_PARAM, Source, surface_of
from emergekit.fitting.bands import require_level

__all__ = ["isoflop_draws", "isoflop_optima"]

Array = NDArray[np.float64]

_FLOOR = 0.33
"""Share of the mean spacing of sizes below which no standard error of an optimum is believed."""


def isoflop_optima(
    table: pd.DataFrame,
    by: str | Sequence[str] = "flops",
    method: Method = "parabola",
    *,
    response: str = "loss",
    within: float | None = None,
    noise: Noise = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    errors: Sequence[ArrayLike] | None = None,
    resolution: int | None = None,
    surface: Source | None = None,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
) -> pd.DataFrame:
    r"""Return the size of least loss at each budget of compute (Hoffmann's approach 2).

    "parabola" fits loss = c_0 + c_1 ln N + c_2 (ln N)^2 to the runs of a budget by least squares.
    It is biased where the curve is no parabola, the more the wider the sizes reach: give a
    `surface` to see by how much. "interpolation" passes an Akima curve of ln loss in ln N through
    the runs (Porian et al.), and follows their noise instead.

    Parameters
    ----------
    table : DataFrame
        One row a run at a budget: n_params, flops, the response and the columns of `by`.
    by : str or sequence of str
        What makes an IsoFLOP curve: flops, or several columns such as
        ``["dataset", "setting", "flops"]``. Where the compute of runs scatters around a budget,
        make a column of budgets first; the compute of a curve is the geometric mean of flops.
    method : {"parabola", "interpolation"}
        How the minimum is found. Runs of one size count as their mean under "interpolation".
    response : str
        Column of the loss.
    within : float, optional
        Use sizes within this factor of the one of least loss only, such as 8.
    noise : float, str or callable, optional
        Standard deviation of a loss between seeds, nats: a number, a column, or a function of the
        losses. With it, intervals come from `n` curves with normal noise added to every loss.
    n : int
        Number of such draws.
    level : float
        Coverage that the intervals aim at.
    seed : int
        Of the draws.
    errors : sequence of array, shape (n, n_points), optional
        Standard normal errors to take instead of drawing them: one array a curve, in the order of
        the rows that come back, points from small to large.
    resolution : int, optional
        Seek the minimum of an Akima curve on a grid of so many points an interval, as published
        analyses do; exactly if None.
    surface : Fit, or (Law, params), optional
        Loss surface on which the bias of the method is estimated.
    flops_per_token_param : float
        k in C = k N D.

    Returns
    -------
    DataFrame
        One row a curve: the columns of `by`, flops, method, n_points, n_params, n_tokens and
        tokens_per_param at the minimum, loss there, inside (whether it lies between the smallest
        and the largest size), reason (why there is none, or it is not inside; absent otherwise).

        With `noise`, over the draws whose minimum is inside: n_params_median, n_params_lower,
        n_params_upper, loss_median; log_n_params_stderr and log_loss_stderr, deviations of the
        natural logarithms divided by share_inside, the former under "interpolation" at least a
        third of the mean spacing of sizes (both rules are those of Porian et al.); share_inside.
        Where less than half of the draws are inside, these are NaN.

        With `surface`, n_params_bias and n_tokens_bias: what the method finds on the noise-free
        surface at these very sizes, relative to its true optimum, minus 1.

    Raises
    ------
    TableError
        If a column is absent, or a cell is no positive number; the row is named.
    FitError
        If an argument cannot be meant.

    References
    ----------
    Hoffmann et al. 2022, section 3.2; Porian et al. 2024, section 2, and the code published with
    it.

    Examples
    --------
    >>> from emergekit import datasets
    >>> points = datasets.load_porian().query("dataset == 'RefinedWeb' and setting == 'tuned'")
    >>> optima = isoflop_optima(points, method="interpolation", noise=0.002)
    >>> shown = optima.loc[optima["flops"].isin([1e17, 6.4e18]), ["flops", "n_params", "inside"]]
    >>> shown.round(-5)
              flops     n_params  inside
    3  1.000000e+17   31400000.0    True
    9  6.400000e+18  290900000.0    True
    """
    known_method(method)
    _require_resolution(resolution)
    curves = isoflop_curves(table, by, response, within, noise)
    draws = _Draws(n, seed, errors, level)
    truth = None if surface is None else surface_of(surface, flops_per_token_param)
    rows = []
    for curve, rng in zip(curves, draws.generators(curves), strict=True):
        row = curve.keys | _minimum(curve, method, resolution, flops_per_token_param)
        if noise is not None:
            log_n, loss = curve.minima(draws.losses(curve, rng), method, resolution)
            row |= _spread(curve, log_n, loss, draws.level, _floor(curve, method, resolution))
        if truth is not None:
            row |= method_bias(truth, curve.flops, curve.log_n, method)
        rows.append(row)
    return pd.DataFrame(rows).astype({"reason": object})


def isoflop_draws(
    table: pd.DataFrame,
    by: str | Sequence[str] = "flops",
    method: Method = "parabola",
    *,
    noise: Noise,
    response: str = "loss",
    within: float | None = None,
    n: int = 1000,
    seed: int = 0,
    errors: Sequence[ArrayLike] | None = None,
    resolution: int | None = None,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
) -> pd.DataFrame:
    """Return the minima of the noisy curves that `isoflop_optima` sums up, one row a draw.

    Arguments are those of `isoflop_optima`, and equal ones give the same draws.

    Returns
    -------
    DataFrame
        The columns of `by`, flops, draw, n_params, n_tokens and loss; NaN where the minimum does
        not lie between the smallest and the largest size.
    """
    known_method(method)
    _require_resolution(resolution)
    curves = isoflop_curves(table, by, response, within, noise)
    if noise is None:
        raise FitError("noise must be a number, a column or a function; it is None.")
    draws = _Draws(n, seed, errors)
    parts = []
    for curve, rng in zip(curves, draws.generators(curves), strict=True):
        log_n, loss = curve.minima(draws.losses(curve, rng), method, resolution)
        inside = curve.holds(log_n)
        size = np.where(inside, np.exp(log_n), np.nan)
        columns = {
            "flops": curve.flops,
            "draw": np.arange(len(size)),
            "n_params": size,
            "n_tokens": curve.flops / (flops_per_token_param * size),
            "loss": np.where(inside, loss, np.nan),
        }
        parts.append(pd.DataFrame(curve.keys | columns))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Draws:
    """Normal errors for every curve: drawn from a seed, or as they were given."""

    n: int
    seed: int
    errors: Sequence[ArrayLike] | None
    level: float = 0.95

    def __post_init__(self) -> None:
        whole = isinstance(self.n, int | np.integer) and not isinstance(self.n, bool)
        if not (whole and self.n >= 2):
            raise FitError(f"n must be a whole number of draws, 2 or more; it is {shown(self.n)}.")
        require_level(self.level)

    def generators(self, curves: Sequence[IsoflopCurve]) -> list[Any]:
        """Return one generator a curve, or the errors given for it."""
        if self.errors is None:
            seeds = np.random.SeedSequence(self.seed).spawn(len(curves))
            return [np.random.default_rng(seed) for seed in seeds]
        given = [np.asarray(part, dtype=float) for part in self.errors]
        shapes = [part.shape for part in given]
        if [shape[1:] for shape in shapes] != [curve.log_n.shape for curve in curves]:
            raise FitError(
                f"errors must hold an array (n, n_points) for each of {len(curves)} curves, which "
                f"have {', '.join(str(len(c.log_n)) for c in curves)} points; their shapes are "
                f"{', '.join(map(str, shapes)) or 'none'}."
            )
        return given

    def losses(self, curve: IsoflopCurve, rng: Any) -> Array:
        """Return noisy losses of a curve, shape (n_points, n)."""
        if self.errors is None:
            rng = rng.standard_normal((self.n, len(curve.loss)))
        return np.asarray(curve.loss[:, None] + curve.noise[:, None] * rng.T)


def _minimum(
    curve: IsoflopCurve, method: Method, resolution: int | None, k: float
) -> dict[str, object]:
    """Return the row of a curve without noise."""
    log_n, loss = (float(part[0]) for part in curve.minima(curve.loss[:, None], method, resolution))
    inside = bool(curve.holds(np.array(log_n)))
    log_d = np.log(curve.flops / k) - log_n
    return {
        "flops": curve.flops,
        "method": method,
        "n_points": len(curve.loss),
        "n_params": np.exp(log_n),
        "n_tokens": np.exp(log_d),
        "tokens_per_param": np.exp(log_d - log_n),
        "loss": loss,
        "inside": inside,
        "reason": np.nan if inside else _reason(curve, log_n),
    }


def _require_resolution(resolution: object) -> None:
    whole = isinstance(resolution, int | np.integer) and not isinstance(resolution, bool)
    if resolution is not None and not (whole and resolution >= 2):  # type: ignore[operator]  # whole
        raise FitError(f"resolution must be a whole number, 2 or more; it is {shown(resolution)}.")


def _reason(curve: IsoflopCurve, log_n: float) -> str:
    """Return why there is no minimum among the sizes."""
    n_sizes = len(curve.sizes)
    if n_sizes < 3:
        return f"only {n_sizes} of the 3 different sizes that a minimum needs"
    if np.isnan(log_n):
        return "the parabola opens downwards"
    end = "smallest" if log_n <= curve.log_n[0] else "largest"
    return f"the loss is least at or beyond the {end} size"


def _spread(
    curve: IsoflopCurve, log_n: Array, loss: Array, level: float, floor: float
) -> dict[str, float]:
    """Return what the noisy minima of a curve say."""
    inside = curve.holds(log_n)
    share = float(inside.mean())
    names = ("n_params_median", "n_params_lower", "n_params_upper", "loss_median")
    stderrs = ("log_n_params_stderr", "log_loss_stderr")
    if share < 0.5:
        return dict.fromkeys((*names, *stderrs), np.nan) | {"share_inside": share}
    size, least = np.exp(log_n[inside]), loss[inside]
    lower, upper = np.quantile(size, [(1 - level) / 2, (1 + level) / 2])
    values = (np.median(size), lower, upper, np.median(least))
    deviations = (max(float(np.std(log_n[inside])), floor), float(np.std(np.log(least))))
    return (
        dict(zip(names, map(float, values), strict=True))
        | {name: value / share for name, value in zip(stderrs, deviations, strict=True)}
        | {"share_inside": share}
    )


def _floor(curve: IsoflopCurve, method: Method, resolution: int | None) -> float:
    """Return the least standard error of ln N that sizes so far apart allow."""
    sizes = curve.sizes
    if method == "parabola" or len(sizes) < 3:
        return 0.0
    between = len(sizes) - 1 - (1 / resolution if resolution else 0.0)
    return _FLOOR * float(sizes[-1] - sizes[0]) / between
