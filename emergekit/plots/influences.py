"""The rows that a fit rests on."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emergekit.fitting.rows import require_columns
from emergekit.plots.axes import GREY, colours, literal, shortened

__all__ = ["plot_influence"]

_LARGEST = 260.0
"""Area of the dot of the most influential row, in points squared."""
_SMALLEST = 6.0


def plot_influence(influences: pd.DataFrame, *, n_named: int = 5, ax: Axes | None = None) -> Axes:
    """Draw the residual of each row against its leverage, as large as what the row does.

    Parameters
    ----------
    influences : DataFrame
        What `influence` returns.
    n_named : int
        Rows to name by their index, from the top of the table.
    ax : Axes, optional
        Where to draw; the current axes if None.

    Returns
    -------
    Axes
        The area of a dot is its Cook's distance, up to the least that can be seen; outliers have a
        colour of their own.
    """
    ax = plt.gca() if ax is None else ax
    needed = ("leverage", "standardised", "cook", "outlier")
    require_columns(influences, needed, where="plot_influence")
    cook = influences["cook"].fillna(0.0)
    area = np.maximum(_LARGEST * cook / max(float(cook.max()), np.finfo(float).tiny), _SMALLEST)
    plain, marked = colours(4)[0], colours(4)[3]
    ax.axhspan(-2, 2, color=GREY, alpha=0.2, linewidth=0, label="two deviations")
    ax.axhline(0, color=GREY, linewidth=0.9)
    for which, colour, name in ((False, plain, "row"), (True, marked, "outlier")):
        part = influences["outlier"] == which
        rows = influences[part]
        ax.scatter(
            rows["leverage"],
            rows["standardised"],
            s=area[part],
            color=colour,
            alpha=0.65,
            linewidths=0,
            label=name,
        )
    far = 0.7 * float(influences["leverage"].max())
    for row_name, row in influences.head(n_named).iterrows():
        left = row["leverage"] > far  # where a name on the right would leave the axes
        ax.annotate(
            literal(shortened(row_name, 24)),
            (row["leverage"], row["standardised"]),
            xytext=(-10 if left else 10, 0),
            textcoords="offset points",
            fontsize="small",
            ha="right" if left else "left",
            va="center",
        )
    ax.set(xlabel="leverage", ylabel="residual, observed - fit (robust deviations)")
    return ax
