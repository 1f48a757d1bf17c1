"""A verdict as a sentence, for titles and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

__all__ = ["verdict_in_words"]

_SAID = {
    ("genuine", "break"): "{z} itself has a threshold (q = {q_break:.2g})",
    ("genuine", "break_in_accuracy"): "accuracy has a threshold (q = {q_break:.2g}); "
    "no continuous metric to confirm it",
    ("mirage", "no_break_and_linked"): "{z} rises without a break, and {s} follows from it",
    ("resolution_limited", "low_power"): "{n} items cannot tell a smooth curve from a step",
    ("resolution_limited", "no_continuous"): "{n} items cannot tell a smooth curve from a step, "
    "and no continuous metric is there",
    ("smooth", "no_plateau"): "it rises from the start",
    ("smooth", "hinge_rejected"): "a threshold is excluded (p = {p_rev_sharp:.2g})",
}
_REASONS = {
    "few_scales": "fewer than five scales",
    "crowded_checkpoints": "nearly all checkpoints lie in a few stretches, far from the others",
    "range_too_short": "the scales span less than what counts as smooth",
    "n_unknown": "the number of test items is unknown",
    "no_sharp_metric": "no sharp metric is known",
    "not_monotone": "scores fall and rise again with scale",
    "inverse_scaling": "scores fall with scale",
    "no_rise": "scores do not rise above chance",
    "plateau_above_chance": "it sits still, but above chance",
    "not_mediated": "{s} does not follow from {z}",
    "low_power": "neither a break nor its absence can be shown",
    "no_continuous": "no continuous metric is there, and the counts do not decide",
    "runs_disagree": "the runs disagree",
}


def verdict_in_words(row: pd.Series | Mapping[str, Any]) -> str:
    """Return one row of verdicts as a sentence.

    Parameters
    ----------
    row : Series or mapping
        A row of what `mirage_test` returns.

    Examples
    --------
    >>> row = {"verdict": "undecided", "reason": "few_scales", "metric": "acc"}
    >>> verdict_in_words(row)
    'undecided: fewer than five scales'
    """
    verdict, reason = str(row["verdict"]), str(row["reason"])
    said = _SAID.get((verdict, reason), _REASONS.get(reason, reason.replace("_", " ")))
    z, n = row.get("continuous"), row.get("n_items")
    named = {
        **dict(row),
        "z": z if isinstance(z, str) else "the continuous metric",
        "s": row.get("metric"),
        "n": f"{n:g}" if n is not None and n == n else "so few",
    }
    return f"{verdict.replace('_', ' ')}: {said.format(**named)}"
