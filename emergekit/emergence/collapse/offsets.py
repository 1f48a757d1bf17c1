"""Same loss, same performance? Scores of models of all sizes on one curve over loss.

Checkpoints as if independent reject collapse nearly everywhere, which is pseudo-replication: those
of one run share its data order and its luck. Here runs are the units, and the first number is an
effect size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import f as f_distribution
from scipy.stats import spearmanr
from statsmodels.stats.multitest import multipletests

from emergekit.emergence.collapse.permutations import (
    RunDesign,
    detectable_spread,
    permutation_p_value,
    run_design,
)
from emergekit.emergence.collapse.splines import Spline
from emergekit.emergence.one_curve import COUNTS
from emergekit.emergence.runs import Units, finite_column, units_of, warn_of_checkpoints
from emergekit.errors import TableError

__all__ = ["collapse_test"]

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]

_CURVE = ("family", "task", "subtask", "metric", "n_shots", "filter", "n_target_tokens")
_COLUMNS = ["n_sizes", "n_runs", "n_rows", "x_min", "x_max", "spearman", "r2", "offset_share"]
_COLUMNS += ["left_out_ratio", "p_value", "detectable_share", "p_checkpoints"]
_FEWEST = 8  # rows that a spline, offsets and a scatter can be told from
_UNKNOWN = {"p_value": np.nan, "detectable_share": np.inf, "p_checkpoints": np.nan}


class _Points(NamedTuple):
    """Scores y at places x, the size of each row, and the run of each row."""

    x: Array
    y: Array
    sizes: Codes
    units: Units


def collapse_test(
    table: pd.DataFrame,
    x: str = "loss",
    over: str = "n_params",
    *,
    by: Sequence[str] | None = None,
    n_columns: int = 6,
    tolerance: float = 0.05,
    alpha: float = 0.05,
    n_permutations: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Return, for each task, whether models of different sizes lie on one curve over loss.

    .. math:: y = s(x) + o_{\mathrm{size}} + \text{run} + \text{scatter}

    s is a cubic spline. Collapse means that all offsets o are 0.

    Parameters
    ----------
    table : DataFrame
        Results with the columns `x` and `over` beside the scores (see `join_models`), and the
        training run of each row in `run`.
    x : str
        Column that should be all that matters, such as a loss; of n_tokens and flops, log10.
    over : str
        Column that should not matter beside it; the same in all rows of a run.
    by : sequence of str, optional
        Columns that set one test apart from the next; family, task, subtask, metric, n_shots,
        filter and n_target_tokens where there, if None. Leave out "family" to pool families.
    n_columns : int
        Degrees of freedom of the spline.
    tolerance : float
        Offsets up to this share of the curve's range count as collapse.
    alpha : float
        Level of the tests, after Benjamini-Hochberg over the rows of the answer.
    n_permutations, seed : int
        Shuffles of the runs' sizes, and the root of the random numbers.

    Returns
    -------
    DataFrame
        One row a test: `by`, then

        - n_sizes, n_runs, n_rows, x_min, x_max, spearman (of score and `x`), r2 (of s alone);
        - offset_share: spread of the offsets, largest less smallest, over the range of s;
        - left_out_ratio: error at the rows of a size, of a spline through the other sizes over one
          through this size, root mean square over the rows that both cover; 1 for perfect collapse;
        - p_value, q_value: offsets against permuted runs; the latter adjusted for the number of
          tests. NaN where no size has two runs;
        - detectable_share: the offset_share, growing evenly with size, that this permutation would
          find with 80 % power at level `alpha`; infinite where it can find nothing;
        - p_checkpoints: the F test that takes rows for independent: shown so that it can be
          recognised, not to be quoted. NaN where every row is a run;
        - unit ("run", "model", "row"), verdict ("collapse", "offsets", "undecided"), reason.

    Raises
    ------
    TableError
        If a column is absent or holds a gap, or a run has two values of `over`; the row is named.

    Warns
    -----
    FitWarning
        If no runs are named and the rows are, or may be, checkpoints.

    Notes
    -----
    What is permuted is the mean residual of each run about s (Freedman & Lane 1983); each run's own
    course stays in place. At a nominal 5 % this rejected 4 to 9 % of true nulls in simulations (10
    and 30 runs in five sizes, courses with autocorrelation 0 to .95, 150 draws a cell), and found
    offsets of .03 between the smallest and the largest size in 27 to 99 %, where runs scattered by
    .005 and .01. A drift along training that all runs share passed for offsets in up to 31 %.

    A spline too stiff for the curve leaves residuals that differ between sizes, since these lie at
    different losses: try other `n_columns` before believing in offsets.

    References
    ----------
    Du et al. 2024 for the claim, which they show without a test; the tests are ours.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> ladder = datasets.load_olmo_ladder()
    >>> scores = join_models(ladder.results.query("task == 'hellaswag_rc'"), ladder.models)
    >>> scores = scores[scores["family"].eq("OLMo ladder") & scores["loss"].lt(4.5)]
    >>> test = collapse_test(scores[scores["metric"] == "acc_norm"])
    >>> test[["n_runs", "offset_share", "verdict"]].round(3).to_dict("records")
    [{'n_runs': 30, 'offset_share': 0.008, 'verdict': 'collapse'}]
    """
    where = "collapse_test"
    if not isinstance(table, pd.DataFrame) or not len(table):
        raise TableError(f"{where}: expected a DataFrame with rows; it got {_said(table)}.")
    for name in (x, over, "score"):
        finite_column(table, name, where=where)
    keys = [name for name in _CURVE if name in table] if by is None else list(by)
    for name in keys:
        if name not in table:
            raise TableError(f"{where}: column '{name}' of by is absent.")
    groups = table.groupby(keys, dropna=False, sort=False) if keys else [((), table)]
    parts = [(key, rows, units_of(rows)) for key, rows in groups]
    warn_of_checkpoints(max((units for _, _, units in parts), key=_most_rows), where=where)
    rows = []
    for key, part, units in parts:
        _require_one_size(part, over, units, where)
        points = _points(part, x, over, units)
        measured = _measured(points, n_columns, alpha, n_permutations, seed)
        measured |= {"x_min": float(part[x].min()), "x_max": float(part[x].max())}
        rows.append(dict(zip(keys, key, strict=True)) | measured | {"unit": units.told_by})
    answer = pd.DataFrame(rows)[[*keys, *_COLUMNS, "unit"]]
    places = list(answer).index("p_value") + 1
    answer.insert(places, "q_value", _adjusted(answer["p_value"]))
    judged = [_verdict(row, tolerance, alpha) for row in answer.to_dict("records")]
    return answer.assign(verdict=[v for v, _ in judged], reason=[r for _, r in judged])


