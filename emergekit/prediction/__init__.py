"""Prediction: what the next model will score, how sure that is, and how sure it turned out."""

from __future__ import annotations

from emergekit.prediction.leagues import paired_differences, score_forecasts
from emergekit.prediction.scoring import crps_normal, crps_sample, interval_score

__all__ = [  # noqa: RUF022  scores of one forecast, then of many
    "interval_score",
    "crps_normal",
    "crps_sample",
    "score_forecasts",
    "paired_differences",
]
