"""Numbers and measures in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from emergekit.laws.axis import axis_of
from emergekit.plots.axes import label

__all__ = ["SHAPE_TERMS", "counted", "in_words", "listed", "span"]

SHAPE_TERMS = (
    (
        "emergence_score",
        "How far the curve moves in units of its median step (Schaeffer et al. 2023, equation 1): "
        "n_scales - 1 for a straight line, negative where the best score comes before the worst. "
        "It is infinite where more than half of the steps are exactly zero; few examples or few "
        "scales make that likely without any jump.",
    ),
    (
        "emergence_p_value",
        "How often noise at constant accuracy gives such an emergence score, for as many examples; "
        "empty where the number of examples is unknown or the metric counts nothing.",
    ),
    ("form", "Which form fits the counts: step, logistic, line, constant or not identifiable."),
    ("onset", "The scale from which scores are well above chance."),
    (
        "linearity",
        "The same with the root-mean-square step: n_scales - 1 for a straight line, the square "
        "root of that for a single step.",
    ),
    (
        "increment_gini",
        "Gini coefficient of the sizes of the steps: 0 where all are equal, near 1 where one step "
        "is everything.",
    ),
    ("largest_increment_share", "Share of all movement that the largest step makes."),
    ("n_examples", "The fewest examples at any scale; noise of a share is about 0.5 / sqrt(n)."),
)

_WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
_LARGEST_IN_WORDS = 1e15


def in_words(value: float) -> str:
    """Return a count as it is said: three digits and a word, or a power of ten.

    Examples
    --------
    >>> in_words(137440272384), in_words(3.1e21), in_words(2.25)
    ('137 billion', '3.1e21', '2.25')
    """
    if value >= _LARGEST_IN_WORDS:
        exponent = math.floor(math.log10(value))
        return f"{value / 10**exponent:.3g}e{exponent}"
    for size, word in _WORDS:
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:.3g}"


def span(x: str, values: pd.Series) -> str:
    """Return the range of a scale in words, from small models to large ones.

    Examples
    --------
    >>> span("n_params", pd.Series([1e7, 1e9]))
    'model size (parameters) from 10 million to 1 billion'
    """
    low, high = float(values.min()), float(values.max())
    ends = (high, low) if axis_of(x, None).falls else (low, high)
    return f"{label(x)} from {in_words(ends[0])} to {in_words(ends[1])}"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "curve"), counted(3, "curve")
    ('1 curve', '3 curves')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(names: Sequence[object], most: int = 10) -> str:
    """Return names in a row, the first ones and how many more there are.

    Examples
    --------
    >>> listed("abcd", most=2)
    'a, b and 2 more'
    """
    shown = ", ".join(map(str, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
