"""The threshold of every curve in loss, or the reason why it has none."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from emergekit.compute import Engine, run
from emergekit.emergence import fit_threshold
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.reporting.judged import Curve, group_of
from emergekit.reporting.words import counted

__all__ = ["curve_thresholds"]

_UNFITTED = {
    "no_rise": "scores do not rise above chance",
    "inverse_scaling": "scores fall with scale",
    "few_scales": "fewer than five scales",
    "no_sharp_metric": "no sharp metric is known",
    "bad_input": "the scores were refused",
}
_NAMES = ("threshold_loss", "threshold_loss_lower", "threshold_loss_upper")


def curve_thresholds(
    curves: Sequence[Curve],
    verdicts: pd.DataFrame,
    loss: str,
    *,
    level: float,
    n_boot: int,
    seed: int,
    most: int | None = None,
    engine: Engine = "serial",
    n_workers: int | None = None,
) -> pd.DataFrame:
    """Return one row a curve: its threshold in loss with its interval, and the reason.

    Runs of one ability have one threshold: its interval is their spread. A threshold is told only
    where `fit_threshold` says "threshold".

    Parameters
    ----------
    curves, verdicts : sequence and DataFrame
        Curves, and the verdicts on them in the same order.
    loss : str
        Column of the loss.
    level, n_boot, seed : float, int, int
        Coverage of intervals, draws behind them, root of the random numbers.
    most : int, optional
        How many thresholds to fit at most.
    engine, n_workers
        As in `compute.run`.
    """
    abilities: dict[tuple[Any, ...], list[pd.DataFrame]] = {}
    reasons = [
        _unfitted(rows, verdict, reason, loss)
        for (_, rows), verdict, reason in zip(
            curves, verdicts["verdict"], verdicts["reason"], strict=True
        )
    ]
    for (key, rows), why in zip(curves, reasons, strict=True):
        if not why:
            abilities.setdefault(_ability(key), []).append(rows)
    chosen = dict(list(abilities.items())[:most])
    jobs = [pd.concat(parts) for parts in chosen.values()]
    fitted = partial(_threshold, loss=loss, level=level, n_boot=n_boot, seed=seed)
    answers: list[dict[str, Any]] = run(fitted, jobs, engine=engine, n_workers=n_workers)
    found = dict(zip(chosen, answers, strict=True))
    left = f"only {counted(most or 0, 'threshold')} were fitted"
    return pd.DataFrame(
        [
            _no_threshold(why) if why else found.get(_ability(key)) or _no_threshold(left)
            for (key, _), why in zip(curves, reasons, strict=True)
        ]
    )


def _no_threshold(reason: str) -> dict[str, Any]:
    """Return the columns of a threshold that is not there, and why."""
    return {
        **dict.fromkeys(_NAMES, np.nan),
        "threshold_verdict": None,
        "threshold_form": None,
        "threshold_method": None,
        "threshold_reason": reason,
    }


def _ability(key: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*group_of(key), key["metric"])


def _unfitted(rows: pd.DataFrame, verdict: object, reason: str, loss: str) -> str:
    """Return why a curve gets no threshold, or nothing."""
    if not isinstance(verdict, str):
        return reason
    if reason in _UNFITTED:
        return _UNFITTED[reason]
    if loss not in rows:
        return f"no column '{loss}' is known"
    return "" if _known(rows, loss).any() else f"{loss} is unknown"


def _known(rows: pd.DataFrame, loss: str) -> pd.Series:
    numbers = pd.to_numeric(rows[loss], errors="coerce").astype(float)
    return pd.Series(np.isfinite(numbers), index=rows.index)


def _threshold(
    rows: pd.DataFrame, *, loss: str, level: float, n_boot: int, seed: int
) -> dict[str, Any]:
    """Return the threshold of one ability over the rows whose loss is known."""
    known = _known(rows, loss)
    mine = rows[known]
    gone = int((~known).sum())
    said = f"; {gone} of {counted(len(rows), 'score')} have no {loss}" if gone else ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            found = fit_threshold(mine, loss, level=level, n_boot=n_boot, seed=seed)
    except (FitError, TableError) as error:
        return _no_threshold(f"{str(error).removeprefix('fit_threshold: ').rstrip('.')}{said}")
    first = found.iloc[0]
    row = _no_threshold(f"{first['reason']}{said}") | {"threshold_verdict": first["verdict"]}
    if first["verdict"] != "threshold":
        return row
    row |= dict(zip(_NAMES, map(float, first[["eta", "lower", "upper"]]), strict=True))
    return row | {"threshold_form": first["form"], "threshold_method": first["method"]}
