"""Forecasting methods: functions of the rows known and the rows asked for.

Each is ``method(train, targets, level=0.9)`` and gives `predicted`, `lower`, `upper` and `reason`
on the index of `targets`. Rows have a `task`, and of `train` a `score`; a task is forecast by
itself, and one that cannot be has a reason. Options are set with `functools.partial`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd

from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import bootstrap, fit
from emergekit.fitting.bands import require_level
from emergekit.fitting.rows import require_columns
from emergekit.laws import (
    CHINCHILLA,
    Law,
    chance_logistic,
    direct_law,
    linear,
    logistic,
    offset_power_law,
)
from emergekit.prediction.chains import chain
from emergekit.prediction.runs import final_scores, smoothed_checkpoints

__all__ = [
    "BASELINES",
    "METHODS",
    "Method",
    "constant",
    "direct",
    "last",
    "linear_trend",
    "logistic_trend",
    "two_step",
]

Method: TypeAlias = Callable[..., pd.DataFrame]
OneTask: TypeAlias = Callable[[pd.DataFrame, pd.DataFrame, float], pd.DataFrame]

_BANDS = ("predicted", "lower", "upper")


def constant(train: pd.DataFrame, targets: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Forecast the mean score of the runs known, whatever the scale."""
    return _by_task(train, targets, level, _constant)


