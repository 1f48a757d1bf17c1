"""Verdicts: one curve with what was found on it, and a map of many tasks."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from emergekit.emergence import verdict_in_words
from emergekit.emergence.verdicts.rules import VERDICTS
from emergekit.errors import TableError
from emergekit.laws.axis import axis_of
from emergekit.metrics import higher_is_better
from emergekit.metrics.uncertainty import proportion_interval
from emergekit.plots.axes import GREY, colours, label, literal, power_of_ten, shortened, told_apart

__all__ = ["plot_verdict", "plot_verdicts"]

_KEYS = ("family", "task", "n_shots", "subtask", "filter", "n_target_tokens", "run")
_SHADES = dict(zip(VERDICTS, ("#d55e00", "#0173b2", "#56b4e9", "#ece133", "0.85"), strict=True))


def plot_verdict(
    table: pd.DataFrame,
    verdict: pd.Series | Mapping[str, Any],
    *,
    ax: Axes | None = None,
    wrap: int = 62,
) -> Axes:
    """Draw the sharp and the continuous metric of one task on one scale, with the verdict.

    The sharp metric has the left axis, with 95 % intervals and the score of guessing; the
    continuous one the right axis, better is up. The plateau is shaded; the threshold, where one was
    found, is a line with its interval or its spread over runs; where items are what is missing, the
    number needed is told.

    Parameters
    ----------
    table : DataFrame
        The results that were judged, with the column of scale.
    verdict : Series
        One row of what `mirage_test` returned, or a judged one of an `emergence_table`.
    ax : Axes, optional
        Where to draw; the current axes if None.
    wrap : int
        Characters in a line of the title.

    Returns
    -------
    Axes
        That of the sharp metric.

    Raises
    ------
    TableError
        If the table has no row of that verdict.
    """
    ax = plt.gca() if ax is None else ax
    row = dict(verdict)
    x, rows = str(row["x"]), _judged_rows(table, row)
    if pd.notna(row["plateau_end"]):
        _shade_plateau(ax, rows[x], x, row)
    _sharp_points(ax, rows[rows["metric"] == row["metric"]], x, row)
    _scale(ax, rows[x], x)
    if isinstance(row["continuous"], str):
        _continuous_points(ax, rows[rows["metric"] == row["continuous"]], x, row["continuous"])
    if row["verdict"] == "genuine":
        _threshold(ax, row)
    if row["verdict"] == "resolution_limited" and row["n_items"] < row["items_needed"] < np.inf:
        said = f"{_about(row['items_needed'])} items would show it\nat the end of the plateau"
        ax.text(0.03, 0.88, said, transform=ax.transAxes, va="top", fontsize="small", color="0.3")
    name = literal(shortened(f"{row['task']} {_setting(row)}".strip(), wrap - 14))
    words = textwrap.fill(verdict_in_words(row), wrap)
    ax.set_title(f"{name}\n{literal(words)}", fontsize="medium", loc="left")
    ax.set(xlabel=label(x), ylabel=literal(str(row["metric"]).replace("_", " ")))
    return ax


def plot_verdicts(verdicts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw verdicts as a map: a row for every task, a column for every family.

    Parameters
    ----------
    verdicts : DataFrame
        What `mirage_test` returned, one row a tile.
    ax : Axes, optional
        Where to draw; the current axes if None. A quarter of an inch a task is readable.

    Returns
    -------
    Axes
        With a legend of verdicts and how many there are. A tile says what backs it: q of a break
        or a mirage, p of the counts under a smooth curve, or the reason.

    Raises
    ------
    TableError
        If a family has two verdicts on one task.
    """
    ax = plt.gca() if ax is None else ax
    tasks, families = _tiles(verdicts)
    order = _task_order(verdicts.assign(tile=tasks))
    names = list(dict.fromkeys(families))
    for task, family, (_, row) in zip(tasks, families, verdicts.iterrows(), strict=True):
        left, bottom = names.index(family), order.index(task)
        shade = _SHADES[row["verdict"]]
        ax.add_patch(Rectangle((left, bottom), 1, 1, facecolor=shade, edgecolor="white", lw=1.5))
        dark = row["verdict"] in ("genuine", "mirage")
        ax.text(
            left + 0.5,
            bottom + 0.5,
            _backing(row),
            ha="center",
            va="center",
            fontsize="x-small",
            color="white" if dark else "0.15",
        )
    ax.set(xlim=(0, len(names)), ylim=(len(order), 0))
    ax.set_xticks(np.arange(len(names)) + 0.5, [literal(name) for name in told_apart(names, 24)])
    ax.set_yticks(np.arange(len(order)) + 0.5, [literal(name) for name in told_apart(order, 40)])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    counts = verdicts["verdict"].value_counts()
    ax.legend(
        handles=[
            Patch(facecolor=_SHADES[name], label=f"{name.replace('_', ' ')} ({counts[name]})")
            for name in VERDICTS
            if name in counts
        ],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        frameon=False,
        fontsize="small",
    )
    return ax


