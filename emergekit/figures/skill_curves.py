"""Figures of Arora & Goyal 2023: how bad skills can be when a share of texts fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emergekit import theory
from emergekit.plots.axes import panels, shades

__all__ = ["performance_curves"]

_ALPHAS = np.round(np.linspace(0.02, 0.98, 97), 2)
_SIMULATED = (0.1, 0.2, 0.3, 0.5, 0.7)
_CASES = {
    "A  texts of more skills pin them down better": [(0.05, 2), (0.05, 4), (0.05, 8), (0.05, 16)],
    "B  pairs and fours of skills, or failures doubled": [(0.05, 8), (0.1, 8), (0.2, 8)],
}


def performance_curves(
    n_skills: int = 200, n_texts: int = 40_000, seed: int = 0
) -> tuple[Figure, pd.DataFrame]:
    """Return the performance curves of Arora & Goyal: failures on skills when texts fail.

    Parameters
    ----------
    n_skills, n_texts : int
        Of the random graphs on which an adversary fails texts.
    seed : int
        Of the graphs.

    Returns
    -------
    Figure
        Failure rate that all but a share alpha of the skills stay below: by the paper's union bound
        (solid, up to where it says anything), exactly (dashed), and as an adversary brings it about
        on a random graph (dots). On the left 5 % of texts fail and texts have 2 to 16 skills; on
        the right texts have 8 skills and 5, 10 or 20 % fail, which is also (nearly) what pairs and
        fours of skills meet when 5 % fail.
    DataFrame
        panel, theta, k, alpha, union_bound, exact, simulated (NaN where none was simulated).

    References
    ----------
    Arora & Goyal 2023, figures of performance curves (from memory).
    """
    figure, axes = panels(1, 2, width=4.6, height=3.7, sharey=True)
    parts = []
    for ax, (title, cases) in zip(axes, _CASES.items(), strict=True):
        by_k = len({k for _, k in cases}) > 1
        for (theta, k), colour in zip(cases, shades(len(cases)), strict=True):
            rows = _rows(theta, k, n_skills, n_texts, seed).assign(panel=title[0])
            name = f"{k}" if by_k else f"{theta:.0%}"
            _draw(ax, rows, colour, name)
            parts.append(rows)
        heading = "skills per text" if by_k else "texts that fail"
        _explain(ax, heading, lines=ax is axes[1])
        ax.set_title(title, loc="left", fontsize="medium")
        ax.set(xlabel="share of skills that may be worse, α", xlim=(0, 1))
        ax.set(yscale="log", ylim=(0.045, 1.05))
    axes[0].set_ylabel("failure rate of all other skills")
    axes[0].set_yticks([0.05, 0.1, 0.2, 0.5, 1.0], ["5%", "10%", "20%", "50%", "100%"])
    axes[0].minorticks_off()
    table = pd.concat(parts, ignore_index=True)
    return figure, table[["panel", "theta", "k", "alpha", "union_bound", "exact", "simulated"]]


def _rows(theta: float, k: int, n_skills: int, n_texts: int, seed: int) -> pd.DataFrame:
    bound = np.minimum(theta * theory.performance_curve(_ALPHAS, theta, k), 1.0)
    bound[theory.max_alpha(theta, k) <= _ALPHAS] = np.nan
    exact = theta * theory.performance_curve(_ALPHAS, theta, k, method="exact")
    rows = pd.DataFrame({"theta": theta, "k": k, "alpha": _ALPHAS})
    rows = rows.assign(union_bound=bound, exact=exact, simulated=np.nan)
    for alpha in _SIMULATED:
        beta = theory.simulate_adversary(n_skills, n_texts, k, theta, alpha, seed=seed)
        rows.loc[rows["alpha"] == alpha, "simulated"] = theta * beta
    return rows


def _draw(ax: Axes, rows: pd.DataFrame, colour: Any, name: str) -> None:
    ax.plot(rows["alpha"], rows["union_bound"], color=colour, linewidth=1.8, label=name)
    ax.plot(rows["alpha"], rows["exact"], color=colour, linewidth=1.1, linestyle="--")
    ax.scatter(rows["alpha"], rows["simulated"], color=colour, s=18, linewidth=0, zorder=3)


def _explain(ax: Axes, heading: str, *, lines: bool) -> None:
    """Write a legend of colours, and on one of the panels another one of lines."""
    colours = ax.legend(frameon=False, title=heading, loc="upper right", alignment="left")
    if not lines:
        return
    how = [
        Line2D([], [], color="0.35", linewidth=1.8, label="union bound"),
        Line2D([], [], color="0.35", linewidth=1.1, linestyle="--", label="worst case, exactly"),
        Line2D([], [], color="0.35", linestyle="", marker="o", markersize=4, label="adversary"),
    ]
    ax.legend(handles=how, frameon=False, loc="upper center", bbox_to_anchor=(0.45, 1.0))
    ax.add_artist(colours)
