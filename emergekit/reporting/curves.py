"""The sections on a user's curves: their shapes, and the metrics against each other."""

from __future__ import annotations

import pandas as pd

from emergekit.figures.mirage import STEEP
from emergekit.reporting.section import Section, Sheet
from emergekit.reporting.small_multiples import small_multiples
from emergekit.reporting.words import SHAPE_TERMS, counted, span

__all__ = ["SHAPES_SHOWN", "curves_section", "metrics_section"]

SHAPES_SHOWN = (
    "task",
    "metric",
    "emergence_score",
    "score_first",
    "score_last",
    "n_scales",
    "n_examples",
    "emergence_p_value",
    "form",
    "onset",
    "family",
    "subtask",
    "n_shots",
    "filter",
    "n_target_tokens",
    "run",
    "seed",
    "linearity",
    "increment_gini",
    "largest_increment_share",
)
"""Columns of the shapes that the page shows: what a narrow screen has room for comes first."""

_FEW = 30  # examples, below which noise alone often makes an emergence score infinite


def curves_section(scores: pd.DataFrame, shapes: pd.DataFrame, x: str) -> Section:
    """Return the section on all curves, those that move most suddenly first."""
    size = shapes["emergence_score"].fillna(0).abs()
    ranked = shapes.loc[size.sort_values(ascending=False, kind="stable").index]
    ranked = ranked.reset_index(drop=True)
    is_steep = ranked["emergence_score"] > STEEP
    steep, on_few = int(is_steep.sum()), int((is_steep & (ranked["n_examples"] < _FEW)).sum())
    few = f", {on_few} of them on fewer than {_FEW} examples" if on_few else ""
    n_curves = counted(len(shapes), "curve")
    words = (
        f"{n_curves} over {span(x, scores[x])}. {steep} of {len(shapes)} "
        f"have an emergence score above {STEEP:g}{few}. Such a score suggests a jump and does not "
        "show one: with few examples, or few scales, noise alone makes it large or infinite.",
    )
    figure, caption = small_multiples(scores, ranked, x)
    return Section(
        "curves",
        f"{n_curves} over {x}",
        words,
        (Sheet("curves", ranked, SHAPES_SHOWN),),
        figure,
        caption,
        SHAPE_TERMS,
        (("curves", f"{len(shapes)} over {x}, {steep} with emergence score > {STEEP:g}"),),
    )


def metrics_section(shapes: pd.DataFrame) -> Section:
    """Return the section that sets the metrics beside each other."""
    groups = shapes.groupby("metric", sort=False)
    table = pd.DataFrame(
        {
            "n_curves": groups.size(),
            "median_emergence_score": groups["emergence_score"].median(),
            f"share_above_{STEEP:g}": groups["emergence_score"].agg(_share_steep),
            "median_linearity": groups["linearity"].median(),
            "median_increment_gini": groups["increment_gini"].median(),
        }
    ).reset_index()
    return Section(
        "metrics",
        "The same abilities under each metric",
        ("A mirage of the metric shows as high emergence scores under sharp metrics only.",),
        (Sheet("metrics", table),),
    )


def _share_steep(scores: pd.Series) -> float:
    return float((scores > STEEP).mean())
