"""How scores move with scale: every curve of a table, and the numbers that describe its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from emergekit import metrics
from emergekit.emergence.counts import CurveCounts, curve_counts
from emergekit.emergence.shapes.forms import form_verdict
from emergekit.emergence.shapes.increments import (
    emergence_score,
    increment_gini,
    largest_increment_share,
    linearity,
)
from emergekit.emergence.shapes.null_scores import null_p_values
from emergekit.emergence.shapes.onset import chance_onset, last_point_error
from emergekit.emergence.shapes.width import curve_width
from emergekit.errors import TableError, nearest, shown
from emergekit.laws.axis import axis_of
from emergekit.tables import RESULTS, validate

__all__ = ["curve_shapes", "scale_numbers", "split_curves"]

_NOT_POSITIVE = "the scale is not positive"
_CURVE = ("family", "task", "subtask", "metric", "n_shots", "filter", "n_target_tokens")

Key: TypeAlias = dict[str, Any]


def curve_shapes(
    results: pd.DataFrame, x: str = "n_params", *, width: bool = False, seed: int = 0
) -> pd.DataFrame:
    """Return the shape of every curve in a table of results.

    A curve is the rows that agree in family, task, subtask, metric, n_shots, filter and
    n_target_tokens, sorted by `x`. Where `x` changes inside a training run (tokens, loss), every
    run and seed of that group is a curve of its own.

    Parameters
    ----------
    results : DataFrame
        `RESULTS`, with the column `x` beside the scores (see `join_models`).
    x : str
        Column of scale: n_params, n_tokens, flops, or a loss, which is sorted from high to low.
        A loss is told by its name: it begins or ends with loss, cross_entropy, ce, nll,
        bits_per_byte or bpb (also per token or character), perplexity or ppl, such as
        ``val_loss``, ``loss_c4`` or ``wikitext_ppl``; no name that begins with ``n_`` is one.
        Measures that need distances take log10 of a count, a loss as it is and log10 of a
        perplexity.
    width : bool
        Also estimate the 10-90 % width, which costs about 10 ms a curve.
    seed : int
        Root of the random numbers of the p-value.

    Returns
    -------
    DataFrame
        One row a curve: its keys, then

        - n_scales, x_first, x_last, score_first, score_last, n_examples (the fewest at any scale);
        - emergence_score and breakthroughness (the same number under the names of the Mirage and
          BIG-bench papers), linearity, increment_gini, largest_increment_share;
        - emergence_p_value: how often noise at constant accuracy gives such a score;
        - last_point_error: the last score less what a line through the smaller scales predicts;
        - onset, onset_reason: the scale from which scores are well above chance;
        - form, form_reason: step, logistic, line, constant or "not identifiable";
        - width, width_lower, width_upper, width_kind, width_reason, if asked for, in decades, for
          a loss in its own unit.

        A metric of which less is better is negated for the measures, so that positive means better
        with scale: by `higher_is_better`, else by the registry of metrics. What needs counts (the
        p-value, onset, form) is NaN where `n_examples` is unknown or the metric is continuous, and
        the reasons say so; so is every measure that needs distances where a scale is not
        positive, for that curve alone.

    Raises
    ------
    TableError
        If `x` is absent or not a number, if a score is missing, or if two rows of one curve share
        a value of `x`; the rows are named.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> bigg = datasets.load_bigg()
    >>> scores = join_models(bigg.results, bigg.models)
    >>> shapes = curve_shapes(scores[scores["task"] == "word_sorting"])
    >>> shapes[["metric", "emergence_score"]].round(3).to_dict("split")["data"][-1]
    ['exact_match', 45.0]
    """
    validate(results, RESULTS)
    curves = list(split_curves(results, x))
    counts = [_counts(rows, x) for _, rows in curves]
    table = pd.DataFrame([key | _shape(rows, x) for key, rows in curves])
    table["emergence_p_value"] = _p_values(counts, seed)
    told = [_told(count) for count in counts]
    for name in ("last_point_error", "onset", "onset_reason", "form", "form_reason"):
        table[name] = pd.Series([row[name] for row in told])
    if width:
        table = table.join(pd.DataFrame([_width(rows, x) for _, rows in curves]))
    return table


def split_curves(results: pd.DataFrame, x: str) -> Iterator[tuple[Key, pd.DataFrame]]:
    """Yield every curve of a table: its key, and its rows sorted by scale.

    The rows have `x` and `score` as floats and `higher_is_better` filled in.

    Raises
    ------
    TableError
        As `curve_shapes`.
    """
    ready = results.assign(
        **{x: scale_numbers(results, x)},
        score=pd.to_numeric(results["score"]).to_numpy(dtype=float),
        higher_is_better=_directions(results),
    )
    keys = [name for name in _CURVE if name in ready]
    for values, rows in ready.groupby(keys, dropna=False, sort=False):
        key = dict(zip(keys, values, strict=True))
        for run, curve in _runs(rows, x):
            yield key | run, _sorted(curve, x, key | run)


def _runs(rows: pd.DataFrame, x: str) -> Iterator[tuple[Key, pd.DataFrame]]:
    """Yield the training runs of a group where `x` changes inside them, else the whole group."""
    named = "run" in rows and rows["run"].notna().all()
    keys = ["run"] if named else [name for name in ("model", "run") if name in rows]
    keys += [name for name in ("seed",) if name in rows]
    if not (rows.groupby(keys, dropna=False)[x].nunique() > 1).any():
        yield {}, rows
        return
    for values, curve in rows.groupby(keys, dropna=False, sort=False):
        yield dict(zip(keys, values, strict=True)), curve


def scale_numbers(results: pd.DataFrame, x: str) -> pd.Series:
    """Return the column of scale as numbers, or say which row has none."""
    if x not in results:
        match = nearest(x, results.columns)
        hint = f" Did you mean '{match}'?" if match else ""
        raise TableError(
            f"results: scale '{x}' is absent; the table has {', '.join(map(str, results.columns))}."
            f"{hint} Put the models' columns beside the scores with join_models(results, models)."
        )
    numbers = pd.to_numeric(results[x], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = results[bad].iloc[0]
        raise TableError(
            f"results: scale '{x}' must be a number, but row {first.name} "
            f"(model {first['model']}) holds {shown(first[x])} "
            f"({int(bad.sum())} of {len(results)} rows are bad). "
            f"Drop them with "
            f"results[np.isfinite(pd.to_numeric(results['{x}'], errors='coerce'))]."
        )
    return pd.Series(numbers, index=results.index)


def _directions(results: pd.DataFrame) -> pd.Series:
    """Return whether higher is better: what the table says, else the metric, else True."""
    by_metric = {name: metrics.higher_is_better(str(name)) for name in results["metric"].unique()}
    guess = results["metric"].map({name: known is not False for name, known in by_metric.items()})
    if "higher_is_better" not in results:
        return guess.astype(bool)
    given = results["higher_is_better"]
    return given.where(given.notna(), guess).astype(bool)


def _sorted(curve: pd.DataFrame, x: str, key: Key) -> pd.DataFrame:
    curve = curve.sort_values(x, ascending=not axis_of(x, None).falls, kind="stable")
    name = ", ".join(str(part) for part in key.values() if not pd.isna(part))
    again = curve[x].duplicated(keep=False)
    if again.any():
        one, other = (curve[again].iloc[place] for place in (0, 1))
        raise TableError(
            f"results: rows {one.name} and {other.name} of the curve ({name}) share {x} = "
            f"{one[x]:g} (models {one['model']} and {other['model']}); choose one, average them, "
            f"or tell them apart in a column such as family, run or seed."
        )
    if curve["higher_is_better"].nunique() > 1:
        raise TableError(
            f"results: the curve ({name}) has rows with higher_is_better True and rows with False; "
            f"a metric has one direction."
        )
    return curve


def _shape(curve: pd.DataFrame, x: str) -> dict[str, object]:
    score = curve["score"].to_numpy()
    better = score if curve["higher_is_better"].iloc[0] else -score
    emergence = emergence_score(better)
    return {
        "n_scales": len(curve),
        "x_first": curve[x].iloc[0],
        "x_last": curve[x].iloc[-1],
        "score_first": score[0],
        "score_last": score[-1],
        "n_examples": curve["n_examples"].min() if "n_examples" in curve else np.nan,
        "emergence_score": emergence,
        "breakthroughness": emergence,
        "linearity": linearity(better),
        "increment_gini": increment_gini(better),
        "largest_increment_share": largest_increment_share(better),
    }


def _countable(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve, without its test size if its metric is known to mark no single sample."""
    known = metrics.METRICS.get(str(curve["metric"].iloc[0]).partition("(")[0])
    marks = known is None or (known.scorer is not None and not known.continuous)
    return curve if marks else curve.drop(columns="n_examples", errors="ignore")


