"""IsoFLOP curves: losses of different sizes at equal compute, and where they are lowest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, TableError, shown, unknown
from emergekit.fitting.allocation.minima import (
    akima_curve,
    akima_minima,
    parabola_curve,
    parabola_minima,
)
from emergekit.fitting.rows import positive_numbers, require_columns

__all__ = ["IsoflopCurve", "Method", "Noise", "isoflop_curves", "known_method"]

Array = NDArray[np.float64]
Method = Literal["parabola", "interpolation"]
Noise: TypeAlias = "float | str | Callable[[Array], ArrayLike] | None"

_LEAST_SIZES = 3


@dataclass(frozen=True)
class IsoflopCurve:
    """The runs of one budget, from small to large.

    Parameters
    ----------
    keys : mapping
        What sets this curve apart, by column.
    flops : float
        Compute, FLOPs.
    log_n, loss, noise : array, shape (n,)
        Logarithms of the sizes, losses, and the deviation of a loss between seeds (0 if unknown).
    """

    keys: dict[str, Any]
    flops: float
    log_n: Array
    loss: Array
    noise: Array

    @property
    def sizes(self) -> Array:
        """The different ln N."""
        return np.unique(self.log_n)

    def holds(self, log_n: Array) -> NDArray[np.bool_]:
        """Return which ln N lie between the smallest and the largest size."""
        inside: NDArray[np.bool_] = (log_n > self.log_n[0]) & (log_n < self.log_n[-1])
        return inside

    def minima(
        self, loss: Array, method: Method, resolution: int | None = None
    ) -> tuple[Array, Array]:
        """Return ln N and loss of the minima of B curves through losses of shape (n, B).

        NaN where there are too few sizes, a loss has no logarithm, or a parabola opens downwards.
        """
        if len(self.sizes) < _LEAST_SIZES:
            nowhere = np.full(loss.shape[1], np.nan)
            return nowhere, nowhere
        if method == "parabola":
            return parabola_minima(self.log_n, loss)
        sizes, log_loss = self._by_size(loss)
        usable = np.isfinite(log_loss).all(axis=0)
        log_n, least = akima_minima(sizes, np.where(usable, log_loss, 0.0), resolution)
        return np.where(usable, log_n, np.nan), np.where(usable, np.exp(least), np.nan)

    def drawn_through(self, log_n: Array, method: Method) -> Array:
        """Return the loss of the curve that the method passes through the runs; NaN for none."""
        if len(self.sizes) < _LEAST_SIZES:
            return np.full_like(log_n, np.nan)
        if method == "parabola":
            return parabola_curve(self.log_n, self.loss, log_n)
        sizes, log_loss = self._by_size(self.loss[:, None])
        return np.exp(akima_curve(sizes, log_loss[:, 0], log_n))

    def _by_size(self, loss: Array) -> tuple[Array, Array]:
        """Return the different ln N, and the mean ln loss of each."""
        sizes, place, count = np.unique(self.log_n, return_inverse=True, return_counts=True)
        with np.errstate(all="ignore"):
            log_loss = np.log(loss)
        if len(sizes) == len(self.log_n):
            return sizes, log_loss
        total = np.zeros((len(sizes), loss.shape[1]))
        np.add.at(total, place, log_loss)
        return sizes, total / count[:, None]


def known_method(method: Method) -> Method:
    """Return the method, or raise a `FitError` that names the known ones."""
    if method not in get_args(Method):
        raise FitError(unknown("method", method, get_args(Method)))
    return method


def isoflop_curves(
    table: pd.DataFrame,
    by: str | Sequence[str] = "flops",
    response: str = "loss",
    within: float | None = None,
    noise: Noise = None,
) -> list[IsoflopCurve]:
    """Return the IsoFLOP curves of a table, in the order of the columns that set them apart.

    Arguments are those of `isoflop_optima`.

    Raises
    ------
    TableError, FitError
        As there.
    """
    where = "IsoFLOP curves"
    keys = [by] if isinstance(by, str) else list(by)
    names = ("n_params", "flops", response)
    data = positive_numbers(table, names, where=where)
    require_columns(table, tuple(keys), where=where)
    if not keys or not len(table):
        raise TableError(f"{where}: there is no row, or no column in by=, to make a curve of.")
    labels = [data[key] if key in data else table[key] for key in keys]
    absent = table[keys].isna().any(axis=1)
    if absent.any():
        raise TableError(
            f"{where}: row {table.index[absent][0]} has no value in {', '.join(keys)}, so that it "
            f"belongs to no curve; drop such rows first."
        )
    data["noise"] = _noise(noise, table, data[response])
    curves = []
    for key, rows in data.groupby([label.to_numpy() for label in labels], sort=True):
        rows = rows.sort_values("n_params", kind="stable")
        curve = IsoflopCurve(
            keys=dict(zip(keys, key, strict=True)),
            flops=_mean(rows["flops"].to_numpy()),
            log_n=np.log(rows["n_params"].to_numpy()),
            loss=rows[response].to_numpy(),
            noise=rows["noise"].to_numpy(),
        )
        curves.append(_narrowed(curve, within))
    return curves


def _mean(flops: Array) -> float:
    """Return the geometric mean, or the one value of all, to the last digit."""
    return float(flops[0] if np.ptp(flops) == 0 else np.exp(np.log(flops).mean()))


def _narrowed(curve: IsoflopCurve, within: float | None) -> IsoflopCurve:
    """Return the curve without sizes that are further than a factor from the best one."""
    if within is None:
        return curve
    if isinstance(within, bool | str) or not within > 1:
        raise FitError(f"within must be a factor above 1, such as 8; it is {shown(within)}.")
    near = np.abs(curve.log_n - curve.log_n[curve.loss.argmin()]) <= np.log(within) * (1 + 1e-12)
    arrays = (curve.log_n[near], curve.loss[near], curve.noise[near])
    return IsoflopCurve(curve.keys, curve.flops, *arrays)


def _noise(noise: Noise, table: pd.DataFrame, loss: pd.Series) -> Array:
    if noise is None:
        return np.zeros(len(loss))
    if isinstance(noise, str):
        require_columns(table, (noise,), where="noise of IsoFLOP curves")
        values = pd.to_numeric(table[noise], errors="coerce").to_numpy(dtype=float)
    else:
        given = noise(loss.to_numpy()) if callable(noise) else noise
        values = np.asarray(given)
        if values.dtype.kind not in "iuf" or values.ndim > 1 or values.size not in (1, len(loss)):
            raise FitError(
                f"noise must be a deviation in nats, a column, or a function from losses to "
                f"deviations; it gives {shown(given)}."
            )
        values = np.broadcast_to(values.astype(float), len(loss))
    if not (np.isfinite(values) & (values >= 0)).all():
        row = table.index[~(np.isfinite(values) & (values >= 0))][0]
        raise FitError(f"noise must be 0 or more and finite for every row; row {row} has another.")
    return values
