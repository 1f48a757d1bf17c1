"""Scores against scale."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emergekit.emergence.curves import curve_keys
from emergekit.plots.axes import GREY, colours, label, literal

__all__ = ["plot_curves"]

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plot_curves(results: pd.DataFrame, x: str = "n_params", *, ax: Axes | None = None) -> Axes:
    """Draw every curve of a table of results, scores against scale.

    Colour is the model family, marker the metric; the chance level, where known, is a grey line.
    Error bars are one standard error where `stderr` is given.

    Parameters
    ----------
    results : DataFrame
        Results with the column `x` beside the scores.
    x : str
        Column of scale; its axis is logarithmic, and a loss runs from high to low.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    families = list(results["family"].unique()) if "family" in results else [None]
    metrics = list(results["metric"].unique())
    palette = colours(max(len(families), 1))
    for key, curve in results.groupby(curve_keys(results, x), dropna=False, sort=False):
        rows = curve.sort_values(x)
        family = rows["family"].iloc[0] if "family" in rows else None
        metric = rows["metric"].iloc[0]
        ax.errorbar(
            rows[x],
            rows["score"],
            yerr=rows["stderr"] if "stderr" in rows and rows["stderr"].notna().any() else None,
            color=palette[_place(family, families)],
            marker=_MARKERS[metrics.index(metric) % len(_MARKERS)],
            label=literal(_name(key, family, metric, len(families), len(metrics))),
            markersize=4,
            linewidth=1.2,
        )
    _chance_line(ax, results)
    ax.set(xlabel=label(x), ylabel=label("score"))
    if results[x].gt(0).all():
        ax.set_xscale("log")
    if x == "loss" and not ax.xaxis_inverted():
        ax.invert_xaxis()
    return ax


def _place(family: object, families: list[object]) -> int:
    """Return the place of a family, one that is missing among them."""
    return next((i for i, known in enumerate(families) if known is family or known == family), 0)


def _name(key: object, family: object, metric: str, n_families: int, n_metrics: int) -> str:
    parts = [str(family)] * (n_families > 1) + [str(metric)] * (n_metrics > 1 or n_families == 1)
    return ", ".join(parts)


def _chance_line(ax: Axes, results: pd.DataFrame) -> None:
    if "chance" in results and results["chance"].nunique() == 1:
        level = float(np.nanmedian(results["chance"]))
        ax.axhline(level, color=GREY, linewidth=0.8, zorder=0)
