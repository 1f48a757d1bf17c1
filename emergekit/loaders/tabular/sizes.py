"""Numbers of parameters: as a model's name states them, and against what the file states."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from emergekit.loaders.tabular.source import Source

__all__ = ["check_sizes", "size_in_name", "with_sizes"]

# No k: in names of models it counts the context or the steps (phi-3-mini-128k, step-100k).
_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d{1,5}(?:\.\d+)?)\s?([mbt])(?![A-Za-z0-9])", re.IGNORECASE)
_FACTOR = {"m": 1e6, "b": 1e9, "t": 1e12}
_WORD = {3: "thousands", 6: "millions", 9: "billions"}
_LETTER = {3: "K", 6: "M", 9: "B"}


def size_in_name(name: str) -> float:
    """Return the number of parameters that a model's name states, NaN if it is not plain.

    Examples
    --------
    >>> size_in_name("pythia-1.4b-deduped"), size_in_name("gpt2"), size_in_name("mixtral-8x7b")
    (1400000000.0, nan, nan)
    """
    found = _SIZE.findall(str(name))
    if len(found) != 1:
        return np.nan
    number, unit = found[0]
    return round(float(number) * _FACTOR[unit.lower()]) * 1.0 or np.nan


def with_sizes(models: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the models with sizes from their names where they have none, and whose these are.

    Called once all files are read, so that a size that any of them states comes first. Where a size
    is taken, the column `n_params_source` says "parsed".

    Examples
    --------
    >>> table, guessed = with_sizes(pd.DataFrame({"model": ["a-1b", "b"], "n_params": [2.0, None]}))
    >>> table["n_params"].tolist(), guessed
    ([2.0, nan], [])
    """
    if models.empty:
        return models, []
    known = models["n_params"] if "n_params" in models else pd.Series(np.nan, index=models.index)
    sizes = models["model"].map(size_in_name).where(known.isna())
    if sizes.isna().all():
        return models, []
    guessed = models.loc[sizes.notna(), "model"]
    absent = pd.Series(None, index=models.index, dtype=object)
    source = models.get("n_params_source", absent)
    sized = models.assign(
        n_params=known.fillna(sizes),
        n_params_source=source.astype(object).where(sizes.isna(), "parsed"),
    )
    return sized, list(dict.fromkeys(guessed))


def check_sizes(models: pd.DataFrame, source: Source) -> None:
    """Refuse sizes in thousands, millions or billions: the names of the models say so.

    Raises
    ------
    LoadError
        If half of the models that state a size in their name differ from `n_params` by the same
        factor of 1e3, 1e6 or 1e9.
    """
    if "n_params" not in models:
        return
    sizes = models["model"].map(size_in_name)
    stated = (sizes / models["n_params"]).dropna().map(math.log10)
    for power in (3, 6, 9, -3, -6, -9):
        # 0.3: a name rounds the size, at most by a factor of two
        off = stated[(stated - power).abs() < 0.3]
        if len(off) and 2 * len(off) >= len(stated):
            name, size = models["model"].loc[off.index[0]], models["n_params"].loc[off.index[0]]
            unit = (
                f" is in {_WORD[power]}" if power > 0 else f" is {10.0**-power:g} times too large"
            )
            remedy = (
                f"head the column 'n_params ({_LETTER[power]})', or write the counts out"
                if power > 0
                else "mend the column"
            )
            raise source.error(
                f"model '{name}' has n_params {size:.12g} in {source.row} {off.index[0]}, but its "
                f"name says {size_in_name(name):.12g}: it looks as if the column{unit}; {remedy}."
            )
