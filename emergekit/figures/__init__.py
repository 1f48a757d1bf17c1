"""Whole figures of papers, each returned with the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd
from matplotlib.figure import Figure

from emergekit.errors import unknown
from emergekit.figures import mirage, scaling

__all__ = ["FIGURES", "get", "mirage", "scaling"]

FIGURES: Mapping[str, Callable[[], tuple[Figure, pd.DataFrame]]] = MappingProxyType(
    {
        "mirage-model": mirage.mathematical_model,
        "mirage-emergence-scores": mirage.emergence_scores,
        "mirage-annotated-metrics": mirage.annotated_metrics,
        "chinchilla": scaling.chinchilla,
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
