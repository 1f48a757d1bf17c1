"""From scores to shapes of curves, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emergekit.emergence.shapes.curves import curve_shapes
from emergekit.errors import TableError
from emergekit.plots.styles import direction_known
from emergekit.reporting.notes import CURVE
from emergekit.reporting.section import Note
from emergekit.reporting.words import counted, listed
from emergekit.tables import RESULTS, Tables, join_models

__all__ = ["SCALES", "best_scale", "direction_notes", "scores_with_models", "shapes_or_notes"]

SCALES = ("n_params", "flops", "n_tokens", "loss")
_RUN = ("run", "step", "seed")


def scores_with_models(tables: Tables, notes: list[Note]) -> pd.DataFrame:
    """Return the scores with what is known of their models, and note the unknown ones."""
    if tables.models.empty:
        return tables.results
    joined = join_models(tables.results, tables.models, missing="keep")
    unknown = sorted(set(joined["model"].astype(str)) - set(tables.models["model"].astype(str)))
    if unknown:
        notes.append(("warning", "", "model", f"not in the models table: {listed(unknown)}"))
    return joined


def best_scale(joined: pd.DataFrame, notes: list[Note]) -> tuple[pd.DataFrame, str | None]:
    """Return the scores that have a scale and its name: the scale that tells most scores apart.

    A score counts for a scale if its curve has at least two values of it; of equals, the first of
    `SCALES` is taken. Scores without that scale are noted.
    """
    usable = {x: _usable(joined, x) for x in SCALES if x in joined}
    counts = {x: int(rows.sum()) for x, rows in usable.items()}
    best = max(counts, key=lambda x: counts[x], default=None)
    if best is None or counts[best] == 0:
        return joined.iloc[:0], None
    known = joined[_finite(joined[best])]
    gone = len(joined) - len(known)
    if gone:
        said = f"{gone} of {counted(len(joined), 'score')} have no {best} and are in no curve"
        notes.append(("warning", "", best, said))
    return known, best


def shapes_or_notes(
    joined: pd.DataFrame, x: str, notes: list[Note]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the shapes of all curves that have one, and their scores; the others are noted."""
    try:
        return curve_shapes(joined, x=x), joined
    except TableError:
        pass  # one bad curve is no reason to lose the others: each is asked on its own
    shapes, scores = list[pd.DataFrame](), list[pd.DataFrame]()
    for rows in _one_by_one(joined, x):
        try:
            shapes.append(curve_shapes(rows, x=x))
            scores.append(rows)
        except TableError as error:
            notes.append(("error", _file(rows), CURVE, str(error)))
    if not shapes:
        return pd.DataFrame(), joined.iloc[:0]
    return pd.concat(shapes, ignore_index=True), pd.concat(scores)


def _one_by_one(joined: pd.DataFrame, x: str) -> Iterator[pd.DataFrame]:
    """Yield the scores of each curve: of each training run, where the scale changes inside it."""
    run = [name for name in ("model", "run", "seed") if name in joined]
    for _, rows in joined.groupby(_curve_keys(joined), dropna=False, sort=False):
        if (rows.groupby(run, dropna=False)[x].nunique() > 1).any():
            yield from (part for _, part in rows.groupby(run, dropna=False, sort=False))
        else:
            yield rows


def _curve_keys(joined: pd.DataFrame) -> list[str]:
    """Return the columns that tell curves apart, training runs aside."""
    keys = ["family", *(name for name in RESULTS.keys if name not in ("model", *_RUN))]
    return [name for name in keys if name in joined]


def direction_notes(joined: pd.DataFrame) -> list[Note]:
    """Return a note on each metric of which nothing says whether higher is better."""
    metrics = [
        str(metric)
        for metric, rows in joined.groupby("metric", sort=False)
        if not rows.apply(direction_known, axis="columns").any()
    ]
    return [
        (
            "warning",
            "",
            "higher_is_better",
            f"nothing says whether higher '{metric}' is better; it was taken so. If lower is "
            "better, add a column higher_is_better (or --constant higher_is_better=false)",
        )
        for metric in metrics
    ]


def _usable(joined: pd.DataFrame, x: str) -> pd.Series:
    """Return which scores are in a curve with at least two values of `x`."""
    known = joined[_finite(joined[x])]
    if known.empty:
        return pd.Series(False, index=joined.index)
    values = known.groupby(_curve_keys(known), dropna=False)[x].transform("nunique")
    return values > 1


def _finite(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    return pd.Series(np.isfinite(numbers), index=values.index)


def _file(rows: pd.DataFrame) -> str:
    if "source" not in rows or rows["source"].isna().all():
        return ""
    return listed(list(rows["source"].dropna().unique()), most=3)