def _counts(curve: pd.DataFrame, x: str) -> CurveCounts | None:
    """Return the curve as counts on a log scale; None where the scale has no logarithm."""
    if not (curve[x] > 0).all():
        return None
    return curve_counts(_countable(curve), x)


def _width(curve: pd.DataFrame, x: str) -> dict[str, object]:
    """Return the width of a curve's transition, or why it has none."""
    if not (curve[x] > 0).all():
        unknown = dict.fromkeys(("width", "width_lower", "width_upper"), np.nan)
        return unknown | {"width_kind": "scale not positive", "width_reason": _NOT_POSITIVE}
    found = curve_width(_countable(curve), x)
    return {"width": found["width"]} | {
        f"width_{name}": found[name] for name in ("lower", "upper", "kind", "reason")
    }


def _p_values(counts: list[CurveCounts | None], seed: int) -> pd.Series:
    known = [place for place, count in enumerate(counts) if count and not count["reason"]]
    chosen = [counts[place] for place in known]
    values = null_p_values(
        [count["n_correct"] for count in chosen if count],
        [count["n_examples"] for count in chosen if count],
        seed=seed,
    )
    return pd.Series(values, index=known, dtype=float).reindex(range(len(counts)))


def _told(counts: CurveCounts | None) -> dict[str, object]:
    """Return what a curve says beyond its increments, with reasons where it says nothing."""
    told: dict[str, object] = {"last_point_error": np.nan, "onset": np.nan, "form": None}
    reason = _NOT_POSITIVE if counts is None else counts["reason"]
    if counts is not None and len(counts["scale"]) > 2:
        told["last_point_error"] = last_point_error(counts["scale"], counts["score"])
    if counts is None or reason or len(counts["scale"]) < 2:
        reason = reason or "one scale has no shape"
        return told | {"onset_reason": reason, "form_reason": reason}
    k, n, chance = counts["n_correct"], counts["n_examples"], counts["chance"]
    form = form_verdict(counts["scale"], k, n, chance)
    told |= {"form": form["form"], "form_reason": form["reason"]}
    if np.isnan(chance):
        return told | {"onset_reason": "chance is unknown"}
    onset = chance_onset(np.arange(len(k)), k, n, chance)
    if not np.isnan(onset["onset"]):
        told["onset"] = float(counts["x"][int(onset["onset"])])
    return told | {"onset_reason": onset["reason"]}
