"""Figures of scaling laws."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from emergekit import datasets, laws
from emergekit.errors import FitWarning
from emergekit.fitting import Fit, fit
from emergekit.plots.axes import label, panels
from emergekit.plots.fits import plot_residuals

__all__ = ["chinchilla"]

_BUDGETS = (1e19, 3e19, 1e20, 3e20, 1e21, 3e21)  # six of the nine of the paper, evenly spaced


def chinchilla(law_fit: Fit | None = None) -> tuple[Figure, pd.DataFrame]:
    """Return the Chinchilla law on the 240 runs of its replication, with its residuals.

    Parameters
    ----------
    law_fit : Fit, optional
        The fit to those 240 runs, where it has been made already.

    Returns
    -------
    Figure
        Loss against model size, coloured by compute, with the law at six budgets and the five runs
        that the replication leaves out as hollow points; and what the law leaves over, against
        compute.
    DataFrame
        The runs with predicted, lower, upper (95 % of new runs) and residual (log loss).

    References
    ----------
    Hoffmann et al. 2022, section 3.3 and figure 4; Besiroglu et al. 2024.
    """
    every = datasets.load_chinchilla()
    runs = every[every["used_in_fit"]]
    law_fit = _fitted(runs) if law_fit is None else law_fit
    predicted = law_fit.predict(runs)
    table = runs.join(predicted).assign(residual=np.log(runs["loss"] / predicted["predicted"]))
    figure, (left, right) = panels(1, 2, width=4.9, height=4.0)
    dots = _isoflops(left, law_fit, runs)
    _excluded(left, every[~every["used_in_fit"]])
    left.set_yscale("log")
    left.set_yticks([2, 2.5, 3, 3.5, 4, 5], ["2", "2.5", "3", "3.5", "4", "5"])
    left.yaxis.set_minor_locator(NullLocator())
    _colour_bar(figure, left, dots)
    plot_residuals(law_fit, x=runs["flops"], ax=right)
    right.legend(frameon=False, loc="best", fontsize="small")
    left.set_title(r"$L(N, D) = E + A / N^{\alpha} + B / D^{\beta}$", loc="left", fontsize="medium")
    right.set_title("what the law leaves over", loc="left", fontsize="medium")
    return figure, table


def _fitted(runs: pd.DataFrame) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # a figure of the fit; the fit itself says it
        return fit(laws.CHINCHILLA, runs)


def _colours() -> Colormap:
    """Return viridis from light to dark without its yellow end, which white swallows."""
    return ListedColormap(colormaps["viridis"](np.linspace(0.82, 0.0, 256)))


def _isoflops(ax: Axes, law_fit: Fit, runs: pd.DataFrame) -> PathCollection:
    """Draw the runs, and the law at each budget, labelled where its curve ends."""
    logs = np.log10(runs["flops"])
    dots = ax.scatter(runs["n_params"], runs["loss"], c=logs, cmap=_colours(), s=12)
    sizes = np.geomspace(runs["n_params"].min(), runs["n_params"].max(), 200)
    for budget in _BUDGETS:
        line = pd.DataFrame({"n_params": sizes, "n_tokens": budget / (6 * sizes)})
        line = line[line["n_tokens"].between(runs["n_tokens"].min(), runs["n_tokens"].max())]
        loss = law_fit.predict(line)["predicted"]
        colour = dots.to_rgba(np.array([np.log10(budget)]))[0]
        ax.plot(line["n_params"], loss, color=colour, linewidth=1.2)
        ax.annotate(
            _power(budget),
            (line["n_params"].iloc[-1], loss.iloc[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            color=colour,
            fontsize="small",
            va="center",
        )
    ax.set(xscale="log", xlabel=label("n_params"), ylabel=label("loss"))
    ax.set_xlim(right=sizes[-1] * 2.4)
    return dots


def _power(budget: float) -> str:
    exponent = int(np.floor(np.log10(budget)))
    factor = round(budget / 10**exponent)
    times = "" if factor == 1 else rf"{factor} \times "
    return f"${times}10^{{{exponent}}}$"


def _excluded(ax: Axes, runs: pd.DataFrame) -> None:
    ax.scatter(runs["n_params"], runs["loss"], s=16, facecolors="none", edgecolors="0.35")
    middle = runs.sort_values("loss").iloc[len(runs) // 2]
    ax.annotate(
        f"{len(runs)} runs left out of the fit",
        (middle["n_params"], middle["loss"]),
        xytext=(20, 0),
        textcoords="offset points",
        fontsize="small",
        color="0.35",
        va="center",
    )


def _colour_bar(figure: Figure, ax: Axes, dots: PathCollection) -> None:
    """Draw the colour bar inside the panel, where it cannot be taken for the next one's axis."""
    inside = ax.inset_axes((0.08, 0.86, 0.36, 0.03))
    bar = figure.colorbar(dots, cax=inside, orientation="horizontal")
    ticks = np.arange(19, 23)
    bar.set_ticks(list(ticks), labels=[f"$10^{{{tick}}}$" for tick in ticks])
    inside.tick_params(labelsize="small")
    inside.set_title(label("flops"), fontsize="small", loc="left")
