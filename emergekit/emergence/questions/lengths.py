"""Length as the axis: do longer targets fail as often as independent errors would have it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm
from statsmodels.genmod.families import Binomial, links
from statsmodels.genmod.generalized_linear_model import GLM

__all__ = ["length_link_test"]

Array: TypeAlias = NDArray[np.float64]


def length_link_test(
    lengths: ArrayLike, hits: ArrayLike, *, alpha: float = 0.05, level: float = 0.95
) -> pd.Series:
    r"""Return how the exact matches of one model fall with the length of their targets.

    .. math:: P(\text{hit}) = e^{-A K^b}, \qquad
              \log(-\log P) = \log A + b \log K

    Independent errors at one rate give :math:`p^K`, that is b = 1 and :math:`A = -\log p`. With a
    larger b lengths hurt more, as where an early error spoils what follows; with a smaller one
    less, as where errors come together, or long targets are the easier ones.

    Parameters
    ----------
    lengths : array, shape (items,)
        Length K of each item's target, in tokens or words; positive, two different ones or more.
    hits : array of 0 and 1, shape (items,)
        Whether the whole target came out.
    alpha : float
        Level at which b = 1 is rejected.
    level : float
        Coverage of the interval of b.

    Returns
    -------
    Series
        - b, stderr, lower, upper: the power, its error and its interval (Wald); A, and p_token,
          :math:`e^{-A}`, the chance of a target of length 1;
        - p_value: of b = 1, by the likelihood ratio; statistic, twice the log likelihood that a
          free b gains;
        - verdict: "independent" (b = 1 is not rejected), "compounding" (b above 1) or "sublinear";
        - n_items, n_hits, shortest, longest.

        One model has no scales, so that this says nothing about emergence; it says what
        K in p^K stands for when a curve over models is read.

    Raises
    ------
    ValueError
        If lengths are not positive or all the same, hits are not 0 or 1, all items are hits or
        none, or one length parts the hits from the misses: then any steep enough power fits.

    References
    ----------
    Schaeffer et al. 2023, section 2, for p^K. McCullagh & Nelder 1989 for the link, the
    complementary log-log of misses.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> lengths = rng.integers(1, 12, 400)
    >>> found = length_link_test(lengths, rng.random(400) < 0.8**lengths)
    >>> found["verdict"], round(float(found["b"]), 1), round(float(found["p_token"]), 1)
    ('independent', 1.0, 0.8)
    """
    size, hit = _checked(lengths, hits)
    for name, share in (("alpha", alpha), ("level", level)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must lie inside (0, 1); it is {share:g}.")
    log = np.log(size)
    # About the middle of the lengths, where intercept and slope can be told apart.
    middle = float(log.mean())
    ones = np.ones_like(log)
    free = _fitted(hit, np.column_stack([ones, log - middle]))
    bound = _fitted(hit, ones[:, None], offset=log)
    statistic = max(2 * float(free.llf - bound.llf), 0.0)
    p_value = float(chi2.sf(statistic, 1))
    b, stderr = float(free.params[1]), float(free.bse[1])
    reach = float(norm.ppf((1 + level) / 2)) * stderr
    A = float(np.exp(free.params[0] - b * middle))
    said = "independent" if p_value > alpha else "compounding" if b > 1 else "sublinear"
    return pd.Series(
        {
            "verdict": said,
            "b": b,
            "stderr": stderr,
            "lower": b - reach,
            "upper": b + reach,
            "p_value": p_value,
            "statistic": statistic,
            "A": A,
            "p_token": float(np.exp(-A)),
            "n_items": len(hit),
            "n_hits": int(hit.sum()),
            "shortest": float(size.min()),
            "longest": float(size.max()),
        },
        name="length_link_test",
    )


def _fitted(hit: Array, design: Array, offset: Array | None = None) -> Any:
    """Return the regression of misses: their complementary log-log is linear in log length."""
    family = Binomial(link=links.CLogLog())
    return GLM(1 - hit, design, family=family, offset=offset).fit()


def _checked(lengths: ArrayLike, hits: ArrayLike) -> tuple[Array, Array]:
    size, hit = np.asarray(lengths, dtype=float), np.asarray(hits, dtype=float)
    if size.ndim != 1 or size.shape != hit.shape:
        raise ValueError(
            f"lengths and hits must be rows of one length; theirs are {size.shape} and {hit.shape}."
        )
    bad = ~(np.isfinite(size) & (size > 0))
    if bad.any() or not len(size):
        where = f"; item {int(np.argmax(bad))} has {size[bad][0]:g}" if len(size) else ""
        raise ValueError(f"lengths must be positive{where}. Leave empty targets out.")
    if not np.isin(hit, (0.0, 1.0)).all():
        item = int(np.argmax(~np.isin(hit, (0.0, 1.0))))
        raise ValueError(
            f"hits must be 0 or 1; item {item} is {hit[item]:g}. Give items, not means."
        )
    right, wrong = size[hit == 1], size[hit == 0]
    if not (len(right) and len(wrong)):
        raise ValueError("hits must hold both 0 and 1; where all are alike, no length tells.")
    if len(np.unique(size)) < 2:
        raise ValueError(f"lengths must differ; all are {size[0]:g}.")
    if right.max() <= wrong.min() or wrong.max() <= right.min():
        raise ValueError(
            f"hits are parted by length (hits {right.min():g} to {right.max():g}, misses "
            f"{wrong.min():g} to {wrong.max():g}): any steep enough power fits. Take more items."
        )
    return size, hit
