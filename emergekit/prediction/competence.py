r"""Competence that theories predict from a fitted scaling law.

A law of loss, fitted to models of N parameters and D tokens, gives the excess loss of any other
model; a theory turns that into competence on skills, or on targets of K tokens. The uncertainty of
the fit goes along: the theory is applied to draws of the parameters, floor and excess together.

References
----------
Arora & Goyal 2023, "A Theory for Emergence of Complex Skills in Language Models", section 5;
Schaeffer, Miranda & Koyejo 2023, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError
from emergekit.fitting import Fit
from emergekit.fitting.bands import between, require_level
from emergekit.fitting.rows import numbers, require_columns
from emergekit.fitting.uncertainty.drawing import estimates_and_draws
from emergekit.theory import competence, failure_from_excess
from emergekit.theory.mirage import expected_exact_match, p_token
from emergekit.theory.skills import Bound
from emergekit.theory.slingshot import Link

__all__ = ["composable_tuples", "exact_match_by_loss", "guaranteed_competence", "through_theory"]

Array = NDArray[np.float64]

_FLOORS = ("E", "eps_inf")
_MOST_TUPLES = 4096


def through_theory(
    fit: Fit,
    table: pd.DataFrame,
    theory: Callable[[Array], Array],
    *,
    of: Literal["excess", "loss"] = "excess",
    entropy: float | None = None,
    level: float = 0.95,
    n_draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what a theory makes of the loss that a fitted law predicts for each row.

    Parameters
    ----------
    fit : Fit
        Of a law of loss, in nats per token.
    table : DataFrame
        Has the law's variables, such as n_params and n_tokens.
    theory : callable
        From an array of losses to one of competences, of the same shape.
    of : {"excess", "loss"}
        What the theory takes: the loss above the entropy of text, or the whole of it.
    entropy : float, optional
        Entropy of text, nats per token, for a law without a floor; the law's own floor (E) if None.
    level : float
        Coverage that the intervals aim at, between 0 and 1.
    n_draws : int
        Draws of the parameters from their covariance; a bootstrapped fit has draws of its own.
    seed : int
        Seed.

    Returns
    -------
    DataFrame
        loss, excess, predicted, lower, upper, on the index of `table`. Intervals are of the law's
        value, not of a new model's; NaN where no parameter has a covariance.

    Raises
    ------
    TableError
        If a variable of the law is absent or holds text.
    FitError
        If the law has no floor and no entropy is given, or a number is out of range.
    """
    require_level(level)
    if of not in ("excess", "loss"):
        raise FitError(f"through_theory: of must be 'excess' or 'loss', not '{of}'.")
    if n_draws < 2:
        raise FitError(f"through_theory: n_draws must be 2 or more; it is {n_draws}.")
    where = f"fit of {fit.law.name}"
    require_columns(table, fit.law.variables, where=where)
    columns = numbers(table, fit.law.variables, where=where)
    params = estimates_and_draws(fit, n_draws, seed)
    drawn = {str(name): params[name].to_numpy()[:, None] for name in params}
    losses = np.broadcast_to(fit.law.predict(columns, drawn), (len(params), len(table)))
    excess = np.maximum(losses - _floor(fit, drawn, entropy), 0.0)
    values = _applied(theory, excess if of == "excess" else losses)
    lower, upper = between(values[1:], level) if len(values) > 2 else (values[0], values[0])
    if fit.draws is None and not np.isfinite(fit.cov.to_numpy()).any():
        lower = upper = np.full(len(table), np.nan)
    # Where competence has a corner, its median may lie outside the draws' middle.
    return pd.DataFrame(
        {
            "loss": losses[0],
            "excess": excess[0],
            "predicted": values[0],
            "lower": np.minimum(lower, values[0]),
            "upper": np.maximum(upper, values[0]),
        },
        index=table.index,
    )


