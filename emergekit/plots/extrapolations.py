"""Laws beyond the rows that they were fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

from emergekit.errors import TableError
from emergekit.fitting import Fit
from emergekit.fitting.rows import require_columns
from emergekit.plots.axes import GREY, colours, label, literal

__all__ = ["plot_extrapolation"]

_MARKERS = ("s", "D", "^", "v", "P", "X", "*")


def plot_extrapolation(
    fits: Fit | Sequence[Fit],
    table: pd.DataFrame,
    *,
    x: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw fits across the rows they were made from and the rows held out, on shaded ground.

    Laws of one variable are curves; of laws of several, the predictions of the rows held out are
    points beside the observations.

    Parameters
    ----------
    fits : Fit or sequence of Fit
        To the same rows of `table`, by its index.
    table : DataFrame
        The rows of the fits, which are hollow points, and the rows held out, full ones.
    x : str, optional
        Column of scale; the first variable of the first law if None.
    level : float
        Coverage of the band of new rows, which the first fit has.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
        Fits have names, with the root mean square of ln predicted - ln observed on the rows held
        out, so ``plot_extrapolation(fits, table).legend()`` makes a legend.

    Raises
    ------
    TableError
        If a column is absent or no row of the table is held out.
    """
    ax = plt.gca() if ax is None else ax
    known = [fits] if isinstance(fits, Fit) else list(fits)
    x = known[0].law.variables[0] if x is None else x
    response = str(known[0].stats["response"].iloc[0])
    needed = (x, response, *(name for fit in known for name in fit.law.variables))
    require_columns(table, tuple(dict.fromkeys(needed)), where="plot_extrapolation")
    if not (table.index.is_unique and known[0].data.index.is_unique):
        raise TableError(
            "plot_extrapolation: rows are told by their index, which is not unique; split and fit "
            "the table after table.reset_index(drop=True)."
        )
    kept = table.index.isin(known[0].data.index)
    if kept.all() or not kept.any():
        raise TableError(
            f"plot_extrapolation: {int(kept.sum())} of {len(table)} rows of the table are rows of "
            f"the fit, by their index; give the table that was split, with rows of both parts."
        )
    held_out = table[~kept].sort_values(x)
    ax.axvspan(held_out[x].min(), held_out[x].max(), color=GREY, alpha=0.15, linewidth=0, zorder=0)
    ink: dict[str, Any] = {"s": 14, "edgecolors": "0.2", "linewidths": 0.8, "zorder": 2}
    ax.scatter(table.loc[kept, x], table.loc[kept, response], facecolors="none", **ink)
    ax.scatter(held_out[x], held_out[response], facecolors="0.2", label="held out", **ink)
    for place, (fit, colour) in enumerate(zip(known, colours(len(known)), strict=True)):
        name = _name(fit, held_out, response)
        if fit.law.variables == (x,):
            _curve(fit, table[x], level if place == 0 else None, colour, name, ax)
        else:
            predicted = fit.predict(held_out)["predicted"]
            marker = _MARKERS[place % len(_MARKERS)]
            ax.scatter(held_out[x], predicted, s=12, color=colour, marker=marker, label=name)
    ax.set(xlabel=label(x), ylabel=label(response))
    for name, column in (("x", x), ("y", response)):
        _scale(ax, name, table[column])
    return ax


def _scale(ax: Axes, name: str, values: pd.Series[Any]) -> None:
    """Make the axis of positive values logarithmic; within a decade plain numbers mark it."""
    if not values.gt(0).all():
        return
    ax.set(**{f"{name}scale": "log"})
    axis = ax.xaxis if name == "x" else ax.yaxis
    if values.max() < 10 * values.min():
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())


def _name(fit: Fit, held_out: pd.DataFrame, response: str) -> str:
    with np.errstate(all="ignore"):
        miss = np.log((fit.predict(held_out)["predicted"] / held_out[response]).to_numpy())
    error = float(np.sqrt((miss**2).mean()))
    said = f", error {error:.3g}" if np.isfinite(error) else ""
    return f"{literal(fit.law.name)}{said}"


def _curve(
    fit: Fit, x: pd.Series[Any], level: float | None, colour: Any, name: str, ax: Axes
) -> None:
    ends = float(x.min()), float(x.max())
    space = np.geomspace if ends[0] > 0 else np.linspace
    grid = pd.DataFrame({x.name: space(*ends, 300)})
    band = fit.predict(grid, 0.95 if level is None else level)
    if level is not None:
        edges = band["lower"], band["upper"]
        ax.fill_between(grid[x.name], *edges, color=colour, alpha=0.15, linewidth=0, zorder=1)
    ax.plot(grid[x.name], band["predicted"], color=colour, linewidth=1.3, label=name, zorder=3)
