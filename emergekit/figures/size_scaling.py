"""Figures of Nayak & Varshney 2024: compute-optimal sizes, excess entropy, emergence, plateaus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import theory
from emergekit.plots.axes import GREY, colours, label, panels
from emergekit.theory.ldpc import Convention
from emergekit.theory.skill_levels import Tail

__all__ = ["compute_optimal", "plateaus"]

_CONCEPTS_PER_TEXT = 6.0
_CHINCHILLA = {"flops": 5.73e23, "n_params": 63e9, "n_tokens": 1.4e12}  # as the paper marks it
_MIXTURES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "one mode": ((1.0,), (0.5,)),
    "three modes": ((0.4, 0.4, 0.2), (0.2, 0.6, 0.95)),
}
_STEP_LEVEL = 11


def compute_optimal(convention: Convention = "published") -> tuple[Figure, pd.DataFrame]:
    """Return the compute-optimal sizes of Nayak & Varshney, and the excess entropy they imply.

    Parameters
    ----------
    convention : {"published", "standard"}
        Signs of the finite-length parameter; see `theory.finite_length_alpha`.

    Returns
    -------
    Figure
        Parameters and tokens over compute, with the Chinchilla model as the paper marks it; and the
        lower bound on excess entropy over parameters, with Chinchilla's empirical law at the same
        sizes. The bound falls far faster: the theory promises more than models keep.
    DataFrame
        compute (concepts times texts), flops, n_params, n_tokens, n_concepts, n_texts, unlearned,
        excess_bound, excess_chinchilla (nats per token).

    References
    ----------
    Nayak & Varshney 2024, figure of compute-optimal size scaling and excess entropy.
    """
    table = _sizes(convention)
    figure, axes = panels(1, 2, width=4.5, height=3.6)
    blue, orange, *_ = colours(2)
    for name, colour, said in (
        ("n_params", blue, "parameters"),
        ("n_tokens", orange, "training tokens"),
    ):
        axes[0].plot(table["flops"], table[name], color=colour, linewidth=1.6, label=said)
        axes[0].plot(
            _CHINCHILLA["flops"], _CHINCHILLA[name], "*", color=colour, markersize=11, zorder=3,
            markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip
    axes[0].axvline(_CHINCHILLA["flops"], color=GREY, linewidth=0.9, linestyle="--", zorder=0)
    axes[0].annotate(
        "Chinchilla", (_CHINCHILLA["flops"], 3e8), xytext=(4, 0), textcoords="offset points",
        fontsize="small", color="0.35",
    )  # fmt: skip
    axes[0].set(xscale="log", yscale="log", xlabel=label("flops"), ylabel="parameters, or tokens")
    axes[0].set_title("A  both grow as the root of compute", loc="left", fontsize="medium")
    axes[1].plot(
        table["n_params"], table["excess_bound"], color=blue, linewidth=1.6,
        label="lower bound of the theory",
    )  # fmt: skip
    axes[1].plot(
        table["n_params"], table["excess_chinchilla"], color="0.35", linewidth=1.4,
        linestyle="-.", label="Chinchilla's law",
    )  # fmt: skip
    axes[1].set(xscale="log", yscale="log", xlabel=label("n_params"))
    axes[1].set_ylabel("excess entropy (nats per token)")
    axes[1].set_title("B  what is left to learn", loc="left", fontsize="medium")
    for ax in axes:
        ax.legend(frameon=False, loc="upper left" if ax is axes[0] else "lower left")
    return figure, table


def plateaus(
    tail: Tail = "chernoff", convention: Convention = "published"
) -> tuple[Figure, pd.DataFrame]:
    """Return emergence and plateaus of Nayak & Varshney: one level, one mode, three modes.

    Parameters
    ----------
    tail : {"chernoff", "exact"}
        The paper's bounds on the chance of an edge between two skills, or the chance itself.
    convention : {"published", "standard"}
        As in `compute_optimal`.

    Returns
    -------
    Figure
        Accuracy over model size for tasks of a single level of skills, where it is a step; how
        tasks of one and of three modes are spread over levels; and the accuracy on either. Plateaus
        lie at the cumulative weights of the modes, grey lines.
    DataFrame
        panel, n_params (or level), curve, score.

    References
    ----------
    Nayak & Varshney 2024, figure of emergence and plateauing.
    """
    N, R, T = _finer(_sizes(convention), ("n_params", "n_concepts", "n_texts"))
    needed = theory.concept_pairs_needed()[_STEP_LEVEL - 1]
    step = theory.level_giant_fraction(R, T, needed, _CONCEPTS_PER_TEXT, tail=tail) ** 7
    parts = [_part("A", "n_params", N, f"level {_STEP_LEVEL}", step)]
    factor = theory.prerequisites(R, T, _STEP_LEVEL, _CONCEPTS_PER_TEXT, tail=tail)
    figure, axes = panels(2, 2, width=4.2, height=2.8)
    palette = dict(zip(_MIXTURES, colours(2), strict=True))
    axes[0].plot(N, step, color="0.35", linewidth=1.6)
    for ax, (name, mixture) in zip(axes[2:], _MIXTURES.items(), strict=True):
        weights = theory.level_weights(*mixture)
        accuracy = theory.composed_accuracy(
            R, T, weights, _CONCEPTS_PER_TEXT, edge_factor=factor, tail=tail
        )
        levels = np.arange(1, len(weights) + 1)
        axes[1].plot(levels, weights, ".", color=palette[name], markersize=4.5, label=name)
        ax.plot(N, accuracy, color=palette[name], linewidth=1.6, zorder=3)
        parts.append(_part("B", "level", levels, name, weights))
        parts.append(_part("C" if ax is axes[2] else "D", "n_params", N, name, accuracy))
        for height in np.cumsum(mixture[0])[:-1]:
            ax.axhline(height, color=GREY, linewidth=0.9, linestyle="--", zorder=0)
    _dress(axes)
    return figure, pd.concat(parts, ignore_index=True)


def _sizes(convention: Convention) -> pd.DataFrame:
    """Return the optima of the budgets that the paper plots."""
    compute = np.geomspace(1e2, 1e20, 200)[30:170]
    best = theory.compute_optimal_sizes(compute, _CONCEPTS_PER_TEXT, convention=convention)
    n_params, n_tokens = best.n_params(), best.n_tokens()
    failing = theory.training_error(best.unlearned, _CONCEPTS_PER_TEXT, best.n_concepts)
    return pd.DataFrame(
        {
            "compute": compute,
            "flops": theory.flops_of_compute(compute),
            "n_params": n_params,
            "n_tokens": n_tokens,
            "n_concepts": best.n_concepts,
            "n_texts": best.n_texts,
            "unlearned": best.unlearned,
            "excess_bound": theory.excess_entropy_bound(failing),
            "excess_chinchilla": theory.chinchilla_excess(n_params, n_tokens),
        }
    )


def _finer(sizes: pd.DataFrame, names: Sequence[str]) -> list[np.ndarray]:
    """Return columns between whose rows there are three more, by power laws."""
    rows = np.arange(len(sizes))
    between = np.arange(0, len(sizes) - 0.75, 0.25)
    return [np.exp(np.interp(between, rows, np.log(sizes[name]))) for name in names]


def _part(
    panel: str, x: Literal["n_params", "level"], at: object, curve: str, score: object
) -> pd.DataFrame:
    return pd.DataFrame({"panel": panel, x: at, "curve": curve, "score": score})


def _dress(axes: list[Axes]) -> None:
    titles = (
        f"A  one level (level {_STEP_LEVEL}): a step",
        "B  levels that tasks need",
        "C  one mode: emergence",
        "D  three modes: plateaus",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, loc="left", fontsize="medium")
        if ax is axes[1]:
            ax.set(xlabel="skill level", ylabel="share of tasks")
            ax.legend(frameon=False, loc="upper left")
        else:
            ax.set(xscale="log", ylim=(-0.03, 1.05), xlabel=label("n_params"), ylabel="accuracy")
