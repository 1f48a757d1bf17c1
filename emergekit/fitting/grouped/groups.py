"""Thousands of curves in one go: a law fitted to every group of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.compute import Engine, run
from emergekit.errors import FitError, TableError
from emergekit.fitting.bands import parameter_ends, require_level, student_reach
from emergekit.fitting.compiled.acceleration import require_numba
from emergekit.fitting.estimation import level_bounds, require_law
from emergekit.fitting.grouped.blocks import Found, solve_block
from emergekit.fitting.grouped.grouping import Groups, grouped
from emergekit.fitting.holding import holding
from emergekit.fitting.objectives import Objective
from emergekit.fitting.objectives import objective as find_objective
from emergekit.fitting.quality import beyond_words, early_words, flat_reason
from emergekit.fitting.rows import Weights
from emergekit.fitting.solving.coordinates import Coordinates, require_names
from emergekit.fitting.solving.problem import Problem
from emergekit.laws import Law

__all__ = ["fit_groups"]

Array = NDArray[np.float64]

_AT_ONCE = 100_000
"""Rows in one block: enough to share the overhead, few enough to be spread over workers."""
_STATS = ("objective_value", "rmse", "dispersion", "aic", "bic")
_ENDS = ("lower", "upper")
_OF_TERMS = ("law", "term", "estimate", "stderr", "lower", "upper", "on_bound", "identified")
_OF_GROUPS = (
    "n_rows",
    "n_free",
    "objective",
    *_STATS,
    "converged",
    "n_starts",
    "n_starts_agree",
    "reason",
)


def fit_groups(
    law: Law,
    table: pd.DataFrame,
    by: str | Sequence[str],
    response: str | None = None,
    objective: str | None = None,
    delta: float = 1e-3,
    weights: Weights = None,
    fixed: Mapping[str, float | str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    *,
    over: float = 2.0,
    tau: float = 0.5,
    stderr: str | None = None,
    level: float = 0.95,
    engine: Engine = "serial",
    compiled: bool = False,
) -> pd.DataFrame:
    """Return the law fitted to each group of rows, all searched side by side.

    Parameters
    ----------
    law : Law
        The form.
    table : DataFrame
        One row an observation.
    by : str or sequence of str
        Columns whose values make a group, such as ["family", "task", "metric"]; an empty cell is a
        value like any other.
    response, objective, delta, weights, bounds, over, tau, stderr
        As in `fit`.
    fixed : mapping, optional
        Parameters to hold, at a value or at those of a column: ``fixed={"c": "chance"}``.
    level : float
        Coverage that the intervals aim at.
    engine : {"serial", "processes", "dask"}
        As in `compute.run`; the numbers are the same.
    compiled : bool
        Search by compiled code (extra `fast`), as in `fit`.

    Returns
    -------
    DataFrame
        One row a group and parameter, groups in the order of the table: the columns of `by`, law,
        term, estimate, stderr, lower, upper, on_bound, identified (whether the rows tell this
        parameter); then what belongs to the group: n_rows, n_free, objective and objective_value,
        rmse, dispersion, aic, bic, converged, n_starts, n_starts_agree and reason, which says why a
        group has no estimates or why they should not be trusted, and is absent if all is well.

    Raises
    ------
    TableError
        If columns are absent.
    FitError
        If an argument cannot be meant. A group that cannot be fitted raises nothing: it has a
        reason.
    ModuleNotFoundError
        If `compiled` and numba is absent.

    Examples
    --------
    >>> from emergekit import laws
    >>> runs = pd.DataFrame({"task": ["a"] * 4 + ["b"] * 2, "flops": 10.0 ** np.arange(18, 24)})
    >>> runs["loss"] = 7 * runs["flops"] ** -0.1
    >>> fitted = fit_groups(laws.power_law(), runs, by="task")
    >>> fitted[["task", "term", "estimate", "reason"]].round(6)
      task term  estimate                                          reason
    0    a    b       7.0                                             NaN
    1    a    c       0.1                                             NaN
    2    b    b       7.0  2 rows for 2 free parameters leave no interval
    3    b    c       0.1  2 rows for 2 free parameters leave no interval
    """
    require_law(law)
    require_level(level)
    if compiled:
        require_numba()
    _require_free_names(by)
    goal = find_objective(law.objective if objective is None else objective, delta, over, tau)
    fixed, bounds = {} if fixed is None else fixed, {} if bounds is None else bounds
    require_names("fixed", fixed, law)
    columns = {name: column for name, column in fixed.items() if isinstance(column, str)}
    if goal.binomial:
        bounds = level_bounds(law, bounds)
    searched = holding(law, tuple(columns))
    values = {name: value for name, value in fixed.items() if name not in columns}
    limits = {p.name: (p.lower, p.upper) for p in law.parameters if p.name in columns}
    limits |= {name: bounds[name] for name in limits if name in bounds}
    bounds = {name: pair for name, pair in bounds.items() if name not in columns}
    coordinates = Coordinates(searched, values, bounds)
    response = law.response if response is None else response
    n_free = coordinates.n_free
    groups = grouped(searched, table, by, response, goal, weights, columns, n_free, limits, stderr)
    blocks = groups.blocks(_AT_ONCE)
    problems = [Problem(searched, *groups.arrays(b), goal, coordinates, compiled) for b in blocks]
    found = run(solve_block, problems, engine=engine)
    parts = [
        _estimates(law, groups, block, part, coordinates, goal, level)
        for block, part in zip(blocks, found, strict=True)
    ]
    failed = np.flatnonzero(groups.failed)
    parts.append(_failures(law, groups, failed, n_free, goal))
    return _tidy(groups, parts)


def _require_free_names(by: str | Sequence[str]) -> None:
    names = [by] if isinstance(by, str) else list(by)
    if len({*names}) < len(names):
        raise FitError(f"fit_groups: by names a column twice: {', '.join(map(repr, names))}.")
    taken = [name for name in names if name in (*_OF_TERMS, *_OF_GROUPS)]
    if taken:
        raise TableError(
            f"fit_groups: the answer has columns {', '.join(map(repr, taken))} of its own; rename "
            f"those of by first."
        )


def _tidy(groups: Groups, parts: list[dict[str, NDArray[Any]]]) -> pd.DataFrame:
    """Return one row a group and parameter, in the order of the groups."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["group"], kind="stable")
    frame = pd.DataFrame({name: column[order] for name, column in columns.items()})
    keys = groups.keys.iloc[frame.pop("group")].reset_index(drop=True)
    return pd.concat([keys, frame], axis=1)


