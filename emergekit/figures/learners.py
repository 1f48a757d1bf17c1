"""Figures of Liao, Chang & Hong 2024: abstract learners on random graphs of skills and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emergekit import theory
from emergekit.plots.axes import GREY, colours, panels, shades

__all__ = ["hierarchy", "learning"]

_RATIOS = np.linspace(0.02, 2.4, 239)
_DOTS = np.round(np.arange(0.2, 2.41, 0.2), 2)
_RATIO = "texts per skill, R"


def learning(
    mean_skills: Sequence[float] = (2.0, 3.0, 4.0), n_skills: int = 20_000, seed: int = 0
) -> tuple[Figure, pd.DataFrame]:
    """Return what abstract learners learn, understand and connect, by texts per skill.

    Parameters
    ----------
    mean_skills : sequence of float
        Mean skills per text; above e = 2.718 learning jumps.
    n_skills : int
        Of the random graphs on which texts are learned one after another.
    seed : int
        Of the graphs.

    Returns
    -------
    Figure
        Share of skills learned; share of fresh texts not understood, on a logarithmic axis; share
        of skills in the largest connected component of what is learned, by the walk among learned
        skills (solid) and by the formula for skills that are known at random (dotted). Lines are
        theory, dots one simulated graph each.
    DataFrame
        mean_skills, ratio, source (theory or simulation), learned, testing_error, giant, giant_iid.

    References
    ----------
    Liao, Chang & Hong 2024 (quantities of the abstract; its captions were not at hand).
    """
    figure, axes = panels(1, 3, width=3.6, height=3.4)
    names = ("learned", "testing_error", "giant")
    parts = []
    for c, colour in zip(mean_skills, colours(len(mean_skills)), strict=True):
        lines, dots = _curves(c), _simulated(c, n_skills, seed)
        parts += [lines, dots]
        for ax, name in zip(axes, names, strict=True):
            _broken(ax, lines, name, color=colour, linewidth=1.5, label=f"{c:g}")
            ax.scatter(dots["ratio"], dots[name], s=15, color=colour, linewidth=0, zorder=3)
        _broken(axes[2], lines, "giant_iid", color=colour, linewidth=1.0, linestyle=":")
    titles = ("A  skills learned", "B  fresh texts not understood", "C  learned and connected")
    said = ("share of skills", "share of texts (test error)", "share of skills in the largest part")
    for ax, title, name in zip(axes, titles, said, strict=True):
        ax.set_title(title, loc="left", fontsize="medium")
        ax.set(xlabel=_RATIO, ylabel=name, xlim=(0, 2.45))
    axes[0].legend(frameon=False, title="skills per text", loc="lower right", alignment="left")
    axes[1].set(yscale="log", ylim=(7e-4, 1.4))
    how = [
        Line2D([], [], color="0.35", linewidth=1.5, label="learned skills"),
        Line2D([], [], color="0.35", linewidth=1.0, linestyle=":", label="as many at random"),
        Line2D([], [], color="0.35", linestyle="", marker="o", markersize=4, label="simulated"),
    ]
    axes[2].legend(
        handles=how, frameon=False, loc="center right", fontsize="x-small", handlelength=1.4
    )
    return figure, pd.concat(parts, ignore_index=True)


def hierarchy(
    foundations: Sequence[float] = (0.8, 1.0, 1.1, 2.0), n_skills: int = 10_000, seed: int = 0
) -> tuple[Figure, pd.DataFrame]:
    """Return how a domain is learned on top of foundations of different quality.

    Parameters
    ----------
    foundations : sequence of float
        Texts per skill that each foundation was trained on, with 3 skills per text.
    n_skills : int
        Domain skills of the random graphs.
    seed : int
        Of the graphs.

    Returns
    -------
    Figure
        Share of domain skills learned by domain texts per skill, for each foundation; and the
        threshold of the domain by what the foundation was trained on. Domain texts have 3 domain
        skills and 2 basic ones on average. Lines are theory, dots one simulated graph each.
    DataFrame
        foundation_ratio, foundation_learned, ratio, source, learned, threshold.

    References
    ----------
    Liao, Chang & Hong 2024: foundation and fine-tuned models (equations derived here).
    """
    domain, basic = 3.0, 2.0
    figure, axes = panels(1, 2, width=4.3, height=3.4)
    parts = []
    for place, (r1, colour) in enumerate(zip(foundations, shades(len(foundations)), strict=True)):
        foundation = theory.learning_curve(r1, domain)
        q1 = float(foundation.unlearned_edge)
        ratios = np.linspace(0.05, 6.0, 239)
        lines = pd.DataFrame({"ratio": ratios, "source": "theory"})
        lines["learned"] = theory.fine_tuned_curve(ratios, domain, basic, q1).learned
        dots = _fine_tuned(r1, basic, domain, n_skills, seed + place)
        threshold = float(theory.fine_tuned_threshold(domain, basic, q1))
        found = pd.concat([lines, dots], ignore_index=True).assign(
            foundation_ratio=r1, foundation_learned=1 - q1, threshold=threshold
        )
        parts.append(found)
        _broken(axes[0], lines, "learned", color=colour, linewidth=1.5, label=f"{1 - q1:.0%}")
        axes[0].scatter(dots["ratio"], dots["learned"], s=15, color=colour, linewidth=0, zorder=3)
        axes[1].scatter(r1, threshold, s=34, color=colour, linewidth=0, zorder=3)
    _thresholds(axes[1], domain, basic)
    axes[0].legend(
        frameon=False, title="basic skills known", loc="center", fontsize="small",
        bbox_to_anchor=(0.5, 0.55),
        alignment="left",
    )  # fmt: skip
    axes[0].set(xlabel="domain texts per domain skill, $R_2$", ylabel="share of domain skills")
    axes[0].set_title("A  domain skills learned", loc="left", fontsize="medium")
    return figure, pd.concat(parts, ignore_index=True)


def _thresholds(ax: Axes, domain: float, basic: float) -> None:
    """Draw where the domain emerges, by the foundation's texts per skill."""
    ratios = np.linspace(0.4, 2.4, 201)
    q1 = theory.learning_curve(ratios, domain).unlearned_edge
    line = pd.DataFrame({"ratio": ratios, "y": theory.fine_tuned_threshold(domain, basic, q1)})
    _broken(ax, line, "y", color="0.35", linewidth=1.5)
    alone = float(theory.emergence_threshold(domain))
    ax.axhline(alone, color=GREY, linewidth=0.9, linestyle="--")
    ax.annotate(
        "no basic skill is missing", (2.4, alone), xytext=(0, -4), textcoords="offset points",
        ha="right", va="top", fontsize="small", color="0.35",
    )  # fmt: skip
    ax.set(
        xlabel="the foundation's texts per skill, $R_1$", ylabel="threshold of the domain, $R_2^*$"
    )
    ax.set(ylim=(0, None))
    ax.set_title("B  where the domain emerges", loc="left", fontsize="medium")


