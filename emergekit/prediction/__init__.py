"""Prediction: what the next model will score, how sure that is, and how sure it turned out."""

from __future__ import annotations

from emergekit.prediction.backtests import backtest
from emergekit.prediction.chains import Chain, chain
from emergekit.prediction.competence import (
    composable_tuples,
    exact_match_by_loss,
    guaranteed_competence,
    through_theory,
)
from emergekit.prediction.elbows import leave_out_elbows, point_of_emergence
from emergekit.prediction.leagues import paired_differences, score_forecasts
from emergekit.prediction.methods import (
    BASELINES,
    METHODS,
    constant,
    direct,
    last,
    linear_trend,
    logistic_trend,
    two_step,
)
from emergekit.prediction.reaching import threshold
from emergekit.prediction.runs import final_scores, smoothed_checkpoints
from emergekit.prediction.scoring import crps_normal, crps_sample, interval_score
from emergekit.prediction.splits import beyond, families_out, named_targets

__all__ = [  # noqa: RUF022  chains, elbows, theories, methods, back-tests, scores
    "Chain",
    "chain",
    "threshold",
    "point_of_emergence",
    "leave_out_elbows",
    "through_theory",
    "guaranteed_competence",
    "composable_tuples",
    "exact_match_by_loss",
    "final_scores",
    "smoothed_checkpoints",
    "BASELINES",
    "METHODS",
    "constant",
    "last",
    "linear_trend",
    "logistic_trend",
    "direct",
    "two_step",
    "beyond",
    "families_out",
    "named_targets",
    "backtest",
    "score_forecasts",
    "paired_differences",
    "interval_score",
    "crps_normal",
    "crps_sample",
]
