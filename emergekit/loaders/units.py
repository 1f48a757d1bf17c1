"""Bring what people write to our units: percentages to fractions, names to sizes."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from emergekit import metrics
from emergekit.errors import LoadError

__all__ = ["fractions", "is_share", "size_in_name"]

_SHARE_NAMES = re.compile(r"(^|_)(acc|accuracy|em|f1|match|grade)(_|$)|accuracy", re.IGNORECASE)
_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)\s?([kmbt])(?![A-Za-z0-9])", re.IGNORECASE)
_FACTOR = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def size_in_name(name: str) -> float:
    """Return the number of parameters that a model's name states, NaN if it is not plain.

    Examples
    --------
    >>> size_in_name("pythia-1.4b-deduped"), size_in_name("gpt2"), size_in_name("mixtral-8x7b")
    (1400000000.0, nan, nan)
    """
    found = _SIZE.findall(str(name))
    return (
        round(float(found[0][0]) * _FACTOR[found[0][1].lower()]) * 1.0
        if len(found) == 1
        else np.nan
    )


def is_share(metric: str) -> bool:
    """Return whether scores of this metric lie between 0 and 1, by the registry or by its name."""
    known = metrics.METRICS.get(metric)
    return known.bounds == (0.0, 1.0) if known else bool(_SHARE_NAMES.search(metric))


def fractions(
    results: pd.DataFrame, where: str, percent: bool | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the results with percentages as fractions, and the metrics that were divided by 100.

    Parameters
    ----------
    results : DataFrame
        With numeric `score`; `metric` decides which scores are shares.
    where : str
        The file, for messages.
    percent : bool, optional
        What the scores of shares are; None looks: a metric above 1 is in percent.

    Raises
    ------
    LoadError
        If one metric holds both kinds, or a score that is neither.
    """
    divided = []
    table = results.copy()
    for metric, rows in results.groupby("metric", sort=False):
        if is_share(str(metric)) and _in_percent(rows["score"], str(metric), where, percent):
            divided.append(str(metric))
    chosen = table["metric"].isin(divided)
    for name in ("score", "stderr", "chance", "lower", "upper"):
        if name in table:
            table.loc[chosen, name] = pd.to_numeric(table.loc[chosen, name]) / 100
    return table, divided


def _in_percent(scores: pd.Series, metric: str, where: str, percent: bool | None) -> bool:
    high = 100.0 if percent or (percent is None and scores.max() > 1) else 1.0
    outside = (scores < 0) | (scores > high)
    if outside.any():
        line, score = next(iter(scores[outside].items()))
        raise LoadError(
            f"{where}: '{metric}' is a share, between 0 and {high:g}, but line {line} holds "
            f"{score:g}; mend the file, or name another metric if it is not a share."
        )
    if percent is None and high == 100.0:
        small = scores[(scores > 0) & (scores <= 1)]
        if len(small):
            raise LoadError(
                f"{where}: '{metric}' mixes percentages and fractions: line {scores.idxmax()} "
                f"holds {scores.max():g} and line {small.index[0]} holds {small.iloc[0]:g} "
                f"({len(small)} of {len(scores)} scores are 1 or less); mend the file, or pass "
                f"percent=True (or --percent) if all of them are percentages."
            )
    return high == 100.0
