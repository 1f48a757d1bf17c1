"""Does a straight line do? The largest F statistic over all places where the slope may change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

from emergekit.emergence.one_curve import OneCurve, curves_of, one_curve
from emergekit.emergence.runs import warn_of_checkpoints
from emergekit.emergence.thresholds.intervals import drawn_errors, lag_one
from emergekit.emergence.thresholds.scans import threshold_range
from emergekit.errors import FitError
from emergekit.laws.axis import Kind

__all__ = ["break_test"]

Array: TypeAlias = NDArray[np.float64]

_PLACES = 80
NOT_A_THRESHOLD = (
    "a straight line is rejected, as any bend would make it: this is no evidence for a threshold; "
    "compare smooth forms with fit_threshold"
)


def break_test(
    table: pd.DataFrame,
    x: str = "loss",
    *,
    by: Sequence[str] | None = None,
    errors: str = "gaussian",
    axis: Kind | None = None,
    alpha: float = 0.05,
    n_boot: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Return, for each curve, whether its slope changes anywhere.

    .. math:: \sup_\eta F(\eta), \qquad y = a + b u + d \max(0, u - \eta)

    Under a straight line the break is nowhere, so that the statistic has no F distribution; its own
    is simulated from the fitted line (parametric bootstrap).

    Parameters
    ----------
    table : DataFrame
        Results with the column `x` beside the scores, and the training run of each row in `run`.
    x : str
        Column: a loss, a count or an ability.
    by : sequence of str, optional
        Columns that set one curve apart from the next; family, task, subtask, metric, n_shots,
        filter and n_target_tokens where there, if None.
    errors : {"gaussian", "binomial"}
        Scatter about the line: normal, in rows of one run autoregressive; or what `n_examples`
        answers give, which has rows of one run differ by their answers alone.
    axis : {"log10", "falling", "rising"}, optional
        How `x` counts, as in `fit_threshold`.
    alpha : float
        Level at which reasons are worded, after Benjamini-Hochberg over the curves.
    n_boot, seed : int
        Draws, and the root of the random numbers.

    Returns
    -------
    DataFrame
        One row a curve: `by`, then n_rows, n_runs, statistic, eta (where F is largest, in units of
        `x`), slope_change (per nat or decade; positive where the score rises faster past it),
        autocorrelation, p_value, q_value, reason. Rejecting a straight line does not make a
        threshold, which the reason repeats: a logistic is rejected as well.

    Raises
    ------
    TableError
        If a column is absent or has a gap.
    FitError
        If a curve has fewer than five different values of `x`, or an argument cannot be meant.

    Warns
    -----
    FitWarning
        If no runs are named and the rows are, or may be, checkpoints.

    References
    ----------
    Andrews 1993 for sup-F; Davies 1987 for what is absent under the null.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> ladder = datasets.load_olmo_ladder()
    >>> scores = join_models(ladder.results.query("task == 'hellaswag_rc'"), ladder.models)
    >>> finals = scores[scores["is_final"] & scores["metric"].eq("acc_norm")]
    >>> test = break_test(finals[finals["family"] == "OLMo ladder"])
    >>> test["p_value"].tolist(), "no evidence for a threshold" in test["reason"].iloc[0]
    ([0.001], True)
    """
    where = "break_test"
    if errors not in ("gaussian", "binomial"):
        raise FitError(f"{where}: errors must be 'gaussian' or 'binomial', not {errors!r}.")
    rows: list[dict[str, Any]] = []
    for key, part in curves_of(table, by, where=where):
        curve = one_curve(part, x, axis, where=where)
        if not rows:
            warn_of_checkpoints(curve.units, where=where)
        rows.append(key | _tested(curve, errors, n_boot, seed))
    answer = pd.DataFrame(rows)
    known = answer["p_value"].notna()
    answer["q_value"] = np.nan
    if known.any():
        answer.loc[known, "q_value"] = multipletests(answer.loc[known, "p_value"], method="fdr_bh")[
            1
        ]
    rejected = answer["q_value"] <= alpha
    kept = np.where(known, "a straight line is not rejected", "scores do not vary")
    return answer.assign(reason=np.where(rejected, NOT_A_THRESHOLD, kept))


def _tested(curve: OneCurve, errors: str, n_boot: int, seed: int) -> dict[str, Any]:
    etas = np.linspace(*threshold_range(curve.u, "hinge"), _PLACES)
    line = np.column_stack([np.ones_like(curve.u), curve.u - curve.u.mean()])
    line = np.linalg.qr(line)[0]
    bends = np.maximum(curve.u - etas[:, None], 0.0)
    bends = bends - (bends @ line) @ line.T
    lengths = np.sqrt((bends**2).sum(axis=1))
    told = lengths > 1e-9 * lengths.max()
    etas, bends = etas[told], bends[told] / lengths[told, None]
    fitted = line @ (line.T @ curve.better)
    rest = curve.better - fitted
    spare = len(rest) - 3
    varied = float(rest @ rest) > 1e-20 * max(float(curve.better @ curve.better), 1e-300)
    answer: dict[str, Any] = {"n_rows": len(rest), "n_runs": len(curve.units.names)}
    if not varied or spare < 1:
        blank = ("statistic", "eta", "slope_change", "autocorrelation", "p_value")
        return answer | dict.fromkeys(blank, np.nan)
    statistics, explained = _largest_f(rest[None], bends, spare)
    best = int(np.argmax(explained[0]))
    drawn = _drawn(curve, fitted, rest, errors, n_boot, seed)
    drawn = drawn - (drawn @ line) @ line.T
    hits = int((_largest_f(drawn, bends, spare)[0] >= statistics[0] * (1 - 1e-12)).sum())
    return answer | {
        "statistic": float(statistics[0]),
        "eta": curve.value(float(etas[best])),
        "slope_change": float(bends[best] @ rest / lengths[told][best]),
        "autocorrelation": lag_one(curve, rest),
        "p_value": (1 + hits) / (1 + n_boot),
    }


def _largest_f(rest: Array, bends: Array, spare: int) -> tuple[Array, Array]:
    """Return the largest F of each set of residuals, and what each bend explains, (B, places)."""
    explained = (rest @ bends.T) ** 2
    most = explained.max(axis=1)
    left = np.maximum((rest**2).sum(axis=1) - most, 1e-300)
    return np.asarray(spare * most / left), explained


def _drawn(
    curve: OneCurve, fitted: Array, rest: Array, errors: str, n_boot: int, seed: int
) -> Array:
    """Return scores drawn about the fitted line, shape (n_boot, n)."""
    rng = np.random.default_rng(seed)
    if errors == "gaussian":
        kind: Any = "courses" if curve.units.along_training else "independent"
        return fitted + drawn_errors(curve, rest, kind, n_boot, rng)
    n = curve.n_examples
    if not (n > 0).all():
        raise FitError(
            "break_test: errors='binomial' needs the number of test items of each score in a "
            "column 'n_examples'; use errors='gaussian' where it is unknown."
        )
    chance = np.clip(curve.sign * fitted, 0.0, 1.0)
    return curve.sign * rng.binomial(n.astype(int), chance, (n_boot, len(n))) / n
