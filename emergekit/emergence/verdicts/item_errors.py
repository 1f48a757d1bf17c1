"""How the scores of models move together when the test holds other items.

All models answer the same items, so that an easy test is easy for all: their scores are off in the
same direction, and the shape of a curve is surer than its points. One bootstrap of the items for
all models has the covariance below, which is computed outright.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit import metrics
from emergekit.metrics.inputs import Inputs

__all__ = ["ItemErrors", "item_errors"]

Array: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_ITEM = ("task", "subtask", "example_id")


@dataclass(frozen=True)
class ItemErrors:
    """What each item adds to the error of each score of a table of results.

    Parameters
    ----------
    item : array, shape (answers,)
        Number of the item of an answer; models that answered one item share it.
    row : array, shape (answers,)
        Place of the score in the table of results.
    deviation : array, shape (answers,)
        How far the answer moves the score from what the other answers make of it.
    """

    item: Places
    row: Places
    deviation: Array

    def covariance(self, rows: Places) -> Array | None:
        r"""Return the covariance of some scores, None if there is one that no answer stands behind.

        .. math:: C_{ik} = \sum_j d_{ij} d_{kj}
        """
        place = np.full(max(int(self.row.max(initial=-1)), int(rows.max(initial=-1))) + 1, -1)
        place[rows] = np.arange(len(rows))
        mine = place[self.row] >= 0
        at, deviation = place[self.row[mine]], self.deviation[mine]
        if len(np.unique(at)) < len(rows):
            return None
        items, item = np.unique(self.item[mine], return_inverse=True)
        moves = np.zeros((len(rows), len(items)))
        np.add.at(moves, (at, item), deviation)
        return np.asarray(moves @ moves.T)


def item_errors(
    samples: pd.DataFrame, results: pd.DataFrame, keys: Sequence[str]
) -> ItemErrors | None:
    """Return what stands behind the results of `rescore`, None if their keys cannot be matched.

    Parameters
    ----------
    samples : DataFrame
        The answers.
    results : DataFrame
        Their scores, parted by `keys`.
    keys : sequence of str
        Columns of both.
    """
    names = list(keys)
    both = pd.concat([samples[names], results[names]], ignore_index=True).astype(object)
    codes = np.asarray(both.groupby(names, dropna=False, sort=False).ngroup(), dtype=np.intp)
    group, of_row = codes[: len(samples)], codes[len(samples) :]
    told = [name for name in _ITEM if name in samples]
    grouped = samples.groupby(told, dropna=False, sort=False)
    item = np.asarray(grouped.ngroup(), dtype=np.intp)
    parts = []
    for name in results["metric"].unique():
        deviation = _deviations(samples, str(name), group)
        if deviation is None:
            continue
        row_of = np.full(int(codes.max()) + 1, -1)
        mine = np.flatnonzero(results["metric"].eq(name).to_numpy())
        row_of[of_row[mine]] = mine
        kept = np.flatnonzero((row_of[group] >= 0) & np.isfinite(deviation))
        parts.append((item[kept], row_of[group[kept]].astype(np.intp), deviation[kept]))
    if not parts:
        return None
    return ItemErrors(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _deviations(samples: pd.DataFrame, name: str, group: Places) -> Array | None:
    """Return how far each answer moves the score of its group, None for no mean or ratio."""
    metric = metrics.get(name)
    inputs = Inputs(samples)
    if metric.finish is None and metric.scorer is not None:
        top = metric.score(inputs)
        bottom = np.where(np.isfinite(top), 1.0, np.nan)
    elif metric.quantities is not None and metric.per_token == "logarithmic":
        parts = dict(metric.quantities(inputs))
        top, bottom = parts["nats"], parts["length"]
    else:
        return None
    n = int(group.max(initial=-1)) + 1
    sums = [np.bincount(group, np.nan_to_num(part), minlength=n)[group] for part in (top, bottom)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((top - sums[0] / sums[1] * bottom) / sums[1])
