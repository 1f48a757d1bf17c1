"""Back-tests: what each method would have said of the rows that were held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emergekit.compute import Engine, run
from emergekit.errors import FitError, TableError, kind_of, unknown
from emergekit.fitting.bands import require_level
from emergekit.fitting.comparison.holdout import Holdout, Pairs
from emergekit.fitting.rows import numbers, require_columns
from emergekit.prediction.methods import BASELINES, METHODS, Method
from emergekit.prediction.runs import final_scores

__all__ = ["backtest"]

_OWN = ("method", "fold", "distance", "observed", "predicted", "lower", "upper", "level", "reason")


@dataclass(frozen=True)
class _Trial:
    """One method on one pair of train and test."""

    name: str
    method: Method
    train: pd.DataFrame
    test: pd.DataFrame
    fold: int
    level: float


def backtest(
    methods: str | Method | Sequence[str | Method] | Mapping[str, Method],
    table: pd.DataFrame,
    split: Holdout,
    *,
    by: str = "flops",
    level: float = 0.9,
    allow_overlap: bool = False,
    engine: Engine = "serial",
) -> pd.DataFrame:
    """Return what each method, and each trivial baseline, says of the rows held out.

    Parameters
    ----------
    methods : str, function, sequence of them, or mapping from names to functions
        Names are those of `METHODS`; a function takes ``(train, targets, level=...)`` and gives
        `predicted`, `lower`, `upper` on the index of the targets. The baselines (constant, last,
        linear, logistic) are always there.
    table : DataFrame
        One row a task and model, or a task and checkpoint, with `task`, `score`, `by`, and what
        the methods read. Checkpoints of a `run` are reduced to its last five where they are tested
        on; what is done with those that are trained on is up to the method.
    split : callable
        A function from a table to pairs (train, test), such as ``beyond(1e21)``,
        ``fitting.leave_largest_out(0.2, run="run")``, ``fitting.rolling_origin()``,
        ``families_out()`` or ``named_targets([...])``.
    by : str
        Column of scale.
    level : float
        Coverage that the intervals aim at.
    allow_overlap : bool
        Whether rows may be tested on that lie within the scales trained on.
    engine : {"serial", "processes", "dask"}
        As in `compute.run`; the numbers are the same.

    Returns
    -------
    DataFrame
        One row a method, fold and row tested: the columns of the table, then method, fold (from 0),
        distance (decades beyond the largest scale trained on), observed, predicted, lower, upper,
        level, and reason, which says why there is no prediction. `score_forecasts` makes the league
        of it, `paired_differences` tells wins from luck.

    Raises
    ------
    TableError
        If columns are absent, or have names of the answer's.
    FitError
        If a method is unknown, the split gives no pair, or a row tested lies within the scales
        trained on and `allow_overlap` is not set: extrapolation cannot be judged there.

    Notes
    -----
    A run that is in both parts is refused as well, allowed or not: its checkpoints tell each
    other's answer.
    """
    known = _methods(methods)
    require_level(level)
    require_columns(table, ("task", "score", by), where="backtest")
    taken = [name for name in _OWN if name in table]
    if taken:
        raise TableError(
            f"backtest: the table has columns {', '.join(map(repr, taken))}, which are names of "
            f"the answer; rename them first."
        )
    pairs = [(train, _tested(test)) for train, test in _pairs(split, table)]
    for fold, (train, test) in enumerate(pairs):
        _require_apart(train, test, by, fold, allow_overlap)
    trials = [
        _Trial(name, method, train, test, fold, level)
        for fold, (train, test) in enumerate(pairs)
        for name, method in known.items()
    ]
    bands: list[pd.DataFrame] = run(_forecast, trials, engine=engine)
    rows = [
        trial.test.reset_index(drop=True)
        .assign(
            method=trial.name,
            fold=trial.fold,
            distance=_distance(trial.train, trial.test, by),
            observed=trial.test["score"].to_numpy(dtype=float),
        )
        .assign(**{name: band[name].to_numpy() for name in ("predicted", "lower", "upper")})
        .assign(level=level, reason=band["reason"].to_numpy())
        for trial, band in zip(trials, bands, strict=True)
    ]
    return pd.concat(rows, ignore_index=True)


def _methods(
    methods: str | Method | Sequence[str | Method] | Mapping[str, Method],
) -> dict[str, Method]:
    """Return methods by name, the baselines before those asked for."""
    if isinstance(methods, Mapping):
        given = dict(methods)
    else:
        several = [methods] if isinstance(methods, str) or callable(methods) else list(methods)
        given = dict(_named(method) for method in several)
    for name, method in given.items():
        if not callable(method):
            raise FitError(f"method '{name}' must be a function, not {kind_of(method)}.")
    return {**BASELINES, **given}


def _named(method: str | Method) -> tuple[str, Method]:
    if isinstance(method, str):
        if method not in METHODS:
            raise FitError(unknown("method", method, METHODS))
        return method, METHODS[method]
    name = getattr(method, "__name__", None) or getattr(
        getattr(method, "func", None), "__name__", None
    )
    if name is None:
        raise FitError(f"a method is a name or a function, not {kind_of(method)}.")
    return str(name), method


def _pairs(split: Holdout, table: pd.DataFrame) -> Pairs:
    pairs = list(split(table)) if callable(split) else []
    if not pairs:
        raise FitError(
            "split must be a function that gives pairs of rows (train, test), such as "
            "prediction.beyond(1e21)."
        )
    return pairs


def _tested(test: pd.DataFrame) -> pd.DataFrame:
    """Return one row a task and run."""
    if "run" in test and "n_tokens" in test and test.duplicated(["task", "run"]).any():
        return final_scores(test)
    return test


def _require_apart(
    train: pd.DataFrame, test: pd.DataFrame, by: str, fold: int, allow_overlap: bool
) -> None:
    for name, part in (("train on", train), ("test on", test)):
        if part.empty:
            raise FitError(f"fold {fold} of the split has no rows to {name}.")
    if "run" in train:
        both = set(train["run"].dropna()) & set(test["run"].dropna())
        if both:
            raise FitError(
                f"fold {fold} trains and tests on run '{min(map(str, both))}' "
                f"({len(both)} runs are in both parts); split by runs, with run='run'."
            )
    if allow_overlap:
        return
    scale = numbers(test, (by,), where="backtest")[by]
    largest = float(numbers(train, (by,), where="backtest")[by].max())
    within = ~(scale > largest)
    if within.any():
        raise FitError(
            f"fold {fold} tests on {int(within.sum())} of {len(scale)} rows that do not lie beyond "
            f"the largest {by} trained on, {largest:.3g}; such rows say nothing of extrapolation. "
            f"Split by scale, or set allow_overlap=True."
        )


def _distance(train: pd.DataFrame, test: pd.DataFrame, by: str) -> np.ndarray:
    scale = test[by].to_numpy(dtype=float)
    distance: np.ndarray = np.log10(scale / float(train[by].max()))
    return distance


def _forecast(trial: _Trial) -> pd.DataFrame:
    """Return the bands of one method; the truth is not shown to it."""
    targets = trial.test.drop(columns="score")
    band = trial.method(trial.train, targets, level=trial.level)
    absent = {"predicted", "lower", "upper"}.difference(band)
    if absent or not band.index.equals(targets.index):
        raise FitError(
            f"method '{trial.name}' must give predicted, lower and upper on the index of its "
            f"targets; {'absent are ' + ', '.join(sorted(absent)) if absent else 'it differs'}."
        )
    return band if "reason" in band else band.assign(reason=None)
