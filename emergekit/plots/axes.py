"""What all plots share: labels with units, colours, and text that is taken literally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "GREY",
    "colours",
    "label",
    "literal",
    "panels",
    "power_of_ten",
    "shades",
    "shortened",
    "told_apart",
]

GREY = "0.55"

_LABELS = {
    "n_params": "model size (parameters)",
    "n_tokens": "training tokens",
    "flops": "training compute (FLOPs)",
    "loss": "loss (nats per token)",
    "score": "score",
}
_DISTINCT = 10  # colours of the palette for colour-blind readers


def label(column: str) -> str:
    """Return the axis label of a column, with its unit."""
    return _LABELS.get(column, literal(column.replace("_", " ")))


def literal(text: object) -> str:
    """Return text that matplotlib shows as it is: a dollar sign starts no formula."""
    return str(text).replace("$", r"\$")


def power_of_ten(value: float) -> str:
    """Return a number as mathematical text, to three digits.

    Examples
    --------
    >>> power_of_ten(1e18)
    '$10^{18}$'
    """
    digits, exponent = f"{value:.2e}".split("e")
    factor = f"{float(digits):g}"
    times = "" if factor == "1" else rf"{factor} \times "
    return f"${times}10^{{{int(exponent)}}}$"


def shortened(text: object, length: int = 34) -> str:
    """Return long text without its middle: names of one benchmark often share their beginning.

    Examples
    --------
    >>> shortened("bigbench_logical_deduction_seven_objects", 24)
    'bigbench_lo…even_objects'
    """
    text = " ".join(str(text).split())
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def told_apart(names: Sequence[object], length: int = 34) -> list[str]:
    """Return short forms of different names that are different still.

    Examples
    --------
    >>> told_apart(["bigbench_deduction_three_objects", "bigbench_deduction_seven_objects"], 16)
    ['…three', '…seven']
    """
    texts = [str(name) for name in names]
    short = [shortened(text, length) for text in texts]
    if len(set(short)) == len(short):
        return short
    head = _common_words(texts)
    tail = _common_words([text[::-1] for text in texts])
    middles = [text[len(head) : len(text) - len(tail)] for text in texts]
    short = [f"{'…' * bool(head)}{shortened(text, length - 1)}" for text in middles]
    if len(set(short)) == len(short):
        return short
    return [f"{place}: {text}" for place, text in enumerate(short, start=1)]


def _common_words(texts: Sequence[str]) -> str:
    """Return what all texts begin with, up to the last separator."""
    low, high = min(texts), max(texts)
    pairs = enumerate(zip(low, high, strict=False))
    common = low[: next((place for place, (one, other) in pairs if one != other), len(low))]
    return common[: max(common.rfind(sign) for sign in "_- /:.") + 1]


def colours(n: int) -> list[Any]:
    """Return n colours, the first ten of which colour-blind readers can tell apart."""
    return list(sns.color_palette("colorblind" if n <= _DISTINCT else "husl", n))


def shades(n: int) -> list[Any]:
    """Return n colours in an order, from light to dark, all readable on white."""
    return list(sns.color_palette("crest", n))


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
    figure.get_layout_engine().set(h_pad=0.1, w_pad=0.08)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, list(axes.flat)
