"""The law of skills that are learned from a random graph of texts, with a jump or without.

The theory gives the score by an equation that has it on both sides. The root is found on its branch
by halving, and one step of Newton's method carries it over to derivatives.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.special import lambertw

from emergekit.errors import unknown
from emergekit.laws.axis import Kind, ahead, axis_of, direction, place, power_of_ten, variable_at
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.searching import best_starts, rising_law

__all__ = ["learner_law"]

Measure: TypeAlias = Literal["learned", "understood"]

_MEASURES = ("learned", "understood")
_HALVINGS = 36


def unlearned(ratio: Array, c: Array) -> Array:
    r"""Return the share of skills that a 1-skill learner leaves unlearned, for real numbers.

    .. math:: q = e^{-c R e^{-c q}}, \quad \text{the largest root}

    Parameters
    ----------
    ratio : array
        Texts per skill R, 0 or more.
    c : array
        Mean number of skills per text; broadcasts against R.

    Returns
    -------
    array
        As `theory.learning_curve`, which takes one c at a time.

    References
    ----------
    Liao, Chang & Hong 2024, density evolution of abstract learners.
    """
    ratio, c = np.broadcast_arrays(ratio, c)
    jumps = c > math.e
    # Flat points of R(x) = ln(c / x) e^x / c, x = c q: roots of x e^(1/x) = c.
    inner = -1 / np.where(jumps, c, math.e)
    upper = np.where(jumps, -1 / lambertw(inner).real, 0.0)
    lower = np.where(jumps, -1 / lambertw(inner, -1).real, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        threshold = np.exp(upper) / (c * upper)
    before = jumps & (ratio < threshold)
    # In logarithms: past the jump q falls to e^(-c R), below any fixed fraction of c.
    low = np.where(before, np.log(np.where(upper > 0, upper, 1.0)), np.log(c) - c * ratio)
    high = np.where(before, np.log(c), np.log(np.minimum(lower, c)))
    high = np.maximum(high, low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        right = np.log(c) - middle > c * ratio * np.exp(-np.exp(middle))
        low, high = np.where(right, middle, low), np.where(right, high, middle)
    return np.asarray(np.exp((low + high) / 2) / c)


def learner(
    x: Array,
    x0: Array,
    c: Array,
    *,
    measure: Measure = "learned",
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    r"""Return what an abstract learner knows, or understands, of its texts.

    .. math:: q = e^{-c R e^{-c q}}, \qquad R = 10^{u}, \qquad
              s = 1 - q \ \text{(learned)}, \quad s = e^{-c q} \ \text{(understood)}

    Parameters
    ----------
    x : array
        Variable in proportion to the number of texts; u is its distance past x0.
    x0 : array
        log10 of the variable at one text per skill.
    c : array
        Mean number of skills per text; above e = 2.718 the score jumps, at R* of
        `theory.emergence_threshold`.
    measure : {"learned", "understood"}
        Share of skills known, or of fresh texts whose skills are all known.
    axis, chance
        As in `composition_law`.

    Returns
    -------
    array
        Between chance and 1.

    References
    ----------
    Liao, Chang & Hong 2024.
    """
    ratio = power_of_ten(ahead(x, x0, axis))
    q = unlearned(np.real(ratio), np.real(c))
    q = q - (q - np.exp(-c * ratio * np.exp(-c * q))) / _steepness(q, ratio, c)
    share = 1 - q if measure == "learned" else np.exp(-c * q)
    return chance + (1 - chance) * share


def learner_gradient(
    x: Array,
    x0: Array,
    c: Array,
    *,
    measure: Measure = "learned",
    axis: Kind = "log10",
    chance: float = 0.0,
) -> tuple[Array, ...]:
    """Return the derivatives of `learner` by x0 and c, by the implicit function theorem."""
    ratio = power_of_ten(ahead(x, x0, axis))
    q = unlearned(ratio, c)
    teaches = np.exp(-c * q)
    steepness = _steepness(q, ratio, c)
    by_ratio = -c * teaches * q / steepness
    by_c = -ratio * teaches * (1 - c * q) * q / steepness
    by_x0 = -direction(axis) * np.log(10) * ratio * by_ratio
    if measure == "learned":
        return (1 - chance) * -by_x0, (1 - chance) * -by_c
    return (
        (1 - chance) * teaches * -c * by_x0,
        (1 - chance) * teaches * -(q + c * by_c),
    )


def learner_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    c: Array,
    *,
    variable: str,
    measure: Measure = "learned",
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable from which `learner` gives the response or more.

    Responses inside the jump are reached where it is.
    """
    require_variable(along, (variable,), "learner")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)
        q = 1 - share if measure == "learned" else np.clip(-np.log(share) / c, 0.0, 1.0)
        ratio = -np.log(q) / c * np.exp(c * q)
        jumps = c > math.e
        upper = -1 / lambertw(-1 / np.where(jumps, c, math.e)).real
        past = jumps & (c * q < upper)
        ratio = np.where(past, np.maximum(ratio, np.exp(upper) / (c * upper)), ratio)
        return variable_at(np.log10(ratio), x0, axis)


def learner_guess(
    response: Array,
    x: Array,
    *,
    measure: Measure = "learned",
    axis: Kind = "log10",
    chance: float = 0.0,
) -> tuple[Array, ...]:
    """Return the best of a grid of places and numbers of skills."""
    at = place(x, axis)
    places = np.linspace(at.min() - 1.0, at.max() + 0.5, 61)
    c = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0])
    options: dict[str, Any] = {"measure": measure, "axis": axis, "chance": chance}
    return best_starts(Formula(learner, ("x",), tuple(options.items())), (places, c), response, x)


def learner_law(
    variable: str = "n_tokens",
    response: str = "score",
    *,
    measure: Measure = "learned",
    chance: float = 0.0,
) -> Law:
    """Return the law of an abstract learner: a score that may jump.

    Parameters
    ----------
    variable, response : str
        Columns; the variable is in proportion to the number of texts.
    measure : {"learned", "understood"}
        What the score stands for: skills known, or fresh texts understood.
    chance : float
        Score of guessing, from 0 to below 1.

    Returns
    -------
    Law
        With parameters x0 (log10 of the variable at one text per skill) and c (skills per text).

    Raises
    ------
    ValueError
        If chance is out of range, or the measure unknown.

    Examples
    --------
    >>> learner_law().formula
    'score = 1 - q, q = exp(-c R exp(-c q)), R = 10^(log10(n_tokens) - x0)'
    """
    if measure not in _MEASURES:
        raise ValueError(unknown("measure", measure, _MEASURES))
    where = axis_of(variable, "log10")
    share = "1 - q" if measure == "learned" else "exp(-c q)"
    rise = f"{share}, q = exp(-c R exp(-c q)), R = 10^({where.past('x0')})"
    parameters = (
        where.place("x0"),
        Parameter("c", start=2.0, lower=0.05, upper=50.0, scale="log", unit="skills/text"),
    )
    parts = (learner, learner_gradient, learner_place, learner_guess)
    return rising_law(
        f"learner_{measure}",
        where,
        response,
        chance,
        parameters,
        parts,
        rise,
        "Liao, Chang & Hong 2024, density evolution",
        (("measure", measure),),
    )


def _steepness(q: Array, ratio: Array, c: Array) -> Array:
    """Return the derivative of q - exp(-c R e^(-c q)) by q, which is 0 at the jump alone."""
    slope = 1 - c**2 * ratio * np.exp(-c * q) * q
    return np.where(np.abs(slope) < 1e-6, 1e-6, slope)
