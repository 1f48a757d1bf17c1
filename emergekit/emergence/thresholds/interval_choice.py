"""Which interval suits the rows: of one course, of runs that each have one, of runs of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from emergekit.emergence.one_curve import OneCurve
from emergekit.emergence.thresholds.by_run import ROWS_OF_A_RUN
from emergekit.emergence.thresholds.forms import FormFit
from emergekit.emergence.thresholds.intervals import (
    Interval,
    bootstrap_interval,
    profile_interval,
    spread_interval,
)
from emergekit.errors import FitError

__all__ = ["METHODS", "interval_of", "notes_on"]

METHODS = ("profile", "blocks", "runs", "spread")
_MANY_RUNS = 8


def interval_of(
    curve: OneCurve,
    reported: FormFit | None,
    by_run: pd.DataFrame,
    method: str | None,
    level: float,
    n_boot: int,
    seed: int,
) -> Interval:
    """Return the interval of the reported threshold by a method, or by the one that suits."""
    if reported is None:
        return Interval(np.nan, np.nan, np.nan, "none")
    rng = np.random.default_rng(seed)
    n_runs, courses = len(curve.units.names), curve.units.along_training
    if method is None:
        method = "spread" if courses and n_runs > 1 else "profile"
        if method == "spread" and len(by_run) < 2:
            method = "runs" if n_runs > 2 else "profile"
    _require_method(method, n_runs, courses, len(by_run))
    if method == "spread":
        return spread_interval(by_run["eta"].to_numpy(), level)
    if method == "runs":
        return bootstrap_interval(curve, reported.form, reported.floor, level, n_boot, rng)
    errors: Any = "blocks" if method == "blocks" else "courses" if courses else "independent"
    found = profile_interval(
        curve, reported.form, reported.floor, reported.n_parameters, level, errors, n_boot, rng
    )
    # The solver ends between two thresholds of the scan, maybe just beyond the last one that is in.
    low, high = min(found.lower, reported.eta), max(found.upper, reported.eta)
    return found._replace(middle=reported.eta, lower=low, upper=high)


def _require_method(method: str, n_runs: int, courses: bool, n_thresholds: int) -> None:
    where = "fit_threshold: interval"
    if method == "runs" and n_runs < 3:
        raise FitError(f"{where} 'runs' needs three runs or more; there are {n_runs}.")
    if method == "spread" and n_thresholds < 2:
        raise FitError(
            f"{where} 'spread' needs two runs that rise over {ROWS_OF_A_RUN} places or more; "
            f"{n_thresholds} of these do."
        )
    if method == "blocks" and not courses:
        raise FitError(f"{where} 'blocks' needs runs of several rows; use 'profile'.")


def notes_on(curve: OneCurve, found: Interval, by_run: pd.DataFrame) -> tuple[str, ...]:
    """Return what else to know about an interval."""
    notes = []
    if found.method == "profile" and len(curve.units.names) == 1:
        notes.append("one run: the interval is about this run, not about others like it")
    if found.method == "spread":
        every = len(curve.units.names)
        notes.append(f"eta is the mean over {len(by_run)} of {every} runs, the interval Student's")
    if found.method == "runs" and len(curve.units.names) < _MANY_RUNS:
        notes.append("few runs: percentiles over resampled runs are too narrow")
    places = np.unique(curve.u)
    if np.isfinite(found.middle) and not places[2] <= found.middle <= places[-2]:
        notes.append("the threshold lies at an end of the scales, where nothing speaks against it")
    return tuple(notes)
