"""Put what is known of the models beside their scores."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from emergekit.errors import TableError, nearest
from emergekit.tables.schemas import MODELS
from emergekit.tables.validation import validate

__all__ = ["join_models"]


def join_models(
    results: pd.DataFrame,
    models: pd.DataFrame,
    *,
    missing: Literal["raise", "keep"] = "raise",
) -> pd.DataFrame:
    """Return `results` with the columns of `models` beside them: family, n_params, loss and so on.

    Rows are joined on `model`, and on those of `run`, `step`, `seed` that both tables fill.

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
        If a model is unknown (and `missing` is "raise"), or is listed twice.
    """
    validate(models, MODELS)
    if "model" not in results:
        raise TableError(
            "results: column 'model' is absent; join_models needs it to find the model."
        )
    filled = [k for k in MODELS.keys if k in results and k in models]
    on = [k for k in filled if results[k].notna().any() and models[k].notna().any()]
    extra = [
        name
        for name in models
        if name not in MODELS.keys or (name not in results and name not in on)
    ]
    repeated = models.duplicated(on)
    if repeated.any():
        raise TableError(
            f"models: '{models.loc[repeated, 'model'].iloc[0]}' is listed more than once, and the "
            f"results do not say which run, step or seed they belong to; add that column to them."
        )
    right = models[[*on, *[name for name in extra if name not in on]]]
    joined = results[on].merge(right, on=on, how="left", indicator=True)
    joined.index = results.index
    absent = joined["_merge"].eq("left_only")
    if missing == "raise" and absent.any():
        names = list(dict.fromkeys(results.loc[absent, "model"]))
        match = nearest(names[0], models["model"])
        hint = f" Did you mean '{match}' for '{names[0]}'?" if match else ""
        raise TableError(
            f"results: {len(names)} models are not in the models table: "
            f"{', '.join(map(str, names[:10]))} ({int(absent.sum())} of {len(results)} rows)."
            f"{hint} Add them, or pass missing='keep'."
        )
    table = results.copy()
    for name in right.columns.difference(on, sort=False):
        table[name] = (
            table[name].where(table[name].notna(), joined[name]) if name in table else joined[name]
        )
    return table
