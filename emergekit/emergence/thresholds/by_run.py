"""The threshold of each run by itself, where a run has checkpoints enough to have one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from emergekit.emergence.one_curve import OneCurve, curves_of, one_curve
from emergekit.emergence.thresholds.forms import FormFit, fit_form, scan_of
from emergekit.emergence.thresholds.scans import best_of
from emergekit.errors import FitError, unknown
from emergekit.laws.axis import Kind

__all__ = ["ROWS_OF_A_RUN", "etas_of_runs", "run_thresholds"]

ROWS_OF_A_RUN = 12
_FORMS = ("hinge", "power_hinge", "step")
_RISES = 6.0  # of BIC, over a constant


def run_thresholds(
    table: pd.DataFrame,
    x: str = "loss",
    form: str = "power_hinge",
    *,
    by: Sequence[str] | None = None,
    chance: float | Literal["free"] | None = None,
    axis: Kind | None = None,
) -> pd.DataFrame:
    """Return the threshold of every run that has one, one row a run.

    Parameters
    ----------
    table : DataFrame
        Results with the column `x`, and the training run of each row in `run`.
    x : str
        Column: a loss, a count or an ability.
    form : str
        "hinge", "power_hinge" or "step".
    by, chance, axis
        As in `fit_threshold`.

    Returns
    -------
    DataFrame
        `by`, then run, n_rows, eta (in units of `x`, to a 600th of the run's range): of the runs
        that have twelve places and rise (BIC 6 below a constant). Their mean, with Student's
        interval, is what `fit_threshold` gives with the method "spread".

    Raises
    ------
    TableError, FitError
        As in `fit_threshold`.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> ladder = datasets.load_olmo_ladder()
    >>> letters = ladder.results.query("task == 'mmlu_mc' and subtask == 'mean' and step > 0")
    >>> run_thresholds(join_models(letters, ladder.models))[["run", "n_rows", "eta"]].round(2)
                  run  n_rows   eta
    0        peteish7     185  2.71
    1  peteish7-medlr      98  2.71
    2       peteish13      93  2.68
    """
    where = "run_thresholds"
    if form not in _FORMS:
        raise FitError(f"{where}: {unknown('form with a threshold', form, _FORMS)}")
    found = []
    for key, part in curves_of(table, by, where=where):
        curve = one_curve(part, x, axis, None if chance == "free" else chance, where=where)
        floor = np.nan if chance == "free" else curve.floor
        rows = etas_of_runs(curve, fit_form(curve, form, floor, False))
        rows = rows.assign(
            eta=[curve.value(eta) for eta in rows["eta"]],
            **{name: [value] * len(rows) for name, value in key.items()},
        )
        found.append(rows[[*key, "run", "n_rows", "eta"]])
    return found[0] if len(found) == 1 else pd.concat(found, ignore_index=True)


def etas_of_runs(curve: OneCurve, reported: FormFit | None) -> pd.DataFrame:
    """Return the threshold, in units of u, of each run that has rows enough and rises.

    To a 600th of the run's range, which the scan goes to; runs differ by more.
    """
    rows: list[dict[str, Any]] = []
    n_runs = len(curve.units.names)
    if reported is not None and n_runs > 1 and curve.units.along_training:
        known = reported.floor if reported.held else None
        for code, name in enumerate(curve.units.names):
            mine = curve.part(curve.units.codes == code)
            n, flat = len(mine.u), float(((mine.better - mine.better.mean()) ** 2).sum())
            if len(np.unique(mine.u)) < ROWS_OF_A_RUN or not flat > 0:
                continue
            scanned = scan_of(mine, reported.form, reported.floor)
            best, left, _, _ = best_of(scanned, mine.better, np.ones(n), known)
            gain = n * np.log(flat / max(left, 1e-12 * flat))
            if gain - (reported.n_parameters - 1) * np.log(n) > _RISES:
                rows.append({"run": name, "n_rows": n, "eta": float(scanned.eta[best])})
    return pd.DataFrame(rows, columns=["run", "n_rows", "eta"])
