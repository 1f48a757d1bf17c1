"""From a table of results to pairs of curves: one for every run whose scale changes, else one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.questions.curve_pairs import CurvePair
from emergekit.emergence.questions.links import Kind
from emergekit.emergence.verdicts.item_errors import ItemErrors
from emergekit.emergence.verdicts.pairing import Pairing, pair_metrics
from emergekit.emergence.verdicts.points import (
    Points,
    Sheet,
    chance_level,
    curve_points,
    group_codes,
    sheet_of,
)
from emergekit.emergence.verdicts.scales import on_axis
from emergekit.errors import TableError

__all__ = ["Group", "table_pairs"]

Array: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
Key: TypeAlias = dict[str, Any]

_ALWAYS = ("family", "task", "n_shots")
_SOMETIMES = ("subtask", "filter", "n_target_tokens")
_BINS = 24


@dataclass(frozen=True)
class Group:
    """The curves of one row of verdicts.

    Parameters
    ----------
    key : dict
        family, task, n_shots and what else tells the row apart.
    pairing : Pairing
        The metrics.
    pairs : dict
        From the name of a run to its curve; one entry, None, where runs are points.
    notes : tuple of str
        What to know about the row.
    """

    key: Key
    pairing: Pairing
    pairs: dict[str | None, CurvePair]
    notes: tuple[str, ...]


def table_pairs(
    results: pd.DataFrame,
    x: str,
    *,
    sharp: str | None,
    continuous: str | None,
    kind: Kind | None,
    chance: float | None,
    errors: ItemErrors | None = None,
) -> list[Group]:
    """Return the groups of a checked table, in the order in which they first come.

    Raises
    ------
    TableError
        If two rows of one curve share a scale and nothing says that they are replicates.
    """
    keys = [name for name in _ALWAYS if name in results]
    keys += [name for name in _SOMETIMES if name in results and results[name].notna().any()]
    ready = results.assign(axis=on_axis(x, results[x].to_numpy(dtype=float)))
    sheet, runs = sheet_of(ready), _run_codes(ready)
    groups = []
    for places, key in _places(ready, keys):
        names = list(dict.fromkeys(sheet.metric[places]))
        pairing = pair_metrics(names, sharp, continuous)
        pairing = pairing if kind is None else pairing._replace(kind=kind)
        groups.append(
            _group(dict.fromkeys(_ALWAYS) | key, sheet, runs, places, pairing, x, chance, errors)
        )
    return groups


def _places(rows: pd.DataFrame, keys: list[str]) -> Iterator[tuple[Places, Key]]:
    """Yield the rows of every group, and its key, in the order in which groups first come."""
    codes = group_codes(rows, keys)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    parts = np.split(order, ends[:-1])
    firsts = rows[keys].iloc[[part[0] for part in parts]]
    for part, values in zip(parts, firsts.itertuples(index=False, name=None), strict=True):
        yield part, dict(zip(keys, values, strict=True))


def _group(
    key: Key,
    sheet: Sheet,
    runs: _RunCodes,
    places: Places,
    pairing: Pairing,
    x: str,
    chance: float | None,
    errors: ItemErrors | None,
) -> Group:
    notes = [pairing.note] if pairing.note else []
    if pairing.sharp is None:
        return Group(key, pairing, {}, tuple(notes))
    points, loss, said = curve_points(sheet, places, pairing.sharp, pairing.continuous)
    notes += said
    level, said = chance_level(points, pairing.kind, chance)
    notes += said
    if pairing.kind is None or level == 0:
        # Without a score of guessing there are no choices.
        pairing = pairing._replace(kind="mc" if level > 0 else "em")
    named = bool(runs.named[points.row].all())
    if runs.stepped[points.row].any() and not named:
        notes.append("checkpoints without a name of their run: each model is taken as a run")
    pairs = {}
    for run, part in _runs(sheet.rows, points, runs, named):
        if run is None:
            _check_ties(sheet.rows, part, x, key)
        pairs[run] = _pair(part, pairing, loss, level, errors, trajectory=run is not None)
    return Group(key, pairing, pairs, tuple(notes))


class _RunCodes(NamedTuple):
    """Of each row: its run by name and by model, whether the run has a name, the row a step."""

    by_name: Places
    by_model: Places
    named: NDArray[np.bool_]
    stepped: NDArray[np.bool_]


def _run_codes(rows: pd.DataFrame) -> _RunCodes:
    there = {name: rows[name].notna().to_numpy() for name in ("run", "step") if name in rows}
    nothing = np.zeros(len(rows), dtype=bool)
    return _RunCodes(
        by_name=group_codes(rows, _told(rows, named=True)),
        by_model=group_codes(rows, _told(rows, named=False)),
        named=there.get("run", nothing),
        stepped=there.get("step", nothing),
    )


def _told(rows: pd.DataFrame, *, named: bool) -> list[str]:
    """Return the columns that tell runs apart."""
    names = ("run", "seed") if named and "run" in rows else ("model", "run", "seed")
    return [name for name in names if name in rows]


def _runs(
    rows: pd.DataFrame, points: Points, runs: _RunCodes, named: bool
) -> Iterator[tuple[str | None, Points]]:
    """Yield every run where scale changes inside one, else all runs as the points of one curve."""
    codes = (runs.by_name if named else runs.by_model)[points.row]
    order = np.lexsort((points.axis, codes))
    same_run = np.diff(codes[order]) == 0
    if not (same_run & (np.diff(points.axis[order]) != 0)).any():
        yield None, points
        return
    for code in dict.fromkeys(codes):
        run = points.part(codes == code)
        told = rows[_told(rows, named=named)].iloc[run.row[0]]
        yield " ".join(told.dropna().astype(str)), run


def _check_ties(rows: pd.DataFrame, points: Points, x: str, key: Key) -> None:
    """Refuse points at one scale, unless they are different runs or seeds by name."""
    if len(np.unique(points.axis)) == len(points.axis):
        return
    mine = rows.iloc[points.row]
    again = mine["axis"].duplicated(keep=False)
    told = [name for name in ("run", "seed") if name in mine and mine[name].notna().all()]
    if told and not mine.duplicated(["axis", *told]).any():
        return
    one, other = (mine[again].iloc[place] for place in (0, 1))
    name = ", ".join(str(part) for part in key.values() if part is not None and not pd.isna(part))
    raise TableError(
        f"results: two scores of the curve ({name}) share one {x}: models {one['model']} and "
        f"{other['model']} ({int(again.sum())} of {len(mine)} scores are such). Choose one, such "
        f"as the last checkpoint, average them, or name the runs in a column 'run' or 'seed'."
    )


def _pair(
    points: Points,
    pairing: Pairing,
    loss: bool,
    chance: float,
    errors: ItemErrors | None,
    *,
    trajectory: bool,
) -> CurvePair:
    numbers = _binned(points) if trajectory else points
    numbers = numbers.part(np.argsort(numbers.axis, kind="stable"))
    return CurvePair(
        x=numbers.axis,
        correct=numbers.share * numbers.n,
        n=numbers.n,
        chance=chance,
        kind=pairing.kind or "em",
        z=_if_known(numbers.z),
        z_variance=_if_known(numbers.z_variance),
        loss=loss,
        predicted=_if_known(numbers.composed),
        predicted_variance=_if_known(numbers.composed_variance),
        trajectory=trajectory,
        n_checkpoints=len(np.unique(points.axis)) if trajectory else 0,
        **({} if errors is None or trajectory else _covariances(numbers, errors)),
    )


def _covariances(points: Points, errors: ItemErrors) -> dict[str, Array | None]:
    """Return how sharp and continuous scores of all scales move together over the items."""
    found: dict[str, Array | None] = {}
    for name, rows, slope in (
        ("share_covariance", points.row, points.slope),
        ("z_covariance", points.z_row, points.z_slope),
    ):
        own = errors.covariance(rows) if len(rows) and (rows >= 0).all() else None
        found[name] = None if own is None else own * np.outer(slope, slope)
    return found


def _binned(points: Points) -> Points:
    """Return the means of checkpoints in at most 24 stretches of equal width.

    Items stay what they are: an average over checkpoints has no more of them.
    """
    x = points.axis
    different, place = np.unique(x, return_inverse=True)
    if len(different) > _BINS:
        shares = (x - x.min()) / np.ptp(x)
        place = np.minimum((shares * _BINS).astype(np.intp), _BINS - 1)
    numbers = pd.DataFrame(points._asdict()).groupby(place).mean()
    means = Points(*numbers.to_numpy(dtype=float).T)
    nowhere = np.full(len(means.row), -1, dtype=np.intp)
    return means._replace(row=nowhere, z_row=nowhere)


def _if_known(values: Array) -> Array | None:
    return values if len(values) and np.isfinite(values).all() else None
