"""How a curve is drawn: its colour, line and marker, and its name in a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from emergekit.metrics import higher_is_better
from emergekit.plots.axes import colours, literal, shortened

__all__ = ["Styles", "curve_styles", "direction_known", "falls", "metric_name"]

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3)))
_NAMED = ("family", "task", "metric", "subtask", "n_shots", "filter", "n_target_tokens", "run")


@dataclass(frozen=True)
class Styles:
    """Colours and lines of the curves of one table.

    Parameters
    ----------
    by : str
        Column that colour stands for: the family; where there is one family, the task; where there
        is one task as well, the metric.
    palette : mapping
        From the values of that column, as text, to colours.
    metrics : tuple of str
        The metrics, in the order of markers and lines.
    varying : tuple of str
        Columns that differ between curves, and so belong into a name.
    """

    by: str
    palette: Mapping[str, Any]
    metrics: tuple[str, ...]
    varying: tuple[str, ...] = field(default=())

    def line(self, metric: object) -> dict[str, Any]:
        """Return marker and line style of a metric."""
        place = self.metrics.index(str(metric))
        return {
            "marker": _MARKERS[place % len(_MARKERS)],
            "linestyle": _LINES[place % len(_LINES)],
        }

    def curve(self, row: pd.Series) -> dict[str, Any]:
        """Return colour, marker and line style of the curve that a row belongs to."""
        return {"color": self.palette[str(row.get(self.by))], **self.line(row["metric"])}

    def name(self, row: pd.Series) -> str:
        """Return the name of the curve that a row belongs to: what sets it apart."""
        parts = [
            metric_name(row) if column == "metric" else _said(column, row[column])
            for column in self.varying
        ]
        return literal(", ".join(parts) or metric_name(row))


def curve_styles(results: pd.DataFrame, by: Sequence[str] = ("family", "task")) -> Styles:
    """Return how the curves of a table are drawn, so that all of them can be told apart.

    Parameters
    ----------
    results : DataFrame
        Results.
    by : sequence of str
        What colour may stand for: the first of these columns that varies, else the metric.
    """
    varying = tuple(
        name for name in _NAMED if name in results and results[name].nunique(dropna=False) > 1
    )
    chosen = next((name for name in by if name in varying), "metric")
    values = _values(results[chosen])
    palette = dict(zip(values, colours(len(values)), strict=True))
    return Styles(chosen, palette, tuple(_values(results["metric"])), varying)


def metric_name(row: pd.Series) -> str:
    """Return the metric of a row, and its direction where lower is better."""
    name = shortened(row["metric"])
    return f"{name} (lower is better)" if falls(row) else name


def falls(row: pd.Series) -> bool:
    """Return whether lower scores of the metric of a row are known to be better."""
    stated = row.get("higher_is_better")
    if stated is not None and not pd.isna(stated):
        return not bool(stated)
    return higher_is_better(str(row["metric"])) is False


def direction_known(row: pd.Series) -> bool:
    """Return whether the table or the registry says which direction of a metric is better."""
    stated = row.get("higher_is_better")
    if stated is not None and not pd.isna(stated):
        return True
    return higher_is_better(str(row["metric"])) is not None


def _said(column: str, value: object) -> str:
    if column in ("family", "task", "subtask"):
        return shortened(value)
    return f"{column} {value:g}" if isinstance(value, float) else f"{column} {value}"


def _values(column: pd.Series) -> Sequence[str]:
    return list(dict.fromkeys(column.astype(object).map(str)))
