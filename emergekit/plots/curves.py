"""Scores against scale."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from emergekit.emergence.shapes.curves import split_curves
from emergekit.laws.axis import axis_of
from emergekit.metrics import METRICS
from emergekit.plots.axes import GREY, label, literal
from emergekit.plots.styles import Styles, curve_styles, falls, metric_name

__all__ = ["draw_curves", "plot_curves"]

_NAMED = 12  # entries that a legend can hold and still be read
_ONE_STDERR = 0.3173  # share of a normal distribution beyond one standard deviation
_CHANCES = 4


def plot_curves(results: pd.DataFrame, x: str = "n_params", *, ax: Axes | None = None) -> Axes:
    """Draw every curve of a table of results, scores against scale.

    Colour is the model family, marker and line style the metric; with one family, colour is the
    task, and with one task the metric. The chance level, where known, is a grey line. Error bars
    are one standard error: `stderr` where given, else, of shares of right answers with
    `n_examples`, that of a binomial (Wilson's interval).

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
        Its curves have names, so ``plot_curves(results).legend()`` makes a legend. It names at
        most twelve, and how many more there are.

    Raises
    ------
    TableError
        If two rows of one curve share a value of `x`; the rows are named.
    """
    ax = plt.gca() if ax is None else ax
    draw_curves(results, x, curve_styles(results), ax)
    rows = results.drop_duplicates("metric")
    ax.set_ylabel(literal(metric_name(rows.iloc[0])) if len(rows) == 1 else label("score"))
    return ax


def draw_curves(results: pd.DataFrame, x: str, styles: Styles, ax: Axes) -> None:
    """Draw the curves of a table in given styles, so that several axes agree on them."""
    names: dict[str, None] = {}
    for _, rows in split_curves(results, x):
        name = styles.name(rows.iloc[0])
        fresh = name not in names and len(names) < _NAMED
        names[name] = None
        bars = _error_bars(rows)
        ax.errorbar(
            rows[x],
            rows["score"],
            yerr=bars,
            label=name if fresh else "_nolegend_",
            markersize=4,
            linewidth=1.3,
            elinewidth=0.8,
            **styles.curve(rows.iloc[0]),
        )
    if len(names) > _NAMED:
        # As an error bar: a legend lists plain lines before them.
        ax.errorbar([], [], fmt=" ", label=f"and {len(names) - _NAMED} more")
    _chance_lines(ax, results, styles)
    ax.set_xlabel(label(x))
    if results[x].gt(0).all():
        ax.set_xscale("log")
    if axis_of(x, None).falls and not ax.xaxis_inverted():
        ax.invert_xaxis()


def _error_bars(rows: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the reach below and above each score, shape (2, n); None if it is not known."""
    if "stderr" in rows and rows["stderr"].notna().any():
        reach = rows["stderr"].to_numpy(dtype=float)
        return np.vstack([reach, reach])
    if "n_examples" not in rows or not _is_binomial(rows):
        return None
    n = rows["n_examples"].to_numpy(dtype=float)
    known = n > 0
    score, n = rows["score"].to_numpy(dtype=float), np.where(known, n, 1.0)
    lower, upper = proportion_confint(score * n, n, alpha=_ONE_STDERR, method="wilson")
    reach = np.where(known, np.vstack([score - lower, upper - score]), np.nan)
    return np.maximum(reach, 0) if known.any() else None


def _is_binomial(rows: pd.DataFrame) -> bool:
    """Return whether scores are shares of examples that are right or wrong, as far as we know."""
    first = rows.iloc[0]
    metric = METRICS.get(str(first["metric"]))
    return (
        bool(rows["score"].between(0, 1).all())
        and not falls(first)
        and not (metric and metric.continuous)
    )


def _chance_lines(ax: Axes, results: pd.DataFrame, styles: Styles) -> None:
    """Draw the chance level of each metric, in its line style if there are several levels."""
    if "chance" not in results:
        return
    levels = results[["metric", "chance"]].dropna().drop_duplicates()
    several = levels["chance"].nunique() > 1
    if levels["chance"].nunique() > _CHANCES:
        return
    drawn = levels if several else levels.head(1)
    for metric, level in zip(drawn["metric"], drawn["chance"], strict=True):
        ax.axhline(
            float(level),
            color=GREY,
            linewidth=0.9,
            linestyle=styles.line(metric)["linestyle"] if several else "-",
            zorder=0,
            label=literal(f"chance, {metric}") if several else "chance",
        )
