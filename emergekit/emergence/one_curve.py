"""The rows of one curve as arrays: places on an axis along which models get better, and scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit import metrics
from emergekit.emergence.runs import Units, finite_column, units_of
from emergekit.errors import FitError, TableError
from emergekit.laws.axis import Kind, axis_of, direction, place

__all__ = ["COUNTS", "OneCurve", "curves_of", "one_curve"]

Array: TypeAlias = NDArray[np.float64]

_SAME = ("family", "task", "subtask", "metric", "n_shots", "filter", "n_target_tokens")
COUNTS = ("n_params", "n_tokens", "flops")
"""Columns that count in decades."""
_FEWEST = 5


class OneCurve(NamedTuple):
    """One curve, sorted by u, the place on its axis: a model gets better as u rises.

    `better` is the score, turned over if less is better; `floor` is chance, turned over with it,
    NaN if unknown; `turns` puts the rows run by run in the order of training.
    """

    rows: pd.DataFrame
    x: str
    axis: Kind
    u: Array
    better: Array
    sign: float
    floor: float
    n_examples: Array
    units: Units
    turns: NDArray[np.intp]

    def value(self, u: float) -> float:
        """Return the value of the column x at a place."""
        at = direction(self.axis) * u
        return float(10.0**at) if self.axis == "log10" else float(at)

    def part(self, keep: NDArray[np.bool_]) -> OneCurve:
        """Return the curve of some of its rows."""
        codes, names = pd.factorize(self.units.codes[keep])
        units = Units(
            codes.astype(np.intp), tuple(self.units.names[n] for n in names), self.units.told_by
        )
        where = np.cumsum(keep) - 1
        turns = where[self.turns[keep[self.turns]]]
        u, better, n = self.u[keep], self.better[keep], self.n_examples[keep]
        return self._replace(
            rows=self.rows[keep], u=u, better=better, n_examples=n, units=units, turns=turns
        )


def one_curve(
    table: pd.DataFrame,
    x: str,
    axis: Kind | None = None,
    chance: float | None = None,
    *,
    where: str,
) -> OneCurve:
    """Return the one curve that a table of results holds.

    Raises
    ------
    TableError
        If a column is absent or has a gap, or the table holds several curves.
    FitError
        If there are fewer than five different values of `x`, or chance is no number.
    """
    if not isinstance(table, pd.DataFrame) or not len(table):
        raise TableError(f"{where}: expected a DataFrame with rows, the results of one curve.")
    _require_one(table, where)
    values, scores = (finite_column(table, name, where=where) for name in (x, "score"))
    kind = axis or _axis_kind(x, values, scores)
    axis_of(x, kind)  # refuses an unknown kind
    if kind == "log10" and not (values > 0).all():
        row = table.index[int(np.argmax(values <= 0))]
        raise TableError(f"{where}: '{x}' must be positive for its logarithm; row {row} is not.")
    u = direction(kind) * place(values, kind)
    if len(np.unique(u)) < _FEWEST:
        raise FitError(
            f"{where}: needs {_FEWEST} different values of '{x}' or more; there are "
            f"{len(np.unique(u))}. Fewer say nothing about the shape of a curve."
        )
    order = np.argsort(u, kind="stable")
    rows = table.iloc[order]
    sign = -1.0 if _falls(rows) else 1.0
    units = units_of(rows)
    steps = pd.to_numeric(rows["step"]).to_numpy(dtype=float) if "step" in rows else u[order]
    return OneCurve(
        rows=rows,
        x=x,
        axis=kind,
        u=u[order],
        better=sign * scores[order],
        sign=sign,
        floor=sign * _chance(rows, chance, where),
        n_examples=_sizes(rows),
        units=units,
        turns=np.lexsort((u[order], steps, units.codes)).astype(np.intp),
    )


def curves_of(
    table: pd.DataFrame, by: Sequence[str] | None, *, where: str
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the key of every curve of a table, in the order in which they come, and its rows.

    Curves agree in the columns of `by`; all that tell curves apart and are there, if None. What
    else would tell curves apart is dropped from the rows: whoever leaves it out means to pool.
    """
    if not isinstance(table, pd.DataFrame) or not len(table):
        raise TableError(f"{where}: expected a DataFrame with rows, the results of curves.")
    keys = [name for name in _SAME if name in table] if by is None else list(by)
    absent = [name for name in keys if name not in table]
    if absent:
        raise TableError(f"{where}: by names columns that are absent: {', '.join(absent)}.")
    pooled = [name for name in _SAME if name in table and name not in keys]
    groups = table.groupby(keys, dropna=False, sort=False) if keys else [((), table)]
    for key, part in groups:
        yield dict(zip(keys, key, strict=True)), part.drop(columns=pooled)


def _axis_kind(x: str, values: Array, scores: Array) -> Kind:
    """Return how a column counts: by its name, else the way in which scores rise."""
    if x == "loss" or x.startswith("loss_"):
        return "falling"
    if x in COUNTS:
        return "log10"
    rises = float(np.dot(values - values.mean(), scores - scores.mean())) >= 0
    return "rising" if rises else "falling"


def _require_one(table: pd.DataFrame, where: str) -> None:
    for name in _SAME:
        if name in table and table[name].nunique(dropna=False) > 1:
            first = list(dict.fromkeys(map(str, table[name])))[:3]
            raise TableError(
                f"{where}: the table holds several curves, since '{name}' is {', '.join(first)}"
                f"{' and more' if table[name].nunique() > 3 else ''}; choose one, such as "
                f"table[table['{name}'] == {first[0]!r}], or drop the column to pool them."
            )


def _falls(rows: pd.DataFrame) -> bool:
    if "higher_is_better" in rows and rows["higher_is_better"].notna().any():
        return not bool(rows["higher_is_better"].dropna().iloc[0])
    return "metric" in rows and metrics.higher_is_better(str(rows["metric"].iloc[0])) is False


def _chance(rows: pd.DataFrame, chance: float | None, where: str) -> float:
    if chance is not None:
        if isinstance(chance, bool | str) or not np.isfinite(chance):
            raise FitError(f"{where}: chance must be a number, such as 0.25; it is {chance!r}.")
        return float(chance)
    if "chance" not in rows:
        return np.nan
    levels = pd.to_numeric(rows["chance"]).to_numpy(dtype=float, na_value=np.nan)
    return float(levels[0]) if np.ptp(levels) <= 1e-9 else np.nan


def _sizes(rows: pd.DataFrame) -> Array:
    if "n_examples" not in rows:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(rows["n_examples"]).to_numpy(dtype=float, na_value=np.nan)
