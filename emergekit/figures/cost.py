"""What fits cost in time, measured where the figure is drawn."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import datasets, laws
from emergekit.errors import FitWarning
from emergekit.fitting import Fit, bootstrap, fit
from emergekit.plots.axes import GREY, colours, panels

__all__ = ["fitting_cost"]

_NOISE = 0.01  # of the logarithm of a loss


def fitting_cost(
    points: Sequence[int] = (100, 1_000, 10_000, 100_000),
    resamples: Sequence[int] = (10, 100, 1_000, 10_000),
) -> tuple[Figure, pd.DataFrame]:
    """Return what a fit costs by its points, and a bootstrap by its draws, on this machine.

    Parameters
    ----------
    points : sequence of int
        Numbers of simulated runs to which the Chinchilla law is fitted.
    resamples : sequence of int
        Numbers of draws of a case bootstrap of its 240 published runs.

    Returns
    -------
    Figure
        CPU seconds against both, beside lines of proportional cost.
    DataFrame
        One row a measurement: work, n, cpu_seconds.
    """
    runs = datasets.load_chinchilla()
    runs = runs[runs["used_in_fit"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the figure is of their time
        whole = fit(laws.CHINCHILLA, runs)
        tables = [_simulated(whole, n) for n in points]
        rows = [("points", len(table), _cpu_seconds(_fitted, table)) for table in tables]
        rows += [("draws", n, _cpu_seconds(bootstrap, whole, n)) for n in resamples]
    table = pd.DataFrame(rows, columns=["work", "n", "cpu_seconds"])
    figure, (left, right) = panels(1, 2, width=4.2, height=3.4)
    _costs(left, table[table["work"] == "points"], "points in one fit")
    _costs(right, table[table["work"] == "draws"], "draws of a bootstrap of 240 runs")
    return figure, table


def _fitted(table: pd.DataFrame) -> Fit:
    return fit(laws.CHINCHILLA, table)


def _simulated(whole: Fit, n: int) -> pd.DataFrame:
    """Return runs scattered about the published ones, with losses of the law and noise."""
    rng = np.random.default_rng(n)
    scales = list(whole.law.variables)
    table = whole.data[scales].sample(n, replace=True, random_state=0, ignore_index=True)
    table *= np.exp(0.3 * rng.standard_normal(table.shape))
    loss = whole.law.predict(table, whole.params) * np.exp(_NOISE * rng.standard_normal(n))
    return table.assign(loss=loss)


def _cpu_seconds(function: Callable[..., object], *arguments: object) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def _costs(ax: Axes, table: pd.DataFrame, xlabel: str) -> None:
    n, seconds = table["n"].to_numpy(), table["cpu_seconds"].to_numpy()
    ax.plot(n, seconds[-1] * n / n[-1], color=GREY, linewidth=0.9, label="proportional")
    ax.plot(n, seconds, "o-", color=colours(1)[0], markersize=4, linewidth=1.2, label="measured")
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="CPU seconds")
    ax.legend(frameon=False, loc="upper left")
