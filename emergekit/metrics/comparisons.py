"""Is one model better than another on the same examples: paired difference and McNemar's test.

References
----------
Miller 2024, "Adding Error Bars to Evals: A Statistical Approach to Language Model Evaluations".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from emergekit.metrics.checks import numbers, present_scores, require, require_level
from emergekit.metrics.uncertainty import Correction, mean_stderr

__all__ = ["McNemarTest", "PairedDifference", "mcnemar_test", "paired_difference"]

EXACT_BELOW = 25  # discordant pairs below which the chi-square approximation is poor


@dataclass(frozen=True)
class PairedDifference:
    """Mean of a - b over pairs, its standard error, interval and two-sided p-value."""

    difference: float
    stderr: float
    lower: float
    upper: float
    p_value: float
    n_examples: int


@dataclass(frozen=True)
class McNemarTest:
    """Examples that only one of two models has right, and the p-value of equal chances."""

    n_only_a: int
    n_only_b: int
    p_value: float
    exact: bool


def paired_difference(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    correction: Correction = "CR0",
) -> PairedDifference:
    r"""Return how much a scores above b on the same examples.

    .. math:: \bar d \pm t_{\text{df}} \, \text{SE}(d), \qquad d_i = a_i - b_i

    with df = n - 1, or G - 1 for G clusters. Two scores of one example are correlated, so this is
    tighter than :math:`\sqrt{\text{SE}_a^2 + \text{SE}_b^2}`.

    Parameters
    ----------
    scores_a, scores_b : array, shape (n,)
        Scores of two models, example by example; a pair with a NaN is left out.
    clusters, correction
        As in `mean_stderr`.
    level : float
        Confidence of the interval, inside (0, 1).

    Returns
    -------
    PairedDifference
        `difference`, `stderr`, `lower`, `upper`, `p_value`, `n_examples` (pairs). Where all pairs
        differ by one same amount t says nothing: the p-value is 1 for no difference, else NaN.

    Raises
    ------
    ValueError
        If lengths differ, no pair is complete, or the level lies outside (0, 1).

    References
    ----------
    Miller 2024, section on paired differences; without clusters, `scipy.stats.ttest_rel`.

    Examples
    --------
    >>> test = paired_difference([1, 1, 1, 0, 1, 1], [1, 0, 0, 0, 1, 0])
    >>> f"{test.difference} +- {test.stderr:.4f}, p = {test.p_value:.4f}"
    '0.5 +- 0.2236, p = 0.0756'
    """
    require_level(level)
    (a, b), codes = present_scores({"scores_a": scores_a, "scores_b": scores_b}, clusters)
    mean = float(np.mean(a - b))
    stderr = mean_stderr(a - b, codes, correction)
    n_units = len(a) if codes is None else int(codes.max()) + 1
    half = stderr * stats.t.ppf((1 + level) / 2, max(n_units - 1, 1))
    rounding = 1e-12 * np.abs([a, b]).max()
    if stderr <= rounding:
        p_value = 1.0 if abs(mean) <= rounding else np.nan
    else:
        p_value = 2 * stats.t.sf(abs(mean) / stderr, max(n_units - 1, 1))
    return PairedDifference(mean, stderr, mean - half, mean + half, float(p_value), len(a))


def mcnemar_test(right_a: ArrayLike, right_b: ArrayLike) -> McNemarTest:
    r"""Return the test of whether two models have equal chances to be right.

    Only discordant pairs count: given their number, those that a alone has right are
    Binomial(1/2). Exact below 25 of them, else chi-square with continuity correction.

    Parameters
    ----------
    right_a, right_b : array, shape (n,)
        1 or True where the model is right, else 0, example by example; a pair with a NaN is left
        out.

    Returns
    -------
    McNemarTest
        `n_only_a`, `n_only_b`, `p_value` (two-sided), `exact`.

    Raises
    ------
    ValueError
        If an entry is neither 0, 1 nor NaN, lengths differ, or no pair is complete.

    References
    ----------
    McNemar 1947. `statsmodels.stats.contingency_tables.mcnemar`.

    Examples
    --------
    >>> mcnemar_test([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 0])
    McNemarTest(n_only_a=4, n_only_b=0, p_value=0.125, exact=True)
    """
    for name, values in (("right_a", right_a), ("right_b", right_b)):
        right = numbers(values)
        require(np.isnan(right) | np.isin(right, (0, 1)), right, name, "0 or 1")
    (a, b), _ = present_scores({"right_a": right_a, "right_b": right_b}, None)
    only_a, only_b = int((a > b).sum()), int((b > a).sum())
    exact = only_a + only_b < EXACT_BELOW
    p_value = mcnemar([[0, only_a], [only_b, 0]], exact=exact).pvalue
    return McNemarTest(only_a, only_b, float(p_value), exact)
