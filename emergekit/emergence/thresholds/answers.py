"""The answer on one curve as rows: the form with its threshold and interval, and its rivals."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.one_curve import OneCurve
from emergekit.emergence.thresholds.by_run import etas_of_runs
from emergekit.emergence.thresholds.choice import choose, compared, held_out_errors
from emergekit.emergence.thresholds.forms import FormFit, fit_form
from emergekit.emergence.thresholds.interval_choice import interval_of, notes_on
from emergekit.emergence.thresholds.intervals import lag_one
from emergekit.errors import FitError

__all__ = ["COLUMNS", "WITH_THRESHOLD", "Asked", "answer_of", "undecided"]

Array: TypeAlias = NDArray[np.float64]

WITH_THRESHOLD = ("hinge", "power_hinge", "step")
COLUMNS = (
    *("verdict", "form", "base", "kind", "eta", "lower", "upper", "method", "rmse"),
    *("held_out_rmse", "bic", "bic_difference", "aicc", "n_parameters", "shape", "width"),
    *("reason", "note", "x", "level", "chance", "n_rows", "n_runs", "n_effective"),
)


class Asked(NamedTuple):
    """What was asked for, the same for all curves of a call."""

    forms: list[str]
    binomial: bool
    form: str | None
    interval: str | None
    level: float
    width: float
    n_boot: int
    seed: int


def answer_of(curve: OneCurve, asked: Asked, *, free: bool) -> pd.DataFrame:
    """Return the forms of one curve, compared; that with the threshold first."""
    _require_counts(curve, asked.binomial)
    if not np.ptp(curve.better) > 0:
        none = undecided("all scores are the same", len(curve.u))
        return none.assign(n_runs=len(curve.units.names))
    floors = [np.nan] if free or np.isnan(curve.floor) else [np.nan, curve.floor]
    fits = [
        fit_form(curve, name, floor, asked.binomial)
        for name in asked.forms
        for floor in (floors if name not in ("linear", "quadratic") else floors[:1])
    ]
    n_effective = _effective(curve, fits)
    held_out = held_out_errors(curve, fits)
    table = compared(curve, fits, held_out, asked.binomial, n_effective, asked.width)
    rising = float(np.dot(curve.u - curve.u.mean(), curve.better))
    choice = choose(table, held_out, len(np.unique(curve.u)), rising)
    reported = _reported(fits, table["bic"].to_numpy()[1:], asked.form)
    by_run = etas_of_runs(curve, None if reported is None else fits[reported])
    found = interval_of(
        curve,
        None if reported is None else fits[reported],
        by_run,
        asked.interval,
        asked.level,
        asked.n_boot,
        asked.seed,
    )
    told = {
        **choice._asdict(),
        "note": "; ".join(notes_on(curve, found, by_run)),
        "n_rows": len(curve.u),
        "n_runs": len(curve.units.names),
        "n_effective": n_effective,
    }
    first = np.zeros(len(table), dtype=bool)
    if reported is not None:
        first[1 + reported] = True
    ends = sorted(curve.value(end) for end in (found.lower, found.upper))
    table = table.assign(
        eta=np.where(first, curve.value(found.middle), table["eta"]),
        lower=np.where(first, ends[0], np.nan),
        upper=np.where(first, ends[1], np.nan),
        method=np.where(first, found.method, "none"),
        after=~first,
        **told,
    )
    return table.sort_values(["after", "bic"], kind="stable", ignore_index=True)


def _reported(fits: list[FormFit], bic: Array, form: str | None) -> int | None:
    """Return the place of the form whose threshold is told: that of lowest BIC among its like."""
    names = (form,) if form else WITH_THRESHOLD
    sharp = [place for place, one in enumerate(fits) if one.form in names]
    return min(sharp, key=bic.__getitem__) if sharp else None


def undecided(reason: str, n_rows: int) -> pd.DataFrame:
    """Return the one row of a curve that cannot be judged."""
    empty = dict.fromkeys(COLUMNS, np.nan)
    said = {"verdict": "undecided", "form": "none", "base": "free", "kind": "none", "note": ""}
    more = {"reason": reason, "method": "none", "n_rows": n_rows}
    return pd.DataFrame([empty | said | more])


def _require_counts(curve: OneCurve, binomial: bool) -> None:
    if binomial and not (curve.n_examples > 0).all():
        raise FitError(
            "fit_threshold: errors='binomial' needs the number of test items of each score in a "
            "column 'n_examples'; use errors='gaussian' where it is unknown."
        )


def _effective(curve: OneCurve, fits: list[FormFit]) -> float:
    """Return how many independent rows say as much, by what the best form leaves."""
    best = min(fits, key=_squares).fit
    rest = curve.better - curve.sign * best.law.predict(curve.rows, best.params)
    rho = lag_one(curve, rest)
    return max(len(rest) * (1 - rho) / (1 + rho), float(len(curve.units.names)))


def _squares(one: FormFit) -> float:
    return one.squares
