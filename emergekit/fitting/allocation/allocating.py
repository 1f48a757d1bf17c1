"""How to split a budget of compute between model size and tokens, and how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, FitWarning
from emergekit.fitting.allocation.budgets import numbers_above, one_for_each
from emergekit.fitting.allocation.propagation import Row, propagated
from emergekit.fitting.allocation.splitting import HELD, Split, is_optimal
from emergekit.fitting.allocation.surface import (
    FLOPS_PER_TOKEN_PARAM,
    Source,
    law_and_params,
    require_scales,
)
from emergekit.fitting.bands import require_level
from emergekit.fitting.result import Fit
from emergekit.laws import Law

__all__ = ["allocate"]

Array = NDArray[np.float64]

_LOG = frozenset((*HELD, "flops_needed"))
_FEW = 0.01
"""Share of draws without an optimum of their own that may go without a word."""


def allocate(
    fit: Source,
    flops: ArrayLike = 5.76e23,
    level: float = 0.95,
    *,
    n_params: ArrayLike | None = None,
    n_tokens: ArrayLike | None = None,
    tokens_per_param: ArrayLike | None = None,
    given: Mapping[str, ArrayLike] | None = None,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
) -> pd.DataFrame:
    r"""Return the model size and the tokens of least loss at each budget, with intervals.

    .. math:: \min_{N, D} L(N, D) \text{ with } k N D = C; \quad
              N^* = G (C/k)^a, \; D^* = (C/k)^b / G, \; a = \frac{\beta}{\alpha + \beta}, \;
              G = \left(\frac{\alpha A}{\beta B}\right)^{1/(\alpha + \beta)}

    for the Chinchilla law; other laws are minimised along the budget by search.

    Parameters
    ----------
    fit : Fit, or (Law, params)
        A loss in n_params and n_tokens (approach 3); or an optimum in flops, such as
        ``laws.optimal_power_law()`` fitted to the minima of IsoFLOP curves or to an envelope
        (approaches 2 and 1). A law with published parameters has no intervals.
    flops : float or array
        Budgets C, FLOPs. The default is that of Gopher and Chinchilla.
    level : float
        Coverage that the intervals aim at.
    n_params, n_tokens, tokens_per_param : float or array, optional
        Hold one of these instead of finding the best split: one value, or one a budget. With
        `tokens_per_param` above the optimum that is over-training.
    given : mapping, optional
        Values of other variables of the law, such as ``{"n_unique_tokens": 1e11}``: one, or one a
        budget.
    flops_per_token_param : float
        k in C = k N D, FLOPs per unit of n_params and of n_tokens: 6 for counts, 6e21 for
        billions and trillions.

    Returns
    -------
    DataFrame
        One row a budget and quantity: flops, term, estimate (at the fitted parameters), median
        (over the draws of the fit; NaN without draws), stderr, lower, upper. Terms: n_params,
        n_tokens, tokens_per_param, loss; a and b, the exponents d ln N* / d ln C and
        d ln D* / d ln C at that budget; E, if the law has one. With one quantity held, instead of
        a and b: loss_excess (loss above the best split's, nats) and flops_needed (compute whose
        best split reaches the same loss), where there is a best split.

        Intervals are percentiles of the draws; without draws, by the delta method from the
        sandwich covariance, on the log scale for positive quantities (for the loss if the fit's
        objective takes logarithms).

    Raises
    ------
    FitError
        If the law is no law of these variables, another variable is not given, the loss falls all
        the way to one end of a budget, or an argument cannot be meant.

    Warns
    -----
    FitWarning
        If more than 1 % of the draws have no best split; they count as an end of the search, 12
        decades below one parameter or one token.

    Notes
    -----
    The best ratio of tokens to parameters depends on the budget unless alpha = beta, so quote it
    with its budget. The published replication of Chinchilla prints 25.66 tokens per parameter,
    meaning at 5.76e23 FLOPs; its code overwrites the axis of compute with the ratios before it
    looks up the budget, and so reads the ratio at the first point of its grid, 1e18 FLOPs.
    At the budget meant, its own parameters give 18.3.

    The median over draws differs from the estimate where the quantity is a bent function of the
    parameters, as tokens per parameter far from the data are.

    References
    ----------
    Hoffmann et al. 2022, section 3.3, equation 4; Besiroglu et al. 2024.

    Examples
    --------
    >>> from emergekit import laws
    >>> published = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> best = allocate((laws.CHINCHILLA, published), [1e21, 5.76e23])
    >>> best.pivot(index="flops", columns="term", values="estimate")["tokens_per_param"].round(1)
    flops
    1.000000e+21    50.1
    5.760000e+23    92.6
    Name: tokens_per_param, dtype: float64
    """
    law, params = law_and_params(fit)
    require_level(level)
    budgets = numbers_above(flops, "flops")
    k = float(one_for_each(flops_per_token_param, "flops_per_token_param", 1)[0])
    held = _held(n_params, n_tokens, tokens_per_param, len(budgets))
    cases = _cases(given, len(budgets))
    if is_optimal(law):
        _require_nothing_held(law, held)
    else:
        require_scales(law, {} if given is None else given)
    splits = []
    for place, budget in enumerate(budgets):
        fixed = None if held is None else (held[0], float(held[1][place]))
        splits.append(Split(law, float(budget), k, cases[place], fixed))
        splits[-1].require_inside(params)
    _warn_of_ends(fit, splits)
    return pd.DataFrame([row for split in splits for row in _rows(fit, split, level)])


def _rows(fit: Source, split: Split, level: float) -> list[Row]:
    """Return the rows of one budget."""
    log = set(_LOG) | {p.name for p in split.law.parameters if p.scale == "log"}
    if isinstance(fit, Fit) and fit.objective.log:
        log.add("loss")
    rows = [{"flops": split.flops, **r} for r in propagated(fit, split.quantities, level, log)]
    for row in rows:  # by definition: no split is better than the best, at this budget
        if row["term"] == "loss_excess":
            row["lower"] = np.maximum(row["lower"], 0.0)
        elif row["term"] == "flops_needed":
            row["upper"] = np.minimum(row["upper"], split.flops)
    return rows


def _warn_of_ends(fit: Source, splits: list[Split]) -> None:
    if not isinstance(fit, Fit) or fit.draws is None:
        return
    draws = {name: fit.draws[name].to_numpy() for name in fit.law.names}
    share, flops = max((float(s.at_end(draws).mean()), s.flops) for s in splits)
    if share > _FEW:
        warnings.warn(
            f"allocation by {fit.law.name}: in {share:.1%} of the draws the loss at {flops:g} "
            f"FLOPs falls all the way to an end of the budget; they count as that end, so "
            f"intervals of n_params and n_tokens reach as far as the search",
            FitWarning,
            stacklevel=3,
        )


def _held(
    n_params: ArrayLike | None,
    n_tokens: ArrayLike | None,
    tokens_per_param: ArrayLike | None,
    size: int,
) -> tuple[str, Array] | None:
    values = zip(HELD, (n_params, n_tokens, tokens_per_param), strict=True)
    named = [(name, value) for name, value in values if value is not None]
    if len(named) > 1:
        raise FitError(
            f"{' and '.join(name for name, _ in named)} cannot both be held: the budget settles "
            f"one from the other; hold one of {', '.join(HELD)}."
        )
    return None if not named else (named[0][0], one_for_each(named[0][1], named[0][0], size))


def _require_nothing_held(law: Law, held: tuple[str, Array] | None) -> None:
    if held is not None:
        raise FitError(
            f"{law.name} gives the best split only, so {held[0]} cannot be held; use a fit of the "
            f"loss, such as laws.CHINCHILLA."
        )


def _cases(given: Mapping[str, ArrayLike] | None, size: int) -> list[dict[str, float]]:
    """Return what is given at each budget."""
    if given is None:
        return [{} for _ in range(size)]
    if not isinstance(given, Mapping):
        raise FitError(f"given must be a mapping from variables, not {type(given).__name__}.")
    columns = {name: one_for_each(value, name, size) for name, value in given.items()}
    return [{name: float(v[place]) for name, v in columns.items()} for place in range(size)]