def _said(table: object) -> str:
    return "an empty one" if isinstance(table, pd.DataFrame) else type(table).__name__


def _most_rows(units: Units) -> int:
    return int(units.counts.max(initial=0))


def _require_one_size(table: pd.DataFrame, over: str, units: Units, where: str) -> None:
    several = table[over].groupby(units.codes).nunique() > 1
    if several.any():
        name = units.names[int(np.argmax(several))]
        raise TableError(
            f"{where}: '{over}' must be the same in all rows of a {units.told_by}, but "
            f"{units.told_by} {name} has several. Name the runs in a column 'run'."
        )


def _points(rows: pd.DataFrame, x: str, over: str, units: Units) -> _Points:
    sizes = pd.factorize(rows[over], sort=True)[0].astype(np.intp)
    values, scores = (pd.to_numeric(rows[name]).to_numpy(dtype=float) for name in (x, "score"))
    if x in COUNTS and not (values > 0).all():
        row = rows.index[int(np.argmax(values <= 0))]
        raise TableError(
            f"collapse_test: '{x}' must be positive for its logarithm, but row {row} is not."
        )
    return _Points(np.log10(values) if x in COUNTS else values, scores, sizes, units)


def _measured(
    points: _Points, n_columns: int, alpha: float, n_permutations: int, seed: int
) -> dict[str, Any]:
    x, y = points.x, points.y
    n_sizes = int(points.sizes.max()) + 1
    told: dict[str, Any] = {
        "n_sizes": n_sizes,
        "n_runs": len(points.units.names),
        "n_rows": len(x),
    }
    varied = len(np.unique(x)) > 2 and np.ptp(y) > 0
    told["spearman"] = float(spearmanr(x, y).statistic) if varied else np.nan
    told |= dict.fromkeys(("r2", "offset_share", "left_out_ratio"), np.nan) | _UNKNOWN
    if not varied or n_sizes < 2 or len(x) < max(_FEWEST, n_sizes + 4):
        return told
    columns = Spline(x, n_columns).columns(x)
    design = run_design(columns, points.sizes, points.units.codes)
    rest = design.left(y)
    reach = float(np.ptp(y - rest))
    told["r2"] = 1 - float(rest @ rest) / float(((y - y.mean()) ** 2).sum())
    told["offset_share"] = float(np.ptp(_offsets(columns, points.sizes, y))) / reach
    told["left_out_ratio"] = _left_out_ratio(points, n_columns)
    told["p_value"] = permutation_p_value(design, y, n_permutations, seed)
    ranks = points.sizes / (n_sizes - 1)
    told["detectable_share"] = detectable_spread(design, y, ranks, alpha, seed) / reach
    if points.units.along_training:
        told["p_checkpoints"] = _f_test(design, y)
    return told


