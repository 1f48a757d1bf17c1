"""What approach 2 gets wrong without any noise: IsoFLOP curves are no parabolas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, shown
from emergekit.fitting.allocation.budgets import numbers_above, one_for_each
from emergekit.fitting.allocation.curves import IsoflopCurve, Method, known_method
from emergekit.fitting.allocation.surface import FLOPS_PER_TOKEN_PARAM, Source, Surface, surface_of

__all__ = ["method_bias", "parabola_bias"]

Array = NDArray[np.float64]


def parabola_bias(
    surface: Source,
    flops: ArrayLike,
    widths: ArrayLike = (2.0, 4.0, 8.0, 16.0),
    *,
    n_points: int = 15,
    centre: ArrayLike = 1.0,
    method: Method = "parabola",
    given: Mapping[str, float] | None = None,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
) -> pd.DataFrame:
    r"""Return how far off the minimum of a parabola through noise-free losses is.

    On a Chinchilla surface the loss at equal compute is, with w = ln(N / N*),

    .. math:: L(w) = E + R \left(\frac{\beta}{\alpha} e^{-\alpha w} + e^{\beta w}\right)

    which is symmetric only if alpha = beta. The parabola's minimum then lies on the side on which
    the loss rises more slowly, the further the wider the sizes reach, and equally far at every
    budget: exponents come out right and sizes wrong, unless the sizes move away from N* as the
    budget grows; then exponents are wrong too.

    Parameters
    ----------
    surface : Fit, or (Law, params)
        The loss that is taken for true.
    flops : float or array
        Budgets, FLOPs.
    widths : float or array
        Factors W: sizes run from N_c / W to W N_c, evenly in ln N.
    n_points : int
        How many sizes.
    centre : float or array
        N_c / N*, the middle of the sizes over the true optimum: one, or one a budget.
    method : {"parabola", "interpolation"}
        As `isoflop_optima` takes it.
    given : mapping, optional
        Values of the surface's other variables.
    flops_per_token_param : float
        k in C = k N D.

    Returns
    -------
    DataFrame
        One row a budget and width: flops, width, centre, n_points; n_params and n_tokens, the true
        optimum; n_params_found and n_tokens_found by the method; n_params_bias and n_tokens_bias,
        found / true - 1; and loss_excess, the loss there above the least, nats. NaN where the
        parabola opens downwards.

    Raises
    ------
    FitError
        If the surface has no optimum inside a budget, or an argument cannot be meant.

    References
    ----------
    The effect: arXiv 2603.22339 (abstract), which attributes 6.5 % of a budget to it.

    Examples
    --------
    >>> from emergekit import laws
    >>> published = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> bias = parabola_bias((laws.CHINCHILLA, published), 1e21, [2, 16])
    >>> bias[["width", "n_params_bias", "n_tokens_bias"]].round(4)
       width  n_params_bias  n_tokens_bias
    0    2.0         0.0033        -0.0033
    1   16.0         0.0537        -0.0510
    """
    known_method(method)
    truth = surface_of(surface, flops_per_token_param, given)
    budgets, factors = numbers_above(flops, "flops"), numbers_above(widths, "widths", 1.0)
    centres = one_for_each(centre, "centre", len(budgets))
    if isinstance(n_points, bool) or not isinstance(n_points, int | np.integer) or n_points < 3:
        raise FitError(f"n_points must be a whole number, 3 or more; it is {shown(n_points)}.")
    rows = []
    for budget, off in zip(budgets, centres, strict=True):
        best = truth.optimum(budget)
        for width in factors:
            log_n = best + np.log(off) + np.log(width) * np.linspace(-1, 1, n_points)
            rows.append(
                {"flops": budget, "width": width, "centre": off, "n_points": n_points}
                | _found(truth, budget, log_n, method)
                | method_bias(truth, budget, log_n, method)
            )
    return pd.DataFrame(rows)


def method_bias(truth: Surface, flops: float, log_n: Array, method: Method) -> dict[str, float]:
    """Return the relative bias of a method at a budget, for runs of these ln N without noise."""
    best, found = _places(truth, flops, log_n, method)
    return {
        "n_params_bias": float(np.expm1(found - best)),
        "n_tokens_bias": float(np.expm1(best - found)),
    }


def _found(truth: Surface, flops: float, log_n: Array, method: Method) -> dict[str, float]:
    best, found = _places(truth, flops, log_n, method)
    log_tokens = float(truth.log_end(flops)[0])
    least, there = (float(truth.loss_at(np.array([place]), flops)[0]) for place in (best, found))
    return {
        "n_params": float(np.exp(best)),
        "n_tokens": float(np.exp(log_tokens - best)),
        "n_params_found": float(np.exp(found)),
        "n_tokens_found": float(np.exp(log_tokens - found)),
        "loss_excess": there - least,
    }


def _places(truth: Surface, flops: float, log_n: Array, method: Method) -> tuple[float, float]:
    """Return ln N of the true optimum, and of the one that the method finds."""
    best = truth.optimum(flops)
    if not truth.is_inside(best, flops)[0]:
        raise FitError(
            f"{truth.law.name} has no best split of {flops:g} FLOPs at these parameters, so there "
            f"is nothing for a parabola to miss."
        )
    loss = truth.loss(log_n, flops)[0]
    curve = IsoflopCurve({}, flops, log_n, loss, np.zeros_like(loss))
    found, _ = curve.minima(loss[:, None], method)
    return float(best[0]), float(found[0])
