"""Metrics that re-score saved outputs; `get` finds one by its registry name."""

from __future__ import annotations

from types import MappingProxyType

from emergekit.errors import unknown
from emergekit.metrics import choices, text
from emergekit.metrics.metric import Metric

__all__ = ["METRICS", "Metric", "get"]

METRICS = MappingProxyType({metric.name: metric for metric in (*text.METRICS, *choices.METRICS)})


def get(name: str) -> Metric:
    """Return the metric of that registry name.

    Raises
    ------
    ValueError
        Naming the known metrics and the nearest match.

    Examples
    --------
    >>> get("exact_match").continuous
    False
    """
    if name not in METRICS:
        raise ValueError(unknown("metric", name, METRICS))
    return METRICS[name]
