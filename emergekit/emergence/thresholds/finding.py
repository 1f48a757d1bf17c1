"""Is there a loss below which a score rises, and where? Forms, verdict and interval of curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import pandas as pd

from emergekit.emergence.one_curve import curves_of, one_curve
from emergekit.emergence.runs import warn_of_checkpoints
from emergekit.emergence.thresholds.answers import (
    COLUMNS,
    WITH_THRESHOLD,
    Asked,
    answer_of,
    undecided,
)
from emergekit.emergence.thresholds.forms import FORMS
from emergekit.emergence.thresholds.interval_choice import METHODS
from emergekit.errors import FitError, unknown
from emergekit.laws.axis import Kind

__all__ = ["fit_threshold"]

Method: TypeAlias = Literal["profile", "blocks", "runs", "spread"]

_ERRORS = ("gaussian", "binomial")
_WHERE = "fit_threshold"


def fit_threshold(
    table: pd.DataFrame,
    x: str = "loss",
    *,
    by: Sequence[str] | None = None,
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
) -> pd.DataFrame:
    """Return the forms that a curve may have, one a row; first the one with its threshold.

    Parameters
    ----------
    table : DataFrame
        Results with the column `x` beside the scores, and the training run of each row in `run`.
        Rows of one run are taken for its course.
    x : str
        Column: a loss, a count or an ability.
    by : sequence of str, optional
        Columns that set one curve apart from the next; family, task, subtask, metric, n_shots,
        filter and n_target_tokens where there, if None.
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
    DataFrame
        For each curve the form whose threshold is reported, then the others as they fit, and a
        constant. ``.groupby("task").head(1)``, or ``.iloc[0]`` of one curve, is the answer in
        short: `by`, then

        - verdict of the curve: "threshold", "smooth" or "undecided", the same in all its rows;
        - form; base ("free" or "chance": where it rises from); kind ("threshold" or "smooth");
        - eta (threshold, or midpoint of a logistic), in units of `x`; of the first row lower,
          upper and method of its interval at `level`. Read them as a threshold only with that
          verdict. With the method "spread" eta is the mean over runs (see `run_thresholds`);
        - rmse, held_out_rmse, bic, bic_difference, aicc, n_parameters, shape (power q or width w),
          width (10-90 %, in units of `x` or decades);
        - reason of the verdict, note (what else to know), x, level, chance (where `base` is),
          n_rows, n_runs, n_effective (independent rows that would say as much).

        The verdict is "undecided" where the BICs of the best threshold and the best smooth form
        differ by less than 6, where held-out errors do not tell them apart (mean log ratio over the
        parts below its standard error), below eight different places, and where scores do not rise
        or are all the same. Beside other curves, one that cannot be judged is "undecided" too.

    Raises
    ------
    TableError
        If a column is absent or has a gap.
    FitError
        If the only curve has fewer than five different values of `x`, an argument is unknown, or an
        interval was asked for that its rows cannot give.

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
    >>> forms = fit_threshold(scores, forms=["logistic", "power_hinge"])
    >>> forms[["verdict", "form", "base", "kind", "eta", "lower", "upper"]].round(2).head(3)
         verdict         form    base       kind   eta  lower  upper
    0  threshold  power_hinge  chance  threshold  2.70   2.66   2.74
    1  threshold  power_hinge    free  threshold  2.71    NaN    NaN
    2  threshold     logistic    free     smooth  2.68    NaN    NaN
    """
    chosen = _checked(forms, form, errors, interval, level)
    parts = list(curves_of(table, by, where=_WHERE))
    asked = Asked(chosen, errors == "binomial", form, interval, level, width, n_boot, seed)
    answers: list[pd.DataFrame] = []
    for key, part in parts:
        try:
            curve = one_curve(part, x, axis, None if chance == "free" else chance, where=_WHERE)
            if not answers:
                warn_of_checkpoints(curve.units, where=_WHERE)
            found = answer_of(curve, asked, free=chance == "free")
        except FitError as error:
            if len(parts) == 1:
                raise
            found = undecided(str(error).removeprefix(f"{_WHERE}: "), len(part))
        found = found.assign(**{name: [value] * len(found) for name, value in key.items()})
        answers.append(found.assign(x=x, level=level)[[*key, *COLUMNS]])
    return answers[0] if len(answers) == 1 else pd.concat(answers, ignore_index=True)


def _checked(
    forms: Sequence[str],
    form: str | None,
    errors: str,
    interval: str | None,
    level: float,
) -> list[str]:
    chosen = list(dict.fromkeys([forms] if isinstance(forms, str) else forms))
    for name in chosen:
        if name not in FORMS:
            raise FitError(f"{_WHERE}: {unknown('form', name, FORMS)}")
    if not chosen:
        raise FitError(f"{_WHERE}: name a form at least, such as 'hinge'.")
    if errors not in _ERRORS:
        raise FitError(f"{_WHERE}: {unknown('errors', errors, _ERRORS)}")
    if interval is not None and interval not in METHODS:
        raise FitError(f"{_WHERE}: {unknown('interval', interval, METHODS)}")
    if form is not None and form not in WITH_THRESHOLD:
        raise FitError(f"{_WHERE}: {unknown('form with a threshold', form, WITH_THRESHOLD)}")
    if form is not None and form not in chosen:
        raise FitError(f"{_WHERE}: form '{form}' is not among forms.")
    if not 0 < level < 1:
        raise FitError(f"{_WHERE}: level must lie between 0 and 1; it is {level}.")
    return chosen
