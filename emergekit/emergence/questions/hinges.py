r"""The first question: does a curve need a threshold, or will a smooth one do.

The best smooth curve and the best curve with a threshold (`dictionary`) are compared by their
residual sums,

.. math:: T = \log \frac{R_{smooth} + d}{R_{threshold} + d},

and T is held against what it is when the smooth curve is true, and when the one with a threshold
is (`comparison`). A test of a break against a straight line (sup-F, `breaks`) answers another
question: any bend rejects the line.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.emergence.counts import checked_scales
from emergekit.emergence.questions.comparison import compare_shapes
from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH, curve_dictionary

__all__ = ["hinge_test"]

Array: TypeAlias = NDArray[np.float64]


def hinge_test(
    x: ArrayLike,
    y: ArrayLike,
    variance: ArrayLike | None = None,
    *,
    width: float = DEFAULT_WIDTH,
    n_boot: int = 199,
    trajectory: bool = False,
    seed: int = 0,
) -> pd.Series:
    """Return whether a rising curve needs a threshold, and whether one can be excluded.

    Parameters
    ----------
    x : array, shape (m,)
        Scales on the axis of the analysis (log10 of a size, minus a loss), rising; several runs may
        share one. Five different ones or more.
    y : array, shape (m,)
        What rises with scale, in any unit. Of a positive loss L take -log L: its scatter is then
        even, and a power law of size is a straight line.
    variance : array, shape (m,), optional
        Sampling variance of each y, up to a factor; equal if None.
    width : float
        Narrowest 10-90 % rise that counts as smooth, as a share of the range of x.
    n_boot : int
        Draws of each bootstrap; the smallest p-value is 1/(n_boot + 1).
    trajectory : bool
        Whether the points are checkpoints of one run, whose noise is correlated.
    seed : int
        Root of the random numbers.

    Returns
    -------
    Series
        - p_break: how often a smooth curve looks as broken as this one; small: it needs a
          threshold. p_rev: how often a curve with a threshold looks as smooth; small: there is
          none. statistic: T, positive where the curve with a threshold fits better.
        - eta: the best threshold, on the axis of x: the foot of a hinge, the middle of a step;
          eta_lower, eta_upper: 95 % of those of the draws, NaN for a trajectory, whose points are
          not independent.
        - rmse_smooth, rmse_hinge: what both curves leave, in the unit of y; noise: variance of what
          the smooth one leaves, in units of `variance`; correlation: lag-1 autocorrelation that the
          draws were given, 0 unless a trajectory; n_boot.

    Raises
    ------
    ValueError
        If a number is not finite, a variance not positive, the scales are too few, or x falls.

    References
    ----------
    Cox 1961 for tests of separate families; Phipson & Smyth 2010 for p-values of simulations. The
    test is ours; its rates are in `emergekit.emergence.simulation.rates`.

    Examples
    --------
    >>> x = np.linspace(0, 6, 12)
    >>> noise = 0.02 * np.sqrt(2) * np.cos(2.4 * np.arange(12) ** 2)
    >>> kinked = hinge_test(x, np.maximum(x - 3, 0) + noise)
    >>> kinked[["p_break", "p_rev", "eta"]].round(2).tolist()
    [0.0, 0.65, 2.98]
    >>> smooth = hinge_test(x, np.log1p(np.exp(x - 3)) + noise)
    >>> smooth[["p_break", "p_rev"]].round(2).tolist()
    [0.56, 0.01]
    """
    order = np.argsort(np.asarray(x, dtype=float), kind="stable")
    scale, rise = np.asarray(x, dtype=float)[order], np.asarray(y, dtype=float)[order]
    v = np.ones_like(rise) if variance is None else np.asarray(variance, dtype=float)[order]
    checked_scales(np.arange(len(rise)), rise, "y")
    if not (np.isfinite(v) & (v > 0)).all():
        raise ValueError("variance must be positive at every scale; leave it out if unknown.")
    found = compare_shapes(
        curve_dictionary(scale, width),
        rise,
        v,
        rng=np.random.default_rng(seed),
        n_boot=n_boot,
        trajectory=trajectory,
    )
    low, span = float(scale[0]), float(scale[-1] - scale[0])
    return pd.Series(
        {
            "p_break": found.p_break,
            "p_rev": found.p_rev,
            "statistic": found.statistic,
            "eta": low + span * found.eta,
            "eta_lower": low + span * found.eta_lower,
            "eta_upper": low + span * found.eta_upper,
            "rmse_smooth": found.rmse_smooth,
            "rmse_hinge": found.rmse_threshold,
            "noise": found.noise,
            "correlation": found.correlation,
            "n_boot": n_boot,
        },
        name="hinge_test",
    )
