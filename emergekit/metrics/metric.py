"""What a metric is: its inputs, its behaviour, how it scores a sample, how scores come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from emergekit.errors import TableError
from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs, Samples

__all__ = [
    "Finish",
    "Metric",
    "Quantities",
    "cell",
    "mean_of",
    "named",
    "ratio_of",
    "require_inputs",
]

PerToken = Literal["linear", "quasi-linear", "geometric", "logarithmic", "none"]

# One quantity: a label (or one label a row) and one value a row. Rows with NaN count as missing.
Quantity: TypeAlias = "tuple[str | pd.Series[Any], Array]"
Quantities: TypeAlias = Callable[[Inputs], Iterable[Quantity]]
# Sums by label (columns n, sum, m2) to score, standard error and number of examples.
Finish: TypeAlias = Callable[[pd.DataFrame], tuple[float, float, int]]


@dataclass(frozen=True)
class Metric:
    """A metric: what it reads, how it behaves, and how it scores samples.

    Parameters
    ----------
    name : str
        Registry name, with the options that were set.
    requires : tuple of str
        Columns of the samples that it reads; ``a|b`` for either.
    continuous : bool
        Whether the score of one sample moves with small changes of the model's probabilities.
    per_token : {"linear", "quasi-linear", "geometric", "logarithmic", "none"}
        How the expected score follows the chance that one token is right.
    bounds : tuple of float
        Lowest and highest score.
    higher_is_better : bool
        Direction.
    scorer : callable, optional
        From `Inputs` to one score a row, NaN where an input is missing; None for what only a
        whole set of samples has.
    quantities : callable, optional
        From `Inputs` to the quantities whose sums make the score; the scores themselves if None.
    finish : callable, optional
        From those sums to score, standard error and number of examples; the mean if None.
    chance : callable, optional
        From `Inputs` to the score of a guess, one a row.
    tokenises : bool
        Whether it splits texts into tokens; such metrics are scored in small pieces.
    expected : str, optional
        Function of `emergekit.theory.mirage` that gives the expected score.
    reference : str
        Where it is defined.
    """

    name: str
    requires: tuple[str, ...]
    continuous: bool
    per_token: PerToken
    bounds: tuple[float, float]
    higher_is_better: bool
    scorer: Callable[[Inputs], Array] | None = None
    quantities: Quantities | None = None
    finish: Finish | None = None
    chance: Callable[[Inputs], Array] | None = None
    tokenises: bool = False
    expected: str | None = None
    reference: str = ""

    def score(self, samples: Samples | Inputs) -> Array:
        """Return one score for each sample, NaN where an input is missing.

        Raises
        ------
        TableError
            If a column that the metric reads is absent, or the metric is one of whole sets only.
        """
        inputs = samples if isinstance(samples, Inputs) else Inputs(samples)
        require_inputs(self, inputs)
        if self.scorer is None:
            raise TableError(f"{self.name}: scores whole sets of samples only; use rescore.")
        return self.scorer(inputs)


def require_inputs(metric: Metric, inputs: Inputs) -> None:
    """Raise a `TableError` that lists every column that the metric reads and the samples lack."""
    absent = [
        name for name in metric.requires if not any(option in inputs for option in name.split("|"))
    ]
    if absent:
        names = " and ".join(" or ".join(map(repr, name.split("|"))) for name in absent)
        raise TableError(f"{metric.name}: needs column {names}, which the samples lack.")


def mean_of(sums: pd.DataFrame) -> tuple[float, float, int]:
    """Return the mean over all labels, its standard error, and the number of examples.

    Under the one label "" the standard error is that of independent examples, s / sqrt(n). Other
    labels are clusters (Miller 2024): the root of the summed squares of the clusters' summed
    deviations, over n; NaN with a single one.
    """
    counts, totals = sums["n"].to_numpy(dtype=float), sums["sum"].to_numpy(dtype=float)
    n = int(counts.sum())
    if n == 0:
        return np.nan, np.nan, 0
    mean = float(totals.sum() / n)
    if list(sums.index) == [""]:
        square = float(sums["m2"].to_numpy(dtype=float)[0])
        return mean, float(np.sqrt(square / (n - 1) / n)) if n > 1 else np.nan, n
    deviations = totals - counts * mean
    stderr = float(np.sqrt((deviations**2).sum()) / n) if len(sums) > 1 else np.nan
    return mean, stderr, n


def ratio_of(sums: pd.DataFrame, *, top: str, bottom: str) -> tuple[float, float, int]:
    """Return the ratio of two sums and its standard error by the delta method.

    The covariance of both comes from the label "both", their sum: var(a + b) = var a + var b +
    2 cov(a, b), which loses no digits to large means. Without it the standard error is NaN.
    """
    n = int(cell(sums, top, "n"))
    length = cell(sums, bottom, "sum")
    if n == 0 or length == 0:
        return np.nan, np.nan, n
    ratio = cell(sums, top, "sum") / length
    if "both" not in sums.index or n < 2:
        return ratio, np.nan, n
    spread_top, spread_bottom = cell(sums, top, "m2"), cell(sums, bottom, "m2")
    twice = cell(sums, "both", "m2") - spread_top - spread_bottom
    spread = spread_top - ratio * twice + ratio**2 * spread_bottom
    return ratio, float(np.sqrt(max(spread, 0.0) * n / (n - 1)) / length), n


def cell(sums: pd.DataFrame, label: str, column: str) -> float:
    """Return one number of a table of sums."""
    return float(sums[column].to_numpy(dtype=float)[list(sums.index).index(label)])


def named(name: str, options: Mapping[str, Any], usual: Mapping[str, Any] | None = None) -> str:
    """Return a metric's name with the options that are set to something unusual.

    Examples
    --------
    >>> named("exact_match", {"ignore_case": True, "first_tokens": None})
    'exact_match(ignore_case=True)'
    """
    usual = usual or {}
    told = [
        f"{option}={value}"
        for option, value in options.items()
        if value != usual.get(option) and value not in (None, False, ())
    ]
    return f"{name}({', '.join(told)})" if told else name
