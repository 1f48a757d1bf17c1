"""Metrics of multiple choice: log-probabilities of the choices against the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.metrics.metric import Metric

__all__ = ["BRIER_MEAN", "METRICS", "MULTIPLE_CHOICE_GRADE", "brier_mean", "multiple_choice_grade"]


def multiple_choice_grade(samples: pd.DataFrame) -> NDArray[np.float64]:
    """Return 1 where the likeliest choice is right; tied choices share their credit.

    Parameters
    ----------
    samples : DataFrame
        `choice_logprobs` holds K log-probabilities in nats; `gold` an index or list of indices.

    Returns
    -------
    array, shape (n,)
        Between 0 and 1; NaN where an input is missing.
    """
    return _each(samples, _grade)


def brier_mean(samples: pd.DataFrame) -> NDArray[np.float64]:
    """Return the Brier score over the choices, as a mean over choices.

    Probabilities are renormalised over the choices; several right choices share the target evenly.

    Parameters
    ----------
    samples : DataFrame
        `choice_logprobs` holds K log-probabilities in nats; `gold` an index or list of indices.

    Returns
    -------
    array, shape (n,)
        Between 0 and 1, lower is better, (K - 1)/K^2 for a uniform guess; NaN where an input is
        missing.
    """
    return _each(samples, _brier)


def _grade(logprobs: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float((target[logprobs == logprobs.max()] > 0).mean())


def _brier(logprobs: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    weights = np.exp(logprobs - logprobs.max())
    return float(((weights / weights.sum() - target) ** 2).mean())


def _each(samples: pd.DataFrame, score: Any) -> NDArray[np.float64]:
    scores = np.full(len(samples), np.nan)
    rows = zip(samples["choice_logprobs"], samples["gold"], strict=True)
    for place, (logprobs, gold) in enumerate(rows):
        if isinstance(logprobs, Sequence | np.ndarray) and len(logprobs) and np.all(pd.notna(gold)):
            values = np.asarray(logprobs, dtype=float)
            if np.isfinite(values.max()):
                scores[place] = score(values, _target(gold, len(values)))
    return scores


def _target(gold: Any, n_choices: int) -> NDArray[np.float64]:
    right = np.atleast_1d(np.asarray(gold, dtype=int))
    target = np.zeros(n_choices)
    target[right] = 1 / len(right)
    return target


def _one_in_k(samples: pd.DataFrame) -> NDArray[np.float64]:
    right = samples["gold"].map(lambda gold: np.size(gold))
    return (right / samples["choice_logprobs"].map(len)).to_numpy(dtype=float)


def _uniform_brier(samples: pd.DataFrame) -> NDArray[np.float64]:
    uniform = samples["choice_logprobs"].map(np.zeros_like)
    return brier_mean(samples.assign(choice_logprobs=uniform))


MULTIPLE_CHOICE_GRADE = Metric(
    name="multiple_choice_grade",
    requires=("choice_logprobs", "gold"),
    continuous=False,
    per_token="step",
    bounds=(0.0, 1.0),
    higher_is_better=True,
    scorer=multiple_choice_grade,
    chance=_one_in_k,
    reference="Schaeffer et al. 2023, section 1; ties share their credit",
)

BRIER_MEAN = Metric(
    name="brier_mean",
    requires=("choice_logprobs", "gold"),
    continuous=True,
    per_token="other",
    bounds=(0.0, 1.0),
    higher_is_better=False,
    scorer=brier_mean,
    chance=_uniform_brier,
    reference="Schaeffer et al. 2023, section 2; Brier 1950, divided by the number of choices",
)

METRICS = (MULTIPLE_CHOICE_GRADE, BRIER_MEAN)
