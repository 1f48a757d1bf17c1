"""Figures of the loss perspective: what a score does as the loss falls, whatever the size."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emergekit import datasets, laws
from emergekit.emergence.collapse.offsets import collapse_test
from emergekit.emergence.loss_scale import normalized_performance
from emergekit.emergence.thresholds.by_run import run_thresholds
from emergekit.emergence.thresholds.finding import fit_threshold
from emergekit.errors import FitWarning
from emergekit.fitting import fit
from emergekit.plots.axes import GREY, colours, label, literal, panels, shades
from emergekit.tables import Tables, join_models

__all__ = ["collapse", "metrics_at_threshold", "performance", "threshold"]

_RUNS = {"peteish13": "13B", "peteish7": "7B", "peteish7-medlr": "7B, higher learning rate"}
_MARKERS = ("o", "s", "^")
_C4 = "C4 loss (nats per token)"
_BITS = "wikitext_bits_per_byte"
_WIDEST = 3.15  # nats: past the first checkpoints, which say nothing of a threshold
_LATE = 4.5
_FORMS = ("logistic", "power_hinge")
# Gadre et al. 2024 name no chance; that of choices is one over their number, else nothing is right.
_GADRE = {
    "hellaswag": 0.25,
    "arc_easy": 0.25,
    "lambada_openai": 0.0,
    "jeopardy": 0.0,
}


def threshold() -> tuple[Figure, pd.DataFrame]:
    """Return the threshold of MMLU by letters in loss, and the same scores over compute.

    Returns
    -------
    Figure
        Three runs of OLMo 2 over C4 loss, with the power hinge of each and the mean threshold with
        its 95 % interval; and over training compute, in the same way. These three runs rise at
        nearly one compute as well: they do not tell the two axes apart, as sizes further apart do
        (see `collapse`).
    DataFrame
        The checkpoints: run, step, n_params, n_tokens, flops, loss, score, chance; eta_loss and
        eta_flops of the run; and of each axis the mean threshold, its lower, upper and verdict.

    References
    ----------
    Du et al. 2024, figures 1 and 6, whose models are not public; data of Bhagia et al. 2024.
    """
    rows = _letters()
    names = ["run", "step", "n_params", "n_tokens", "flops", "loss", "score", "chance"]
    table = rows[names].reset_index(drop=True)
    figure, axes = panels(1, 2, width=4.6, height=3.6, sharey=True)
    for ax, x, title in zip(
        axes, ("loss", "flops"), ("A  over loss", "B  over compute"), strict=True
    ):
        found = fit_threshold(rows, x, forms=_FORMS).iloc[0]
        eta = run_thresholds(rows, x, found["form"]).set_index("run")["eta"]
        _band(ax, found)
        for (run, name), colour, marker in zip(_RUNS.items(), colours(3), _MARKERS, strict=True):
            mine = rows[rows["run"] == run]
            ax.scatter(
                mine[x], mine["score"], s=11, color=colour, marker=marker, alpha=0.75,
                linewidth=0, label=name, zorder=3,
            )  # fmt: skip
            _hinge(ax, mine, x, found, eta, colour)
        ax.axhline(0.25, color=GREY, linewidth=0.9, zorder=0)
        ax.set(xlabel=_C4 if x == "loss" else label(x), xscale="linear" if x == "loss" else "log")
        ax.set_title(title, loc="left", fontsize="medium")
        told = {"": found["eta"], "_lower": found["lower"], "_upper": found["upper"]}
        table = table.assign(**{f"eta_{x}": table["run"].map(eta)}).assign(
            **{f"threshold_{x}{end}": value for end, value in told.items()},
            **{f"verdict_{x}": found["verdict"]},
        )
    left, right = axes
    left.set(xlim=(_WIDEST, 2.41), ylabel="MMLU by letters, share right")
    right.text(
        0.99, 0.25, "chance", color="0.35", transform=right.get_yaxis_transform(), ha="right",
        va="bottom", fontsize="small",
    )  # fmt: skip
    left.legend(frameon=False, loc="upper left", fontsize="small")
    return figure, table


def collapse() -> tuple[Figure, pd.DataFrame]:
    """Return scores of all sizes over loss, where they meet, and over compute, where they do not.

    Returns
    -------
    Figure
        HellaSwag of the OLMo ladder, checkpoints of 30 runs, and ARC-Easy of Pythia (v0), 10 runs:
        over loss and over compute, each with the offsets of sizes as a share of the range.
    DataFrame
        The checkpoints: family, task, run, n_params, flops, x (the loss), x_name, score, and of
        each task offset_share, p_value, detectable_share and verdict of `collapse_test` over the
        loss, and offset_share_flops of the same over compute.

    References
    ----------
    Du et al. 2024, figures 1 and 6; data of Bhagia et al. 2024 and Biderman et al. 2023.
    """
    ladder, pythia = _ladder(["hellaswag_rc"]), _pythia("arc_easy")
    parts = [
        _collapsed(ladder[ladder["loss"] < _LATE], "loss", "HellaSwag, OLMo ladder"),
        _collapsed(pythia, _BITS, "ARC-Easy, Pythia"),
    ]
    figure, axes = panels(2, 2, width=4.3, height=3.1, sharey="row")
    names = {"loss": _C4, _BITS: "WikiText loss (bits per byte)"}
    for (left, right), part, letter in zip((axes[:2], axes[2:]), parts, "AC", strict=True):
        about = part.iloc[0]
        _by_size(left, part, "x")
        _by_size(right, part, "flops")
        left.invert_xaxis()
        left.set(xlabel=names[about["x_name"]], ylabel="accuracy")
        right.set(xlabel=label("flops"), xscale="log")
        shares = (about["offset_share"], about["offset_share_flops"])
        for ax, share in zip((left, right), shares, strict=True):
            said = f"offsets of sizes:\n{share:.1%} of the range"
            ax.text(0.97, 0.05, said, transform=ax.transAxes, ha="right", fontsize="small")
        right.legend(
            title="parameters",
            frameon=False,
            fontsize="small",
            title_fontsize="small",
            markerscale=2,
        )
        left.set_title(f"{letter}  {about['what']}, over loss", loc="left", fontsize="medium")
        below = chr(ord(letter) + 1)
        right.set_title(f"{below}  the same, over compute", loc="left", fontsize="medium")
    return figure, pd.concat(parts, ignore_index=True)


def metrics_at_threshold() -> tuple[Figure, pd.DataFrame]:
    """Return sharp and continuous metrics of the same questions at a threshold in loss.

    Returns
    -------
    Figure
        MMLU of two runs of OLMo 2 over C4 loss: answers by letter, which jump; the same answers
        written out and ranked, and their bits per byte, which do not; the threshold of the letters
        with its interval in all three.
    DataFrame
        run, step, loss, task, metric, score, and of each metric the verdict and the eta of
        `fit_threshold`, which is read as a threshold only with the verdict "threshold".

    References
    ----------
    Du et al. 2024, figure 4, with other metrics: choice probabilities by letter are not public.
    """
    letters = _letters()
    found = fit_threshold(letters, forms=_FORMS).iloc[0]
    tables = datasets.load_olmo_ladder()
    other = join_models(tables.results.query("task == 'mmlu_rc' and step > 0"), tables.models)
    shown = ["letters", "ranked", "bits_per_byte"]
    ranked = other[other["run"].isin(["peteish13", "peteish7"])]
    ranked = ranked[ranked["loss"] < _WIDEST]
    rows = {
        "letters": letters[letters["run"] != "peteish7-medlr"],
        "ranked": ranked[ranked["metric"] == "acc_norm"],
        "bits_per_byte": ranked[ranked["metric"] == "bits_per_byte"],
    }
    verdicts = {name: fit_threshold(rows[name], forms=_FORMS).iloc[0] for name in shown[1:]}
    verdicts["letters"] = found
    parts = []
    figure, axes = panels(1, 3, width=3.4, height=3.1)
    titles = ("A  by letter", "B  answers ranked", "C  bits per byte")
    names = ("share right", "share right", "bits per byte\n(lower is better, axis inverted)")
    for ax, name, title, y_name in zip(axes, shown, titles, names, strict=True):
        _band(ax, found, named=ax is axes[0])
        for run, colour, marker in zip(_RUNS, colours(3)[:2], _MARKERS, strict=False):
            mine = rows[name][rows[name]["run"] == run]
            ax.scatter(
                mine["loss"], mine["score"], s=10, color=colour, marker=marker, alpha=0.75,
                linewidth=0, label=_RUNS[run], zorder=3,
            )  # fmt: skip
        if name != "bits_per_byte":
            ax.axhline(0.25, color=GREY, linewidth=0.9, zorder=0)
        ax.set(xlabel=_C4, ylabel=y_name, xlim=(_WIDEST, 2.41))
        said = verdicts[name]["verdict"]
        ax.set_title(f"{title}: {said}", loc="left", fontsize="medium")
        columns = ["run", "step", "loss", "task", "metric", "score"]
        parts.append(rows[name][columns].assign(verdict=said, eta=verdicts[name]["eta"]))
    axes[2].invert_yaxis()
    axes[0].legend(frameon=False, loc="upper left", fontsize="small")
    return figure, pd.concat(parts, ignore_index=True)


def performance() -> tuple[Figure, pd.DataFrame]:
    """Return performance with guessing at 0, of tasks that come early and late as the loss falls.

    Returns
    -------
    Figure
        Four tasks of the 104 models of Gadre et al. over C4 loss, one marker a corpus; and five of
        the OLMo ladder's, the last checkpoints of 30 runs.
    DataFrame
        family, model, task, loss, score, chance, performance.

    References
    ----------
    Du et al. 2024, section 2, for the scale; data of Gadre et al. 2024 and Bhagia et al. 2024.
    """
    gadre = datasets.load_gadre()
    chosen = gadre.results[gadre.results["task"].isin(list(_GADRE))]
    first = join_models(chosen, gadre.models)
    first = first.assign(chance=first["task"].map(_GADRE))
    tasks = ["hellaswag_rc", "arc_easy_rc", "arc_challenge_rc", "piqa_rc", "mmlu_rc"]
    second = _ladder(tasks).query("is_final")
    parts = [_performed(rows, ["family", "model", "task"]) for rows in (first, second)]
    figure, axes = panels(1, 2, width=4.5, height=3.5, sharey=True)
    order = (list(_GADRE), tasks)
    named = []
    titles = ("A  104 models on three corpora", "B  30 runs of the OLMo ladder")
    for ax, part, names, title in zip(axes, parts, order, titles, strict=True):
        for task, colour in zip(names, colours(len(names)), strict=True):
            _tasks(ax, part[part["task"] == task], task, colour)
        ax.axhline(0, color=GREY, linewidth=0.9, zorder=0)
        ax.invert_xaxis()
        ax.set(xlabel=_C4, ylabel="performance (guessing 0, all right 1)" if ax is axes[0] else "")
        named.append(ax.legend(frameon=False, loc="upper left", fontsize="small"))
        ax.set_title(title, loc="left", fontsize="medium")
    corpora = [
        Line2D([], [], linestyle="", marker=marker, color="0.35", markersize=4, label=name)
        for name, marker in zip(sorted(first["train_dataset"].unique()), _MARKERS, strict=True)
    ]
    axes[0].legend(
        handles=corpora, frameon=False, fontsize="small", loc="upper center", title="trained on",
        title_fontsize="small",
    )  # fmt: skip
    axes[0].add_artist(named[0])
    return figure, pd.concat(parts, ignore_index=True)


def _letters() -> pd.DataFrame:
    """Return the checkpoints of OLMo 2 on MMLU by letters, but the first of each run."""
    tables = datasets.load_olmo_ladder()
    mean = tables.results.query("task == 'mmlu_mc' and subtask == 'mean' and step > 0")
    return join_models(mean, tables.models)


def _ladder(tasks: Sequence[str]) -> pd.DataFrame:
    tables = datasets.load_olmo_ladder()
    sharp = tables.results[tables.results["task"].isin(tasks)].query("metric == 'acc_norm'")
    return join_models(sharp, tables.models).query("family == 'OLMo ladder'")


def _pythia(task: str) -> pd.DataFrame:
    """Return scores of the Pythia runs whose loss was measured, both corpora as one family."""
    tables: Tables = datasets.load_pythia()
    rows = tables.results.query(f"task == '{task}' and n_shots == 0 and metric == 'acc'")
    joined = join_models(rows, tables.models).dropna(subset=[_BITS])
    return joined.assign(family="Pythia v0")


def _collapsed(rows: pd.DataFrame, x: str, what: str) -> pd.DataFrame:
    [test] = collapse_test(rows, x).to_dict("records")
    told = {name: test[name] for name in ("offset_share", "p_value", "detectable_share", "verdict")}
    told["offset_share_flops"] = collapse_test(rows, "flops", n_permutations=9)["offset_share"][0]
    columns = ["family", "task", "run", "n_params", "flops", "score"]
    return rows[columns].assign(x=rows[x], x_name=x, what=what, **told).reset_index(drop=True)


def _by_size(ax: Axes, part: pd.DataFrame, x: str) -> None:
    sizes = sorted(part["n_params"].unique())
    for size, colour in zip(sizes, shades(len(sizes)), strict=True):
        mine = part[part["n_params"] == size]
        size_of_dots, alpha = (6, 0.5) if len(part) > 1000 else (14, 0.85)
        ax.scatter(
            mine[x], mine["score"], s=size_of_dots, color=colour, alpha=alpha, linewidth=0,
            label=_count(size),
        )  # fmt: skip


def _tasks(ax: Axes, rows: pd.DataFrame, task: str, colour: Any) -> None:
    for (_, mine), marker in zip(rows.groupby("family"), _MARKERS, strict=False):
        first = marker == _MARKERS[0]
        name = literal(task.removesuffix("_rc").replace("_", " ")) if first else None
        ax.scatter(
            mine["loss"], mine["performance"], s=13, color=colour, marker=marker, alpha=0.75,
            linewidth=0, label=name,
        )  # fmt: skip


def _performed(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    performed = normalized_performance(rows["score"], rows["chance"])
    columns = [*keys, "loss", "score", "chance"]
    return rows[columns].assign(performance=performed).reset_index(drop=True)


def _band(ax: Axes, found: pd.Series, *, named: bool = True) -> None:
    eta, lower, upper = (float(found[name]) for name in ("eta", "lower", "upper"))
    ax.axvspan(lower, upper, color=GREY, alpha=0.2, linewidth=0, zorder=0)
    ax.axvline(eta, color="0.35", linewidth=0.9, linestyle="--", zorder=1)
    if not named:
        return
    log = found["x"] != "loss"
    middle, *ends = (f"{value:.1e}" if log else f"{value:.2f}" for value in (eta, lower, upper))
    ax.annotate(
        f"{middle}\n{found['level']:.0%}: {ends[0]}\nto {ends[1]}", (lower if log else upper, 0.6),
        xycoords=("data", "axes fraction"), xytext=(-4, 0), textcoords="offset points", ha="right",
        fontsize="small", color="0.35", va="center",
    )  # fmt: skip


def _hinge(
    ax: Axes, rows: pd.DataFrame, x: str, found: pd.Series, etas: pd.Series, colour: Any
) -> None:
    """Draw the power hinge of one run, at the threshold that was found for it."""
    if found["form"] != "power_hinge":
        return
    law = laws.power_hinge(x)
    eta = float(etas[rows["run"].iloc[0]])
    at = np.log10(eta) if x == "flops" else eta
    fixed = {"eta": at} if np.isnan(found["chance"]) else {"eta": at, "c": found["chance"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        curve = fit(law, rows, fixed=fixed)
    first, last = (rows[x].max(), rows[x].min()) if x == "loss" else (rows[x].min(), rows[x].max())
    grid = np.r_[first, eta, eta + (last - eta) * np.linspace(0, 1, 400)[1:] ** 2]
    ax.plot(grid, law.predict(pd.DataFrame({x: grid}), curve.params), color=colour, linewidth=1.0)


def _count(size: float) -> str:
    return f"{size / 1e9:.2g}B" if size >= 1e9 else f"{size / 1e6:.0f}M"
