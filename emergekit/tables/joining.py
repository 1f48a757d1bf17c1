"""Put what is known of the models beside their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import TableError, nearest, no_frame, unknown
from emergekit.tables.keys import as_text, is_nested
from emergekit.tables.schemas import MODELS
from emergekit.tables.validation import validate

__all__ = ["join_models"]

Missing = Literal["raise", "keep"]
Places: TypeAlias = NDArray[np.intp]
_ABSENT = -1


def join_models(
    results: pd.DataFrame, models: pd.DataFrame, *, missing: Missing = "raise"
) -> pd.DataFrame:
    """Return `results` with the columns of `models` beside them: family, n_params, loss and so on.

    A row goes with the model of its name, and of its run, step and seed where both sides fill
    them; keys are compared as text, so that 1 and "1" are one.

    Parameters
    ----------
    results : DataFrame
        Results or samples.
    models : DataFrame
        Models.
    missing : {"raise", "keep"}
        What to do with rows whose model is not in `models`: refuse, or keep them with NaN.

    Returns
    -------
    DataFrame
        One row for each row of `results`, in the same order, on the same index. Where both tables
        have a column, the values of `results` stand and gaps are filled from `models`.

    Raises
    ------
    TableError
        If a row's model, or its run, step or seed, is unknown (and `missing` is "raise"), or if
        several rows of `models` could be meant.
    ValueError
        If `missing` is neither word.
    """
    if missing not in get_args(Missing):
        raise ValueError(unknown("value of missing", missing, get_args(Missing)))
    validate(models, MODELS)
    _check_results(results)
    keys = [key for key in MODELS.keys if key in results and key in models]
    places = _places(results[keys], models[keys])
    absent = places == _ABSENT
    if missing == "raise" and absent.any():
        raise TableError(_not_found(results[absent], models, keys, len(results)))
    return _filled(results, models, places)


def _check_results(results: pd.DataFrame) -> None:
    if not isinstance(results, pd.DataFrame):
        raise TableError(f"results: {no_frame(results)}")
    if "model" not in results:
        raise TableError(
            "results: column 'model' is absent; join_models needs it to find the model."
        )
    for key in MODELS.keys:
        if key in results and results[key].map(is_nested).any():
            raise TableError(f"results: '{key}' must be one name or number, and holds a list.")


def _places(results: pd.DataFrame, models: pd.DataFrame) -> Places:
    """Return for each result the place of its model, -1 for none.

    Rows that fill the same keys are looked up together; a model that shares more filled keys with
    the result goes before one that shares fewer.
    """
    mine, theirs = results.apply(as_text), models.apply(as_text)
    places = np.full(len(mine), _ABSENT, dtype=np.intp)
    for asked in mine.notna().drop_duplicates().to_numpy():
        rows = np.flatnonzero((mine.notna().to_numpy() == asked).all(axis=1))
        for given in _closest_first(theirs.notna(), asked):
            found = np.flatnonzero((theirs.notna().to_numpy() == given).all(axis=1))
            on = [str(key) for key, both in zip(mine, asked & given, strict=True) if both]
            rest = rows[places[rows] == _ABSENT]
            if "model" in on and len(rest):
                places[rest] = _looked_up(mine.iloc[rest], theirs.iloc[found], on, found)
    return places


def _closest_first(filled: pd.DataFrame, asked: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return which keys models fill, those that share most with `asked` and add least first."""
    patterns = filled.drop_duplicates().to_numpy()
    order = sorted(
        range(len(patterns)),
        key=lambda place: (-(patterns[place] & asked).sum(), patterns[place].sum()),
    )
    return [patterns[place] for place in order]


def _looked_up(
    results: pd.DataFrame, models: pd.DataFrame, on: Sequence[str], places: Places
) -> Places:
    """Return the places of the models with the same keys, -1 for none."""
    wanted = pd.MultiIndex.from_frame(results[list(on)])
    known = pd.MultiIndex.from_frame(models[list(on)])
    several = known[known.duplicated()]
    meant = wanted.isin(several) if len(several) else np.zeros(len(wanted), dtype=bool)
    if meant.any():
        free = _listed([key for key in MODELS.keys if key not in on])
        raise TableError(
            f"models: '{wanted[meant][0][0]}' is listed more than once, and the results do not say "
            f"which {free} they belong to; add that column to them."
        )
    first = ~known.duplicated()
    found: Places = known[first].get_indexer(wanted)
    return np.where(found >= 0, places[first][found], _ABSENT)


def _listed(names: Sequence[str]) -> str:
    """Return names as words: run, step or seed."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "of them"


def _not_found(results: pd.DataFrame, models: pd.DataFrame, keys: Sequence[str], total: int) -> str:
    """Return what could not be joined: a model, or else a run, step or seed of it."""
    said, known = as_text(results["model"]), as_text(models["model"])
    strange = ~said.isin(known)
    if strange.any():
        names = list(dict.fromkeys(said[strange].fillna("(no name)")))
        match = nearest(names[0], known)
        hint = f" Did you mean '{match}' for '{names[0]}'?" if match else ""
        verb = "models are" if len(names) > 1 else "model is"
        return (
            f"results: {len(names)} {verb} not in the models table: {', '.join(names[:10])} "
            f"({int(strange.sum())} of {total} rows).{hint} Add them, or pass missing='keep'."
        )
    row = results.iloc[0]
    same = models[(known == said.iloc[0]).to_numpy()]
    others = [key for key in keys if key != "model"]
    key = next(
        (k for k in others if as_text(results[k]).iloc[0] not in set(as_text(same[k]))), others[-1]
    )
    there = ", ".join(list(dict.fromkeys(as_text(same[key]).dropna()))[:5]) or "none"
    return (
        f"results: the models table has model '{row['model']}', but not with {key} {row[key]} "
        f"({len(results)} of {total} rows); it has {key} {there}. Mend or drop '{key}', or pass "
        f"missing='keep'."
    )


def _filled(results: pd.DataFrame, models: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Return the results with what the models at these places say, gaps filled only."""
    table = results.copy()
    # A row past the last holds the gaps of those that have no model.
    taken = models.reset_index(drop=True).reindex(places)
    taken.index = results.index
    for name in models:
        if name not in table:
            table[name] = taken[name]
        elif table[name].isna().any():
            own = table[name]
            plain = own.astype(object) if isinstance(own.dtype, pd.CategoricalDtype) else own
            table[name] = _patched(plain, taken[name])
    return table


def _patched(own: pd.Series, taken: pd.Series) -> pd.Series:
    gaps = own.isna() & taken.notna()
    if not gaps.any():
        return own
    if own.isna().all():
        return taken
    filled = [b if gap else a for a, b, gap in zip(own, taken, gaps, strict=True)]
    return pd.Series(filled, index=own.index, name=own.name)
