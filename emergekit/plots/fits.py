"""Fits against the rows they were made from."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emergekit.fitting import Fit
from emergekit.plots.axes import GREY, colours, label

__all__ = ["plot_fit", "plot_residuals"]

_WIDE = 10
"""A variable that spans less than this factor, such as a loss, is drawn on a linear axis."""


def plot_fit(fit: Fit, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw a fit with the interval of a new row.

    A law of one variable is drawn as a curve through the rows; a law of several as observed
    against predicted on equal axes, with the line where both agree.

    Parameters
    ----------
    fit : Fit
        What to draw.
    level : float
        Coverage that the band aims at.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    response = str(fit.stats["response"].iloc[0])
    if len(fit.law.variables) == 1:
        return _curve(fit, response, level, ax)
    # By position: the rows of a fit may share index labels.
    observed = fit.data[response].to_numpy(dtype=float)
    predicted = fit.predict(fit.data, level)
    order = np.argsort(predicted["predicted"].to_numpy())
    line = predicted.iloc[order]
    # One interval a row: rows of one prediction may differ in the variables behind it.
    ax.vlines(
        line["predicted"],
        line["lower"],
        line["upper"],
        color=GREY,
        alpha=0.3,
        linewidth=2,
        zorder=1,
        label=f"{level:.0%} of new rows",
    )
    ax.plot(line["predicted"], line["predicted"], color=GREY, linewidth=0.9, label="agreement")
    ax.scatter(line["predicted"], observed[order], s=10, color=colours(1)[0], zorder=3)
    ax.set(xlabel=f"predicted {label(response)}", ylabel=f"observed {label(response)}")
    _equal_axes(ax, np.concatenate([observed, line["predicted"].to_numpy()]))
    ax.legend(frameon=False, loc="upper left")
    return ax


def plot_residuals(fit: Fit, *, x: pd.Series | None = None, ax: Axes | None = None) -> Axes:
    """Draw the residuals of a fit, on the scale of its objective, with one standard deviation.

    Parameters
    ----------
    fit : Fit
        What to draw.
    x : Series, optional
        What to draw them against, one value a row of the fit; its first variable if None.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    response = str(fit.stats["response"].iloc[0])
    against = fit.data[fit.law.variables[0]] if x is None else x
    predicted = fit.predict(fit.data)["predicted"].to_numpy()
    residuals = -fit.objective.residuals(fit.data[response].to_numpy(), predicted)
    deviation = float(fit.stats["residual_sd"].iloc[0])
    ax.axhspan(
        -deviation, deviation, color=GREY, alpha=0.25, linewidth=0, label="one standard deviation"
    )
    ax.axhline(0, color=GREY, linewidth=0.9)
    ax.scatter(against, residuals, s=10, color=colours(1)[0])
    name = {"log": f"ln {response}", "log1p": f"ln (1 + {response})"}
    ax.set(
        xscale="log" if against.min() > 0 and against.max() > _WIDE * against.min() else "linear",
        xlabel=label(str(against.name)),
        ylabel=f"residual of {name.get(fit.objective.residual, response)} (observed - fit)",
    )
    return ax


def _curve(fit: Fit, response: str, level: float, ax: Axes) -> Axes:
    variable = fit.law.variables[0]
    x = fit.data[variable]
    wide = x.min() > 0 and x.max() > _WIDE * x.min()
    spaced = np.geomspace if wide else np.linspace
    grid = pd.DataFrame({variable: spaced(x.min(), x.max(), 200)})
    band = fit.predict(grid, level)
    ax.fill_between(
        grid[variable], band["lower"], band["upper"], color=GREY, alpha=0.25, linewidth=0
    )
    ax.plot(grid[variable], band["predicted"], color=colours(1)[0], linewidth=1.2)
    ax.scatter(x, fit.data[response], s=12, color=colours(1)[0])
    ax.set(xscale="log" if wide else "linear", xlabel=label(variable), ylabel=label(response))
    return ax


def _equal_axes(ax: Axes, values: np.ndarray) -> None:
    """Give both axes the range of all values, so that agreement is the diagonal."""
    margin = 0.04 * float(np.ptp(values)) or 0.5
    limits = (float(values.min()) - margin, float(values.max()) + margin)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
