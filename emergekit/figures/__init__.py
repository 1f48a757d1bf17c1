"""Whole figures of papers, each returned with the table behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd
from matplotlib.figure import Figure

from emergekit.errors import unknown
from emergekit.figures import (
    benchmark,
    cost,
    learners,
    loss_view,
    mirage,
    mirage_knobs,
    scaling,
    size_scaling,
    skill_curves,
    theories,
)

__all__ = [
    "FIGURES",
    "benchmark",
    "cost",
    "describe",
    "get",
    "learners",
    "loss_view",
    "mirage",
    "mirage_knobs",
    "scaling",
    "size_scaling",
    "skill_curves",
    "theories",
]

FIGURES: Mapping[str, Callable[[], tuple[Figure, pd.DataFrame]]] = MappingProxyType(
    {
        "mirage-model": mirage.mathematical_model,
        "mirage-knobs": mirage_knobs.knobs,
        "mirage-emergence-scores": mirage.emergence_scores,
        "mirage-annotated-metrics": mirage.annotated_metrics,
        "chinchilla": scaling.chinchilla,
        "fitting-cost": cost.fitting_cost,
        "extrapolation": benchmark.extrapolation,
        "loss-threshold": loss_view.threshold,
        "loss-collapse": loss_view.collapse,
        "loss-metrics": loss_view.metrics_at_threshold,
        "loss-performance": loss_view.performance,
        "skill-curves": skill_curves.performance_curves,
        "learners": learners.learning,
        "learners-hierarchy": learners.hierarchy,
        "size-scaling": size_scaling.compute_optimal,
        "size-plateaus": size_scaling.plateaus,
        "theories": theories.side_by_side,
    }
)


def get(name: str) -> Callable[[], tuple[Figure, pd.DataFrame]]:
    """Return the figure function of that name.

    Raises
    ------
    ValueError
        Naming the known figures and the nearest match.
    """
    if name not in FIGURES:
        raise ValueError(unknown("figure", name, FIGURES))
    return FIGURES[name]


def describe() -> dict[str, str]:
    """Return what each figure shows, in one line, by its name.

    Examples
    --------
    >>> describe()["chinchilla"]
    'the Chinchilla law on the 240 runs of its replication, with its residuals'
    """
    said = {name: inspect.getdoc(draw) or "" for name, draw in FIGURES.items()}
    return {
        name: text.partition("\n")[0].removeprefix("Return ").rstrip(".")
        for name, text in said.items()
    }
