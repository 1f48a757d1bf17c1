"""Fit laws to one part of the rows and predict the other."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emergekit.compute import Engine, run
from emergekit.errors import FitError, FitWarning, TableError, unknown
from emergekit.fitting.bands import require_level
from emergekit.fitting.comparison.holdout import Holdout
from emergekit.fitting.estimation import fit, require_law
from emergekit.fitting.objectives import objective as find_objective
from emergekit.fitting.rows import numbers, require_columns
from emergekit.laws import Law

__all__ = ["extrapolate", "extrapolation_errors", "require_laws"]

_OWN = ("law", "fold", "row", "n_train", "observed", "predicted", "lower", "upper", "converged")


_OPTIONS = tuple(inspect.signature(fit).parameters)[3:]
"""What `fit` takes after law, table and response."""


@dataclass(frozen=True)
class _Task:
    """One law on one pair of train and test."""

    law: Law
    train: pd.DataFrame
    test: pd.DataFrame
    fold: int
    response: str
    level: float
    options: dict[str, Any]
    unsplit: str = ""


def extrapolate(
    laws: Law | Sequence[Law],
    table: pd.DataFrame,
    split: Holdout,
    *,
    by: str | Sequence[str] = (),
    response: str | None = None,
    level: float = 0.95,
    engine: Engine = "serial",
    **options: Any,
) -> pd.DataFrame:
    """Return what each law, fitted to the rows kept, predicts of the rows held out.

    Parameters
    ----------
    laws : Law or sequence of Law
        With different names.
    table : DataFrame
        One row an observation.
    split : callable
        A function of a table that gives pairs (train, test), such as
        ``leave_largest_out(0.2, by="flops")``.
    by : str or sequence of str
        Columns whose values make a group, such as a curve; each is split and fitted on its own.
    response : str, optional
        Column to explain; that of each law if None.
    level : float
        Coverage that the intervals aim at.
    engine : {"serial", "processes", "dask"}
        As in `compute.run`; the numbers are the same.
    **options
        What else `fit` takes: objective, delta, weights (a column), bounds.

    Returns
    -------
    DataFrame
        One row a law, fold and held-out row: all columns of the table; then law, fold (from 0), row
        (its index in the table), n_train, observed (NaN where the table does not know), predicted,
        lower, upper (interval of a new row), converged, and reason, which says why there is no
        prediction. All rows of a group that cannot be split are held out, without a prediction.

    Raises
    ------
    TableError
        If columns are absent, or the table has columns with the names of new ones.
    FitError
        If there is no law, two have one name, or the split gives no pair. A law that cannot be
        fitted raises nothing: it has a reason.

    References
    ----------
    Alabdulmohsin et al. 2022: extrapolation is the criterion by which scaling laws are chosen.

    Examples
    --------
    >>> from emergekit import datasets, laws
    >>> from emergekit.fitting.comparison.holdout import flagged
    >>> points = datasets.load_bnsl_addition()
    >>> known = [laws.broken_power_law(n, "x") for n in (0, 1)]
    >>> held_out = extrapolate(known, points, flagged(), objective="least_squares_log1p")
    >>> extrapolation_errors(held_out)[["law", "log_rmse"]].round(4)
                law  log_rmse
    0  broken1_in_x    0.0109
    1  broken0_in_x    0.8336
    """
    known = require_laws(laws)
    require_level(level)
    _require_options(options)
    if not isinstance(table, pd.DataFrame):
        require_columns(table, (), where="extrapolate")
    groups = [by] if isinstance(by, str) else list(by)
    responses = {law.name: law.response if response is None else response for law in known}
    needed = [*groups, *(name for law in known for name in (*law.variables, responses[law.name]))]
    needed += [options[name] for name in ("weights", "stderr") if options.get(name) is not None]
    require_columns(table, tuple(dict.fromkeys(needed)), where="extrapolate")
    taken = [name for name in (*_OWN, "reason") if name in table]
    if taken:
        raise TableError(
            f"extrapolate: the table has columns {', '.join(map(repr, taken))}, which are names of "
            f"the answer; rename them first."
        )
    tasks, why = [], []
    for part in _parts(table, groups):
        try:
            pairs = _pairs(split, part)
        except ValueError as error:
            why.append(error)
            # A group of one scale costs nobody else; all its rows are without a prediction.
            pairs = [(part.iloc[:0], part)]
        said = str(why[-1]) if why and not len(pairs[0][0]) else ""
        tasks += [
            _Task(law, train, test, fold, responses[law.name], level, options, said)
            for fold, (train, test) in enumerate(pairs)
            for law in known
        ]
    if len(why) == len(_parts(table, groups)) > 0:
        raise why[0]
    parts: list[pd.DataFrame] = run(_predicted, tasks, engine=engine)
    return pd.concat(parts, ignore_index=True)


def extrapolation_errors(
    predictions: pd.DataFrame, by: str | Sequence[str] = ("law",)
) -> pd.DataFrame:
    """Return how far the predictions of `extrapolate` are off, the best first.

    Parameters
    ----------
    predictions : DataFrame
        What `extrapolate` returns.
    by : str or sequence of str
        Columns whose values make a group, such as ["domain", "law"].

    Returns
    -------
    DataFrame
        One row a group: the columns of `by`, n_rows, n_failed (rows without a prediction, which
        count in nothing else), log_rmse (root mean square of ln predicted - ln observed; NaN if
        one of them is not positive), rmse (units of the response), log_bias (mean of ln predicted -
        ln observed), coverage (share of the rows within their interval).
    """
    groups = [by] if isinstance(by, str) else list(by)
    needed = (*groups, "observed", "predicted", "lower", "upper")
    require_columns(predictions, needed, where="extrapolation_errors")
    rows = [
        dict(zip(groups, key, strict=True)) | _errors(part)
        for key, part in predictions.groupby(groups, sort=False, dropna=False)
    ]
    return pd.DataFrame(rows).sort_values(
        [*(name for name in groups if name != "law"), "log_rmse"], ignore_index=True
    )


def require_laws(laws: Law | Sequence[Law]) -> list[Law]:
    """Return laws as a list; raise a `FitError` unless there are some, of different names."""
    known = [laws] if isinstance(laws, Law) else list(laws)
    for law in known:
        require_law(law)
    names = [law.name for law in known]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        said = f"{', '.join(twice)} is there twice" if twice else "there is none"
        raise FitError(f"laws must be laws of different names; {said}.")
    return known


def _require_options(options: dict[str, Any]) -> None:
    """Refuse what no fit takes before the first one, rather than in the reason of every row."""
    for name in options:
        if name not in _OPTIONS:
            raise FitError(unknown("option of fit", name, _OPTIONS))
    given = {name: options[name] for name in ("delta", "over", "tau") if name in options}
    find_objective(options.get("objective") or "least_squares", **given)
    if not isinstance(options.get("weights"), str | None):
        raise FitError("weights must be a column of the table here, whose rows are parted.")


def _parts(table: pd.DataFrame, groups: list[str]) -> list[pd.DataFrame]:
    if not groups:
        return [table]
    return [part for _, part in table.groupby(groups, sort=False, dropna=False)]


def _pairs(split: Holdout, table: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    pairs = list(split(table)) if callable(split) else []
    if not pairs:
        raise FitError(
            "split must be a function that gives pairs of rows (train, test), such as "
            "leave_largest_out(0.2, by='flops')."
        )
    return pairs


def _predicted(task: _Task) -> pd.DataFrame:
    """Return the rows held out with what the law predicts of them."""
    band, converged = None, False
    reason: str | float = np.nan
    try:
        if task.unsplit:
            raise FitError(f"the group cannot be split: {task.unsplit}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            found = fit(task.law, task.train, task.response, **task.options)
        converged = bool(found.stats["converged"].iloc[0])
        band = found.predict(task.test, task.level)
    except (FitError, TableError) as error:
        reason = str(error)
    ends = {
        name: np.nan if band is None else band[name].to_numpy()
        for name in ("predicted", "lower", "upper")
    }
    observed = numbers(task.test, (task.response,), where="extrapolate")[task.response]
    return task.test.reset_index(drop=True).assign(
        law=task.law.name,
        fold=task.fold,
        row=task.test.index,
        n_train=len(task.train),
        observed=observed.to_numpy(),
        **ends,
        converged=converged,
        reason=reason,
    )


def _errors(rows: pd.DataFrame) -> dict[Hashable, Any]:
    known = rows["predicted"].notna() & rows["observed"].notna()
    observed, predicted = (rows.loc[known, name] for name in ("observed", "predicted"))
    positive = bool(len(observed)) and bool((observed.gt(0) & predicted.gt(0)).all())
    logs = np.log(predicted / observed) if positive else pd.Series([np.nan])
    inside = rows.loc[known, ["lower", "upper"]].dropna()
    within = observed[inside.index].between(inside["lower"], inside["upper"])
    return {
        "n_rows": len(rows),
        "n_failed": int(rows["predicted"].isna().sum()),
        "log_rmse": float(np.sqrt((logs**2).mean())),
        "rmse": float(np.sqrt(((predicted - observed) ** 2).mean())),
        "log_bias": float(logs.mean()),
        "coverage": float(within.mean()) if len(within) else np.nan,
    }
