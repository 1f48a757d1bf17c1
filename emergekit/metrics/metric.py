"""What a metric is: its inputs, its behaviour, how it scores a sample, how scores come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from emergekit.errors import TableError, unknown
from emergekit.metrics.batches import Array
from emergekit.metrics.inputs import Inputs, Samples

__all__ = [
    "CLUSTER",
    "Finish",
    "Metric",
    "Outcome",
    "Quantities",
    "labelled",
    "mean_of",
    "named",
    "ratio_of",
    "require_above_zero",
    "require_inputs",
    "require_option",
]

PerToken = Literal["linear", "quasi-linear", "geometric", "logarithmic", "none"]

# One quantity: a label (or one label a row) and one value a row. Rows with NaN count as missing.
Quantity: TypeAlias = "tuple[str | pd.Series[Any], Array]"
Quantities: TypeAlias = Callable[[Inputs], Iterable[Quantity]]

CLUSTER = "\x1f"  # stands between the label of a sum and the cluster that it is of


class Outcome(NamedTuple):
    """What the sums of a metric come to."""

    score: float
    stderr: float
    n_examples: int
    n_dropped: int = 0


# Sums by label (columns n, sum, m2) to what they come to.
Finish: TypeAlias = Callable[[pd.DataFrame], Outcome]


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
        From those sums to an `Outcome`; the mean if None.
    chance : callable, optional
        From `Inputs` to the score of a guess, one a row.
    tokenises : bool
        Whether it splits texts into tokens; such metrics are scored in small pieces.
    clusters : bool
        Whether `finish` makes clustered errors of quantities that are parted by cluster.
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
    clusters: bool = False
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


def mean_of(sums: pd.DataFrame) -> Outcome:
    """Return the mean over all labels, with its standard error.

    Labels without a cluster give the error of independent examples, s / sqrt(n). With clusters it
    is that of Miller 2024: the root of the summed squares of the clusters' summed deviations, over
    n; NaN with a single one. An infinite mean has no error.
    """
    counts, totals = _column(sums, "n"), _column(sums, "sum")
    n = int(counts.sum())
    if n == 0:
        return Outcome(np.nan, np.nan, 0)
    mean = float(totals.sum() / n)
    if not np.isfinite(mean):
        return Outcome(mean, np.nan, n)
    if not _clustered(sums):
        square = float(_column(sums, "m2").sum())
        return Outcome(mean, float(np.sqrt(square / (n - 1) / n)) if n > 1 else np.nan, n)
    deviations = (totals - counts * mean)[counts > 0]
    stderr = float(np.sqrt((deviations**2).sum()) / n) if len(deviations) > 1 else np.nan
    return Outcome(mean, stderr, n)


def ratio_of(sums: pd.DataFrame, *, top: str, bottom: str) -> Outcome:
    """Return the ratio of two sums and its standard error by the delta method.

    Without clusters the covariance of both comes from the label "both", their sum: var(a + b) =
    var a + var b + 2 cov(a, b), which loses no digits to large means. With clusters it is that of
    the clusters' summed residuals a - ratio b.
    """
    a, b = (labelled(sums, name) for name in (top, bottom))
    n, length = int(a["n"].sum()), float(b["sum"].sum())
    if n == 0 or length == 0:
        return Outcome(np.nan, np.nan, n)
    ratio = float(a["sum"].sum()) / length
    if not np.isfinite(ratio):
        return Outcome(ratio, np.nan, n)
    if _clustered(sums):
        residuals = (a["sum"] - ratio * b["sum"])[a["n"] > 0]
        spread = float((residuals**2).sum()) if len(residuals) > 1 else np.nan
        return Outcome(ratio, float(np.sqrt(spread) / length), n)
    both = labelled(sums, "both")
    if both.empty or n < 2:
        return Outcome(ratio, np.nan, n)
    own, other, joint = (float(part["m2"].sum()) for part in (a, b, both))
    spread = own - ratio * (joint - own - other) + ratio**2 * other
    return Outcome(ratio, float(np.sqrt(max(spread, 0.0) * n / (n - 1)) / length), n)


def labelled(sums: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the sums of one label, one row a cluster where there are any."""
    names = sums.index.astype(str)
    chosen = (names == label) | names.str.startswith(f"{label}{CLUSTER}")
    part = sums[chosen]
    return part.set_axis(part.index.astype(str).str.removeprefix(label))


def _clustered(sums: pd.DataFrame) -> bool:
    return bool(sums.index.astype(str).str.contains(CLUSTER, regex=False).any())


def _column(sums: pd.DataFrame, name: str) -> Array:
    return sums[name].to_numpy(dtype=float)


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
        if not (value is None or value is False or value == () or value == usual.get(option))
    ]
    return f"{name}({', '.join(told)})" if told else name


def require_option(name: str, value: object, known: Sequence[object]) -> None:
    """Raise a `ValueError` with the nearest match unless an option has a value that is known."""
    if value not in known:
        raise ValueError(unknown(f"{name}=", value, [k for k in known if k is not None]))


def require_above_zero(name: str, value: int) -> None:
    """Raise a `ValueError` unless a number is a whole one from 1 on."""
    if value < 1 or value != int(value):
        raise ValueError(f"{name} must be 1 or more, a whole number; it is {value}.")
