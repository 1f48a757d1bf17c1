r"""The second question: is the sharp metric a smooth function of the continuous one.

Exact match of K tokens is :math:`e^{-K L}` in the loss L per token of every item. Over unequal
items it is near :math:`\exp(-A L^b)` with b below 1: A is an effective length, b says how alike the
items are. With multiple choice the margin of the right choice decides: k-alternative forced choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.emergence.counts import checked_counts, checked_scales
from emergekit.emergence.questions.responses import Response, fit_response, forced_choice, gompertz

__all__ = ["Kind", "Link", "composition_test", "link_counts", "link_test"]

Array: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["em", "mc"]

TOLERANCE = 0.02
"""Misfit of a score that no link is held to."""
_NEAR, _SHARE = 0.08, 0.95
_POWER, _SLOPE = 2.0, 6.0


@dataclass(frozen=True)
class Link:
    """The link from the continuous metric to the sharp one.

    Parameters
    ----------
    p_value : float
        How often a link that holds to within 0.02 fits worse.
    linked : bool
        Whether p_value exceeds alpha, or the largest residual is 0.08 or less and R2 0.95 or more.
    A, b : float
        Effective length and power of :math:`e^{-A L^b}`, for exact match and a loss; NaN else.
    max_residual, r2 : float
        Effect size of the misfit.
    fitted : array, shape (m,)
        Scores that the link gives.
    kind : str
        "composition", "effective length", "log-log" or "forced choice".
    """

    p_value: float
    linked: bool
    A: float
    b: float
    max_residual: float
    r2: float
    fitted: Array
    kind: str


def link_test(
    z: ArrayLike,
    n_correct: ArrayLike,
    n_examples: ArrayLike,
    *,
    kind: Kind,
    loss: bool = False,
    n_choices: float | None = None,
    alpha: float = 0.05,
    n_boot: int = 199,
    seed: int = 0,
) -> pd.Series:
    r"""Return whether a sharp score follows from a continuous one.

    Parameters
    ----------
    z : array, shape (m,)
        The continuous metric: a loss in nats if `loss`, else anything that rises.
    n_correct, n_examples : array, shape (m,)
        Right answers and test size at each scale, in examples.
    kind : {"em", "mc"}
        Exact match, :math:`e^{-A L^b}` of a loss and :math:`\exp(-e^{-(a + b z)})` of anything
        else; or multiple choice, forced choice among `n_choices` with :math:`d = a + b z`.
    loss : bool
        Whether z is a positive loss, lower is better.
    n_choices : float, optional
        Number of choices, for "mc"; 1/chance.
    alpha, n_boot, seed
        Level of `linked`, draws, and root of the random numbers.

    Returns
    -------
    Series
        p_value (how often a link that holds to within 0.02 fits worse), linked (p_value above
        alpha, or the largest residual 0.08 or less and r2 0.95 or more), form ("effective length",
        "log-log" or "forced choice"), A and b (effective length and power, for exact match and a
        loss), max_residual, r2.

    Raises
    ------
    ValueError
        If a count is impossible, a number not finite, a loss not positive, or `n_choices` missing.

    References
    ----------
    Schaeffer et al. 2023, section 2, for p^K; the effective length over unequal items is ours.

    Examples
    --------
    >>> loss = 2.0 * 0.7 ** np.arange(12)
    >>> right = np.round(1000 * np.exp(-5 * loss))
    >>> found = link_test(loss, right, [1000] * 12, kind="em", loss=True)
    >>> found.linked, round(found.A, 1), round(found.b, 1)
    (True, 5.0, 1.0)
    """
    places, k, n = checked_counts(
        np.arange(np.size(n_correct)), n_correct, np.broadcast_to(n_examples, np.shape(n_correct))
    )
    values = checked_scales(places, z, "z")[1]
    if loss and not (values > 0).all():
        raise ValueError(f"a loss must be positive; the smallest is {values.min():g}.")
    if kind == "mc" and n_choices is None:
        raise ValueError("kind='mc' needs n_choices, the number of choices (1/chance).")
    found = link_counts(
        -np.log(values) if loss else values,
        k,
        n,
        kind=kind,
        loss=loss,
        n_choices=n_choices,
        alpha=alpha,
        rng=np.random.default_rng(seed),
        n_boot=n_boot,
    )
    return pd.Series(
        {
            "p_value": found.p_value,
            "linked": found.linked,
            "form": found.kind,
            "A": found.A,
            "b": found.b,
            "max_residual": found.max_residual,
            "r2": found.r2,
        },
        name="link_test",
    )


def link_counts(
    z: Array,
    correct: Array,
    n: Array,
    *,
    kind: Kind,
    loss: bool,
    n_choices: float | None,
    alpha: float,
    rng: np.random.Generator,
    n_boot: int,
) -> Link:
    """Return the link for numbers that are checked; a loss L comes in as z = -log L."""
    scale = 1.0 if loss else float(z.std()) or 1.0
    centred = (z - z.mean()) / scale
    if kind == "em":
        response = Response(gompertz, -1.6, 4.6, _POWER if loss else _SLOPE)
    else:
        response = Response(forced_choice(n_choices or 2.0), -1.0, 5.0, _SLOPE)
    share = correct / n
    fit = fit_response(response, centred, share, n, tolerance=TOLERANCE, rng=rng, n_boot=n_boot)
    told = {"em": "effective length" if loss else "log-log", "mc": "forced choice"}[kind]
    effective = kind == "em" and loss
    return _answer(
        share,
        fit.fitted,
        fit.p_value,
        alpha,
        told,
        A=float(np.exp(-(fit.a - fit.b * z.mean()))) if effective else np.nan,
        b=fit.b if effective else np.nan,
    )


def composition_test(
    correct: Array,
    n: Array,
    predicted: Array,
    variance: Array,
    *,
    alpha: float,
    rng: np.random.Generator,
    n_boot: int,
) -> Link:
    r"""Return whether the products of the items' own token probabilities give the sharp score.

    .. math:: \hat f_i = \frac{1}{n} \sum_j \prod_k p_{ijk}, \qquad
              \mathrm{var} = \frac{1}{n^2} \sum_j p_{ij} (1 - p_{ij}) + \tau^2

    There is nothing to fit: A and b are 1. That holds for outputs sampled at temperature 1; a
    greedy decoder is right more often.
    """
    share = correct / n
    spread = np.sqrt(variance + TOLERANCE**2)
    observed = float((((share - predicted) / spread) ** 2).sum())
    draws = (rng.standard_normal((n_boot, len(n))) ** 2).sum(axis=1)
    p_value = float((1 + (draws >= observed).sum()) / (1 + n_boot))
    return _answer(share, predicted, p_value, alpha, "composition", A=1.0, b=1.0)


def _answer(
    share: Array, fitted: Array, p_value: float, alpha: float, kind: str, *, A: float, b: float
) -> Link:
    residual = share - fitted
    total = float(((share - share.mean()) ** 2).sum())
    r2 = 1 - float((residual**2).sum()) / total if total > 0 else np.nan
    largest = float(np.abs(residual).max())
    linked = p_value > alpha or (largest <= _NEAR and r2 >= _SHARE)
    return Link(p_value, bool(linked), A, b, largest, r2, fitted, kind)
