"""On which scale the harness states a metric: its bounds, its direction, and what is in percent.

A name alone does not tell: `bleu` runs from 0 to 100 here and from 0 to 1 elsewhere. What is not
listed stays unknown.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from emergekit.metrics import registry

__all__ = ["HARNESS", "as_ours", "scaled"]

HARNESS = "lm-evaluation-harness"

# sacrebleu and SQuAD 2 write percentages; the shares made from them (bleu_acc) are fractions.
_PERCENT = re.compile(r"(bleu|chrf|ter|rouge(1|2|L|Lsum))(_max|_diff)?$")
_SQUAD = re.compile(r"(HasAns_|NoAns_|best_)?(exact|f1)$")
_SHARES = frozenset({"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "em", "f1"})
_SHARES_TOO = re.compile(r"(bleu|rouge(1|2|L|Lsum))_acc$|mc[12]$|pct_stereotype$|parity$")
_PERPLEXITY = frozenset({"ppl", "perplexity", "word_perplexity", "byte_perplexity"})
_NAMES = MappingProxyType({"brier_score": "brier_sum", "em": "exact_match"})


def as_ours(metric: str) -> str:
    """Return the name that our registry has for a metric of the harness.

    Examples
    --------
    >>> as_ours("brier_score"), as_ours("acc")
    ('brier_sum', 'acc')
    """
    return _NAMES.get(metric, metric)


def is_percent(metric: str, task: str) -> bool:
    """Return whether the harness states the scores of a metric from 0 to 100.

    Examples
    --------
    >>> is_percent("bleu", "wmt16"), is_percent("f1", "squadv2"), is_percent("f1", "drop")
    (True, True, False)
    """
    is_squad = task.lower().startswith(("squadv2", "squad2")) and bool(_SQUAD.match(metric))
    return is_squad or bool(_PERCENT.match(metric))


def scaled(
    metric: str, task: str, score: float, stderr: float | None, is_better: bool | None
) -> dict[str, Any]:
    """Return score, standard error, bounds and direction of a metric, percentages as fractions."""
    factor = 0.01 if is_percent(metric, task) else 1.0
    low, high = _bounds(metric, factor)
    return {
        "metric": metric,
        "score": score * factor if factor != 1.0 else score,
        "stderr": stderr * factor if stderr is not None and factor != 1.0 else stderr,
        "low": low,
        "high": high,
        "higher_is_better": registry.higher_is_better(metric) if is_better is None else is_better,
    }


def _bounds(metric: str, factor: float) -> tuple[float | None, float | None]:
    if metric in _SHARES or _SHARES_TOO.match(metric):
        return 0.0, 1.0
    if metric == "brier_score":
        return 0.0, 2.0
    if metric in _PERPLEXITY:
        return 1.0, None
    if factor != 1.0 and metric.endswith("_diff"):
        return -1.0, 1.0
    if factor != 1.0 and not metric.startswith("ter"):
        return 0.0, 1.0
    return (0.0, None) if metric == "bits_per_byte" or factor != 1.0 else (None, None)
