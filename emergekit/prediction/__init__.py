"""Prediction: what the next model will score, how sure that is, and how sure it turned out."""

from __future__ import annotations

from emergekit.prediction.chains import Chain, chain
from emergekit.prediction.elbows import leave_out_elbows, point_of_emergence
from emergekit.prediction.leagues import paired_differences, score_forecasts
from emergekit.prediction.reaching import threshold
from emergekit.prediction.scoring import crps_normal, crps_sample, interval_score

__all__ = [  # noqa: RUF022  forecasts, then their scores
    "Chain",
    "chain",
    "threshold",
    "point_of_emergence",
    "leave_out_elbows",
    "interval_score",
    "crps_normal",
    "crps_sample",
    "score_forecasts",
    "paired_differences",
]