def _estimates(
    law: Law,
    groups: Groups,
    block: NDArray[np.intp],
    found: Found,
    coordinates: Coordinates,
    goal: Objective,
    level: float,
) -> dict[str, NDArray[Any]]:
    """Return the columns of the groups in one block."""
    solution, n_rows, n_free = found.solution, int(groups.sizes[block[0]]), coordinates.n_free
    reach = student_reach(level, n_rows - n_free) * np.sqrt(found.variance)
    ends_of = [np.array([getattr(p, end) for p in coordinates.searched]) for end in _ENDS]
    bounds = ends_of[0], ends_of[1]
    lower, upper = parameter_ends(found.estimate, reach, coordinates.log, bounds)
    searched = [law.names.index(parameter.name) for parameter in coordinates.searched]
    ends = np.full((4, len(block), len(law.names)), np.nan)
    ends[:, :, searched] = found.estimate, np.sqrt(found.variance), lower, upper
    variables, _, _ = groups.arrays(block)
    for place, name in enumerate(law.names):
        if name in variables:
            ends[0, :, place] = _constant(variables[name])
        elif name in coordinates.fixed:
            ends[0, :, place] = coordinates.fixed[name]
    reached = np.isfinite(solution.value) & (found.undefined < 0)
    ends[:, ~reached] = np.nan
    flags = np.zeros((2, *ends.shape[1:]), dtype=bool)
    flags[1] = reached[:, None]  # what is held is known
    flags[:, :, searched] = np.stack([found.on_bound, ~found.moving]) & reached[:, None]
    return _columns(
        law,
        block,
        ends,
        flags,
        n_rows=groups.sizes[block],
        n_free=np.full(len(block), n_free),
        objective=np.full(len(block), goal.name, dtype=object),
        **{name: np.where(reached, found.stats[name], np.nan) for name in _STATS},
        converged=solution.converged & reached,
        n_starts=solution.n_starts,
        n_starts_agree=solution.n_agree,
        reason=_doubts(groups, block, found, n_free),
    )