def last(train: pd.DataFrame, targets: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Forecast the score of the run of most compute."""
    return _by_task(train, targets, level, _last)


def linear_trend(train: pd.DataFrame, targets: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Forecast by a line in the logarithm of compute."""
    return _by_task(train, targets, level, _linear)


def logistic_trend(train: pd.DataFrame, targets: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Forecast by a logistic from chance to 1 in the logarithm of compute."""
    return _by_task(train, targets, level, _logistic)


def direct(
    train: pd.DataFrame,
    targets: pd.DataFrame,
    level: float = 0.9,
    *,
    variables: tuple[str, ...] = ("n_params", "n_tokens"),
    is_normalized: bool = True,
) -> pd.DataFrame:
    """Forecast the score by `laws.direct_law`, with no loss between.

    Parameters
    ----------
    train, targets : DataFrame
        With `task`, the variables and, of `train`, `score`; `chance` where guessing scores.
    level : float
        Coverage that the intervals aim at.
    variables : tuple of str
        Scales: size and tokens, or compute.
    is_normalized : bool
        Whether scores start from chance; otherwise from 0, as -ln score = A C^-a does.

    References
    ----------
    Krajewski et al. 2025 for compute alone without chance; else ours.
    """
    one = partial(_direct, variables=tuple(variables), is_normalized=is_normalized)
    return _by_task(train, targets, level, one)


def two_step(
    train: pd.DataFrame,
    targets: pd.DataFrame,
    level: float = 0.9,
    *,
    feature: str = "bits_per_byte",
    variables: tuple[str, ...] = ("n_params", "n_tokens"),
    n_draws: int = 400,
) -> pd.DataFrame:
    r"""Forecast a feature by scale, and the score by the feature.

    .. math:: L(N, D) = \frac{A}{N^\alpha} + \frac{B}{D^\beta} + E, \qquad
              y = \frac{a}{1 + e^{-k (L - L_0)}} + b

    The first is fitted to the means of the last five checkpoints of each run (Huber, 1e-3, of
    logarithms), the second to all checkpoints after the first tenth, as trailing means of five, and
    to the point (0, 1).

    Parameters
    ----------
    train, targets : DataFrame
        `train` has one row a task and checkpoint: `task`, `run`, `n_tokens`, the variables, the
        feature and `score`.
    level : float
        Coverage that the intervals aim at.
    feature : str
        Column between, such as a task's bits per byte, or a loss.
    variables : tuple of str
        Scales of the first step: size and tokens, or compute alone (A C^-a + E).
    n_draws : int
        Bootstrap draws behind the intervals: of runs in the first step, and of whole runs in the
        second.

    References
    ----------
    Bhagia et al. 2024, sections 3.1 and 3.2. Their search begins elsewhere and stops earlier; ours
    gives each of their eight predictions for 13B within 1e-4.
    """
    one = partial(_two_step, feature=feature, variables=tuple(variables), n_draws=n_draws)
    return _by_task(train, targets, level, one)


BASELINES: Mapping[str, Method] = MappingProxyType(
    {
        "constant": constant,
        "last": last,
        "linear": linear_trend,
        "logistic": logistic_trend,
    }
)
"""What every method is compared with."""

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        **BASELINES,
        "direct": direct,
        "direct_flops": partial(direct, variables=("flops",)),
        "log_score_flops": partial(direct, variables=("flops",), is_normalized=False),
        "two_step": two_step,
        "two_step_flops": partial(two_step, variables=("flops",)),
    }
)
"""Methods by name."""


def _by_task(
    train: pd.DataFrame, targets: pd.DataFrame, level: float, one: OneTask
) -> pd.DataFrame:
    """Return the forecast of each task by itself, in the order of the targets."""
    require_level(level)
    require_columns(train, ("task", "score"), where="train")
    require_columns(targets, ("task",), where="targets")
    known = train[train["score"].notna()]
    rows = targets.reset_index(drop=True)
    found = pd.DataFrame(np.nan, index=rows.index, columns=list(_BANDS)).assign(reason=None)
    found["reason"] = found["reason"].astype(object)
    for task in rows["task"].unique():
        places = (rows["task"] == task).to_numpy()
        here = known[known["task"] == task]
        try:
            if here.empty:
                raise TableError(f"no score of task '{task}' is known")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FitWarning)
                band = one(here, rows[places], level)
            found.loc[places, list(_BANDS)] = band[list(_BANDS)].to_numpy()
        except (FitError, TableError) as error:
            found.loc[places, "reason"] = str(error)
    return found.set_axis(targets.index)


def _runs(train: pd.DataFrame, columns: tuple[str, ...] = ("score",)) -> pd.DataFrame:
    """Return one row a run, so that no run counts by its number of checkpoints."""
    if "run" in train and train["run"].notna().all() and train["run"].duplicated().any():
        return final_scores(train, columns)
    return train


def _chance(train: pd.DataFrame) -> float:
    chance = train["chance"].dropna().unique() if "chance" in train else np.zeros(0)
    if len(chance) > 1:
        raise TableError(f"one task has several chances: {', '.join(f'{c:g}' for c in chance)}")
    return float(chance[0]) if len(chance) else 0.0


def _flat(value: float, asked: pd.DataFrame) -> pd.DataFrame:
    ends = {"predicted": value, "lower": np.nan, "upper": np.nan}
    return pd.DataFrame(ends, index=asked.index)


def _constant(train: pd.DataFrame, asked: pd.DataFrame, level: float) -> pd.DataFrame:
    return _flat(float(_runs(train)["score"].mean()), asked)


def _last(train: pd.DataFrame, asked: pd.DataFrame, level: float) -> pd.DataFrame:
    require_columns(train, ("flops",), where="last")
    runs = _runs(train)
    largest = int(runs["flops"].to_numpy(dtype=float).argmax())
    return _flat(float(runs["score"].to_numpy(dtype=float)[largest]), asked)


def _fitted(law: Law, train: pd.DataFrame, asked: pd.DataFrame, level: float) -> pd.DataFrame:
    return fit(law, _runs(train), objective="least_squares").predict(asked, level)


def _linear(train: pd.DataFrame, asked: pd.DataFrame, level: float) -> pd.DataFrame:
    return _fitted(linear("flops"), train, asked, level)


def _logistic(train: pd.DataFrame, asked: pd.DataFrame, level: float) -> pd.DataFrame:
    return _fitted(chance_logistic("flops", chance=_chance(train)), train, asked, level)


def _direct(
    train: pd.DataFrame,
    asked: pd.DataFrame,
    level: float,
    variables: tuple[str, ...],
    is_normalized: bool,
) -> pd.DataFrame:
    chance = _chance(train) if is_normalized else 0.0
    return _fitted(direct_law(variables, chance=chance), train, asked, level)


def _two_step(
    train: pd.DataFrame,
    asked: pd.DataFrame,
    level: float,
    feature: str,
    variables: tuple[str, ...],
    n_draws: int,
) -> pd.DataFrame:
    require_columns(train, ("run", "n_tokens", feature), where="two_step")
    columns = (feature, "score")
    law = CHINCHILLA if len(variables) > 1 else offset_power_law(variables[0], feature)
    first = fit(law, final_scores(train, columns), feature, objective="huber_log")
    checkpoints = smoothed_checkpoints(train, columns)
    rows = pd.concat(
        [checkpoints[[feature, "score", "run"]], pd.DataFrame([_anchor(feature)])],
        ignore_index=True,
    )
    bounds = {
        "low": (-1.0, 1.0),
        "high": (0.0, 1.0),
        "x0": (0.0, 2 * float(checkpoints[feature].max())),
    }
    law = logistic(feature, axis="falling")
    second = fit(law, rows, objective="least_squares", bounds=bounds)
    # Runs are the units: their checkpoints are wrong together.
    drawn = (
        bootstrap(first, n=n_draws),
        bootstrap(second, n=n_draws, kind="cluster", cluster=rows["run"]),
    )
    return chain(*drawn, n_draws=n_draws).predict(asked, level)


def _anchor(feature: str) -> dict[str, object]:
    return {feature: 0.0, "score": 1.0, "run": "certainty"}