def _judged_rows(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    chosen = table["metric"].isin([row["metric"], row["continuous"]])
    for name in _KEYS:
        if name in row and name in table and pd.notna(row[name]):
            chosen &= table[name].eq(row[name]).fillna(False).astype(bool)
    if not chosen.any():
        raise TableError(
            f"results: no row belongs to the verdict on task {row['task']}, metric "
            f"{row['metric']}; give the table that was judged."
        )
    return table[chosen].sort_values(str(row["x"]))


def _setting(row: dict[str, Any]) -> str:
    """Return the shots and the run of a curve, as far as it has them."""
    shots, run = row.get("n_shots"), row.get("run")
    said = [] if shots is None or pd.isna(shots) else [f"{shots:g}-shot"]
    said += [] if run is None or pd.isna(run) else [str(run)]
    return f"({', '.join(said)})" if said else ""


def _sharp_points(ax: Axes, rows: pd.DataFrame, x: str, row: dict[str, Any]) -> None:
    score = rows["score"].to_numpy(dtype=float)
    bars = None
    if "n_examples" in rows and rows["n_examples"].notna().all():
        n = np.rint(rows["n_examples"].to_numpy(dtype=float))
        lower, upper = proportion_interval(np.rint(score * n), n)
        bars = np.maximum(np.vstack([score - lower, upper - score]), 0)
    several = "run" in rows and row["scope"] == "family" and rows["run"].nunique() < len(rows) / 2
    style = {"color": colours(1)[0], "markersize": 4, "elinewidth": 0.8}
    line = " " if several or len(rows) > 60 else "-"
    if len(rows) > 60:
        bars = None
    ax.errorbar(rows[x], score, yerr=bars, marker="o", linestyle=line, lw=1.2, **style, zorder=3)
    chance = float(row["chance"])
    falls = higher_is_better(str(row["metric"])) is False
    level = 1 - chance if falls else chance
    ax.axhline(level, color=GREY, linewidth=0.9, zorder=0)
    ax.tick_params(axis="y", colors=colours(1)[0])


def _continuous_points(ax: Axes, rows: pd.DataFrame, x: str, name: str) -> None:
    """Draw the continuous metric on an axis of its own, turned over where less is better."""
    other = ax.twinx()
    shade = colours(2)[1]
    line = " " if len(rows) > 60 else "--"
    other.plot(
        rows[x], rows["score"], marker="s", linestyle=line, lw=1, markersize=3.5, color=shade
    )
    other.set_ylabel(literal(name.replace("_", " ")))
    other.tick_params(axis="y", colors=shade)
    stated = rows["higher_is_better"].dropna() if "higher_is_better" in rows else rows.iloc[:0]
    falls = not bool(stated.iloc[0]) if len(stated) else higher_is_better(name) is False
    if falls:
        other.invert_yaxis()
    other.spines["top"].set_visible(False)


def _scale(ax: Axes, values: pd.Series, x: str) -> None:
    axis = axis_of(x, None)
    if x in ("n_params", "n_tokens", "flops") or (axis.is_log and axis.falls):
        ax.set_xscale("log")
    if axis.falls and not ax.xaxis_inverted():
        ax.invert_xaxis()


def _shade_plateau(ax: Axes, values: pd.Series, x: str, row: dict[str, Any]) -> None:
    start = values.max() if axis_of(x, None).falls else values.min()
    ax.axvspan(start, row["plateau_end"], color=GREY, alpha=0.15, linewidth=0, zorder=0)
    said = "at chance"
    if pd.notna(row["pre_share"]):
        said += f": {row['pre_share']:.0%} of the smooth gain"
    ax.text(
        start,
        0.97,
        f" {said}",
        va="top",
        transform=ax.get_xaxis_transform(),
        fontsize="x-small",
        color="0.35",
    )


def _threshold(ax: Axes, row: dict[str, Any]) -> None:
    shade = _SHADES["genuine"]
    if pd.notna(row["eta_lower"]):
        ax.axvspan(row["eta_lower"], row["eta_upper"], color=shade, alpha=0.15, linewidth=0)
    ax.axvline(row["eta"], color=shade, linewidth=1.2)
    ax.text(
        row["eta"],
        0.88,
        f" threshold {_place(row['eta'])} ",
        transform=ax.get_xaxis_transform(),
        va="top",
        ha="right",
        fontsize="small",
        color=shade,
    )


def _about(items: float) -> str:
    """Return a number of items to two digits: it is an estimate."""
    return f"{float(f'{items:.2g}'):,.0f}"


def _place(value: float) -> str:
    return power_of_ten(value) if value >= 1e4 else f"{value:.4g}"


def _tiles(verdicts: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the name of the row and of the column of every tile."""
    tasks, families = [], []
    varying = [name for name in ("n_shots", "subtask", "filter") if _varies(verdicts, name)]
    for _, row in verdicts.iterrows():
        parts = [str(row["task"])]
        parts += [f"{name} {row[name]}" for name in varying if pd.notna(row[name])]
        tasks.append(", ".join(parts))
        named = pd.notna(row.get("run")) if "run" in verdicts else False
        family = row["family"] if pd.notna(row["family"]) else "all models"
        families.append(f"{family} {row['run']}" if named else str(family))
    twice = pd.Series(list(zip(tasks, families, strict=True)), dtype=object).duplicated()
    if twice.any():
        place = int(np.argmax(twice))
        raise TableError(
            f"verdicts: family {families[place]} has two verdicts on task {tasks[place]}; draw "
            f"them apart."
        )
    return tasks, families


def _varies(verdicts: pd.DataFrame, name: str) -> bool:
    return name in verdicts and verdicts[name].nunique(dropna=False) > 1


def _task_order(verdicts: pd.DataFrame) -> list[str]:
    """Return tasks by their strongest verdict, then by name."""
    rank = verdicts["verdict"].map({name: place for place, name in enumerate(VERDICTS)})
    best = verdicts.assign(rank=rank).groupby("tile")["rank"].min().reset_index()
    return list(best.sort_values(["rank", "tile"])["tile"])


def _backing(row: pd.Series) -> str:
    names = {"genuine": "q_break", "mirage": "q_mirage", "resolution_limited": "p_smooth_sharp"}
    name = names.get(row["verdict"])
    if name is None or pd.isna(row[name]):
        return str(row["reason"]).replace("_", " ")
    return f"{name[0]} = {row[name]:.2g}" if row[name] >= 0.001 else f"{name[0]} < 0.001"
