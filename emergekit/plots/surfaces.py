"""The loss over model size and tokens, and the best way through it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitWarning
from emergekit.fitting import Fit, allocate
from emergekit.fitting.allocation.surface import FLOPS_PER_TOKEN_PARAM, Surface, surface_of
from emergekit.plots.axes import GREY, colours, label, power_of_ten, shades

__all__ = ["plot_surface"]

Array = NDArray[np.float64]

_N_LEVELS = 11
_N_GRID = 80
_N_BUDGETS = 30
_MARGIN = 0.35
"""In decades, around the runs and the budgets."""


def plot_surface(
    fit: Fit,
    flops: ArrayLike | None = None,
    *,
    level: float = 0.95,
    given: Mapping[str, float] | None = None,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
    ax: Axes | None = None,
) -> Axes:
    """Draw the loss over sizes and tokens, the runs, budgets, and the efficient frontier.

    Lines of equal loss are coloured, lines of equal compute dashed, dots the runs. The frontier
    N*(C) goes where the two touch; its band holds the intervals of `allocate` along each budget.

    Parameters
    ----------
    fit : Fit
        A loss in n_params and n_tokens.
    flops : float or array, optional
        Budgets whose best split is marked; the picture reaches as far as they do.
    level : float
        Coverage that the band aims at.
    given : mapping, optional
        Values of other variables of the law, such as ``{"n_unique_tokens": 1e11}``.
    flops_per_token_param : float
        k in C = k N D.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    given = {} if given is None else given
    k, runs = flops_per_token_param, fit.data
    surface = surface_of(fit, k, given)
    split = partial(_split, fit, level=level, given=given, k=k)
    marked = None if flops is None else split(flops)
    n_range, d_range = _ranges(runs, marked, k)
    _contours(ax, surface, n_range, d_range)
    budgets = (k * n_range[0] * d_range[0], k * n_range[1] * d_range[1])
    _equal_compute(ax, budgets, n_range, d_range, k)
    frontier = split(np.geomspace(*budgets, _N_BUDGETS))
    lower, upper = (frontier[end].to_numpy() for end in ("lower", "upper"))
    compute = frontier["flops"].to_numpy() / k
    if np.isfinite(lower).all():
        ax.fill(
            np.concatenate([lower, upper[::-1]]),
            np.concatenate([compute / lower, (compute / upper)[::-1]]),
            color=colours(2)[1],
            alpha=0.25,
            linewidth=0,
            label=f"{level:.0%} interval",
        )
    ax.plot(
        frontier["estimate"],
        compute / frontier["estimate"],
        color=colours(2)[1],
        linewidth=1.8,
        label="best split",
    )
    ax.scatter(runs["n_params"], runs["n_tokens"], s=8, color="0.2", linewidth=0, label="runs")
    if marked is not None:
        _mark(ax, marked, k)
    ax.set(
        xscale="log",
        yscale="log",
        xlim=n_range,
        ylim=d_range,
        xlabel=label("n_params"),
        ylabel=label("n_tokens"),
    )
    # Above the axes: inside, it would cover lines and their names.
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize="small", frameon=False)
    return ax


def _split(
    fit: Fit, flops: ArrayLike, *, level: float, given: Mapping[str, float], k: float
) -> pd.DataFrame:
    """Return the rows of `allocate` for the size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # of draws; `allocate` itself says it
        rows = allocate(fit, flops, level, given=given, flops_per_token_param=k)
    return rows[rows["term"] == "n_params"].reset_index(drop=True)


def _ranges(
    runs: pd.DataFrame, marked: pd.DataFrame | None, k: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    sizes, tokens = runs["n_params"].to_numpy(), runs["n_tokens"].to_numpy()
    if marked is not None:
        best = marked["estimate"].to_numpy()
        sizes = np.r_[sizes, best]
        tokens = np.r_[tokens, marked["flops"].to_numpy() / (k * best)]
    factor = 10**_MARGIN
    n_range, d_range = (
        (float(counts.min() / factor), float(counts.max() * factor)) for counts in (sizes, tokens)
    )
    return n_range, d_range


def _contours(
    ax: Axes, surface: Surface, n_range: tuple[float, float], d_range: tuple[float, float]
) -> None:
    """Draw lines of equal loss, named at the right and at the lower edge."""
    sizes, tokens = np.geomspace(*n_range, _N_GRID), np.geomspace(*d_range, _N_GRID)
    n, d = np.meshgrid(sizes, tokens)
    columns = {"n_params": n, "n_tokens": d, **surface.given}
    columns |= {"flops": surface.flops_per_token_param * n * d, "tokens_per_param": d / n}
    loss = surface.law.predict(columns, surface.params)
    low, high = float(np.nanmin(loss)), float(np.nanmax(loss))
    levels = np.unique(np.round(np.geomspace(low, high, _N_LEVELS + 2)[1:-1], 2))
    lines = ax.contour(n, d, loss, levels=levels, cmap="crest_r", linewidths=1.0, zorder=1)
    right, bottom = -_N_GRID // 16, _N_GRID // 24
    places = [
        _crossing(loss[:, right], tokens, level, lambda y: (sizes[right], y))
        or _crossing(loss[bottom], sizes, level, lambda x: (x, tokens[bottom]))
        for level in levels
    ]
    # The lower left corner is where budgets are named.
    named = [place for place in places if place is not None and place[0] > sizes[_N_GRID // 8]]
    for text in ax.clabel(lines, fmt="%.2f", fontsize="x-small", inline=False, manual=named):
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    ax.plot([], [], color=shades(3)[1], linewidth=1.0, label=label(surface.law.response))


def _crossing(
    loss: Array, along: Array, level: float, place: Callable[[float], tuple[float, float]]
) -> tuple[float, float] | None:
    """Return where a falling loss passes a level, None if it does not."""
    if not loss.min() < level < loss.max():
        return None
    return place(float(np.exp(np.interp(-level, -loss, np.log(along)))))


def _equal_compute(
    ax: Axes,
    budgets: tuple[float, float],
    n_range: tuple[float, float],
    d_range: tuple[float, float],
    k: float,
) -> None:
    """Draw the budgets that are powers of ten, named where they enter the picture."""
    first, last = np.ceil(np.log10(budgets[0])), np.floor(np.log10(budgets[1]))
    for exponent in np.arange(first, last + 1):
        product = 10**exponent / k
        n = np.array([max(n_range[0], product / d_range[1]), min(n_range[1], product / d_range[0])])
        (line,) = ax.plot(
            n, product / n, color=GREY, linewidth=0.7, linestyle=(0, (4, 4)), zorder=0
        )
        line.set_label(label("flops") if exponent == first else "_nolegend_")
        if n[0] > n_range[1] / 2:  # no room for the name
            continue
        ax.annotate(
            power_of_ten(10**exponent),
            (n[0], product / n[0]),
            xytext=(3, -3),
            textcoords="offset points",
            color="0.4",
            fontsize="x-small",
            va="top",
        )


def _mark(ax: Axes, marked: pd.DataFrame, k: float) -> None:
    """Draw the best split of some budgets, with its interval along the budget."""
    for _, row in marked.iterrows():
        ends = np.array([row["lower"], row["upper"]])
        ax.plot(ends, row["flops"] / (k * ends), color="0.1", linewidth=1.4, zorder=4)
    ax.scatter(
        marked["estimate"],
        marked["flops"] / (k * marked["estimate"]),
        marker="*",
        s=110,
        color="0.1",
        zorder=5,
        label="at " + ", ".join(power_of_ten(budget) for budget in marked["flops"]) + " FLOPs",
    )