def _offsets(columns: Array, groups: Codes, y: Array) -> Array:
    """Return the offsets of groups beside a spline, by least squares; the first one is 0."""
    design = np.hstack([columns, _indicators(groups)[:, 1:]])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return np.asarray(np.r_[0.0, coefficients[columns.shape[1] :]])


def _f_test(design: RunDesign, y: Array) -> float:
    rest = design.left(y)
    explained = float(((rest @ design.groups) ** 2).sum())
    more = design.groups.shape[1]
    spare = len(y) - design.curve.shape[1] - more
    left = float(rest @ rest) - explained
    if more < 1 or spare < 1 or not left > 0:
        return np.nan
    return float(f_distribution.sf(explained / more / (left / spare), more, spare))


def _left_out_ratio(points: _Points, n_columns: int) -> float:
    """Return the error of splines through the other sizes, over that of splines through each."""
    squares = np.zeros(2)
    for size in range(int(points.sizes.max()) + 1):
        mine = points.sizes == size
        x, others = points.x[mine], points.x[~mine]
        inside = (x >= others.min()) & (x <= others.max())
        if inside.sum() < 6 or len(np.unique(x)) < 6:
            continue
        y = points.y[mine]
        for place, (at, scores) in enumerate(((others, points.y[~mine]), (x, y))):
            spline = Spline(at, min(n_columns, len(at) // 2))
            columns = spline.columns(at)
            fitted = spline.columns(x) @ np.linalg.lstsq(columns, scores, rcond=None)[0]
            own = len(at) / (len(at) - columns.shape[1]) if place else 1.0  # it was fitted to them
            squares[place] += own * float(((y - fitted)[inside] ** 2).sum())
    return float(np.sqrt(squares[0] / squares[1])) if squares[1] > 0 else np.nan


def _indicators(groups: Codes) -> Array:
    return np.eye(int(groups.max()) + 1)[groups]


def _adjusted(p_values: pd.Series) -> pd.Series:
    known = p_values.notna()
    adjusted = p_values.copy()
    if known.any():
        adjusted[known] = multipletests(p_values[known], method="fdr_bh")[1]
    return adjusted


def _verdict(row: dict[Any, Any], tolerance: float, alpha: float) -> tuple[str, str]:
    """Return the verdict and the sentence behind it."""
    share, q, seen = row["offset_share"], row["q_value"], row["detectable_share"]
    if np.isnan(share):
        return "undecided", "too few rows, sizes or different scores to compare sizes"
    if np.isnan(q):
        why = "one run a size: what differs between sizes may be that run's luck"
        return "undecided", why
    said = f"offsets are {share:.1%} of the range"
    if q <= alpha:
        small = share <= tolerance
        return ("collapse", f"{said}: real, but small") if small else ("offsets", said)
    if seen > tolerance:
        least = "nothing" if np.isinf(seen) else f"only offsets from {seen:.0%} on"
        return "undecided", f"{said}; {row['n_runs']} {row['unit']}s would show {least}"
    if share > tolerance:
        return "undecided", f"{said}, more than tolerated, but not significant"
    return "collapse", f"{said}; from {seen:.1%} on they would have been seen"
