"""Metrics of whole sets of multiple-choice samples: calibration, macro-F1, correlation."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from emergekit.metrics.batches import Array, Block
from emergekit.metrics.choices import CHOICES, each_sample, pick
from emergekit.metrics.inputs import Inputs
from emergekit.metrics.metric import Metric, Outcome, named, require_above_zero

__all__ = ["ece", "macro_f1", "mcc"]

_AGAINST = "\x1e"  # stands between the right class and the picked one


def ece(*, n_bins: int = 15, compat: str | None = None) -> Metric:
    r"""Return the expected calibration error of the likeliest choice.

    .. math:: \sum_b \frac{n_b}{n} \left| \mathrm{acc}_b - \mathrm{conf}_b \right|

    over bins of equal width in confidence, the highest probability among the choices.

    Parameters
    ----------
    n_bins : int
        Number of bins.
    compat : {"bigbench"}, optional
        BIG-bench counts a pick as right only if it is the first of several right choices.
    """
    require_above_zero("n_bins", n_bins)
    return Metric(
        name=named("ece", {"n_bins": n_bins}, {"n_bins": 15}),
        requires=CHOICES,
        continuous=False,
        per_token="none",
        bounds=(0.0, 1.0),
        higher_is_better=False,
        quantities=partial(_binned, n_bins=n_bins, first_only=compat == "bigbench"),
        finish=_calibration_error,
        reference="Naeini et al. 2015; BIG-bench, task_metrics.py, expected_calibration_error",
    )


def macro_f1() -> Metric:
    """Return the mean F1 over the classes: choice texts, or places where there are none.

    Samples have exactly one right choice; others count as missing.
    """
    return _of_classes("macro_f1", _macro_f1, (0.0, 1.0), "macro average, as scikit-learn 1.9")


def mcc() -> Metric:
    """Return Matthews' correlation coefficient of the likeliest choice with the right one.

    Samples have exactly one right choice; others count as missing.
    """
    return _of_classes("mcc", _matthews, (-1.0, 1.0), "Gorodkin 2004, as scikit-learn 1.9")


def _of_classes(name: str, finish: Any, bounds: tuple[float, float], reference: str) -> Metric:
    return Metric(
        name=name,
        requires=CHOICES,
        continuous=False,
        per_token="none",
        bounds=bounds,
        higher_is_better=True,
        quantities=_class_pairs,
        finish=finish,
        reference=reference,
    )


def _binned(
    inputs: Inputs, n_bins: int, first_only: bool
) -> Iterable[tuple[pd.Series[Any], Array]]:
    confidence = each_sample(inputs, _confidence)
    right = each_sample(inputs, _first_right if first_only else _shared_right)
    # The first bin whose upper edge is above the confidence; certainty is in the last.
    edges = np.arange(1, n_bins) / n_bins
    bins = pd.Series(np.searchsorted(edges, np.nan_to_num(confidence), side="right"))
    yield "conf " + bins.astype(str), confidence
    yield "right " + bins.astype(str), right


def _confidence(block: Block) -> Array:
    return np.asarray(1 / block.total)  # the highest exponent is 1


def _shared_right(block: Block) -> Array:
    return np.asarray((pick(block.logprobs) * block.right).sum(axis=0))


def _first_right(block: Block) -> Array:
    return np.asarray(block.logprobs.argmax(axis=0) == block.targets.argmax(axis=0), dtype=float)


def _calibration_error(sums: pd.DataFrame) -> Outcome:
    conf = sums[sums.index.str.startswith("conf ")]
    right = sums.reindex("right " + conf.index.str.removeprefix("conf "))
    n = int(conf["n"].sum())
    if n == 0:
        return Outcome(np.nan, np.nan, 0)
    gaps = np.abs(conf["sum"].to_numpy() - right["sum"].to_numpy())
    return Outcome(float(gaps.sum() / n), np.nan, n)


def _class_pairs(inputs: Inputs) -> Iterable[tuple[pd.Series[Any], Array]]:
    """Yield, for each sample, its right class and its picked class as one label."""
    right, picks = each_sample(inputs, _single_gold), each_sample(inputs, _first_pick)
    texts = _choice_texts(inputs)
    labels = [""] * inputs.n_rows
    for row in np.flatnonzero(~np.isnan(right)).tolist():
        pair = (int(right[row]), int(picks[row]))
        if texts is None:
            labels[row] = f"{pair[0]}{_AGAINST}{pair[1]}"
        elif texts[row] is not None and len(texts[row]) > max(pair):
            labels[row] = _AGAINST.join(str(texts[row][choice]) for choice in pair)
    known = np.array([bool(label) for label in labels])
    yield pd.Series(labels, dtype=object), np.where(known, 1.0, np.nan)


def _choice_texts(inputs: Inputs) -> list[Any] | None:
    """Return the texts of the choices, row by row; None where there are none."""
    if "choices" not in inputs or not inputs.valid("choices").any():
        return None
    inputs.lengths("chars")  # says so if they are no lists of text
    texts: list[Any] = inputs.column("choices").to_pylist()
    return texts


def _single_gold(block: Block) -> Array:
    if block.gold is not None:
        return block.gold.astype(float)
    one = block.right.sum(axis=0) == 1
    return np.where(one, block.right.argmax(axis=0), np.nan)


def _first_pick(block: Block) -> Array:
    return np.asarray(block.logprobs.argmax(axis=0), dtype=float)


def _by_class(sums: pd.DataFrame) -> pd.DataFrame:
    """Return how often each class was right (truth), picked, and both (hits)."""
    used = sums[sums["n"] > 0]
    pairs = used.index.str.split(_AGAINST, n=1, expand=True)
    counts = used["sum"].to_numpy(dtype=float)
    truth, picked = pairs.get_level_values(0), pairs.get_level_values(1)
    parts = {
        "truth": pd.Series(counts, index=truth).groupby(level=0).sum(),
        "picked": pd.Series(counts, index=picked).groupby(level=0).sum(),
        "hits": pd.Series(counts * (truth == picked), index=truth).groupby(level=0).sum(),
    }
    return pd.DataFrame(parts).fillna(0.0)


def _macro_f1(sums: pd.DataFrame) -> Outcome:
    n = int(sums["n"].sum())
    if n == 0:
        return Outcome(np.nan, np.nan, 0)
    classes = _by_class(sums)
    f1 = 2 * classes["hits"] / (classes["truth"] + classes["picked"])
    return Outcome(float(f1.mean()), np.nan, n)


def _matthews(sums: pd.DataFrame) -> Outcome:
    n = int(sums["n"].sum())
    if n == 0:
        return Outcome(np.nan, np.nan, 0)
    classes = _by_class(sums)
    truth, picks = classes["truth"].to_numpy(), classes["picked"].to_numpy()
    spread = float(np.sqrt((n**2 - picks @ picks) * (n**2 - truth @ truth)))
    agreed = float(classes["hits"].sum() * n - truth @ picks)
    return Outcome(agreed / spread if spread > 0 else 0.0, np.nan, n)
