"""Put together what several rows, or several files, say of the same models."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from emergekit.errors import TableError
from emergekit.tables import MODELS
from emergekit.tables.keys import as_text, is_nested

__all__ = ["agreed", "folded_keys"]

_OF_ALL_RUNS = ("family", "n_params", "n_params_kind")


def agreed(rows: pd.DataFrame, places: Sequence[str]) -> pd.DataFrame:
    """Return one row per model (and run, step, seed), filled from every row that knows it.

    Parameters
    ----------
    rows : DataFrame
        Models, several rows for some.
    places : sequence of str
        Where each row comes from, for messages: "line 3", or a file.

    Raises
    ------
    TableError
        If two rows say different things of one model, naming both places.
    """
    keys = [name for name in MODELS.keys if name in rows]
    rows = rows.reset_index(drop=True)
    text = rows[keys].apply(as_text)
    groups = text.groupby(keys, dropna=False, sort=False).ngroup()
    if groups.is_unique:
        return rows
    for name in rows.columns.difference(keys, sort=False):
        _check_agreement(rows, name, groups, places)
    return rows.groupby(groups, sort=False).first().reset_index(drop=True)


def _check_agreement(
    rows: pd.DataFrame, name: str, groups: pd.Series, places: Sequence[str]
) -> None:
    known = rows[name].dropna()
    said = known.map(str) if known.map(is_nested).any() else as_text(known)
    firsts = said.groupby(groups[said.index]).transform("first")
    differs = said[said != firsts]
    if differs.empty:
        return
    second = int(differs.index[0])
    first = int(said.index[(groups[said.index] == groups[second]).to_numpy()][0])
    free = [key for key in ("run", "step") if key not in rows]
    keys = f", or add a column {' or '.join(map(repr, free))} that tells them apart" if free else ""
    one, other = rows[name].iloc[[first, second]]
    raise TableError(
        f"model '{rows['model'].iloc[first]}' has {name} {_shown(one)} in "
        f"{places[first]} and {_shown(other)} in {places[second]}; mend one, "
        f"rename one{keys}."
    )


def _shown(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def folded_keys(models: pd.DataFrame) -> pd.DataFrame:
    """Return the models without rows that others cover, where files fill different keys.

    A results file that names a model and no run says nothing that a models file with runs does
    not; what it does say (its family and size) holds for all of its runs.

    Parameters
    ----------
    models : DataFrame
        One row per model and filled keys.

    Examples
    --------
    >>> folded_keys(pd.DataFrame({"model": ["a", "a"], "run": ["r", None], "n_params": [None, 5]}))
      model run  n_params
    0     a   r       5.0
    """
    keys = [name for name in MODELS.keys if name in models]
    filled = models[keys].notna()
    mixed = filled.groupby(models["model"]).nunique().gt(1).any(axis=1)
    names = set(mixed[mixed].index)
    if not names:
        return models
    text, models = models[keys].apply(as_text), models.copy()
    gone = list[int]()
    for _, rows in models[models["model"].isin(names)].groupby("model"):
        others = [str(name) for name in models if name not in keys]
        gone += _covered(models, text.loc[rows.index], others)
    return models.drop(index=gone).reset_index(drop=True)


def _covered(models: pd.DataFrame, keys: pd.DataFrame, values: Sequence[str]) -> list[int]:
    """Return the rows of one model that others cover, once what they say is in those others."""
    said = models.loc[keys.index, list(values)].notna()
    gone = list[int]()
    for row in keys.notna().sum(axis=1).sort_values(kind="stable").index:
        others = [
            other
            for other in keys.index
            if other != row and other not in gone and _compatible(keys.loc[row], keys.loc[other])
        ]
        if not said.loc[row].any() and any(said.loc[other].any() for other in others):
            gone.append(row)
            continue
        finer = [
            other for other in others if keys.loc[other].notna().sum() > keys.loc[row].notna().sum()
        ]
        passed = [n for n in values if said.loc[row, n] and (len(finer) == 1 or n in _OF_ALL_RUNS)]
        for name in passed:
            _pass_down(models, row, finer, name)
        if finer and not said.loc[row].drop(passed).any():
            gone.append(row)
    return gone


def _compatible(one: pd.Series, other: pd.Series) -> bool:
    both = one.notna() & other.notna()
    return bool((one[both] == other[both]).all())


def _pass_down(models: pd.DataFrame, row: int, finer: Sequence[int], name: str) -> None:
    value = models[name].loc[row]
    for other in finer:
        own = models[name].loc[other]
        if not is_nested(own) and pd.isna(own):
            models.loc[other, name] = value
        elif as_text(pd.Series([_shown(own), _shown(value)])).nunique() > 1:
            raise TableError(
                f"model '{models['model'].loc[row]}' has {name} {_shown(value)}, but "
                f"{_shown(own)} where its run or step is named; mend one."
            )
