"""Scores that stay at a level up to a threshold: hinge, power hinge, softplus hinge, step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from emergekit.laws.axis import Axis, Kind, ahead, axis_of, direction, place
from emergekit.laws.formula import Formula
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.ramps import (
    power_ramp,
    power_ramp_gradient,
    power_ramp_place,
    ramp,
    ramp_gradient,
    ramp_place,
    soft_ramp,
    soft_ramp_gradient,
    soft_ramp_place,
)

__all__ = ["hinge", "power_hinge", "softplus_hinge", "step"]

_REFERENCE = "derived, for the loss threshold of Du et al. 2024, who publish no form past it"
_POWERS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
_WIDTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
_MOST_PLACES = 200


def jump(x: Array, c: Array, b: Array, eta: Array, *, axis: Kind = "falling") -> Array:
    r"""Return one level up to a threshold and another from it on.

    .. math:: y = c + b\,[u \ge 0]

    Parameters
    ----------
    x, c, b, eta : array
        As in `ramp`; b is the height of the step.
    axis : {"log10", "falling", "rising"}
        How the variable counts.

    Returns
    -------
    array
        c or c + b.
    """
    return c + b * (ahead(x, eta, axis) >= 0)


def jump_gradient(
    x: Array, c: Array, b: Array, eta: Array, *, axis: Kind = "falling"
) -> tuple[Array, ...]:
    """Return the derivatives of `jump` by c, b and eta, the last one 0."""
    past = (ahead(x, eta, axis) >= 0) * np.ones_like(b * c)
    return np.ones_like(past), past, np.zeros_like(past)


def ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[float, ...]:
    """Return the best threshold of a grid, level and slope by least squares."""
    return _best(response, x, axis, lambda u, _: np.maximum(u, 0.0), (1.0,))[:3]


def power_ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[float, ...]:
    """Return the best threshold and power of a grid, level and rise by least squares."""
    return _best(response, x, axis, lambda u, q: np.maximum(u, 0.0) ** q, _POWERS)


def soft_ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[float, ...]:
    """Return the best threshold and width of a grid, level and slope by least squares."""
    widths = tuple(share * float(np.ptp(place(x, axis))) for share in _WIDTHS)
    return _best(response, x, axis, lambda u, w: w * np.logaddexp(0.0, u / w), widths)


def jump_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[float, ...]:
    """Return the best of all steps between neighbouring models, levels by least squares."""
    return _best(response, x, axis, lambda u, _: (u >= 0).astype(float), (1.0,))[:3]


def _best(
    response: Array,
    x: Array,
    axis: Kind,
    rise: Callable[[Array, float], Array],
    shapes: tuple[float, ...],
) -> tuple[float, ...]:
    """Return c, b, eta and the shape of least squares, over a grid of thresholds and shapes.

    The sum of squares has a minimum between any two models, so only a grid is sure of the least.
    """
    places = np.unique(place(x, axis))
    between = np.concatenate([(places[1:] + places[:-1]) / 2, places])
    if len(between) > _MOST_PLACES:
        between = np.quantile(between, np.linspace(0, 1, _MOST_PLACES))
    tried = []
    for eta, shape in product(between, shapes):
        column = rise(direction(axis) * (place(x, axis) - eta), shape)
        centred = column - column.mean()
        spread = float(centred @ centred)
        b = float(centred @ response) / spread if spread else 0.0
        c = float(response.mean() - b * column.mean())
        rest = response - c - b * column
        tried.append((float(rest @ rest), c, b, float(eta), shape))
    return min(tried)[1:]


def hinge(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the hinge, y = c + b max(0, u).

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "rising"}, optional
        How the variable counts; "falling" if None and it is a loss, else "log10".

    Returns
    -------
    Law
        With parameters c, b, eta; c may be held at chance with ``fixed={"c": 0.25}``.

    Examples
    --------
    >>> hinge().formula, hinge("flops").formula
    ('score = c + b max(0, eta - loss)', 'score = c + b max(0, log10(flops) - eta)')
    """
    where = axis_of(variable, axis)
    rise = f"max(0, {where.past('eta')})"
    parts = (ramp, ramp_gradient, ramp_guess)
    return _law("hinge", where, response, parts, f"b {rise}", inverse=ramp_place)


def power_hinge(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the power hinge, y = c + b max(0, u)^q.

    Parameters
    ----------
    variable, response, axis : str
        As in `hinge`.

    Returns
    -------
    Law
        With parameters c, b, eta, q; the hinge where q is 1.
    """
    where = axis_of(variable, axis)
    rise = f"b max(0, {where.past('eta')})^q"
    q = Parameter("q", start=0.5, lower=0.01, upper=10.0, scale="log")
    parts = (power_ramp, power_ramp_gradient, power_ramp_guess)
    return _law("power_hinge", where, response, parts, rise, q, inverse=power_ramp_place)


def softplus_hinge(
    variable: str = "loss", response: str = "score", axis: Kind | None = None
) -> Law:
    """Return the softplus hinge, y = c + b w log(1 + exp(u / w)).

    Parameters
    ----------
    variable, response, axis : str
        As in `hinge`.

    Returns
    -------
    Law
        With parameters c, b, eta, w; w says how sharp the corner is, 0 for the hinge.
    """
    where = axis_of(variable, axis)
    rise = f"b w log(1 + exp(({where.past('eta')}) / w))"
    w = Parameter("w", start=0.1, lower=1e-6, upper=1e2, scale="log", unit=where.unit)
    parts = (soft_ramp, soft_ramp_gradient, soft_ramp_guess)
    return _law("softplus_hinge", where, response, parts, rise, w, inverse=soft_ramp_place)


def step(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the step, y = c + b [u >= 0].

    Nothing changes while the threshold moves between two models, so no gradient finds it: take it
    from `Law.started_at`, which tries all, and hold it with ``fixed={"eta": ...}``.

    Parameters
    ----------
    variable, response, axis : str
        As in `hinge`.

    Returns
    -------
    Law
        With parameters c, b, eta; without an inverse.
    """
    where = axis_of(variable, axis)
    parts = (jump, jump_gradient, jump_guess)
    return _law("step", where, response, parts, f"b [{where.past('eta')} >= 0]")


def _law(
    form: str,
    where: Axis,
    response: str,
    parts: tuple[Callable[..., object], ...],
    rise: str,
    *shape: Parameter,
    inverse: Callable[..., Array] | None = None,
) -> Law:
    """Return a law of c, b, eta and its shape from its function, gradient and guess."""
    function, gradient, guess = parts
    arguments = (where.variable, "c", "b", "eta", *(parameter.name for parameter in shape))
    known = (("variable", where.variable), *where.options)
    return Law(
        name=f"{form}_in_{where.variable}",
        variables=(where.variable,),
        response=response,
        parameters=(
            Parameter("c", start=0.25),
            Parameter("b", start=0.5),
            where.place("eta"),
            *shape,
        ),
        function=Formula(function, arguments, where.options),
        gradient=Formula(gradient, arguments, where.options),
        inverse=None
        if inverse is None
        else Formula(inverse, ("along", "response", *arguments), known),
        reference=_REFERENCE,
        formula=f"{response} = c + {rise}",
        guess=Formula(guess, ("response", where.variable), where.options),
    )
