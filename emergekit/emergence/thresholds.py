"""Is there a loss below which a score rises, and where? Forms, verdict, interval of one curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.one_curve import OneCurve, one_curve
from emergekit.emergence.runs import warn_of_checkpoints
from emergekit.emergence.scans import best_of
from emergekit.emergence.threshold_choice import choose, compared, held_out_errors
from emergekit.emergence.threshold_forms import FORMS, FormFit, fit_form, scan_of
from emergekit.emergence.threshold_intervals import (
    Interval,
    bootstrap_interval,
    lag_one,
    profile_interval,
    spread_interval,
)
from emergekit.errors import FitError, unknown
from emergekit.fitting import Fit
from emergekit.laws.axis import Kind

__all__ = ["Threshold", "fit_threshold"]

Array: TypeAlias = NDArray[np.float64]
Method: TypeAlias = Literal["profile", "blocks", "runs", "spread"]

_WITH_THRESHOLD = ("hinge", "power_hinge", "step")
_ERRORS = ("gaussian", "binomial")
_METHODS = ("profile", "blocks", "runs", "spread")
_FORM_COLUMNS = ("form", "level", "kind", "rmse", "bic_difference", "held_out_rmse", "eta")
_MANY_RUNS = 8
_ROWS_OF_A_RUN = 12
_RISES = 6.0  # of BIC, over a constant


@dataclass(frozen=True, repr=False)
class Threshold:
    """The threshold of one curve, with what speaks for and against its being one.

    Parameters
    ----------
    eta : float
        The threshold, in units of the column `x`; NaN if no form with a threshold was fitted.
    lower, upper, level, method : float, float, float, str
        Its interval, the coverage that this aims at, and how it was found.
    form, chance : str, float
        The form that it belongs to, and the level it rises from; NaN if the level is free.
    verdict, reason : str
        "threshold", "smooth" or "undecided", and the sentence behind it. Read `eta` as a threshold
        only with the first.
    x : str
        Column.
    n_rows, n_runs, n_effective : int, int, float
        Rows, runs, and how many independent rows would say as much.
    forms : DataFrame
        One row a form: form, level (free, or held at chance), kind (smooth, threshold),
        n_parameters, rmse, bic, bic_difference, aicc, eta (midpoint of a logistic), shape (power q
        or width w), width (10-90 %, in units of `x` or decades), held_out_rmse.
    by_run : DataFrame
        run, n_rows, eta (to a 600th of the run's range) of each run that has twelve places and
        rises (BIC 6 below a constant); empty where rows are runs.
    fit : Fit or None
        The fit of `form` to all rows.
    notes : tuple of str
        What else to know.
    """

    eta: float
    lower: float
    upper: float
    level: float
    method: str
    form: str
    chance: float
    verdict: str
    reason: str
    x: str
    n_rows: int
    n_runs: int
    n_effective: float
    forms: pd.DataFrame
    by_run: pd.DataFrame
    fit: Fit | None = None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the threshold, its interval, the verdict and its reason."""
        names = ("x", "form", "eta", "lower", "upper", "level", "method", "chance")
        more = ("n_rows", "n_runs", "n_effective", "verdict", "reason")
        return pd.DataFrame([{name: getattr(self, name) for name in (*names, *more)}])

    def __repr__(self) -> str:
        head = f"Threshold in {self.x} from {self.n_rows} rows of {_runs(self.n_runs)}"
        said = [f"{head}: {self.verdict}", f"  {self.reason}"]
        if np.isfinite(self.eta):
            ends = f"{self.level:.0%} {self.lower:.4g} to {self.upper:.4g}, {self.method}"
            said.append(f"  eta {self.eta:.4g} ({ends}) of the {self.form.replace('_', ' ')}")
        said += [f"  {note}" for note in self.notes]
        if len(self.forms):
            table = self.forms[list(_FORM_COLUMNS)].sort_values("bic_difference")
            said.append(table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"))
        return "\n".join(said)


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
        differ by less than 6, where held-out errors do not tell them apart (mean difference over
        the parts below its standard error), below eight different places, and where scores do not
        rise or are all the same.

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
        return _flat(curve, level)
    floors = [np.nan] if chance == "free" or np.isnan(curve.floor) else [np.nan, curve.floor]
    fits = [
        fit_form(curve, name, floor, binomial)
        for name in chosen
        for floor in (floors if name not in ("linear", "quadratic") else floors[:1])
    ]
    best_fit = min(fits, key=_squares)
    best_rest = curve.better - curve.sign * best_fit.fit.law.predict(
        curve.rows, best_fit.fit.params
    )
    rho = lag_one(curve, best_rest)
    n_effective = max(len(curve.u) * (1 - rho) / (1 + rho), float(len(curve.units.names)))
    held_out = held_out_errors(curve, fits)
    compared_forms = compared(curve, fits, held_out, binomial, n_effective, width)
    rising = float(np.dot(curve.u - curve.u.mean(), curve.better))
    choice = choose(compared_forms, held_out, len(np.unique(curve.u)), rising)
    bic = compared_forms["bic"].to_numpy()[1:]
    sharp = [i for i, one in enumerate(fits) if one.form in ((form,) if form else _WITH_THRESHOLD)]
    reported = fits[min(sharp, key=bic.__getitem__)] if sharp else None
    by_run = _by_run(curve, reported)
    found = _interval(curve, reported, by_run, interval, level, n_boot, seed)
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
        n_effective=float(n_effective),
        forms=compared_forms,
        by_run=by_run.assign(eta=[curve.value(eta) for eta in by_run["eta"]]),
        fit=reported.fit if reported else None,
        notes=_notes(curve, found, by_run),
    )


def _flat(curve: OneCurve, level: float) -> Threshold:
    """Return the answer on a curve whose scores are all the same."""
    none = pd.DataFrame(columns=list(_FORM_COLUMNS))
    return Threshold(
        eta=np.nan,
        lower=np.nan,
        upper=np.nan,
        level=level,
        method="none",
        form="",
        chance=np.nan,
        verdict="undecided",
        reason="all scores are the same",
        x=curve.x,
        n_rows=len(curve.u),
        n_runs=len(curve.units.names),
        n_effective=np.nan,
        forms=none,
        by_run=pd.DataFrame(columns=["run", "n_rows", "eta"]),
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
    if interval is not None and interval not in _METHODS:
        raise FitError(f"{where}: {unknown('interval', interval, _METHODS)}")
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


def _squares(one: FormFit) -> float:
    return one.squares


def _by_run(curve: OneCurve, reported: FormFit | None) -> pd.DataFrame:
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
            if len(np.unique(mine.u)) < _ROWS_OF_A_RUN or not flat > 0:
                continue
            scanned = scan_of(mine, reported.form, reported.floor)
            best, left, _, _ = best_of(scanned, mine.better, np.ones(n), known)
            gain = n * np.log(flat / max(left, 1e-12 * flat))
            if gain - (reported.n_parameters - 1) * np.log(n) > _RISES:
                rows.append({"run": name, "n_rows": n, "eta": float(scanned.eta[best])})
    return pd.DataFrame(rows, columns=["run", "n_rows", "eta"])


def _interval(
    curve: OneCurve,
    reported: FormFit | None,
    by_run: pd.DataFrame,
    method: str | None,
    level: float,
    n_boot: int,
    seed: int,
) -> Interval:
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
    return found._replace(middle=reported.eta)


def _require_method(method: str, n_runs: int, courses: bool, n_thresholds: int) -> None:
    where = "fit_threshold: interval"
    if method == "runs" and n_runs < 3:
        raise FitError(f"{where} 'runs' needs three runs or more; there are {n_runs}.")
    if method == "spread" and n_thresholds < 2:
        raise FitError(
            f"{where} 'spread' needs two runs that rise over {_ROWS_OF_A_RUN} places or more; "
            f"{n_thresholds} of these do."
        )
    if method == "blocks" and not courses:
        raise FitError(f"{where} 'blocks' needs runs of several rows; use 'profile'.")


def _notes(curve: OneCurve, found: Interval, by_run: pd.DataFrame) -> tuple[str, ...]:
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


def _runs(n: int) -> str:
    return "1 run" if n == 1 else f"{n} runs"
