"""Metrics that re-score saved outputs: definitions, registry, mergeable sums, uncertainty."""

from __future__ import annotations

from emergekit.metrics.metric import Metric
from emergekit.metrics.registry import (
    METRICS,
    continuous_counterparts,
    describe,
    get,
    higher_is_better,
)
from emergekit.metrics.rescoring import rescore, score_samples

__all__ = [
    "METRICS",
    "Metric",
    "continuous_counterparts",
    "describe",
    "get",
    "higher_is_better",
    "rescore",
    "score_samples",
]
