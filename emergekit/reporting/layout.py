"""The columns of the one table: what comes first, what is derived, what stays empty for now."""

from __future__ import annotations

import pandas as pd

from emergekit.reporting.judged import NUMBERS
from emergekit.reporting.needs import empty_because, needed

__all__ = ["FORECAST", "laid_out", "refused_rows"]

FORECAST = ("predicted", "lower", "upper", "level", "calibrated", "method")
"""Columns of a forecast, empty until one is made."""
_NO_FORECAST = "no forecast was made"
_KEYS = (
    *("task", "metric", "family", "subtask", "n_shots", "filter", "n_target_tokens"),
    *("run", "model", "seed"),
)
_SHAPES = (
    *("n_scales", "n_examples", "score_first", "score_last", "emergence_score"),
    *("emergence_p_value", "onset", "onset_reason", "form", "form_reason", "breakthroughness"),
    *("linearity", "increment_gini", "largest_increment_share", "last_point_error"),
    *("x_first", "x_last", "shape_reason"),
)
_VERDICTS = (*NUMBERS, "p_reason", "scope", "m", "n_votes", "n_agree", "continuous", "kind")
_THRESHOLDS = (
    *("threshold_loss", "threshold_loss_lower", "threshold_loss_upper"),
    *("threshold_verdict", "threshold_form", "threshold_method", "threshold_reason"),
    *("threshold_n_params", "threshold_n_params_lower", "threshold_n_params_upper"),
    "threshold_size_reason",
)
_ALWAYS = (
    *("onset_reason", "form_reason", "shape_reason", "p_reason", "threshold_reason"),
    *("threshold_size_reason", "forecast_reason", "note", "needs"),
)
"""Columns that are empty text where there is nothing to say."""
_TEXTS = (
    *("verdict", "evidence", "reason", "form", "scope", "continuous", "kind", "in_words"),
    *("threshold_verdict", "threshold_form", "threshold_method", "calibrated", "method", *_ALWAYS),
)


def laid_out(table: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return the table with its derived columns, those that are read first in front.

    Parameters
    ----------
    table : DataFrame
        Keys, shapes, verdicts and thresholds of curves.
    x : str
        Column of scale.
    """
    keys = [name for name in _KEYS if name in table and table[name].notna().any()]
    order = (
        *("verdict", "reason", "evidence", *_SHAPES, *_VERDICTS, *_THRESHOLDS),
        *(*FORECAST, "forecast_reason", "note", "in_words", "needs", "x"),
    )
    # Where all curves were refused, most columns are not there yet.
    ordered = table.reindex(columns=[*keys, *order])
    rows = [{str(name): v for name, v in row.items()} for row in ordered.to_dict("records")]
    ordered = ordered.assign(
        needs=[needed(row) for row in rows],
        p_reason=[empty_because(row) for row in rows],
        forecast_reason=_NO_FORECAST,
        x=x,
    )
    return ordered.astype(dict.fromkeys(_TEXTS, object)).fillna(dict.fromkeys(_ALWAYS, ""))


def refused_rows(rows: pd.DataFrame, error: str) -> pd.DataFrame:
    """Return the row of a curve that cannot be described: its keys, and the error."""
    named = {name: rows[name].iloc[0] for name in _KEYS if name in rows and _one(rows[name])}
    return pd.DataFrame(
        [
            {
                **named,
                "n_scales": len(rows),
                "verdict": "undecided",
                "evidence": "none",
                "reason": "bad_input",
                "in_words": "undecided: the scores were refused",
                **dict.fromkeys(("shape_reason", "onset_reason", "form_reason", "note"), error),
                "threshold_reason": "the scores were refused",
                "threshold_size_reason": "no threshold in loss",
            }
        ]
    )


def _one(values: pd.Series) -> bool:
    """Return whether a key has one value in all rows: only then is it one of the curve."""
    return bool(values.nunique(dropna=False) == 1)
