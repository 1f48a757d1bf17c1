"""Metrics of text: what the model wrote against what it should have written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from emergekit.metrics.metric import Metric

__all__ = ["EXACT_MATCH", "METRICS", "TOKEN_EDIT_DISTANCE", "exact_match", "token_edit_distance"]


def exact_match(samples: pd.DataFrame) -> NDArray[np.float64]:
    """Return 1 where the prediction equals a target to the letter, else 0.

    Parameters
    ----------
    samples : DataFrame
        `prediction` is text; `target` is text, or a list of texts of which any will do.

    Returns
    -------
    array, shape (n,)
        0 or 1; NaN where the prediction or the target is missing.
    """
    return _best(samples, lambda prediction, target: float(prediction == target), max)


def token_edit_distance(samples: pd.DataFrame) -> NDArray[np.float64]:
    """Return the Levenshtein distance between prediction and target, in words.

    Parameters
    ----------
    samples : DataFrame
        `prediction` is text; `target` is text, or a list of texts of which the nearest counts.
        Both are split at white space.

    Returns
    -------
    array, shape (n,)
        Number of words put in, taken out or replaced; NaN where an input is missing.
    """
    return _best(samples, _word_distance, min)


def _word_distance(prediction: str, target: str) -> float:
    return float(Levenshtein.distance(prediction.split(), target.split()))


def _best(
    samples: pd.DataFrame, compare: Callable[[str, str], float], best: Callable[[Any], float]
) -> NDArray[np.float64]:
    scores = np.full(len(samples), np.nan)
    pairs = zip(samples["prediction"], samples["target"], strict=True)
    for place, (prediction, target) in enumerate(pairs):
        targets = [target] if isinstance(target, str) else target
        if (
            isinstance(prediction, str)
            and isinstance(targets, list | tuple | np.ndarray)
            and len(targets)
        ):
            scores[place] = best([compare(prediction, text) for text in targets])
    return scores


EXACT_MATCH = Metric(
    name="exact_match",
    requires=("prediction", "target"),
    continuous=False,
    per_token="geometric",
    bounds=(0.0, 1.0),
    higher_is_better=True,
    scorer=exact_match,
    reference="Schaeffer et al. 2023, section 1; expected score p^K",
)

TOKEN_EDIT_DISTANCE = Metric(
    name="token_edit_distance",
    requires=("prediction", "target"),
    continuous=True,
    per_token="linear",
    bounds=(0.0, np.inf),
    higher_is_better=False,
    scorer=token_edit_distance,
    reference="Schaeffer et al. 2023, section 2; expected score about K(1 - p)",
)

METRICS = (EXACT_MATCH, TOKEN_EDIT_DISTANCE)
