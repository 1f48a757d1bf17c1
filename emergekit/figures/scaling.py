"""Figures of scaling laws."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import datasets, laws
from emergekit.errors import FitWarning
from emergekit.fitting import Fit, fit
from emergekit.plots.axes import label, panels
from emergekit.plots.fits import plot_residuals

__all__ = ["chinchilla"]


def chinchilla() -> tuple[Figure, pd.DataFrame]:
    """Return the Chinchilla law on the 240 runs of its replication, with its residuals.

    Returns
    -------
    Figure
        Loss against model size, coloured by compute, with the law at eight budgets; and what the
        law leaves over, against compute.
    DataFrame
        The runs with predicted, lower, upper (95 % of new runs) and residual (log loss).

    References
    ----------
    Hoffmann et al. 2022, section 3.3 and figure 4; Besiroglu et al. 2024.
    """
    runs = datasets.load_chinchilla()
    runs = runs[runs["used_in_fit"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # a figure of the fit; the fit itself says it
        law_fit = fit(laws.CHINCHILLA, runs)
    predicted = law_fit.predict(runs)
    table = runs.join(predicted).assign(residual=np.log(runs["loss"] / predicted["predicted"]))
    figure, (left, right) = panels(1, 2, width=4.6, height=3.6)
    _isoflops(figure, left, law_fit, runs)
    plot_residuals(law_fit, x=runs["flops"], ax=right)
    left.set_title("loss = E + A / N^α + B / D^β, at eight budgets", loc="left", fontsize="medium")
    right.set_title("what the law leaves over (band: one sd)", loc="left", fontsize="medium")
    return figure, table


def _isoflops(figure: Figure, ax: Axes, law_fit: Fit, runs: pd.DataFrame) -> None:
    logs = np.log10(runs["flops"])
    dots = ax.scatter(runs["n_params"], runs["loss"], c=logs, cmap="viridis_r", s=12)
    sizes = np.geomspace(runs["n_params"].min(), runs["n_params"].max(), 200)
    for budget in np.linspace(logs.min(), logs.max(), 8):
        line = pd.DataFrame({"n_params": sizes, "n_tokens": 10**budget / (6 * sizes)})
        line = line[line["n_tokens"].between(runs["n_tokens"].min(), runs["n_tokens"].max())]
        loss = law_fit.predict(line)["predicted"]
        ax.plot(line["n_params"], loss, color=dots.to_rgba(budget), linewidth=1)
    bar = figure.colorbar(dots, ax=ax, label="training compute (FLOPs)", aspect=30)
    ticks = np.arange(np.ceil(logs.min()), np.floor(logs.max()) + 1)
    bar.set_ticks(list(ticks), labels=[f"$10^{{{tick:.0f}}}$" for tick in ticks])
    ax.set(xscale="log", xlabel=label("n_params"), ylabel=label("loss"))
