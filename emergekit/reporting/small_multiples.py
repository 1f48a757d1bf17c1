"""The figure of a user's curves: one panel a task for shares, others in panels of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emergekit.laws.axis import axis_of
from emergekit.metrics import METRICS
from emergekit.plots.axes import GREY, label, literal, panels, shortened, told_apart
from emergekit.plots.curves import draw_curves
from emergekit.plots.styles import Styles, curve_styles, metric_name
from emergekit.reporting.words import counted, listed

__all__ = ["small_multiples"]

_PANELS = 12
_COLUMNS = 3
_LEGEND = 12
_LEGEND_LINE = 0.22  # inches
_SETTING = ("task", "subtask", "n_shots", "filter", "n_target_tokens")
_DECADES = 1.5  # span from which a metric without upper bound gets a logarithmic axis


def small_multiples(scores: pd.DataFrame, ranked: pd.DataFrame, x: str) -> tuple[Figure, str]:
    """Return the figure of the curves that move most suddenly, and what it shows in words.

    Parameters
    ----------
    scores : DataFrame
        Results with the column `x`.
    ranked : DataFrame
        Shapes of their curves; the first tasks are drawn.
    x : str
        Column of scale.
    """
    rows_of = _rows_of_panels(scores)
    n_columns = len(rows_of) if len(rows_of) > 1 else _COLUMNS
    varying = [name for name in _SETTING if name in ranked and ranked[name].nunique() > 1]
    settings = ranked[varying or ["task"]].drop_duplicates().reset_index(drop=True)
    shown = settings.head(max(1, _PANELS // len(rows_of)))
    parts = [
        (place, metrics, _at(scores[scores["metric"].isin(metrics)], setting))
        for place, (_, setting) in enumerate(shown.iterrows())
        for metrics in rows_of
    ]
    n_columns = min(n_columns, len(parts))
    n_rows = int(np.ceil(len(parts) / n_columns))
    width, height = (3.3, 2.5) if len(parts) > 1 else (4.6, 3.2)
    figure, axes = panels(n_rows, n_columns, width=width, height=height)
    drawn = pd.concat([rows for *_, rows in parts])
    styles = curve_styles(drawn, by=("family",))
    shares, titles = _shares(scores), _titles(shown)
    for ax, (place, metrics, rows) in zip(axes, parts, strict=False):
        _panel(ax, rows, x, styles, shared=metrics == shares)
        ax.set_title(literal(titles[place]), loc="left", fontsize="medium")
        _same_range(ax, drawn[x], x)
    for ax in axes:
        ax.set_axis_off() if not ax.has_data() else None
    handles = _handles(drawn, styles)
    if len(handles) > 1:
        lines = int(np.ceil(len(handles) / _COLUMNS))
        figure.set_figheight(height * n_rows + _LEGEND_LINE * lines)
        figure.legend(handles=handles, loc="outside lower center", ncols=_COLUMNS, frameon=False)
    left_out = [metric for metric in _metrics(scores) if not any(metric in row for row in rows_of)]
    return figure, _caption(drawn, styles, x, (len(shown), len(settings)), varying, left_out)


def _metrics(scores: pd.DataFrame) -> list[str]:
    """Return the metrics of a table in the order they come in."""
    return list(dict.fromkeys(scores["metric"].astype(str)))


def _rows_of_panels(scores: pd.DataFrame) -> list[list[str]]:
    """Return the metrics of each panel of a task: all shares together, others alone."""
    shares = _shares(scores)
    others = [[metric] for metric in _metrics(scores) if metric not in shares]
    return ([shares] if shares else []) + others[: _COLUMNS - bool(shares)]


def _shares(scores: pd.DataFrame) -> list[str]:
    """Return the metrics whose scores all lie between 0 and 1, and are meant to."""
    inside = scores["score"].between(0, 1).groupby(scores["metric"], sort=False).all()
    known = {str(name): METRICS.get(str(name).partition("(")[0]) for name in inside.index}
    return [
        name
        for (name, metric), fits in zip(known.items(), inside, strict=True)
        if fits and (metric is None or metric.bounds == (0.0, 1.0))
    ]


def _at(scores: pd.DataFrame, setting: pd.Series) -> pd.DataFrame:
    same = [
        scores[name].eq(value) | (scores[name].isna() & pd.isna(value))
        for name, value in setting.items()
    ]
    return scores[np.logical_and.reduce(same)]


def _panel(ax: Axes, rows: pd.DataFrame, x: str, styles: Styles, *, shared: bool) -> None:
    if rows.empty:
        return
    draw_curves(rows, x, styles, ax)
    if shared:
        ax.set_ylim(-0.03, 1.03)
    elif rows["score"].gt(0).all() and np.ptp(np.log10(rows["score"])) > _DECADES:
        ax.set_yscale("log")
    one = rows["metric"].nunique() == 1 and (not shared or len(styles.metrics) == 1)
    name = metric_name(rows.iloc[0]).replace(" (", "\n(")
    ax.set_ylabel(literal(name) if one else "score")


def _titles(settings: pd.DataFrame) -> list[str]:
    """Return the titles of the panels, long names of tasks shortened so that they differ."""
    tasks = list(settings["task"].unique()) if "task" in settings else []
    short = dict(zip(tasks, told_apart(tasks), strict=True))
    return [
        ", ".join(
            short[value] if name == "task" else f"{name} {_plain(value)}"
            for name, value in setting.items()
        )
        for _, setting in settings.iterrows()
    ]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else shortened(value, 20)


def _same_range(ax: Axes, values: pd.Series, x: str) -> None:
    """Give all panels the same range of scale, so that they can be compared."""
    low, high = float(values.min()), float(values.max())
    if not ax.has_data() or low == high:
        return
    if low > 0:
        margin = (high / low) ** 0.05
        limits = (low / margin, high * margin)
    else:
        limits = (low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.set_xlim(limits[::-1] if axis_of(x, None).falls else limits)


def _handles(drawn: pd.DataFrame, styles: Styles) -> list[Line2D]:
    """Return what a legend needs: colours where there are several, lines where there are."""
    handles = list[Line2D]()
    if styles.by == "family":
        families = list(styles.palette.items())
        handles += [_handle(shortened(name), color=colour) for name, colour in families[:_LEGEND]]
        if len(families) > _LEGEND:
            handles.append(_handle(f"and {len(families) - _LEGEND} more families", color="none"))
    metrics = drawn.drop_duplicates("metric")
    if len(metrics) > 1:
        plain: dict[str, Any] = {"color": "0.25"} if styles.by == "family" else {}
        handles += [
            _handle(metric_name(row), **(styles.curve(row) | plain))
            for _, row in metrics.head(_LEGEND).iterrows()
        ]
    if handles and _has(drawn, "chance"):
        handles.append(_handle("chance", color=GREY))
    return handles


def _handle(name: str, **look: Any) -> Line2D:
    return Line2D([], [], label=literal(name), markersize=4, linewidth=1.3, **look)


def _caption(
    drawn: pd.DataFrame,
    styles: Styles,
    x: str,
    counts: tuple[int, int],
    varying: Sequence[str],
    left_out: Sequence[str],
) -> str:
    """Return what the figure shows, and how to read it."""
    n_shown, n_all = counts
    noun = "task" if list(varying) in ([], ["task"]) else "setting"
    which = f"{n_shown} of {counted(n_all, noun)}" if n_shown < n_all else counted(n_all, noun)
    order = ", the highest emergence scores first" if n_all > 1 else ""
    parts = [f"Scores over {label(x)}: showing {which}{order}."]
    if styles.by == "family":
        parts.append("Colour is the family, marker and line style the metric.")
    if len(_shares(drawn)) < len(styles.metrics):
        parts.append("Shares stand on one axis from 0 to 1, other metrics in panels of their own.")
    if left_out:
        parts.append(f"In the table only: {listed(left_out)}.")
    if _has(drawn, "chance"):
        parts.append("The grey line is the score of a guess.")
    if _has(drawn, "stderr"):
        parts.append("Bars are one standard error, as stated.")
    elif _has(drawn, "n_examples"):
        parts.append("Bars of shares of right answers are one standard error, from n_examples.")
    return " ".join(parts)


def _has(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool(table[column].notna().any())
