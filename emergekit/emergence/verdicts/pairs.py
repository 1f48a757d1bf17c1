"""From a table of results to pairs of curves: one for every run whose scale changes, else one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.emergence.questions.evidence import CurvePair
from emergekit.emergence.questions.links import Kind
from emergekit.emergence.verdicts.pairing import Pairing, pair_metrics
from emergekit.emergence.verdicts.points import COMPOSED, chance_level, curve_points
from emergekit.emergence.verdicts.scales import on_axis
from emergekit.errors import TableError

__all__ = ["Group", "table_pairs"]

Array: TypeAlias = NDArray[np.float64]
Key: TypeAlias = dict[str, Any]

_ALWAYS = ("family", "task", "n_shots")
_SOMETIMES = ("subtask", "filter", "n_target_tokens")
_NUMBERS = ("axis", "share", "n", "z", "z_variance", *COMPOSED)
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
    groups = []
    for values, rows in ready.groupby(keys, dropna=False, sort=False):
        key = dict.fromkeys(_ALWAYS) | dict(zip(keys, values, strict=True))
        pairing = pair_metrics(list(map(str, rows["metric"].unique())), sharp, continuous)
        pairing = pairing if kind is None else pairing._replace(kind=kind)
        groups.append(_group(key, rows, pairing, x, chance))
    return groups


def _group(key: Key, rows: pd.DataFrame, pairing: Pairing, x: str, chance: float | None) -> Group:
    notes = [pairing.note] if pairing.note else []
    if pairing.sharp is None:
        return Group(key, pairing, {}, tuple(notes))
    points, loss, said = curve_points(rows, pairing.sharp, pairing.continuous)
    notes += said
    level, said = chance_level(points, pairing.kind, chance)
    notes += said
    if pairing.kind is None or level == 0:
        # Without a score of guessing there are no choices.
        pairing = pairing._replace(kind="mc" if level > 0 else "em")
    named = "run" in points and bool(points["run"].notna().all())
    if "step" in points and points["step"].notna().any() and not named:
        notes.append("checkpoints without a name of their run: each model is taken as a run")
    pairs = {}
    for run, part in _runs(points, named):
        if run is None:
            _check_ties(part, x, key)
        pairs[run] = _pair(part, pairing, loss, level, trajectory=run is not None)
    return Group(key, pairing, pairs, tuple(notes))


def _runs(points: pd.DataFrame, named: bool) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Yield every run where scale changes inside one, else all runs as the points of one curve."""
    keys = ["run"] if named else [name for name in ("model", "run") if name in points]
    keys += [name for name in ("seed",) if name in points and points[name].notna().any()]
    changes = points.groupby(keys, dropna=False)["axis"].nunique() > 1
    if not changes.any():
        yield None, points
        return
    for _, run in points.groupby(keys, dropna=False, sort=False):
        yield " ".join(run[keys].iloc[0].dropna().astype(str)), run


def _check_ties(points: pd.DataFrame, x: str, key: Key) -> None:
    """Refuse points at one scale, unless they are different runs or seeds by name."""
    again = points["axis"].duplicated(keep=False)
    if not again.any():
        return
    told = [name for name in ("run", "seed") if name in points and points[name].notna().all()]
    if told and not points.duplicated(["axis", *told]).any():
        return
    one, other = (points[again].iloc[place] for place in (0, 1))
    name = ", ".join(str(part) for part in key.values() if part is not None and not pd.isna(part))
    raise TableError(
        f"results: two scores of the curve ({name}) share one {x}: models {one['model']} and "
        f"{other['model']} ({int(again.sum())} of {len(points)} scores are such). Choose one, such "
        f"as the last checkpoint, average them, or name the runs in a column 'run' or 'seed'."
    )


def _pair(
    points: pd.DataFrame, pairing: Pairing, loss: bool, chance: float, *, trajectory: bool
) -> CurvePair:
    numbers = points[list(_NUMBERS)].astype(float)
    if trajectory:
        numbers = _binned(numbers)
    numbers = numbers.sort_values("axis", kind="stable")
    columns = dict(zip(_NUMBERS, numbers[list(_NUMBERS)].to_numpy(dtype=float).T, strict=True))
    n = columns["n"]
    return CurvePair(
        x=columns["axis"],
        correct=columns["share"] * n,
        n=n,
        chance=chance,
        kind=pairing.kind or "em",
        z=_if_known(columns["z"]),
        z_variance=_if_known(columns["z_variance"]),
        loss=loss,
        predicted=_if_known(columns["composed"]),
        predicted_variance=_if_known(columns["composed_variance"]),
        trajectory=trajectory,
    )


def _binned(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the means of checkpoints in at most 24 stretches of equal width.

    Items stay what they are: an average over checkpoints has no more of them.
    """
    x = numbers["axis"].to_numpy(dtype=float)
    different, place = np.unique(x, return_inverse=True)
    if len(different) > _BINS:
        shares = (x - x.min()) / np.ptp(x)
        place = np.minimum((shares * _BINS).astype(np.intp), _BINS - 1)
    return numbers.groupby(place).mean()


def _if_known(values: Array) -> Array | None:
    return values if len(values) and np.isfinite(values).all() else None
