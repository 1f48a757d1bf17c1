"""The points of one row of verdicts: sharp score, test size and continuous score at every scale.

A table may hold thousands of rows of verdicts, so its columns are turned into arrays once (`Sheet`)
and a curve takes its places from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit import metrics
from emergekit.emergence.verdicts.pairing import loss_scale
from emergekit.errors import TableError

__all__ = [
    "COMPOSED",
    "Points",
    "Sheet",
    "chance_level",
    "curve_points",
    "group_codes",
    "sheet_of",
]

Array: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_UNIT = ("model", "run", "step", "seed")
COMPOSED = ("composed", "composed_variance")
"""Extra columns of a sharp score: what the items' own probabilities make of it."""
_NUMBERS = ("axis", "score", "n_examples", "chance", "stderr", *COMPOSED)
_SMALLEST = 4
_FREE = 0.1
"""Scores of the smallest models below which nobody chose among options."""


@dataclass(frozen=True)
class Sheet:
    """The columns of a table of results as arrays, one entry a row.

    Parameters
    ----------
    rows : DataFrame
        The table itself, for what is asked seldom.
    numbers : dict
        axis, score, n_examples, chance, stderr, composed, composed_variance; NaN where absent.
    metric : array of str
    falls : array of bool
        Whether less of the row's metric is better: what the table says, else the registry.
    unit : array of int
        Rows of one model, run, step and seed share a number.
    """

    rows: pd.DataFrame
    numbers: dict[str, Array]
    metric: NDArray[np.object_]
    falls: NDArray[np.bool_]
    unit: Places


class Points(NamedTuple):
    """One entry a point, better is higher; NaN where there is nothing.

    `row` and `z_row` are the places of the sharp and the continuous score in the table, -1 where
    there is none; `slope` and `z_slope` how share and z move with the scores that stand there.
    """

    row: Places
    z_row: Places
    axis: Array
    share: Array
    n: Array
    chance: Array
    z: Array
    z_variance: Array
    composed: Array
    composed_variance: Array
    slope: Array
    z_slope: Array

    def part(self, keep: NDArray[np.bool_] | Places) -> Points:
        """Return some of the points."""
        numbers = {name: getattr(self, name)[keep] for name in self._fields[2:]}
        return Points(row=self.row[keep], z_row=self.z_row[keep], **numbers)


def sheet_of(rows: pd.DataFrame) -> Sheet:
    """Return the columns of a checked table that has a column `axis`."""
    units = [name for name in _UNIT if name in rows]
    return Sheet(
        rows=rows,
        numbers={name: _numbers(rows, name) for name in _NUMBERS},
        metric=rows["metric"].astype(str).to_numpy(dtype=object),
        falls=_falls(rows),
        unit=group_codes(rows, units),
    )


def group_codes(rows: pd.DataFrame, keys: list[str]) -> Places:
    """Return a number for each row, from 0, that rows of equal keys share; absent is a key too."""
    codes: Places = np.asarray(rows.groupby(keys, dropna=False, sort=False).ngroup(), dtype=np.intp)
    return codes


def curve_points(
    sheet: Sheet, places: Places, sharp: str, continuous: str | None
) -> tuple[Points, bool, list[str]]:
    """Return the points of a group, whether z is minus the log of a loss, and notes.

    Parameters
    ----------
    sheet : Sheet
        The table.
    places : array of int
        Rows of the group.
    sharp, continuous : str
        Their metrics.
    """
    mine = places[sheet.metric[places] == sharp]
    _check_shares(sheet, mine, sharp)
    falls = _one_way(sheet, mine)
    number = {name: column[mine] for name, column in sheet.numbers.items()}
    nothing = np.full(len(mine), np.nan)
    points = Points(
        row=mine,
        z_row=np.full(len(mine), -1, dtype=np.intp),
        axis=number["axis"],
        share=np.clip(_turned(number["score"], falls), 0.0, 1.0),
        # A score of no examples is one of unknown size.
        n=np.where(number["n_examples"] > 0, number["n_examples"], np.nan),
        chance=_turned(number["chance"], falls),
        z=nothing,
        z_variance=nothing,
        composed=number["composed"],
        composed_variance=number["composed_variance"],
        slope=np.full(len(mine), -1.0 if falls else 1.0),
        z_slope=nothing,
    )
    _check_chance(sheet, points, sharp)
    unknown = int(np.isnan(points.n).sum())
    notes = [f"n_examples is unknown at {unknown} of {len(mine)} scores"] if unknown else []
    if continuous is None:
        return points, False, notes
    other = places[sheet.metric[places] == continuous]
    points, loss, said = _with_continuous(sheet, points, other, sharp, continuous)
    return points, loss, [*notes, *said]


def _check_shares(sheet: Sheet, mine: Places, sharp: str) -> None:
    score = sheet.numbers["score"][mine]
    bad = ~((score >= -1e-9) & (score <= 1 + 1e-9))
    if bad.any():
        row = sheet.rows.iloc[mine[bad][0]]
        raise TableError(
            f"results: the sharp metric {sharp} is a share of right answers, but row {row.name} "
            f"(model {row['model']}, task {row['task']}) holds {row['score']:g}. Divide "
            f"percentages by 100, or name another metric with sharp=."
        )