def _failures(
    law: Law, groups: Groups, failed: NDArray[np.intp], n_free: int, goal: Objective
) -> dict[str, NDArray[Any]]:
    """Return the columns of the groups that were not fitted."""
    absent, none = np.full(len(failed), np.nan), np.zeros(len(failed), dtype=int)
    return _columns(
        law,
        failed,
        np.full((4, len(failed), len(law.names)), np.nan),
        np.zeros((2, len(failed), len(law.names)), dtype=bool),
        n_rows=groups.sizes[failed],
        n_free=np.full(len(failed), n_free),
        objective=np.full(len(failed), goal.name, dtype=object),
        **dict.fromkeys(_STATS, absent),
        converged=none.astype(bool),
        n_starts=none,
        n_starts_agree=none,
        reason=groups.reasons[failed],
    )


def _columns(
    law: Law,
    block: NDArray[np.intp],
    ends: Array,
    flags: NDArray[np.bool_],
    **of_groups: NDArray[Any],
) -> dict[str, NDArray[Any]]:
    """Return columns with one entry a group and parameter."""
    n_terms = len(law.names)
    by_term = dict(zip(("estimate", "stderr", "lower", "upper"), ends, strict=True))
    return {
        "group": np.repeat(block, n_terms),
        "law": np.full(len(block) * n_terms, law.name, dtype=object),
        "term": np.tile(np.array(law.names, dtype=object), len(block)),
        **{name: values.ravel() for name, values in by_term.items()},
        "on_bound": flags[0].ravel(),
        "identified": flags[1].ravel(),
        **{name: np.repeat(values, n_terms) for name, values in of_groups.items()},
    }


def _constant(values: Array) -> Array:
    """Return what all rows of a group share, or NaN."""
    return np.where((values == values[:, :1]).all(axis=1), values[:, 0], np.nan)


def _doubts(
    groups: Groups, block: NDArray[np.intp], found: Found, n_free: int
) -> NDArray[np.object_]:
    """Return why estimates are absent or should not be trusted, None where all is well."""
    reasons = np.full(len(block), None, dtype=object)
    n_rows = int(groups.sizes[block[0]])
    if n_rows == n_free:
        reasons[:] = f"{n_rows} rows for {n_free} free parameters leave no interval"
    reasons[~found.curved] = "too few rows lie near the fit to measure by; there are no intervals"
    for place in np.flatnonzero(found.moving.any(axis=1)):
        reasons[place] = flat_reason(found.flat[place])
    for place in np.flatnonzero(found.n_beyond):
        reasons[place] = beyond_words(int(found.n_beyond[place]), n_rows)
    for place in np.flatnonzero(~found.solution.converged):
        reasons[place] = early_words(float(found.solution.gradient_norm[place]))
    reasons[~np.isfinite(found.solution.value)] = "the law has no value at any start"
    for place in np.flatnonzero(found.undefined >= 0):
        row = groups.data.index[groups.firsts[block[place]] + found.undefined[place]]
        reasons[place] = f"the law has no value, or no slope, at row {row}"
    return reasons
