"""What all plots share: labels with units, colours, and text that is taken literally."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["GREY", "colours", "label", "literal", "panels"]

GREY = "0.55"

_LABELS = {
    "n_params": "model size (parameters)",
    "n_tokens": "training tokens",
    "flops": "training compute (FLOPs)",
    "loss": "loss (nats per token)",
    "score": "score",
}


def label(column: str) -> str:
    """Return the axis label of a column, with its unit."""
    return _LABELS.get(column, literal(column.replace("_", " ")))


def literal(text: object) -> str:
    """Return text that matplotlib shows as it is: a dollar sign starts no formula."""
    return str(text).replace("$", r"\$")


def colours(n: int) -> list[Any]:
    """Return n colours that colour-blind readers can tell apart."""
    return list(sns.color_palette("colorblind", n))


def panels(
    n_rows: int, n_columns: int, *, width: float = 3.4, height: float = 2.7, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes, row by row, spaced so that nothing overlaps."""
    with sns.axes_style("ticks"), sns.plotting_context("paper", font_scale=1.05):
        figure, axes = plt.subplots(
            n_rows,
            n_columns,
            figsize=(width * n_columns, height * n_rows),
            layout="constrained",
            squeeze=False,
            **options,
        )
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, list(axes.flat)
