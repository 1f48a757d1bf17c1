"""Put together what several rows, or several files, say of the same models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emergekit.errors import TableError
from emergekit.files import Note
from emergekit.tables import MODELS
from emergekit.tables.keys import as_text, is_nested

__all__ = ["agreed", "folded_keys"]

_OF_ALL_RUNS = ("family", "n_params", "n_params_kind")
_COUNTS = ("n_params", "n_tokens", "flops")
_ROUNDING = 0.05  # 7B for 6.7e9 parameters


def agreed(
    rows: pd.DataFrame, places: Sequence[str], notes: list[Note] | None = None
) -> pd.DataFrame:
    """Return one row per model (and run, step, seed), filled from every row that knows it.

    Parameters
    ----------
    rows : DataFrame
        Models, several rows for some.
    places : sequence of str
        Where each row comes from, for messages: "line 3", or a file.
    notes : list, optional
        Takes a note where places differ in what is no column of ours, of which the first is kept,
        or in a count by rounding, of which the one with more digits is. None refuses both.

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
    rows = rows.copy() if notes is not None else rows
    for name in rows.columns.difference(keys, sort=False):
        pairs = _disagreements(rows, name, groups)
        worst = [p for p in pairs if notes is None or not _is_lesser(rows, name, p)]
        if worst:
            raise TableError(f"{_difference(rows, name, worst[0], places)}; {_remedy(rows)}.")
        if pairs and notes is not None:
            said = _difference(rows, name, pairs[0], places)
            more = f" (and {len(pairs) - 1} more differ)" if len(pairs) > 1 else ""
            said += f"; {_keep_one(rows, name, groups, pairs)} was kept{more}"
            notes.append(("warning", places[pairs[0][1]], name, said))
    return rows.groupby(groups, sort=False).first().reset_index(drop=True)


def _disagreements(rows: pd.DataFrame, name: str, groups: pd.Series) -> list[tuple[int, int]]:
    """Return each row that says something else than the first of its model, after that first."""
    known = rows[name].dropna()
    said = known.map(str) if known.map(is_nested).any() else as_text(known)
    own = groups[said.index]
    differs = said != said.groupby(own).transform("first")
    firsts = own[~own.duplicated()]
    place = dict(zip(firsts, firsts.index, strict=True))
    later = own[differs]
    return [(place[group], row) for row, group in zip(later.index, later, strict=True)]


def _difference(rows: pd.DataFrame, name: str, pair: tuple[int, int], places: Sequence[str]) -> str:
    one, other = rows[name].iloc[list(pair)]
    return (
        f"model '{rows['model'].iloc[pair[0]]}' has {name} {_shown(one)} in "
        f"{places[pair[0]]} and {_shown(other)} in {places[pair[1]]}"
    )


def _remedy(rows: pd.DataFrame) -> str:
    free = [key for key in ("run", "step") if key not in rows]
    keys = f", or add a column {' or '.join(map(repr, free))} that tells them apart" if free else ""
    return f"mend one, rename one{keys}"


def _is_lesser(rows: pd.DataFrame, name: str, pair: tuple[int, int]) -> bool:
    """Return whether the difference costs no column of ours, or is one of rounding."""
    if name not in MODELS.names:
        return True
    one, other = rows[name].iloc[list(pair)]
    are_numbers = all(isinstance(n, int | float | np.number) for n in (one, other))
    near = are_numbers and abs(one - other) <= _ROUNDING * max(one, other)
    return name in _COUNTS and bool(near)


def _keep_one(
    rows: pd.DataFrame, name: str, groups: pd.Series, pairs: Sequence[tuple[int, int]]
) -> str:
    """Write one value into all rows of each model that differs; return that of the first."""
    kept = dict[int, object]()
    for first, other in pairs:
        model = int(groups.iloc[first])
        best = kept.get(model, rows[name].iloc[first])
        rival = rows[name].iloc[other]
        kept[model] = max(best, rival, key=_digits) if name in _COUNTS else best
    known = groups.isin(kept) & rows[name].notna()
    rows.loc[known, name] = groups[known].map(kept)
    return _shown(kept[int(groups.iloc[pairs[0][0]])])


def _digits(number: float) -> int:
    """Return the significant digits of a count: one that was rounded has fewer."""
    return len(f"{number:.0f}".rstrip("0"))


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
