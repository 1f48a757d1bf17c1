"""What it would take to decide a curve, and why some of its numbers are empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from emergekit.emergence.questions.curve_pairs import LEAST_SCALES
from emergekit.emergence.verdicts.rules import ENOUGH_SCALES

__all__ = ["empty_because", "needed"]

_NEEDS = {
    "crowded_checkpoints": "checkpoints far from the others left out, such as those of step 0",
    "range_too_short": "scales further apart",
    "n_unknown": "n_examples, the number of test items",
    "no_sharp_metric": "a metric of right answers; name it with sharp=",
    "no_rise": "larger models, or more items",
    "plateau_above_chance": "the score of guessing in a column 'chance', or smaller models",
    "not_mediated": "a continuous metric that the sharp one is made of",
    "runs_disagree": "more runs",
    "bad_input": "a table that can be read: see note",
}
_MEDIATOR = "a continuous metric"
_OF_BOTH = ("p_mirage", "q_mirage", "p_link", "pre_share")
_PLATEAU = 4  # scales at chance from which progress among them is asked for


def needed(row: Mapping[str, Any]) -> str:
    """Return in words what could decide an open verdict; nothing where it is decided.

    Parameters
    ----------
    row : mapping
        verdict, reason, m, n_items, items_needed, continuous, as `mirage_test` gives them.

    Examples
    --------
    >>> needed({"verdict": "undecided", "reason": "few_scales", "m": 3})
    'at least 2 more scales; 5 more for a threshold'
    """
    if row["verdict"] not in ("undecided", "resolution_limited"):
        return ""
    reason = str(row["reason"])
    if reason == "few_scales":
        m = int(row["m"])
        more = f"at least {LEAST_SCALES - m} more scale{'s' if LEAST_SCALES - m > 1 else ''}"
        return f"{more}; {ENOUGH_SCALES - m} more for a threshold"
    if reason in _NEEDS:
        return _NEEDS[reason]
    if reason not in ("low_power", "no_continuous"):
        return ""
    told = [_MEDIATOR] if reason == "no_continuous" else []
    items, n = float(row["items_needed"]), float(row["n_items"])
    if n < items < np.inf:
        told.append(f"about {float(f'{items:.2g}'):,.0f} items")
    if row["m"] < ENOUGH_SCALES:
        told.append(f"{ENOUGH_SCALES - int(row['m'])} more scales")
    if not told:
        told.append("more scales, or models that scatter less about their curve")
    return ", ".join(told[:-1]) + (" or " if told[:-1] else "") + told[-1]


def empty_because(row: Mapping[str, Any]) -> str:
    """Return why numbers behind a verdict are empty, in one line; nothing if none is.

    Examples
    --------
    >>> empty_because({"verdict": "undecided", "reason": "few_scales", "p_break": float("nan")})
    'no question was asked: few scales'
    """
    if not isinstance(row["verdict"], str):
        return "not judged"
    empty = {name for name, value in row.items() if isinstance(value, float) and np.isnan(value)}
    if {"p_break", "p_smooth_sharp"} & empty:
        return f"no question was asked: {str(row['reason']).replace('_', ' ')}"
    told = []
    if not isinstance(row["continuous"], str):
        told.append(f"{', '.join(_OF_BOTH)}: no continuous metric")
    elif "p_mirage" in empty:
        told.append(f"p_mirage, q_mirage: fewer than {_PLATEAU} scales at chance")
    if isinstance(row["continuous"], str) and "pre_share" in empty:
        told.append("pre_share: no scale at chance, or no gain")
    if "q_break" in empty:
        told.append(f"q_break: fewer than {ENOUGH_SCALES} scales, or exact match alone")
    if "eta" in empty:
        told.append("eta: no threshold is claimed")
    elif "eta_lower" in empty:
        told.append("eta_lower, eta_upper: one run has no spread")
    if "items_needed" in empty:
        told.append("items_needed: no scale at chance")
    return "; ".join(told)
