"""OpenCompass writes shares from 0 to 100: which of its metrics are shares, and which stay."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emergekit.files import Note
from emergekit.loaders.tabular.shares import is_of_either_scale, is_share

__all__ = ["HARNESS", "NO_SCORES", "divisor", "notes_on_scales"]

HARNESS = "OpenCompass"

NO_SCORES = frozenset({"bp", "sys_len", "ref_len", "type"})
"""What stands among the metrics and is none."""

# Also from 0 to 100, though their names do not say so; bits per byte are times 100 as well.
_TIMES_100 = frozenset(
    {"score", "naive_average", "weighted_average", "harmonic_mean", "extract_rate"}
    | {"matthews_correlation", "correct_bpb", "incorrect_bpb"}
)


def divisor(metric: str) -> float:
    """Return what a score of this metric is divided by.

    Examples
    --------
    >>> [divisor(name) for name in ("accuracy", "humaneval_pass@1", "bleu", "bleurt_diff")]
    [100.0, 100.0, 100.0, 1.0]
    """
    last = metric.rpartition("_")[2]
    is_percent = metric in _TIMES_100 or is_share(metric) or is_of_either_scale(metric)
    return 100.0 if is_percent or ("@" in last and is_share(last)) else 1.0


def notes_on_scales(metrics: Iterable[str], path: Path) -> list[Note]:
    """Return notes on the metrics that were divided by 100, and those that were left."""
    names = sorted(set(metrics))
    divided = [name for name in names if divisor(name) != 1.0]
    left = [name for name in names if divisor(name) == 1.0]
    notes = list[Note]()
    if divided:
        notes.append(("info", str(path), "score", f"divided by 100: {', '.join(divided[:10])}"))
    if left:
        said = f"of unknown scale, left as they are: {', '.join(left[:10])}"
        notes.append(("warning", str(path), "score", said))
    return notes
