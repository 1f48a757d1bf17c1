"""Which rows belong to one training run: the unit of inference of everything over training."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitWarning, TableError, nearest, shown

__all__ = ["Units", "finite_column", "units_of", "warn_of_checkpoints"]

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]

_RUN = ("family", "run", "seed")
_MODEL = ("family", "model", "seed")


class Units(NamedTuple):
    """The run of each row, as a number from 0; the names of the runs; what they were told by."""

    codes: Codes
    names: tuple[Hashable, ...]
    told_by: str

    @property
    def counts(self) -> Codes:
        """Return the rows of each run."""
        return np.bincount(self.codes, minlength=len(self.names))

    @property
    def along_training(self) -> bool:
        """Return whether some run has several rows, which are not independent."""
        return bool(self.counts.max(initial=0) > 1)


def units_of(rows: pd.DataFrame) -> Units:
    """Return the training run of each row: by the column `run`, else by `model`, else row by row.

    Runs of one name in two families, or with two seeds, are two runs.
    """
    if "run" in rows and rows["run"].notna().all():
        return _told_by(rows, _RUN, "run")
    if "model" in rows:
        return _told_by(rows, _MODEL, "model")
    return Units(np.arange(len(rows), dtype=np.intp), tuple(rows.index), "row")


def warn_of_checkpoints(units: Units, *, where: str) -> None:
    """Warn if no runs are named and the rows are, or may be, checkpoints."""
    if units.told_by == "model" and units.along_training:
        said = (
            f"{where}: no runs are named, but {int((units.counts > 1).sum())} models have several "
            f"rows: these are checkpoints, which are not independent. Each model is taken for one "
            f"run; name the runs in a column 'run'."
        )
    elif units.told_by == "row":
        said = (
            f"{where}: no runs are named, so every row is taken for a run of its own. Checkpoints "
            f"of one run are not independent; name the runs in a column 'run'."
        )
    else:
        return
    warnings.warn(said, FitWarning, stacklevel=3)


def finite_column(rows: pd.DataFrame, name: str, *, where: str) -> Array:
    """Return a column as finite numbers, or say which row has none."""
    if name not in rows:
        match = nearest(name, rows.columns)
        hint = f" Did you mean '{match}'?" if match else ""
        raise TableError(
            f"{where}: column '{name}' is absent; the table has "
            f"{', '.join(map(str, rows.columns)) or 'no columns'}.{hint} Put the models' columns "
            f"beside the scores with join_models(results, models)."
        )
    numbers = pd.to_numeric(rows[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row, value = next(iter(rows.loc[bad, name].items()))
        raise TableError(
            f"{where}: '{name}' must be a finite number, but row {row} holds {shown(value)} "
            f"({int(bad.sum())} of {len(rows)} rows are bad). Drop them with "
            f"table[np.isfinite(pd.to_numeric(table['{name}'], errors='coerce'))]."
        )
    return numbers


def _told_by(rows: pd.DataFrame, keys: Iterable[str], told_by: str) -> Units:
    present = [name for name in keys if name in rows]
    groups = rows.groupby(present, dropna=False, sort=False).ngroup()
    codes: Codes = np.asarray(groups, dtype=np.intp)
    first = np.unique(codes, return_index=True)[1]
    # The plain name where it tells the runs apart, which it nearly always does.
    names = list(rows[told_by].iloc[first])
    if len(set(names)) < len(names):
        names = list(rows[present].iloc[first].itertuples(index=False, name=None))
    return Units(codes, tuple(names), told_by)
