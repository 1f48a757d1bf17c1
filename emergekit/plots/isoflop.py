"""Losses at equal compute against model size, with their minima."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from emergekit.fitting import isoflop_optima
from emergekit.fitting.allocation.curves import IsoflopCurve, Method, Noise, isoflop_curves
from emergekit.plots.axes import GREY, label, power_of_ten, shades

__all__ = ["plot_isoflops"]

_NAMED = 8
"""Budgets that are named beside their curves; of more, every second, third, ... one."""


def plot_isoflops(
    table: pd.DataFrame,
    by: str | Sequence[str] = "flops",
    method: Method = "parabola",
    *,
    response: str = "loss",
    within: float | None = None,
    noise: Noise = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the runs of every budget with the curve that finds their minimum, and the minima.

    Minima that do not lie between the smallest and the largest size are hollow; a bar is the 95 %
    interval under noise between seeds. Runs that `within` leaves out are pale.

    Parameters
    ----------
    table : DataFrame
        One row a run at a budget: n_params, flops and the response.
    by, method, response, within, noise
        As `isoflop_optima` takes them.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    optima = isoflop_optima(table, by, method, response=response, within=within, noise=noise)
    curves = isoflop_curves(table, by, response, within)
    every = isoflop_curves(table, by, response)
    order = np.argsort([curve.flops for curve in curves])
    colour = dict(zip(order, shades(len(curves)), strict=True))
    step = -(-len(curves) // _NAMED)
    for place, (curve, whole) in enumerate(zip(curves, every, strict=True)):
        size = np.exp(whole.log_n)
        style: dict[str, Any] = {"color": colour[place], "s": 14, "linewidth": 0}
        kept = np.isin(whole.log_n, curve.log_n)
        ax.scatter(size[kept], whole.loss[kept], **style)
        ax.scatter(size[~kept], whole.loss[~kept], alpha=0.25, **style)
        _draw_curve(ax, curve, method, colour[place])
        rank = int(np.flatnonzero(order == place)[0])
        if (len(curves) - 1 - rank) % step == 0:
            _name(ax, curve, colour[place])
    _draw_minima(ax, optima)
    ax.set(xscale="log", xlabel=label("n_params"), ylabel=label(response))
    ax.margins(x=0.1)
    # Above the axes: where a curve or its name runs is not known here.
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize="small", frameon=False)
    return ax


def _draw_curve(ax: Axes, curve: IsoflopCurve, method: Method, colour: Any) -> None:
    # The ends are points themselves, which rounding must not put beyond them.
    log_n = np.linspace(curve.log_n[0], curve.log_n[-1], 200)
    log_n[[0, -1]] = curve.log_n[[0, -1]]
    ax.plot(np.exp(log_n), curve.drawn_through(log_n, method), color=colour, linewidth=1.1)


def _name(ax: Axes, curve: IsoflopCurve, colour: Any) -> None:
    ax.annotate(
        power_of_ten(curve.flops),
        (np.exp(curve.log_n[-1]), curve.loss[-1]),
        xytext=(5, 0),
        textcoords="offset points",
        color=colour,
        fontsize="small",
        va="center",
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        zorder=3,
    )


def _draw_minima(ax: Axes, optima: pd.DataFrame) -> None:
    inside = optima[optima["inside"]].sort_values("flops")
    if "n_params_lower" in inside and len(inside):
        reach = [
            inside["n_params"] - inside["n_params_lower"],
            inside["n_params_upper"] - inside["n_params"],
        ]
        bars = np.clip(np.nan_to_num(np.array(reach)), 0, None)
        ax.errorbar(
            inside["n_params"], inside["loss"], xerr=bars, fmt="none", color="0.15", linewidth=1.2
        )
    marks: dict[str, Any] = {"marker": "D", "s": 34, "edgecolors": "0.15", "zorder": 4}
    ax.scatter(inside["n_params"], inside["loss"], facecolors="0.15", label="minimum", **marks)
    other = optima[~optima["inside"] & optima["n_params"].notna()]
    if len(other):
        beyond = "minimum at or beyond the ends"
        ax.scatter(other["n_params"], other["loss"], facecolors="none", label=beyond, **marks)
    ax.plot(inside["n_params"], inside["loss"], color=GREY, linewidth=0.9, zorder=1)
