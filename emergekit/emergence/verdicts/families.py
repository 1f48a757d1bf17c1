"""From runs to families: combined p-values, false discoveries over tasks, and one label a row.

Runs are the unit. A family of several runs gets the label that most of them share; its p-values are
Fisher's over runs, never over checkpoints; its threshold has the spread over runs as interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import combine_pvalues, false_discovery_control

from emergekit.emergence.questions.curve_pairs import LEAST_SCALES
from emergekit.emergence.verdicts.rules import Verdict, can_be_genuine, judge

__all__ = ["adjusted", "combined", "family_verdict", "row_p_values", "voters"]

Array: TypeAlias = NDArray[np.float64]
Row: TypeAlias = Mapping[str, Any]

_P_VALUES = (
    *("p_break", "p_rev", "p_pre", "p_mirage", "p_link", "p_smooth_sharp"),
    *("p_break_sharp", "p_rev_sharp"),
)
_LEAST = ("m", "n_items", "n_boot")
_FLAGS = ("rise", "fall", "dip", "looks_emergent", "linked", "poor_fit", "is_crowded")
_WORDS = ("kind", "link", "transform", "has_z")


def combined(runs: Sequence[Row]) -> dict[str, Any]:
    """Return the numbers of a family: those of its run, or what its runs say together."""
    if len(runs) == 1:
        return dict(runs[0])
    row: dict[str, Any] = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        if name in _WORDS:
            row[name] = Counter(values).most_common(1)[0][0]
        elif name in _FLAGS:
            row[name] = 2 * sum(values) > len(values)
        else:
            row[name] = _together(name, np.array(values, dtype=float))
    etas = _known(np.array([run["eta"] for run in runs], dtype=float))
    row["eta_lower"], row["eta_upper"] = (etas.min(), etas.max()) if len(etas) else (np.nan,) * 2
    return row


def _together(name: str, values: Array) -> float:
    known = _known(values)
    if not len(known):
        return np.nan
    if name in _P_VALUES and len(known) > 1:
        return float(combine_pvalues(known, method="fisher").pvalue)
    return float(known.min() if name in _LEAST else np.median(known))


def _known(values: Array) -> Array:
    return values[np.isfinite(values)]


def voters(runs: Mapping[str | None, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs that can be judged: those with too few scales have no vote beside others."""
    enough = [run for run in runs.values() if run["m"] >= LEAST_SCALES]
    return enough or list(runs.values())


def row_p_values(runs: Sequence[Row]) -> tuple[float, float]:
    """Return the p-values of what a row may claim, break and mirage; NaN where it cannot."""
    able = [run["p_break"] for run in runs if can_be_genuine(run)]
    early = [run["p_mirage"] for run in runs]
    one, other = (_together("p_break", np.array(side, dtype=float)) for side in (able, early))
    return one, other


def adjusted(p_values: Array, fdr: str | None) -> Array:
    """Return p-values after Benjamini-Hochberg over those that are known.

    Examples
    --------
    >>> adjusted(np.array([0.01, np.nan, 0.04]), "bh")
    array([0.02,  nan, 0.04])
    """
    q = p_values.copy()
    known = np.isfinite(q)
    if fdr == "bh" and known.any():
        q[known] = false_discovery_control(q[known])
    return q


def family_verdict(
    runs: Sequence[Row], q_break: float, q_mirage: float, alpha: float
) -> tuple[Verdict, int]:
    """Return the label that most runs share, and how many do.

    A run never counts as surer than its family is after the correction for many tasks.
    """
    labels = [
        judge(
            run,
            float(np.fmax(run["p_break"], q_break)) if np.isfinite(q_break) else np.nan,
            float(np.fmax(run["p_mirage"], q_mirage)) if np.isfinite(q_mirage) else np.nan,
            alpha,
        )
        for run in runs
    ]
    top, n = Counter(label.verdict for label in labels).most_common(1)[0]
    if 2 * n <= len(labels):
        return Verdict("undecided", "none", "runs_disagree"), n
    same = [label for label in labels if label.verdict == top]
    return Counter(same).most_common(1)[0][0], n