def guaranteed_competence(
    fit: Fit,
    table: pd.DataFrame,
    *,
    alpha: float = 0.2,
    k: int = 8,
    k_prime: int = 1,
    link: Link = "proportional",
    factor: float = 1.0,
    method: Bound = "union_bound",
    entropy: float | None = None,
    level: float = 0.95,
    n_draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the competence on tuples of skills that a fitted law guarantees.

    Parameters
    ----------
    fit, table, entropy, level, n_draws, seed
        As in `through_theory`.
    alpha, k, k_prime, method
        Share of tuples left out, skills per text, skills per tuple, and which bound; as in
        `theory.competence`.
    link, factor
        From excess loss to failures, as in `theory.failure_from_excess`.

    Returns
    -------
    DataFrame
        loss, excess, predicted, lower, upper; success rates of all but a share alpha of the tuples.

    Raises
    ------
    TableError, FitError
        As `through_theory`.
    ValueError
        If a number of the theory is out of range.

    References
    ----------
    Arora & Goyal 2023, section 5.
    """
    competence(0.1, alpha, k, k_prime, method)  # a bad number is named before any draw
    theory = partial(
        _guaranteed, alpha=alpha, k=k, k_prime=k_prime, link=link, factor=factor, method=method
    )
    return through_theory(
        fit, table, theory, entropy=entropy, level=level, n_draws=n_draws, seed=seed
    )


def composable_tuples(
    fit: Fit,
    table: pd.DataFrame,
    success: float = 0.5,
    *,
    alpha: float = 0.2,
    k: int = 8,
    link: Link = "proportional",
    factor: float = 1.0,
    method: Bound = "union_bound",
    entropy: float | None = None,
    level: float = 0.95,
    n_draws: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how many skills a model is sure to combine with a given success.

    Ten times the parameters and the tokens halve the excess of Chinchilla's law, and so double the
    size of the tuples.

    Parameters
    ----------
    fit, table, entropy, level, n_draws, seed
        As in `through_theory`.
    success : float
        Success rate on the tuples, between 0 and 1.
    alpha, k, link, factor, method
        As in `guaranteed_competence`.

    Returns
    -------
    DataFrame
        loss, excess, predicted, lower, upper; whole numbers of skills, 0 where not even single
        skills are guaranteed, at most 4096.

    Raises
    ------
    TableError, FitError, ValueError
        As `guaranteed_competence`, or if the success is out of range.

    References
    ----------
    Arora & Goyal 2023, section 5: corollary 13 with a scaling law.
    """
    if not 0 < success < 1:
        raise ValueError(f"success must lie between 0 and 1; it is {success:g}.")
    competence(0.1, alpha, k, 1, method)
    theory = partial(
        _most_tuples,
        success=success,
        alpha=alpha,
        k=k,
        link=link,
        factor=factor,
        method=method,
    )
    return through_theory(
        fit, table, theory, entropy=entropy, level=level, n_draws=n_draws, seed=seed
    )


def exact_match_by_loss(
    fit: Fit,
    table: pd.DataFrame,
    n_target_tokens: int,
    *,
    level: float = 0.95,
    n_draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the exact match of K tokens by the Mirage model, from the loss that a law predicts.

    Parameters
    ----------
    fit, table, level, n_draws, seed
        As in `through_theory`; the fit should be of the loss on targets like these.
    n_target_tokens : int
        Target length K.

    Returns
    -------
    DataFrame
        loss, excess, predicted, lower, upper. The excess is over the law's floor, NaN without one.

    Raises
    ------
    TableError, FitError, ValueError
        As `through_theory`, or if the length is negative.

    References
    ----------
    Schaeffer et al. 2023, section 2, figure 2C.
    """
    expected_exact_match(1.0, n_target_tokens)
    theory = partial(_exact_match, n_target_tokens=n_target_tokens)
    entropy = None if _floor_name(fit) else np.nan
    return through_theory(
        fit, table, theory, of="loss", entropy=entropy, level=level, n_draws=n_draws, seed=seed
    )


def _floor_name(fit: Fit) -> str | None:
    return next((name for name in _FLOORS if name in fit.law.names), None)


def _floor(fit: Fit, drawn: dict[str, Array], entropy: float | None) -> Array:
    if entropy is not None:
        return np.asarray(entropy, dtype=float)
    name = _floor_name(fit)
    if name is None:
        raise FitError(
            f"fit of {fit.law.name}: the law has no floor ({' or '.join(_FLOORS)}) to take the "
            f"excess from; give the entropy of text in nats per token with entropy=."
        )
    return drawn[name]


def _applied(theory: Callable[[Array], Array], losses: Array) -> Array:
    """Return the theory's values where there are losses, NaN in rows with an empty cell."""
    values = np.full(losses.shape, np.nan)
    known = np.isfinite(losses)
    values[known] = theory(losses[known])
    return values


def _guaranteed(
    excess: Array,
    *,
    alpha: float,
    k: int,
    k_prime: ArrayLike,
    link: Link,
    factor: float,
    method: Bound,
) -> Array:
    failing = failure_from_excess(excess, link, factor)
    return np.asarray(competence(failing, alpha, k, k_prime, method))


def _most_tuples(excess: Array, *, success: float, **options: object) -> Array:
    """Return the largest tuple with the success, by doubling and halving."""
    low, high = np.zeros(excess.shape), np.full(excess.shape, float(_MOST_TUPLES))
    for _ in range(int(np.log2(_MOST_TUPLES)) + 1):
        middle = np.maximum(np.ceil((low + high) / 2), 1.0)
        enough = _guaranteed(excess, k_prime=middle, **options) >= success  # type: ignore[arg-type]  # options of composable_tuples
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1)
        high = np.maximum(high, low)
    return low


def _exact_match(loss: Array, *, n_target_tokens: int) -> Array:
    return expected_exact_match(p_token(np.maximum(loss, 0.0)), n_target_tokens)
