"""Figures of Schaeffer, Miranda & Koyejo 2023, "Are Emergent Abilities a Mirage?"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from emergekit import datasets
from emergekit.emergence.shapes.curves import curve_shapes
from emergekit.plots.axes import GREY, colours, label, panels, shades
from emergekit.tables import join_models
from emergekit.theory import mirage as theory

__all__ = ["STEEP", "annotated_metrics", "emergence_scores", "mathematical_model"]

STEEP = 20.0
"""Emergence score from which we call a curve steep in words and figures; the paper states none."""

_METRIC_NAMES = {
    "multiple_choice_grade": "multiple choice grade",
    "exact_match": "exact match",
    "exact_str_match": "exact string match",
    "confidence_brier": "Brier (confidence)",
    "bleu": "BLEU",
}
_WORSE = "(lower is better, axis inverted)"
# metric, title, label of the y-axis, column that tells its lines apart
_PANELS = (
    ("cross_entropy", "A  the loss falls smoothly", "cross-entropy (nats per token)", None),
    ("p_token", "B  so does each token improve", "chance that a token is right", None),
    ("exact_match", "C  exact match: nonlinear", "share of exact matches", "n_target_tokens"),
    ("multiple_choice_grade", "D  multiple choice grade: a step", "grade", "n_choices"),
    ("token_edit_distance", "E  edit distance: linear", f"tokens\n{_WORSE}", "n_target_tokens"),
    ("brier_mean", "F  Brier score: continuous", f"mean over choices\n{_WORSE}", "n_choices"),
)


def mathematical_model(
    c: float = 1e9,
    alpha: float = -0.5,
    lengths: Sequence[int] = (1, 2, 3, 4, 5),
    n_choices: Sequence[int] = (2, 4),
) -> tuple[Figure, pd.DataFrame]:
    """Return figure 2 of the Mirage paper: one smooth loss seen through six metrics.

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
        better in all but the first. The Brier score is the mean over choices, so a guess scores
        less with more choices.
    DataFrame
        n_params, metric, n_target_tokens or n_choices, score.
    """
    sizes = np.geomspace(1e8, 1e12, 81)
    loss = theory.power_law_loss(sizes, c, alpha)
    p = theory.p_token(loss)
    parts = [_part(sizes, "cross_entropy", loss), _part(sizes, "p_token", p)]
    for k in lengths:
        exact, edits = theory.expected_exact_match(p, k), theory.expected_token_edit_distance(p, k)
        parts.append(_part(sizes, "exact_match", exact, n_target_tokens=k))
        parts.append(_part(sizes, "token_edit_distance", edits, n_target_tokens=k))
    for k in n_choices:
        grade, brier = theory.expected_multiple_choice_grade(p, k), theory.expected_brier_mean(p, k)
        parts.append(_part(sizes, "multiple_choice_grade", grade, n_choices=k))
        parts.append(_part(sizes, "brier_mean", brier, n_choices=k))
    table = pd.concat(parts, ignore_index=True)
    figure, axes = panels(2, 3, width=3.4, height=3.0)
    for ax, (metric, title, name, by) in zip(axes, _PANELS, strict=True):
        _panel(ax, table[table["metric"] == metric], by)
        ax.set(xscale="log", xlabel=label("n_params"), ylabel=name)
        ax.set_title(title, loc="left", fontsize="medium")
    axes[0].set_yscale("log")
    for ax in (axes[4], axes[5]):
        ax.invert_yaxis()
    return figure, table


def _part(sizes: object, metric: str, score: object, **by: int) -> pd.DataFrame:
    return pd.DataFrame({"n_params": sizes, "metric": metric, "score": score, **by})


def _panel(ax: Axes, rows: pd.DataFrame, by: str | None) -> None:
    """Draw one line a target length, in shades of one colour, or one a number of choices."""
    if by is None:
        ax.plot(rows["n_params"], rows["score"], color=colours(1)[0])
        return
    values = list(rows[by].unique())
    tokens = by == "n_target_tokens"
    palette = shades(len(values)) if tokens else colours(3 + len(values))[3:]
    grade = rows["metric"].iloc[0] == "multiple_choice_grade"
    for value, colour in zip(values, palette, strict=True):
        line = rows[rows[by] == value]
        ax.plot(
            line["n_params"],
            line["score"],
            color=colour,
            label=f"{value:g}",
            drawstyle="steps-mid" if grade else "default",
        )
    ax.legend(
        title="target tokens" if tokens else "choices",
        frameon=False,
        fontsize="small",
        title_fontsize="small",
    )


def emergence_scores(min_examples: int = 30, jump: float = STEEP) -> tuple[Figure, pd.DataFrame]:
    """Return figure 5A of the Mirage paper on BIG-G: the emergence score of each task, by metric.

    Parameters
    ----------
    min_examples : int
        Tasks with fewer examples are left out: noise alone makes their scores infinite.
    jump : float
        Emergence score from which tasks are named in the figure.

    Returns
    -------
    Figure
        One row a metric, one dot a task; infinite scores stand in a column of their own.
    DataFrame
        `curve_shapes` of the tasks drawn.
    """
    bigg = datasets.load_bigg()
    shapes = curve_shapes(join_models(bigg.results, bigg.models))
    choice = shapes.loc[shapes["metric"] == "multiple_choice_grade", "task"]
    sharp = shapes["metric"].isin(["multiple_choice_grade", "exact_match"])
    brier = (shapes["metric"] == "confidence_brier") & shapes["task"].isin(choice)
    table = shapes[(sharp | brier) & (shapes["n_examples"] >= min_examples)].reset_index(drop=True)
    figure, (ax,) = panels(1, 1, width=8.2, height=3.6)
    _score_strips(ax, table, jump)
    return figure, table


def _score_strips(ax: Axes, table: pd.DataFrame, jump: float) -> None:
    """Draw one strip of dots a metric; scores without end lie in a column on the right."""
    finite = table["emergence_score"][np.isfinite(table["emergence_score"])]
    last = 10 * np.ceil(max(float(finite.max()), jump) / 10)
    endless = last + 7
    order = ["exact_match", "multiple_choice_grade", "confidence_brier"]
    for place, (metric, colour) in enumerate(zip(order, colours(3), strict=True)):
        rows = table[table["metric"] == metric].sort_values(["emergence_score", "task"])
        across = rows["emergence_score"].clip(upper=endless).to_numpy()
        heights = place + _spread(across)
        ax.scatter(across, heights, s=20, color=colour, alpha=0.8, linewidth=0)
        for x, y, task in zip(across, heights, rows["task"], strict=True):
            if x > jump:
                _beside(ax, (x, y), task, right=x == endless)
    ax.axvspan(endless - 2.5, endless + 2.5, color=GREY, alpha=0.15, linewidth=0)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.axvline(jump, color=GREY, linewidth=0.9, linestyle="--")
    explained = {
        jump + 0.8: f"above {jump:g}, our threshold,\ntasks are named",
        endless + 3.3: "infinite: more than half\nof the steps are zero",
    }
    for x, said in explained.items():
        ax.text(x, 2.42, said, fontsize="small", color="0.35", va="bottom")
    counts = table["metric"].value_counts()
    ax.set_yticks(range(3), [f"{_METRIC_NAMES[m]}\n{counts.get(m, 0)} tasks" for m in order])
    ticks = np.arange(0, last + 1, 10)
    ax.set_xticks([*ticks, endless], [*(f"{tick:g}" for tick in ticks), "infinite"])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="emergence score: range of the curve over its median step", ylabel="metric")
    ax.set(xlim=(min(-7.0, float(finite.min()) - 1), endless + 20), ylim=(2.5, -0.5))


def _beside(ax: Axes, point: tuple[float, float], text: str, *, right: bool) -> None:
    ax.annotate(
        text,
        point,
        xytext=(7 if right else -7, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize="small",
    )


def _spread(values: np.ndarray, reach: float = 0.3) -> np.ndarray:
    """Return offsets across a strip that keep dots of nearly one value apart."""
    offsets = np.zeros(len(values))
    step = 0.0
    for place, value in enumerate(values):
        near = place > 0 and value - values[place - 1] < 1.5
        step = (step + 1) % 5 if near else 0.0
        offsets[place] = (0, 1, -1, 0.5, -0.5)[int(step)] * reach
    return offsets


def annotated_metrics() -> tuple[Figure, pd.DataFrame]:
    """Return figures 5B and 5C of the Mirage paper: the metrics of tasks annotated as emergent.

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
    figure, (ax,) = panels(1, 1, width=7.0, height=2.4)
    names = [_METRIC_NAMES.get(metric, metric) for metric in table["metric"]]
    sharp = table["metric"].isin(["multiple_choice_grade", "exact_str_match"])
    blue = colours(1)[0]
    bars = ax.barh(names, table["n_tasks"], color=[blue if s else GREY for s in sharp], height=0.65)
    ax.bar_label(
        bars,
        [f" {n} ({share:.1%})" for n, share in zip(table["n_tasks"], table["share"], strict=True)],
    )
    ax.legend(
        handles=[
            Patch(color=blue, label="sharp: an answer is right or wrong"),
            Patch(color=GREY, label="other, or not named in the logs"),
        ],
        frameon=False,
        loc="lower right",
    )
    ax.invert_yaxis()
    ax.set(
        xlabel=f"number of tasks (of {len(emergent)} annotated as emergent)",
        xlim=(0, 1.3 * table["n_tasks"].max()),
    )
    ax.tick_params(axis="y", length=0)
    return figure, table
