"""Splits for back-tests: scale cut-offs, families, and models by name.

Each is a function from a table to pairs of rows (train, test), as are `leave_largest_out` and
`rolling_origin` of `fitting`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np
import pandas as pd

from emergekit.errors import TableError, unknown
from emergekit.fitting.comparison.holdout import Holdout, Pairs
from emergekit.fitting.rows import numbers, require_columns

__all__ = ["beyond", "families_out", "named_targets"]


def beyond(limit: float, by: str = "flops", *, factor: float = 1.0) -> Holdout:
    """Return a split that trains up to a scale and tests on what lies beyond it.

    Parameters
    ----------
    limit : float
        Largest scale that is trained on.
    by : str
        Column of scale.
    factor : float
        What is tested lies beyond `factor` times the limit; what is between is in neither part.

    Examples
    --------
    >>> table = pd.DataFrame({"flops": [1e19, 1e20, 1e21, 1e22]})
    >>> [(train, test)] = beyond(1e20, factor=10)(table)
    >>> test["flops"].tolist()
    [1e+22]
    """
    return partial(_beyond, limit=float(limit), by=by, factor=float(factor))


def families_out(column: str = "family") -> Holdout:
    """Return a split that tests on each family in turn and trains on all others.

    Rows of no family are always trained on.
    """
    return partial(_families_out, column=column)


def named_targets(names: Collection[str], column: str = "model") -> Holdout:
    """Return a split that tests on the models of these names and trains on all others."""
    return partial(_named, names=tuple(names), column=column)


def _beyond(table: pd.DataFrame, limit: float, by: str, factor: float) -> Pairs:
    require_columns(table, (by,), where="beyond")
    scale = numbers(table, (by,), where="beyond")[by].to_numpy()
    train, test = scale <= limit, scale > limit * factor
    if not (train.any() and test.any()):
        known = scale[np.isfinite(scale)]
        span = f"{known.min():.3g} to {known.max():.3g}" if len(known) else "not known"
        raise TableError(
            f"beyond: no row is {'trained on' if not train.any() else 'left to test'} with a limit "
            f"of {limit:.3g}; '{by}' is {span}."
        )
    return [(table[train], table[test])]


def _families_out(table: pd.DataFrame, column: str) -> Pairs:
    require_columns(table, (column,), where="families_out")
    families = table[column].dropna().unique()
    if len(families) < 2:
        raise TableError(
            f"families_out: '{column}' has {len(families)} "
            f"{'family' if len(families) == 1 else 'families'}; holding one out needs two or more."
        )
    return [
        (table[(table[column] != family).to_numpy()], table[(table[column] == family).to_numpy()])
        for family in families
    ]


def _named(table: pd.DataFrame, names: tuple[str, ...], column: str) -> Pairs:
    require_columns(table, (column,), where="named_targets")
    known = set(table[column].dropna())
    for name in names:
        if name not in known:
            raise TableError(f"named_targets: {unknown(column, name, sorted(map(str, known)))}")
    asked = table[column].isin(names).to_numpy()
    if asked.all() or not asked.any():
        raise TableError("named_targets: rows to train on and rows to test on are both needed.")
    return [(table[~asked], table[asked])]
