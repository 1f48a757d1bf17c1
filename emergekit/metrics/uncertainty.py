"""How sure a score is: intervals of shares and standard errors of means.

A score is a mean over n examples of a benchmark that could have been others. Examples that share a
passage or a template are not independent; give their `clusters`. Bootstrap intervals are in
`emergekit.metrics.resampling`, tests of two models in `emergekit.metrics.comparisons`.

References
----------
Miller 2024, "Adding Error Bars to Evals: A Statistical Approach to Language Model Evaluations".
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import proportion_confint

from emergekit.errors import unknown
from emergekit.metrics.checks import present_scores, require_counts, require_level

__all__ = ["mean_stderr", "proportion_interval"]

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Correction = Literal["CR0", "CR1"]
ProportionMethod = Literal["wilson", "clopper-pearson"]

FEW = 5  # successes or failures below which Wilson's coverage breaks down


def proportion_interval(
    n_successes: ArrayLike,
    n_examples: ArrayLike,
    level: float = 0.95,
    method: ProportionMethod | None = None,
) -> tuple[Array, Array]:
    r"""Return the confidence interval of a share of successes.

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1 - \hat p)/n + z^2/4n^2}}{1 + z^2/n}

    (Wilson), or the Beta quantiles :math:`(\alpha/2; k, n-k+1)` and :math:`(1-\alpha/2; k+1, n-k)`
    (Clopper-Pearson).

    Parameters
    ----------
    n_successes, n_examples : array
        Counts k and n, whole numbers; broadcast against each other.
    level : float
        Confidence, inside (0, 1).
    method : {"wilson", "clopper-pearson"}, optional
        None takes Clopper-Pearson below 5 successes or failures and Wilson otherwise. At 95 % this
        covers the truth with chance 0.918 or more, 0.95 on average; Wilson alone falls to 0.83 for
        rare successes, Clopper-Pearson alone is never below 0.95, and wider.

    Returns
    -------
    lower, upper : array
        Between 0 and 1, around k/n.

    Raises
    ------
    ValueError
        If a count is no whole number, k exceeds n, or the level or the method is none.

    References
    ----------
    Wilson 1927; Clopper & Pearson 1934. `statsmodels.stats.proportion.proportion_confint`.

    Examples
    --------
    >>> lower, upper = proportion_interval([0, 50], 100)
    >>> lower.round(4), upper.round(4)
    (array([0.    , 0.4038]), array([0.0362, 0.5962]))
    """
    successes, examples = require_counts(n_successes, n_examples)
    alpha = 1 - require_level(level)
    if method is not None and method not in get_args(ProportionMethod):
        raise ValueError(unknown("method", method, get_args(ProportionMethod)))
    wilson = proportion_confint(successes, examples, alpha, "wilson")
    exact = proportion_confint(successes, examples, alpha, "beta")
    few = np.minimum(successes, examples - successes) < FEW
    takes_exact = few if method is None else method == "clopper-pearson"
    lower, upper = np.where(takes_exact, exact, wilson)
    # Wilson's ends are exactly 0 and 1 here, but rounding leaves 1e-19, on either side.
    lower = np.where(successes == 0, 0.0, lower)[()]
    upper = np.where(successes == examples, 1.0, upper)[()]
    return lower, upper


def mean_stderr(
    scores: ArrayLike, clusters: ArrayLike | None = None, correction: Correction = "CR0"
) -> float:
    r"""Return the standard error of a mean score.

    .. math:: \frac{s}{\sqrt n}, \qquad
        \frac{1}{n} \sqrt{\sum_c \Big(\sum_{i \in c} (x_i - \bar x)\Big)^2}

    without (s with n - 1) and with clusters. CR1 multiplies the second by
    :math:`\sqrt{G/(G-1)}` for G clusters; with clusters of one it equals the first.

    Parameters
    ----------
    scores : array, shape (n,)
        One score an example, any unit; NaN is missing and left out.
    clusters : array, shape (n,), optional
        What examples have in common (passage, template): any labels.
    correction : {"CR0", "CR1"}
        Small-sample correction of the clustered error; CR0 is Miller's formula.

    Returns
    -------
    float
        In the unit of the scores; NaN where there are fewer than two scores or clusters.

    Raises
    ------
    ValueError
        If no score is there, one is infinite, or a cluster is missing.

    References
    ----------
    Miller 2024, section 2 (clustered standard errors).

    Examples
    --------
    >>> scores = [1, 1, 0, 0, 1]
    >>> round(mean_stderr(scores), 5), round(mean_stderr(scores, ["a", "a", "b", "b", "c"]), 5)
    (0.24495, 0.29933)
    """
    (values,), codes = present_scores({"scores": scores}, clusters)
    return _stderr(values, codes, correction)


def _stderr(values: Array, codes: Codes | None, correction: Correction) -> float:
    if correction not in get_args(Correction):
        raise ValueError(unknown("correction", correction, get_args(Correction)))
    n_units = len(values) if codes is None else int(codes.max()) + 1
    if n_units < 2:
        return np.nan
    if codes is None:
        return float(np.std(values, ddof=1) / np.sqrt(len(values)))
    totals = np.bincount(codes, weights=values - values.mean())
    factor = n_units / (n_units - 1) if correction == "CR1" else 1.0
    return float(np.sqrt(factor * np.sum(totals**2)) / len(values))
