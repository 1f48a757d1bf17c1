"""How sure a fit is: the profile of a parameter, and draws of a pair of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from emergekit.errors import FitError, unknown
from emergekit.fitting import Fit, profile
from emergekit.fitting.bands import student_reach
from emergekit.plots.axes import GREY, colours, literal

__all__ = ["plot_draws", "plot_profile"]


def plot_profile(fit: Fit, term: str, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw how much worse the fit gets along one parameter, with the interval that follows.

    Parameters
    ----------
    fit : Fit
        What to draw.
    term : str
        The parameter.
    level : float
        Of the interval.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
        Distance from the estimate in standard errors, negative below it: a straight line where the
        interval is symmetric.
    """
    ax = plt.gca() if ax is None else ax
    table = profile(fit, term, level=level)
    estimate = float(fit.params[term])
    distance = np.sign(table[term] - estimate) * np.sqrt(table["statistic"])
    reach = student_reach(level, int(fit.stats["df_residual"].iloc[0]))
    ax.axhspan(-reach, reach, color=GREY, alpha=0.2, linewidth=0, label=f"{level:.0%} interval")
    error = float(np.sqrt(fit.cov[term][term]))
    if np.isfinite(error):
        log = next(p.scale == "log" for p in fit.law.parameters if p.name == term)
        away = np.log(table[term] / estimate) * estimate if log else table[term] - estimate
        ax.plot(
            table[term],
            away / error,
            color=GREY,
            linewidth=0.9,
            linestyle="--",
            label="standard error",
        )
    ax.plot(table[term], distance, color=colours(1)[0], linewidth=1.4, label="profile")
    ax.plot(estimate, 0.0, "o", color=colours(1)[0], markersize=4)
    ax.set(xlabel=literal(term), ylabel="standard errors from the fit")
    limit = 1.15 * max(reach, float(np.abs(distance).max()))
    ax.set_ylim(-limit, limit)
    ax.legend(frameon=False, loc="upper left", fontsize="small")
    return ax


def plot_draws(fit: Fit, x: str, y: str, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw the bootstrap draws of two parameters, with their intervals and the estimate.

    Parameters
    ----------
    fit : Fit
        With draws, from `bootstrap`.
    x, y : str
        Parameters.
    level : float
        Of the intervals, which are drawn as lines.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes

    Raises
    ------
    FitError
        If the fit has no draws, or a parameter is unknown.
    """
    ax = plt.gca() if ax is None else ax
    if fit.draws is None:
        raise FitError("this fit has no draws; draw some with ek.bootstrap(fit).")
    for term in (x, y):
        if term not in fit.law.names:
            raise FitError(unknown(f"parameter of {fit.law.name}", term, fit.law.names))
    frame = fit.to_frame(level).set_index("term")
    colour = colours(1)[0]
    size = float(np.clip(4000 / len(fit.draws), 2, 16))
    ax.scatter(fit.draws[x], fit.draws[y], s=size, alpha=0.25, linewidth=0, color=colour)
    for line, term in ((ax.axvline, x), (ax.axhline, y)):
        for end in ("lower", "upper"):
            line(float(frame[end][term]), color=GREY, linewidth=0.8, linestyle="--")
    ax.plot(fit.params[x], fit.params[y], "o", color="black", markersize=4, zorder=3)
    scales = {p.name: p.scale for p in fit.law.parameters}
    ax.set(
        xlabel=literal(x),
        ylabel=literal(y),
        xscale="log" if scales[x] == "log" and _spans(fit, x) else "linear",
        yscale="log" if scales[y] == "log" and _spans(fit, y) else "linear",
    )
    return ax


def _spans(fit: Fit, term: str) -> bool:
    """Return whether draws of a parameter span enough of its logarithm to need that scale."""
    drawn = np.zeros(1) if fit.draws is None else fit.draws[term].to_numpy()
    return bool(drawn.min() > 0 and drawn.max() > 5 * drawn.min())