def _curves(c: float) -> pd.DataFrame:
    curve = theory.learning_curve(_RATIOS, c)
    return pd.DataFrame(
        {
            "mean_skills": c,
            "ratio": _RATIOS,
            "source": "theory",
            "learned": curve.learned,
            "testing_error": curve.testing_error,
            "giant": theory.giant_learned(_RATIOS, c),
            "giant_iid": theory.giant_fraction(_RATIOS, c, curve.learned),
        }
    )


def _simulated(c: float, n_skills: int, seed: int) -> pd.DataFrame:
    rows = []
    for place, ratio in enumerate(_DOTS):
        rng = np.random.default_rng([seed, place])
        graph = theory.random_graph(n_skills, ratio, c, rng)
        learned = theory.peel(graph).learned
        fresh = theory.random_graph(n_skills, ratio, c, rng)
        rows.append(
            {
                "mean_skills": c,
                "ratio": ratio,
                "source": "simulation",
                "learned": learned.mean(),
                "testing_error": 1 - theory.understood_texts(fresh, learned).mean(),
                "giant": theory.giant_component(graph, learned),
            }
        )
    return pd.DataFrame(rows)


def _fine_tuned(r1: float, basic: float, domain: float, n_skills: int, seed: int) -> pd.DataFrame:
    """Return a domain learned after a simulated foundation, whose gaps cost domain texts."""
    known = theory.peel(theory.random_graph(n_skills, r1, domain, seed)).learned.mean()
    rng = np.random.default_rng([seed, 1])
    rows = []
    for ratio in np.arange(0.4, 6.01, 0.4):
        useful = rng.binomial(round(ratio * n_skills), np.exp(-basic * (1 - known))) / n_skills
        graph = theory.random_graph(n_skills, max(useful, 1 / n_skills), domain, rng)
        rows.append(
            {"ratio": ratio, "source": "simulation", "learned": theory.peel(graph).learned.mean()}
        )
    return pd.DataFrame(rows)


def _broken(ax: Axes, rows: pd.DataFrame, name: str, **style: Any) -> None:
    """Draw a line that leaves a gap where the quantity jumps."""
    x, y = rows["ratio"].to_numpy(), rows[name].to_numpy(dtype=float)
    jump = np.flatnonzero(np.abs(np.diff(y)) > 0.12 * np.ptp(y))
    x, y = np.insert(x, jump + 1, np.nan), np.insert(y, jump + 1, np.nan)
    ax.plot(x, y, **style)
