"""From tables to curves that can be described, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emergekit.emergence.shapes.curves import scale_numbers, split_curves
from emergekit.errors import TableError
from emergekit.plots.styles import direction_known
from emergekit.reporting.notes import CURVE
from emergekit.reporting.section import Note
from emergekit.reporting.words import counted, listed
from emergekit.tables import RESULTS, Tables, join_models, validate

__all__ = [
    "NO_SCALE",
    "SCALES",
    "best_scale",
    "direction_notes",
    "require_scale",
    "scores_with_models",
    "sound_curves",
    "with_scale",
]

SCALES = ("n_params", "flops", "n_tokens", "loss")
NO_SCALE = (
    f"no two scores of one curve differ in a scale ({' or '.join(SCALES)}); give it as a "
    "column, renamed if need be (columns={'Size': 'n_params'} or --column Size=n_params), "
    "in a models file of the same folder, or in the names of the models, such as toy-10m"
)
"""What is missing where scores have no scale, and how to give it."""
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

    A score counts for a scale if its curve has at least two values of it, and more if no two
    scores of the curve share one, as checkpoints of a run share their size; of equals, the first
    of `SCALES` is taken. Scores without that scale are noted.
    """
    counts = {x: _usable(joined, x) for x in SCALES if x in joined}
    best = max(counts, key=lambda x: counts[x], default=None)
    if best is None or counts[best] == (0, 0):
        return joined.iloc[:0], None
    return with_scale(joined, best, notes), best


def with_scale(joined: pd.DataFrame, x: str, notes: list[Note]) -> pd.DataFrame:
    """Return the scores that have a scale, and note how many have none."""
    require_scale(joined, x)
    known = joined[_finite(joined[x])]
    if known.empty:
        raise TableError(f"results: no score has a number in '{x}'.")
    gone = len(joined) - len(known)
    if gone:
        said = f"{gone} of {counted(len(joined), 'score')} have no {x} and are in no curve"
        notes.append(("warning", "", x, said))
    return _trained(known, x, notes)


def _trained(known: pd.DataFrame, x: str, notes: list[Note]) -> pd.DataFrame:
    """Return the scores without those of step 0, where nothing was spent: it has no logarithm."""
    untrained = pd.to_numeric(known[x]).eq(0) if x in ("flops", "n_tokens") else known[x].isna()
    if untrained.any() and not untrained.all():
        said = f"{counted(int(untrained.sum()), 'score')} before training ({x} 0) are in no curve"
        notes.append(("info", "", x, said))
        return known[~untrained]
    return known


def require_scale(joined: pd.DataFrame, x: str) -> None:
    """Raise a `TableError` that says which columns are there, if this one is not."""
    if x not in joined:
        scale_numbers(joined, x)


def sound_curves(
    joined: pd.DataFrame, x: str, notes: list[Note]
) -> tuple[pd.DataFrame, list[tuple[pd.DataFrame, str]]]:
    """Return the scores of all curves that can be described; and the others, each with its error.

    One bad curve is no reason to lose the others: where there is one, each is asked on its own, and
    its error is noted.
    """
    try:
        _ask(joined, x)
    except TableError:
        pass
    else:
        return joined, []
    sound, refused = list[pd.DataFrame](), list[tuple[pd.DataFrame, str]]()
    for rows in _one_by_one(joined, x):
        try:
            _ask(rows, x)
            sound.append(rows)
        except TableError as error:
            refused.append((rows, str(error)))
            notes.append(("error", _file(rows), CURVE, str(error)))
    return pd.concat(sound) if sound else joined.iloc[:0], refused


def _ask(scores: pd.DataFrame, x: str) -> None:
    """Raise what `curve_shapes` would raise."""
    validate(scores, RESULTS)
    for _ in split_curves(scores, x):
        pass


def _one_by_one(joined: pd.DataFrame, x: str) -> Iterator[pd.DataFrame]:
    """Yield the scores of each curve: of each training run, where the scale changes inside it."""
    run = _run_keys(joined)
    for _, rows in joined.groupby(_curve_keys(joined), dropna=False, sort=False):
        if (rows.groupby(run, dropna=False)[x].nunique() > 1).any():
            yield from (part for _, part in rows.groupby(run, dropna=False, sort=False))
        else:
            yield rows


def _curve_keys(joined: pd.DataFrame) -> list[str]:
    """Return the columns that tell curves apart, training runs aside."""
    keys = ["family", *(name for name in RESULTS.keys if name not in ("model", *_RUN))]
    return [name for name in keys if name in joined]


def _run_keys(joined: pd.DataFrame) -> list[str]:
    return [name for name in ("model", "run", "seed") if name in joined]


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


def _usable(joined: pd.DataFrame, x: str) -> tuple[int, int]:
    """Return how many scores are in a curve over `x` without ties, and in any curve over it."""
    known = joined[_finite(joined[x])]
    if known.empty:
        return 0, 0
    curve = known.groupby(_curve_keys(known), dropna=False).ngroup()
    run = known.groupby(_run_keys(known), dropna=False).ngroup()
    numbers = pd.to_numeric(known[x])
    varies = numbers.groupby(curve).transform("nunique") > 1
    moves = (numbers.groupby([curve, run]).transform("nunique") > 1).groupby(curve).transform("any")
    unit = run.where(moves, -1)
    tied = pd.DataFrame({"curve": curve, "unit": unit, "x": numbers}).duplicated(keep=False)
    untied = ~tied.groupby(curve).transform("any")
    return int((varies & untied).sum()), int(varies.sum())


def _finite(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    return pd.Series(np.isfinite(numbers), index=values.index)


def _file(rows: pd.DataFrame) -> str:
    if "source" not in rows or rows["source"].isna().all():
        return ""
    return listed(list(rows["source"].dropna().unique()), most=3)
