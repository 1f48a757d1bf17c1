"""Is there a loss below which a score rises, and where? Forms, verdict, interval of one curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.one_curve import OneCurve, one_curve
from emergekit.emergence.runs import warn_of_checkpoints
from emergekit.emergence.thresholds.choice import choose, compared, held_out_errors
from emergekit.emergence.thresholds.forms import FORMS, FormFit, fit_form
from emergekit.emergence.thresholds.interval_choice import (
    METHODS,
    interval_of,
    notes_on,
    thresholds_by_run,
)
from emergekit.emergence.thresholds.intervals import lag_one
from emergekit.emergence.thresholds.result import Threshold
from emergekit.errors import FitError, unknown
from emergekit.laws.axis import Kind

__all__ = ["fit_threshold"]

Array: TypeAlias = NDArray[np.float64]
Method: TypeAlias = Literal["profile", "blocks", "runs", "spread"]

_WITH_THRESHOLD = ("hinge", "power_hinge", "step")
_ERRORS = ("gaussian", "binomial")


def fit_threshold(
    table: pd.DataFrame,
    x: str = "loss",
    *,
    forms: Sequence[str] = tuple(FORMS),
    chance: float | Literal["free"] | None = None,
    errors: Literal["gaussian", "binomial"] = "gaussian",
    form: str | None = None,
    interval: Method | None = None,
    level: float = 0.95,
    width: float = 0.25,
    axis: Kind | None = None,
    n_boot: int = 199,
    seed: int = 0,
) -> Threshold:
    """Return the threshold of one curve: forms fitted, compared, and the threshold's interval.

    Parameters
    ----------
    table : DataFrame
        Results of one curve with the column `x` beside the scores, and the training run of each row
        in `run`. Rows of one run are taken for its course.
    x : str
        Column: a loss, a count or an ability.
    forms : sequence of str
        Of "linear", "quadratic", "logistic", "softplus_hinge", "hinge", "power_hinge" and "step".
    chance : float, "free" or None
        Score of guessing, at which levels are held, beside fits with a free level; of the column
        `chance` if None.
    errors : {"gaussian", "binomial"}
        Scatter of one size, or of the `n_examples` answers behind each score, with overdispersion.
    form : str, optional
        Whose threshold to report: "hinge", "power_hinge" or "step"; that of lowest BIC if None.
    interval : {"profile", "blocks", "runs", "spread"}, optional
        How to find the interval. By default "profile" where every row is a run, or there is one
        run; else "spread", or "runs" where fewer than two runs have a threshold of their own.
    level : float
        Coverage that the interval aims at.
    width : float
        Logistics and softplus hinges whose 10-90 % width is below this share of the range of `x`
        count as thresholds, if they turn inside it: a curve that is steep enough is one.
    axis : {"log10", "falling", "rising"}, optional
        How `x` counts. By default a loss is falling and n_params, n_tokens, flops are in decades;
        anything else is taken as it is, in the direction in which scores rise.
    n_boot, seed : int
        Draws behind an interval, and the root of the random numbers.

    Returns
    -------
    Threshold
        The verdict is "undecided" where the BICs of the best threshold and the best smooth form
        differ by less than 6, where held-out errors do not tell them apart (mean log ratio over the
        parts below its standard error), below eight different places, and where scores do not rise
        or are all the same.

    Raises
    ------
    TableError
        If a column is absent or has a gap, or the table holds several curves.
    FitError
        If there are fewer than five different values of `x`, an argument is unknown, or an interval
        was asked for that these rows cannot give.

    Warns
    -----
    FitWarning
        If no runs are named and the rows are, or may be, checkpoints.

    Notes
    -----
    Rows of one run are autocorrelated, so criteria count `n_effective` rows, m (1 - r) / (1 + r)
    with r the correlation of neighbours, and no interval takes them for independent:

    - "profile": thresholds whose squares are not much worse than the best; how much worse is the
      quantile over scores drawn from the fit, with normal errors, autoregressive within a run;
    - "blocks": the same with moving blocks of the run's own residuals;
    - "spread": Student's interval of the mean threshold of runs, each fitted alone;
    - "runs": percentiles of one curve through all runs, these resampled.

    95 % intervals in simulations (200 curves a cell, scatter .01 and .02 about rises of .4 to .5):

    ======== ======================================= ========= =========== ====
    method   rows                                    hinge     power hinge step
    ======== ======================================= ========= =========== ====
    profile  30 runs of one row                      .96 - .97 .96 - .98   1.00
    profile  one run of 100, autocorrelation .8      .94       .95
    blocks   the same                                .86       .93
    (rows taken for independent, which is not done)  .55       .82
    spread   2, 3 and 8 runs of 25 rows              .94 - .96 .94 - .97
    runs     8, 12 and 20 runs of 25 rows            .90 - .93 .71 - .85
    ======== ======================================= ========= =========== ====

    Where runs have different thresholds, the one curve through all of them rises with the first to
    rise, so that "runs" is about another number than their mean, the more so the steeper the rise.

    Verdicts in simulations, threshold / smooth / undecided of 25 curves (rises of .4 to .5 over a
    range of 1.5 nats, widths as shares of it; scatter .01 and .02 of runs of one row, and .01 with
    autocorrelation .6 along three courses of 40 rows):

    ====================== ============ ============ ================
    truth                  20 runs, .01 20 runs, .02 3 courses of 40
    ====================== ============ ============ ================
    logistic, width .73    0 / 16 / 9   1 / 11 / 13  0 / 25 / 0
    Gompertz, width .6     1 / 11 / 13  0 / 3 / 22   0 / 17 / 8
    softplus hinge, .5     0 / 5 / 20   0 / 2 / 23   0 / 4 / 21
    exponential            0 / 14 / 11  0 / 4 / 21   0 / 12 / 13
    hinge                  11 / 0 / 14  5 / 0 / 20   25 / 0 / 0
    power hinge, .35       23 / 0 / 2   16 / 0 / 9   25 / 0 / 0
    step                   25 / 0 / 0   25 / 0 / 0   25 / 0 / 0
    ====================== ============ ============ ================

    References
    ----------
    Du et al. 2024, who draw the threshold by eye; Hansen 2017 for regression kinks.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> ladder = datasets.load_olmo_ladder()
    >>> letters = ladder.results.query("task == 'mmlu_mc' and subtask == 'mean' and step > 0")
    >>> scores = join_models(letters, ladder.models)
    >>> found = fit_threshold(scores, forms=["logistic", "power_hinge"])
    >>> found.verdict, found.form, round(found.eta, 2)
    ('threshold', 'power_hinge', 2.7)
    """
    where = "fit_threshold"
    chosen = _checked(forms, form, errors, interval, level, where)
    curve = one_curve(table, x, axis, None if chance == "free" else chance, where=where)
    warn_of_checkpoints(curve.units, where=where)
    binomial = errors == "binomial"
    _require_counts(curve, binomial, where)
    if not np.ptp(curve.better) > 0:
        said = "all scores are the same"
        return Threshold("undecided", said, x, len(curve.u), len(curve.units.names), level)
    floors = [np.nan] if chance == "free" or np.isnan(curve.floor) else [np.nan, curve.floor]
    fits = [
        fit_form(curve, name, floor, binomial)
        for name in chosen
        for floor in (floors if name not in ("linear", "quadratic") else floors[:1])
    ]
    n_effective = _effective(curve, fits)
    held_out = held_out_errors(curve, fits)
    compared_forms = compared(curve, fits, held_out, binomial, n_effective, width)
    rising = float(np.dot(curve.u - curve.u.mean(), curve.better))
    choice = choose(compared_forms, held_out, len(np.unique(curve.u)), rising)
    bic = compared_forms["bic"].to_numpy()[1:]
    sharp = [i for i, one in enumerate(fits) if one.form in ((form,) if form else _WITH_THRESHOLD)]
    reported = fits[min(sharp, key=bic.__getitem__)] if sharp else None
    by_run = thresholds_by_run(curve, reported)
    found = interval_of(curve, reported, by_run, interval, level, n_boot, seed)
    ends = sorted(curve.value(end) for end in (found.lower, found.upper))
    return Threshold(
        eta=curve.value(found.middle),
        lower=ends[0],
        upper=ends[1],
        level=level,
        method=found.method,
        form=reported.form if reported else "",
        chance=curve.sign * reported.floor if reported else np.nan,
        verdict=choice.verdict,
        reason=choice.reason,
        x=x,
        n_rows=len(curve.u),
        n_runs=len(curve.units.names),
        n_effective=n_effective,
        forms=compared_forms,
        by_run=by_run.assign(eta=[curve.value(eta) for eta in by_run["eta"]]),
        fit=reported.fit if reported else None,
        notes=notes_on(curve, found, by_run),
    )


def _checked(
    forms: Sequence[str],
    form: str | None,
    errors: str,
    interval: str | None,
    level: float,
    where: str,
) -> list[str]:
    chosen = list(dict.fromkeys([forms] if isinstance(forms, str) else forms))
    for name in chosen:
        if name not in FORMS:
            raise FitError(f"{where}: {unknown('form', name, FORMS)}")
    if not chosen:
        raise FitError(f"{where}: name a form at least, such as 'hinge'.")
    if errors not in _ERRORS:
        raise FitError(f"{where}: {unknown('errors', errors, _ERRORS)}")
    if interval is not None and interval not in METHODS:
        raise FitError(f"{where}: {unknown('interval', interval, METHODS)}")
    if form is not None and form not in _WITH_THRESHOLD:
        raise FitError(f"{where}: {unknown('form with a threshold', form, _WITH_THRESHOLD)}")
    if form is not None and form not in chosen:
        raise FitError(f"{where}: form '{form}' is not among forms.")
    if not 0 < level < 1:
        raise FitError(f"{where}: level must lie between 0 and 1; it is {level}.")
    return chosen


def _require_counts(curve: OneCurve, binomial: bool, where: str) -> None:
    if binomial and not (curve.n_examples > 0).all():
        raise FitError(
            f"{where}: errors='binomial' needs the number of test items of each score in a column "
            f"'n_examples'; use errors='gaussian' where it is unknown."
        )


def _effective(curve: OneCurve, fits: list[FormFit]) -> float:
    """Return how many independent rows say as much, by what the best form leaves."""
    best = min(fits, key=_squares).fit
    rest = curve.better - curve.sign * best.law.predict(curve.rows, best.params)
    rho = lag_one(curve, rest)
    return max(len(rest) * (1 - rho) / (1 + rho), float(len(curve.units.names)))


def _squares(one: FormFit) -> float:
    return one.squares
