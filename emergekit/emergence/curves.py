"""How a score moves with scale: one curve, a handful of numbers that describe its shape.

The measures of this module look at the increments between neighbouring scales only. They know
neither the spacing of the scales nor the noise of the scores: a high emergence score suggests a
jump, it does not show one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import TableError, nearest, shown
from emergekit.tables import RESULTS, validate

__all__ = [
    "curve_keys",
    "curve_shapes",
    "emergence_score",
    "increment_gini",
    "largest_increment_share",
    "linearity",
]

Array: TypeAlias = NDArray[np.float64]

_CURVE = ("family", "task", "subtask", "metric", "n_shots", "filter", "n_target_tokens")


def emergence_score(scores: ArrayLike) -> float:
    r"""Return how far a curve moves, in units of its typical step.

    .. math:: \frac{\mathrm{sign}(\arg\max_i y_i - \arg\min_i y_i)\,(\max_i y_i - \min_i y_i)}
              {\sqrt{\mathrm{median}_i\,(y_{i+1} - y_i)^2}}

    Parameters
    ----------
    scores : array, shape (m,)
        Scores y from the smallest to the largest scale, higher is better.

    Returns
    -------
    float
        m - 1 for a straight line over m evenly spaced scales, so it depends on their number;
        infinite where at least half of the steps are zero and the curve moves; NaN for a constant
        curve or a single scale. Nothing is clipped. With few test items zero steps are common, and
        noise alone then gives infinity.

    References
    ----------
    Schaeffer, Miranda & Koyejo 2023, equation 1, after "breakthroughness" in Srivastava et al.
    2022, appendix B. Argmax and argmin take the first of equals.

    Examples
    --------
    >>> round(emergence_score([0, 0.01, 0.02, 0.03, 0.5]), 9)
    50.0
    """
    y, steps = _steps(scores)
    return _ratio(_range(y), float(np.sqrt(np.median(steps**2)))) if len(steps) else np.nan


def linearity(scores: ArrayLike) -> float:
    r"""Return how far a curve moves, in units of its root-mean-square step.

    .. math:: \frac{\mathrm{sign}(\arg\max_i y_i - \arg\min_i y_i)\,(\max_i y_i - \min_i y_i)}
              {\sqrt{\mathrm{mean}_i\,(y_{i+1} - y_i)^2}}

    Parameters
    ----------
    scores : array, shape (m,)
        Scores y from the smallest to the largest scale, higher is better.

    Returns
    -------
    float
        m - 1 for a straight line, the square root of m - 1 for a single step; NaN for a constant
        curve.

    References
    ----------
    Srivastava et al. 2022, appendix B (formula from memory; equal to the public scripts we saw).

    Examples
    --------
    >>> round(linearity([0, 0, 0, 0, 0, 1]), 4)
    2.2361
    """
    y, steps = _steps(scores)
    return _ratio(_range(y), float(np.sqrt(np.mean(steps**2)))) if len(steps) else np.nan


def increment_gini(scores: ArrayLike) -> float:
    """Return the Gini coefficient of the sizes of the steps.

    Parameters
    ----------
    scores : array, shape (m,)
        Scores from the smallest to the largest scale.

    Returns
    -------
    float
        0 where all steps are of one size, (m - 2)/(m - 1) where one step is everything; NaN for a
        constant curve.

    Examples
    --------
    >>> increment_gini([0, 0, 0, 0, 0, 1])
    0.8
    """
    size = np.sort(np.abs(_steps(scores)[1]))
    total, n = float(size.sum()), len(size)
    if not total > 0:
        return np.nan
    return float((2 * np.arange(1, n + 1) - n - 1) @ size / (n * total))


def largest_increment_share(scores: ArrayLike) -> float:
    """Return the share of all movement that the largest step makes.

    Parameters
    ----------
    scores : array, shape (m,)
        Scores from the smallest to the largest scale.

    Returns
    -------
    float
        1/(m - 1) where all steps are of one size, 1 where one step is everything; NaN for a
        constant curve.

    Examples
    --------
    >>> round(largest_increment_share([0.1, 0.2, 0.3]), 9)
    0.5
    """
    size = np.abs(_steps(scores)[1])
    return float(size.max() / size.sum()) if size.sum() > 0 else np.nan


def curve_shapes(results: pd.DataFrame, x: str = "n_params") -> pd.DataFrame:
    """Return the shape of every curve in a table of results.

    A curve is the rows that agree in family, task, subtask, metric, n_shots, filter and
    n_target_tokens, sorted by `x`. Where `x` changes inside a training run (tokens, loss), every
    run and seed is a curve of its own.

    Parameters
    ----------
    results : DataFrame
        `RESULTS`, with the column `x` beside the scores (see `join_models`).
    x : str
        Column of scale: n_params, n_tokens, flops, or loss, which is sorted from high to low.

    Returns
    -------
    DataFrame
        One row a curve: its keys, then n_scales, x_first, x_last, score_first, score_last,
        emergence_score and breakthroughness (the same number under the names of the Mirage and
        BIG-bench papers), linearity, increment_gini, largest_increment_share, n_examples (the
        fewest at any scale, NaN if unknown). A metric whose `higher_is_better` is False is negated
        for the measures, so that positive means better with scale.

    Raises
    ------
    TableError
        If `x` is absent or not a number, if a score is missing, or if two rows of one curve share
        a value of `x`; the rows are named.

    Examples
    --------
    >>> from emergekit import datasets, join_models
    >>> bigg = datasets.load_bigg()
    >>> shapes = curve_shapes(join_models(bigg.results, bigg.models))
    >>> sorting = shapes[(shapes["task"] == "word_sorting") & (shapes["metric"] == "exact_match")]
    >>> sorting["emergence_score"].round(3).tolist()
    [45.0]
    """
    validate(results, RESULTS)
    _require_scale(results, x)
    keys = curve_keys(results, x)
    curves = results.groupby(keys, dropna=False, sort=False)
    rows = [
        dict(zip(keys, key, strict=True)) | _shape(_sorted(curve, x, key), x)
        for key, curve in curves
    ]
    return pd.DataFrame(rows)


def curve_keys(results: pd.DataFrame, x: str) -> list[str]:
    """Return the columns whose values, together, name a curve over `x` in this table."""
    keys = [name for name in _CURVE if name in results]
    named = "run" in results and results["run"].notna().all()
    run = [k for k in (("run",) if named else ("model", "run")) + ("seed",) if k in results]
    inside = results.groupby([*keys, *run], dropna=False)[x].nunique()
    return [*keys, *run] if (inside > 1).any() else keys


def _require_scale(results: pd.DataFrame, x: str) -> None:
    if x not in results:
        match = nearest(x, results.columns)
        hint = f" Did you mean '{match}'?" if match else ""
        raise TableError(
            f"results: scale '{x}' is absent; the table has {', '.join(map(str, results.columns))}."
            f"{hint} Put the models' columns beside the scores with join_models(results, models)."
        )
    numbers = pd.to_numeric(results[x], errors="coerce")
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = results[bad.to_numpy()].iloc[0]
        raise TableError(
            f"results: scale '{x}' must be a number, but row {first.name} "
            f"(model {first['model']}) holds {shown(first[x])} "
            f"({int(bad.sum())} of {len(results)} rows are bad). "
            f"Drop them with results[results['{x}'].notna()]."
        )


def _sorted(curve: pd.DataFrame, x: str, key: Sequence[Any]) -> pd.DataFrame:
    curve = curve.sort_values(x, ascending=x != "loss" and not x.startswith("loss_"), kind="stable")
    again = curve[x].duplicated(keep=False)
    if again.any():
        one, other = (curve[again].iloc[place] for place in (0, 1))
        name = ", ".join(str(part) for part in key if not pd.isna(part))
        raise TableError(
            f"results: rows {one.name} and {other.name} of the curve ({name}) share {x} = "
            f"{one[x]:g} (models {one['model']} and {other['model']}); choose one, average them, "
            f"or tell them apart in a column such as family, run or seed."
        )
    return curve


def _shape(curve: pd.DataFrame, x: str) -> dict[str, object]:
    score = curve["score"].to_numpy(dtype=float)
    down = "higher_is_better" in curve and curve["higher_is_better"].eq(False).all()
    better = -score if down else score
    emergence = emergence_score(better)
    n_examples = curve["n_examples"].min() if "n_examples" in curve else np.nan
    return {
        "n_scales": len(curve),
        "x_first": curve[x].iloc[0],
        "x_last": curve[x].iloc[-1],
        "score_first": score[0],
        "score_last": score[-1],
        "emergence_score": emergence,
        "breakthroughness": emergence,
        "linearity": linearity(better),
        "increment_gini": increment_gini(better),
        "largest_increment_share": largest_increment_share(better),
        "n_examples": n_examples,
    }


def _steps(scores: ArrayLike) -> tuple[Array, Array]:
    """Return the scores and their increments, differences of rounding size taken out of both.

    0.1 + 0.2 and 0.3 are one score; a step of 5e-17 between them would make an emergence score of
    1e15 of what is infinite or undefined.
    """
    y = np.asarray(scores, dtype=float)
    if y.ndim != 1 or not np.isfinite(y).all():
        raise ValueError("scores must be one row of finite numbers.")
    rounding = 8 * np.finfo(float).eps * np.abs(y).max(initial=0.0)
    steps = np.diff(y)
    steps[np.abs(steps) <= rounding] = 0.0
    constant = len(y) > 0 and np.ptp(y) <= rounding
    return (np.full_like(y, y[0]) if constant else y), steps


def _range(y: Array) -> float:
    """Return the signed range: positive where the best score comes after the worst."""
    return float(np.sign(int(y.argmax()) - int(y.argmin())) * (y.max() - y.min()))


def _ratio(change: float, step: float) -> float:
    if step > 0:
        return change / step
    return float(np.sign(change) * np.inf) if change else np.nan
