"""Emergence laws: how far finetuning moves the loss at which an ability appears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from emergekit.errors import unknown
from emergekit.laws.formula import Formula
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["elbow", "emergence_law"]

Form: TypeAlias = Literal["log_power", "power"]

_FORMS = ("log_power", "power")
_POWERS = (0.5, 1.0, 1.5, 2.0, 3.0)
_ELBOWS = 16
"""Loss levels that are tried for the elbow at the least and at the most finetuning."""
_RIVALS = 8
_MOST_ROWS = 1000


def elbow(
    n_finetune: Array, k: Array, alpha: Array, C: Array, *, form: Form = "log_power"
) -> Array:
    r"""Return the loss below which scores rise, after finetuning on so many examples.

    .. math:: E(D) = k\,(\ln D)^{\alpha} + C \quad \text{or} \quad E(D) = k\,D^{\alpha} + C

    Parameters
    ----------
    n_finetune : array
        Examples D, 1 or more.
    k : array
        Above 0: more examples, an elbow at higher loss, that is, in weaker models.
    alpha : array
        Exponent.
    C : array
        Elbow of one example (of none, for the power law), nats per token.
    form : {"log_power", "power"}
        The first or the second formula.

    Returns
    -------
    array
        Nats per token.

    References
    ----------
    Snell et al. 2024, table 1 and figure 6: "log power law" and "power law". The text of the
    equation is not public; this structure follows from their symbols (theta = k, alpha, C), and
    the signs are ours.
    """
    scale = np.log(n_finetune) if form == "log_power" else n_finetune
    return k * scale**alpha + C


def rise_past_elbow(
    loss: Array,
    n_finetune: Array,
    B: Array,
    A: Array,
    k: Array,
    alpha: Array,
    C: Array,
    *,
    form: Form = "log_power",
) -> Array:
    r"""Return the score of a model of that loss after finetuning on so many examples.

    .. math:: y = B + A \max(0,\; E(D) - L)

    Parameters
    ----------
    loss : array
        Pretraining loss L, nats per token.
    n_finetune : array
        Examples D.
    B : array
        Score before emergence, such as chance.
    A : array
        Rise per nat past the elbow.
    k, alpha, C : array
        As in `elbow`.
    form : {"log_power", "power"}
        As in `elbow`.

    Returns
    -------
    array
        From B on.
    """
    past = elbow(n_finetune, k, alpha, C, form=form) - loss
    return B + A * np.where(past > 0, past, 0.0)


def rise_gradient(
    loss: Array,
    n_finetune: Array,
    B: Array,
    A: Array,
    k: Array,
    alpha: Array,
    C: Array,
    *,
    form: Form = "log_power",
) -> tuple[Array, ...]:
    """Return the derivatives of `rise_past_elbow` by B, A, k, alpha and C."""
    scale = np.log(n_finetune) if form == "log_power" else n_finetune
    grown = scale**alpha
    past = k * grown + C - loss
    is_past = past > 0
    slope = np.where(is_past, A * np.ones_like(past), 0.0)
    log_scale = np.log(np.where(scale > 0, scale, 1.0))
    return (
        np.ones_like(past + B),
        np.where(is_past, past, 0.0),
        slope * grown,
        slope * k * grown * log_scale,
        slope,
    )


def shifted_rise(
    loss: Array,
    n_finetune: Array,
    is_few_shot: Array,
    B: Array,
    A: Array,
    k: Array,
    alpha: Array,
    C: Array,
    Delta: Array,
    *,
    form: Form = "log_power",
) -> Array:
    """Return `rise_past_elbow`, plus Delta for models that were prompted and not finetuned."""
    return rise_past_elbow(loss, n_finetune, B, A, k, alpha, C, form=form) + Delta * is_few_shot


def shifted_gradient(
    loss: Array,
    n_finetune: Array,
    is_few_shot: Array,
    B: Array,
    A: Array,
    k: Array,
    alpha: Array,
    C: Array,
    Delta: Array,
    *,
    form: Form = "log_power",
) -> tuple[Array, ...]:
    """Return the derivatives of `shifted_rise` by its parameters, in their order."""
    parts = rise_gradient(loss, n_finetune, B, A, k, alpha, C, form=form)
    return (*parts, is_few_shot + 0.0 * Delta * parts[0])


def shifted_guess(
    response: Array,
    loss: Array,
    n_finetune: Array,
    is_few_shot: Array,
    *,
    form: Form = "log_power",
) -> tuple[Array, ...]:
    """Return the guesses without a shift, and no shift."""
    plain = rise_guess(response, loss, n_finetune, form=form)
    return (*plain, np.zeros_like(plain[0]))


def rise_guess(
    response: Array, loss: Array, n_finetune: Array, *, form: Form = "log_power"
) -> tuple[Array, ...]:
    """Return rival laws of least squares over elbows at the least and the most finetuning.

    Between any two models the sum of squares has a minimum of its own, so a grid looks first.
    """
    if len(response) > _MOST_ROWS:
        rows = np.linspace(0, len(response) - 1, _MOST_ROWS).astype(int)
        response, loss, n_finetune = response[rows], loss[rows], n_finetune[rows]
    scale = np.log(n_finetune) if form == "log_power" else n_finetune
    levels = np.quantile(loss, np.linspace(0.0, 1.0, _ELBOWS))
    low, high = (level.ravel() for level in np.meshgrid(levels, levels))
    low, high = low[high > low], high[high > low]
    found = []
    for power in _POWERS:
        grown = scale**power
        span = float(np.ptp(grown))
        if not span > 0:  # one amount of finetuning says nothing of how the elbow moves
            continue
        k = (high - low) / span
        constant = low - k * grown.min()
        past = np.maximum(0.0, k[:, None] * grown + constant[:, None] - loss)
        slope, level, missed = _regressed(response, past)
        least = np.argsort(missed)[:_RIVALS]
        found += [(missed[b], level[b], slope[b], k[b], power, constant[b]) for b in least]
    if not found:
        return tuple(np.full(1, np.nan) for _ in range(5))
    found.sort(key=lambda rival: rival[0])
    return tuple(
        np.array(part) for part in zip(*(rival[1:] for rival in found[:_RIVALS]), strict=True)
    )


def _regressed(response: Array, columns: Array) -> tuple[Array, Array, Array]:
    """Return slope, level and squares left of the response on each column."""
    means = columns.mean(axis=1)
    centred = columns - means[:, None]
    spread = (centred**2).sum(axis=1)
    slope = np.divide(centred @ response, spread, out=np.zeros_like(spread), where=spread > 0)
    slope = np.maximum(slope, 0.0)
    level = response.mean() - slope * means
    missed = ((response - level[:, None] - slope[:, None] * columns) ** 2).sum(axis=1)
    return slope, level, missed


def emergence_law(
    form: Form = "log_power",
    *,
    loss: str = "loss",
    n_finetune: str = "n_finetune",
    is_few_shot: str | None = None,
    response: str = "score",
) -> Law:
    """Return the emergence law of finetuning, y = B + A max(0, E(D) - L).

    Fitted to models before their point of emergence, finetuned on several amounts of data; its
    elbow at as few examples as a prompt holds is the loss at which the ability will appear.

    Parameters
    ----------
    form : {"log_power", "power"}
        How the elbow moves: with a power of ln D, as the paper prefers, or of D.
    loss, n_finetune, response : str
        Columns.
    is_few_shot : str, optional
        Column that is 1 for models that were prompted with examples instead of finetuned on them
        (their `n_finetune` is D_0, the examples in the prompt), else 0; their base is B + Delta.

    Returns
    -------
    Law
        With parameters B, A, k, alpha, C, and Delta for few-shot rows; B may be held at chance with
        ``fixed={"B": 0.25}``.

    Raises
    ------
    ValueError
        If the form is unknown.

    Examples
    --------
    >>> emergence_law().formula
    'score = B + A max(0, k (ln n_finetune)^alpha + C - loss)'
    """
    if form not in _FORMS:
        raise ValueError(unknown("form", form, _FORMS))
    scale = f"(ln {n_finetune})" if form == "log_power" else n_finetune
    formula = f"{response} = B + A max(0, k {scale}^alpha + C - {loss})"
    variables: tuple[str, ...] = (loss, n_finetune)
    parameters: tuple[Parameter, ...] = (
        Parameter("B", start=0.25, level=True),
        Parameter("A", start=0.5, lower=0.0, scale="log", unit="1/nat"),
        Parameter("k", start=0.05, lower=0.0, scale="log", unit="nats/token"),
        Parameter("alpha", start=1.0, lower=0.0, upper=10.0),
        Parameter("C", start=1.8, unit="nats/token"),
    )
    parts: tuple[Callable[..., Any], ...] = (rise_past_elbow, rise_gradient, rise_guess)
    if is_few_shot is not None:
        variables = (*variables, is_few_shot)
        parameters = (*parameters, Parameter("Delta", start=0.0))
        formula += f" + Delta {is_few_shot}"
        parts = (shifted_rise, shifted_gradient, shifted_guess)
    arguments = (*variables, *(parameter.name for parameter in parameters))
    options = (("form", form),)
    function, gradient, guess = parts
    return Law(
        name=f"emergence_{form}" + ("_shifted" if is_few_shot is not None else ""),
        variables=variables,
        response=response,
        parameters=parameters,
        function=Formula(function, arguments, options),
        gradient=Formula(gradient, arguments, options),
        reference="Snell et al. 2024, section 4 (structure from table 1; signs ours)",
        formula=formula,
        guess=Formula(guess, ("response", *variables), options),
    )
