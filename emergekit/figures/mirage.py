"""Figures of Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities a Mirage?"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emergekit import datasets
from emergekit.emergence.curves import curve_shapes
from emergekit.plots.axes import GREY, colours, label, panels
from emergekit.tables import join_models
from emergekit.theory import mirage as theory

__all__ = ["annotated_metrics", "emergence_scores", "mathematical_model"]

_METRIC_NAMES = {
    "multiple_choice_grade": "multiple choice grade",
    "exact_match": "exact match",
    "exact_str_match": "exact string match",
    "confidence_brier": "Brier (confidence)",
    "bleu": "BLEU",
}


def mathematical_model(
    c: float = 1e9,
    alpha: float = -0.5,
    lengths: Sequence[int] = (1, 2, 3, 4, 5),
    n_choices: Sequence[int] = (2, 4),
) -> tuple[Figure, pd.DataFrame]:
    """Return the paper's figure 2: one smooth loss seen through six metrics.

    Parameters
    ----------
    c, alpha : float
        Constants of the loss (N/c)^alpha. The paper gives none; these are ours.
    lengths : sequence of int
        Target lengths K of exact match and edit distance, in tokens.
    n_choices : sequence of int
        Numbers of choices of the grade and the Brier score.

    Returns
    -------
    Figure
        Six panels over model size. Where lower is better the axis is turned over, so that up is
        better in all but the first.
    DataFrame
        n_params, metric, n_target_tokens or n_choices, score.
    """
    sizes = np.geomspace(1e8, 1e12, 81)
    loss = theory.power_law_loss(sizes, c, alpha)
    p = theory.p_token(loss)
    parts = [
        _part(sizes, "cross_entropy", loss),
        _part(sizes, "p_token", p),
        *(
            _part(sizes, "exact_match", theory.expected_exact_match(p, k), n_target_tokens=k)
            for k in lengths
        ),
        *(
            _part(
                sizes,
                "multiple_choice_grade",
                theory.expected_multiple_choice_grade(p, k),
                n_choices=k,
            )
            for k in n_choices
        ),
        *(
            _part(
                sizes,
                "token_edit_distance",
                theory.expected_token_edit_distance(p, k),
                n_target_tokens=k,
            )
            for k in lengths
        ),
        *(
            _part(sizes, "brier_mean", theory.expected_brier_mean(p, k), n_choices=k)
            for k in n_choices
        ),
    ]
    table = pd.concat(parts, ignore_index=True)
    figure, axes = panels(2, 3, width=3.3, height=2.7)
    drawings = (
        ("cross_entropy", "A  cross-entropy (nats per token)", None),
        ("p_token", "B  chance that a token is right", None),
        ("exact_match", "C  exact match: nonlinear", "n_target_tokens"),
        ("multiple_choice_grade", "D  multiple choice grade: a step", "n_choices"),
        ("token_edit_distance", "E  token edit distance: linear", "n_target_tokens"),
        ("brier_mean", "F  Brier score: continuous", "n_choices"),
    )
    for ax, (metric, title, by) in zip(axes, drawings, strict=True):
        _panel(ax, table[table["metric"] == metric], title, by)
    axes[0].set_yscale("log")
    for ax in (axes[4], axes[5]):
        ax.invert_yaxis()
    return figure, table


def _part(sizes: object, metric: str, score: object, **by: int) -> pd.DataFrame:
    return pd.DataFrame({"n_params": sizes, "metric": metric, "score": score, **by})


def _panel(ax: Axes, rows: pd.DataFrame, title: str, by: str | None) -> None:
    values = list(rows[by].unique()) if by else [None]
    for value, colour in zip(values, colours(len(values)), strict=True):
        line = rows[rows[by] == value] if by else rows
        name = None if by is None else f"{value:g}"
        ax.plot(line["n_params"], line["score"], color=colour, label=name)
    ax.set(xscale="log", xlabel=label("n_params"))
    ax.set_title(title, loc="left", fontsize="medium")
    if by:
        ax.legend(
            title="tokens" if by == "n_target_tokens" else "choices",
            frameon=False,
            fontsize="small",
        )


def emergence_scores(min_examples: int = 30, jump: float = 20.0) -> tuple[Figure, pd.DataFrame]:
    """Return the paper's figure 5A on BIG-G: the emergence score of every task, by metric.

    Parameters
    ----------
    min_examples : int
        Tasks with fewer examples are left out: noise alone makes their scores infinite.
    jump : float
        Emergence score from which tasks are named in the figure.

    Returns
    -------
    Figure
        One dot a task; infinite scores lie on the line at the top.
    DataFrame
        `curve_shapes` of the tasks drawn.
    """
    bigg = datasets.load_bigg()
    shapes = curve_shapes(join_models(bigg.results, bigg.models))
    choice = shapes.loc[shapes["metric"] == "multiple_choice_grade", "task"]
    sharp = shapes["metric"].isin(["multiple_choice_grade", "exact_match"])
    brier = (shapes["metric"] == "confidence_brier") & shapes["task"].isin(choice)
    table = shapes[(sharp | brier) & (shapes["n_examples"] >= min_examples)].reset_index(drop=True)
    figure, (ax,) = panels(1, 1, width=6.6, height=4.2)
    _score_strips(ax, table, jump)
    return figure, table


def _score_strips(ax: Axes, table: pd.DataFrame, jump: float) -> None:
    """Draw one strip of dots a metric; scores without end lie on a line at the top."""
    finite = table["emergence_score"][np.isfinite(table["emergence_score"])]
    top = max(2 * float(finite.abs().max()), 2 * jump)
    rng = np.random.default_rng(0)
    order = ["exact_match", "multiple_choice_grade", "confidence_brier"]
    for place, (metric, colour) in enumerate(zip(order, colours(3), strict=True)):
        rows = table[table["metric"] == metric]
        height = rows["emergence_score"].clip(-top, top)
        across = place + rng.uniform(-0.18, 0.18, len(rows))
        ax.scatter(across, height, s=18, color=colour, alpha=0.75, linewidth=0, clip_on=False)
        for level, tasks in rows[height > jump].groupby(height[height > jump])["task"]:
            ax.text(place + 0.24, level, ", ".join(sorted(tasks)), fontsize="small", va="center")
    ax.axhline(jump, color=GREY, linewidth=0.8, linestyle="--")
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_yscale("symlog", linthresh=2, linscale=0.6)
    ticks = [-5, 0, 5, 10, 20, 50, top]
    ax.set_yticks(ticks, [*map(str, ticks[:-1]), "infinite"])
    ax.minorticks_off()
    counts = table["metric"].value_counts()
    ax.set_xticks(range(3), [f"{_METRIC_NAMES[m]}\n{counts.get(m, 0)} tasks" for m in order])
    ax.set(ylabel="emergence score", xlim=(-0.5, 2.5), ylim=(-12, top))


def annotated_metrics() -> tuple[Figure, pd.DataFrame]:
    """Return the paper's figures 5B and 5C: the metrics of the tasks annotated as emergent.

    The tasks are the 67 of Wei et al. 2022; their preferred metrics are those of the BIG-G logs.

    Returns
    -------
    Figure
        One bar a metric.
    DataFrame
        metric, n_tasks, share; "unknown" where the logs do not name the metric.
    """
    classes = datasets.load_wei_classes()
    emergent = classes[classes["scaling_class"] == "emergent"]
    counts = emergent["preferred_metric"].fillna("unknown").value_counts()
    table = pd.DataFrame(
        {
            "metric": counts.index,
            "n_tasks": counts.to_numpy(),
            "share": (counts / counts.sum()).to_numpy(),
        }
    )
    figure, (ax,) = panels(1, 1, width=6.6, height=2.3)
    names = [_METRIC_NAMES.get(metric, metric) for metric in table["metric"]]
    sharp = table["metric"].isin(["multiple_choice_grade", "exact_str_match"])
    bars = ax.barh(
        names, table["n_tasks"], color=[colours(1)[0] if s else GREY for s in sharp], height=0.65
    )
    ax.bar_label(
        bars,
        [f" {n} ({share:.1%})" for n, share in zip(table["n_tasks"], table["share"], strict=True)],
    )
    ax.invert_yaxis()
    ax.set(
        xlabel=f"of {len(emergent)} tasks annotated as emergent",
        xlim=(0, 1.2 * table["n_tasks"].max()),
    )
    ax.tick_params(axis="y", length=0)
    return figure, table