def _check_chance(sheet: Sheet, points: Points, sharp: str) -> None:
    bad = (points.chance < 0) | (points.chance > 1)
    if bad.any():
        row = sheet.rows.iloc[points.row[bad][0]]
        raise TableError(
            f"results: chance of {sharp} is a share from 0 to 1, but row {row.name} (model "
            f"{row['model']}, task {row['task']}) holds {row['chance']:g}. Mend it, or give the "
            f"score of guessing with chance=."
        )


def _with_continuous(
    sheet: Sheet, points: Points, other: Places, sharp: str, continuous: str
) -> tuple[Points, bool, list[str]]:
    left, right = _joined(sheet.unit[points.row], sheet.unit[other])
    alone = right < 0
    if alone.all():
        return points, False, [f"{continuous} stands beside no score of {sharp}: it is not used"]
    z, slope, loss = _risen(sheet, other, continuous)
    se = sheet.numbers["stderr"][other]
    variance = (slope * np.where(se > 0, se, np.nan)) ** 2
    beside = right[~alone]
    both = points.part(left[~alone])._replace(
        z_row=other[beside], z=z[beside], z_slope=slope[beside], z_variance=variance[beside]
    )
    if not alone.any():
        return both, loss, []
    note = f"{continuous} is missing at {int(alone.sum())} of {len(left)} scores of {sharp}"
    return both, loss, [f"{note}: left out"]


def _joined(left: Places, right: Places) -> tuple[Places, Places]:
    """Return the places of a left join of two columns of numbers; -1 where there is no partner."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left)
    n = np.searchsorted(right[order], left, side="right") - first
    times = np.maximum(n, 1)
    place = np.repeat(np.arange(len(left)), times)
    turn = np.arange(len(place)) - np.repeat(np.cumsum(times) - times, times)
    partner = np.append(order, -1)[np.where(n[place] > 0, first[place] + turn, len(order))]
    return place, partner


def _risen(sheet: Sheet, other: Places, name: str) -> tuple[Array, Array, bool]:
    """Return a metric that rises, its slope over the score, and whether it is -log of a loss.

    The scatter of losses is a share of them, and a power law of size is a straight line then.
    """
    score = sheet.numbers["score"][other]
    falls = _one_way(sheet, other)
    scale = loss_scale(name) if falls else None
    if scale == "perplexity" and (score > 1).all():
        return -np.log(np.log(score)), -1 / (score * np.log(score)), True
    if scale == "loss" and (score > 0).all():
        return -np.log(score), -1 / score, True
    sign = -1.0 if falls else 1.0
    return sign * score, np.full(len(score), sign), False


def chance_level(points: Points, kind: str | None, given: float | None) -> tuple[float, list[str]]:
    """Return the score of guessing, and what to know about it.

    The column `chance` says; exact match without one has 0. Multiple choice without one takes the
    pooled score of the four smallest scales (a third of them, where there are fewer than twelve),
    unless that is below one in ten: then there are no choices, and it is 0.
    """
    if given is not None:
        return given, []
    known = points.chance[np.isfinite(points.chance)]
    if len(known):
        level = float(known.mean())
        same = np.ptp(known) <= 1e-9
        return level, [] if same else [f"chance differs between scales: its mean {level:g} is used"]
    if kind != "mc":
        return 0.0, []
    if not np.isfinite(points.n).all():
        return 0.0, ["chance is unknown"]
    few = min(_SMALLEST, max(2, len(np.unique(points.axis)) // 3))
    small = points.part(np.argsort(points.axis, kind="stable")[:few])
    level = float((small.share * small.n).sum() / small.n.sum())
    if level < _FREE:
        # An accuracy over free answers is exact match, of which no kink is ever evidence.
        return 0.0, [
            f"chance is unknown, and the {few} smallest score {level:.3g}, less than choices "
            f"leave: taken as free answers, whose chance is 0"
        ]
    return level, [
        f"chance is unknown: the pooled score of the {few} smallest, {level:.3g}, is used"
    ]


def _falls(rows: pd.DataFrame) -> NDArray[np.bool_]:
    names = rows["metric"].astype(str)
    known = {name: metrics.higher_is_better(name) is False for name in names.unique()}
    falls = names.map(known).to_numpy(dtype=bool)
    if "higher_is_better" not in rows:
        return falls
    stated = rows["higher_is_better"]
    said = stated.eq(True).fillna(False).astype(bool)
    return np.where(stated.isna(), falls, ~said)


def _one_way(sheet: Sheet, places: Places) -> bool:
    return bool(len(places)) and bool(sheet.falls[places[0]])


def _turned(values: Array, falls: bool) -> Array:
    return 1 - values if falls else values


def _numbers(rows: pd.DataFrame, name: str) -> Array:
    if name not in rows:
        return np.full(len(rows), np.nan)
    return rows[name].to_numpy(dtype=float, na_value=np.nan)
