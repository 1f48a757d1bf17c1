"""The points of one row of verdicts: sharp score, test size and continuous score at every scale."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit import metrics
from emergekit.emergence.verdicts.pairing import loss_scale
from emergekit.errors import TableError

__all__ = ["COMPOSED", "UNIT", "chance_level", "curve_points"]

Array: TypeAlias = NDArray[np.float64]

UNIT = ("model", "run", "step", "seed")
COMPOSED = ("composed", "composed_variance")
"""Extra columns of a sharp score: what the items' own probabilities make of it."""
_SMALLEST = 4


def curve_points(
    rows: pd.DataFrame, sharp: str, continuous: str | None
) -> tuple[pd.DataFrame, bool, list[str]]:
    """Return the points of a group, whether z is minus the log of a loss, and notes.

    Parameters
    ----------
    rows : DataFrame
        Rows of `RESULTS` of one group, with the column `axis`.
    sharp, continuous : str
        Their metrics.

    Returns
    -------
    points : DataFrame
        The keys of a unit, then axis, share, n, chance, z, z_variance, composed and
        composed_variance, better is higher; NaN where there is nothing.
    loss : bool
    notes : list of str
    """
    mine = rows[rows["metric"] == sharp]
    _check_shares(mine, sharp)
    falls = _falls(mine)
    points = mine[[name for name in UNIT if name in mine]].assign(
        axis=mine["axis"],
        share=np.clip(_turned(_numbers(mine, "score"), falls), 0.0, 1.0),
        n=_positive(_numbers(mine, "n_examples")),
        chance=_turned(_numbers(mine, "chance"), falls),
        z=np.nan,
        z_variance=np.nan,
        **{name: _numbers(mine, name) for name in COMPOSED},
    )
    if continuous is None:
        return points, False, []
    return _with_continuous(points, rows[rows["metric"] == continuous], sharp, continuous)


def _check_shares(mine: pd.DataFrame, sharp: str) -> None:
    score = mine["score"].to_numpy(dtype=float)
    bad = ~((score >= -1e-9) & (score <= 1 + 1e-9))
    if bad.any():
        row = mine[bad].iloc[0]
        raise TableError(
            f"results: the sharp metric {sharp} is a share of right answers, but row {row.name} "
            f"(model {row['model']}, task {row['task']}) holds {row['score']:g}. Divide "
            f"percentages by 100, or name another metric with sharp=."
        )


def _with_continuous(
    points: pd.DataFrame, other: pd.DataFrame, sharp: str, continuous: str
) -> tuple[pd.DataFrame, bool, list[str]]:
    z, variance, loss = _risen(other, continuous)
    units = [name for name in UNIT if name in points]
    added = other[units].assign(z=z, z_variance=variance)
    both = points.drop(columns=["z", "z_variance"]).merge(added, on=units, how="left")
    alone = int(both["z"].isna().sum())
    if not alone:
        return both, loss, []
    if alone == len(both):
        return points, False, [f"{continuous} stands beside no score of {sharp}: it is not used"]
    note = f"{continuous} is missing at {alone} of {len(both)} scores of {sharp}: left out"
    return both[both["z"].notna()], loss, [note]


def _risen(other: pd.DataFrame, name: str) -> tuple[Array, Array, bool]:
    """Return a metric that rises, its variance, and whether it is minus the log of a loss.

    The scatter of losses is a share of them, and a power law of size is a straight line then.
    """
    z, se = _numbers(other, "score"), _numbers(other, "stderr")
    se = np.where(se > 0, se, np.nan)
    scale = loss_scale(name) if _falls(other) else None
    if scale == "perplexity" and (z > 1).all():
        return -np.log(np.log(z)), (se / (z * np.log(z))) ** 2, True
    if scale == "loss" and (z > 0).all():
        return -np.log(z), (se / z) ** 2, True
    return (-z if _falls(other) else z), se**2, False


def chance_level(
    points: pd.DataFrame, kind: str | None, given: float | None
) -> tuple[float, list[str]]:
    """Return the score of guessing, and what to know about it.

    The column `chance` says; exact match without one has 0. Multiple choice without one takes the
    pooled score of the four smallest scales (a third of them, where there are fewer than twelve).
    """
    if given is not None:
        return given, []
    known = points["chance"].dropna()
    if len(known):
        level = float(known.mean())
        same = np.ptp(known) <= 1e-9
        return level, [] if same else [f"chance differs between scales: its mean {level:g} is used"]
    if kind != "mc":
        return 0.0, []
    if not np.isfinite(points["n"]).all():
        return 0.0, ["chance is unknown"]
    few = min(_SMALLEST, max(2, points["axis"].nunique() // 3))
    small = points.sort_values("axis", kind="stable").head(few)
    level = float((small["share"] * small["n"]).sum() / small["n"].sum())
    return level, [
        f"chance is unknown: the pooled score of the {few} smallest, {level:.3g}, is used"
    ]


def _falls(rows: pd.DataFrame) -> bool:
    """Return whether less of a metric is better: what the table says, else the registry."""
    stated = rows["higher_is_better"].dropna() if "higher_is_better" in rows else rows.iloc[:0]
    if len(stated):
        return not bool(stated.iloc[0])
    return len(rows) > 0 and metrics.higher_is_better(str(rows["metric"].iloc[0])) is False


def _positive(n: Array) -> Array:
    """Return test sizes, NaN where there is none: a score of no examples is of unknown size."""
    return np.where(n > 0, n, np.nan)


def _turned(values: Array, falls: bool) -> Array:
    return 1 - values if falls else values


def _numbers(rows: pd.DataFrame, name: str) -> Array:
    if name not in rows:
        return np.full(len(rows), np.nan)
    return rows[name].to_numpy(dtype=float, na_value=np.nan)
