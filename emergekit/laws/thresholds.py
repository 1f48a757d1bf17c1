"""Scores that stay at a level up to a threshold: hinge, power hinge, softplus hinge, step."""

from __future__ import annotations

from collections.abc import Callable

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
_MOST_ROWS = 2000
_STRETCHES = 8


def jump(x: Array, c: Array, b: Array, eta: Array, *, axis: Kind = "falling") -> Array:
    r"""Return one level up to a threshold and another from it on.

    .. math:: y = c + b\,[u \ge 0]

    Parameters
    ----------
    x, c, b, eta : array
        As in `ramp`; b is the height of the step.
    axis : {"log10", "falling", "falling_log10", "rising"}
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


def ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[Array, ...]:
    """Return rival thresholds, level and slope by least squares."""
    return _best(response, x, axis, _corner, (1.0,))[:3]


def power_ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[Array, ...]:
    """Return rival thresholds and powers, level and rise by least squares."""
    return _best(response, x, axis, _power, _POWERS)


def soft_ramp_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[Array, ...]:
    """Return rival thresholds and widths, level and slope by least squares."""
    widths = tuple(share * float(np.ptp(place(x, axis))) for share in _WIDTHS)
    return _best(response, x, axis, _rounded, widths)


def jump_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[Array, ...]:
    """Return the best of all steps between neighbouring models, levels by least squares."""
    return _best(response, x, axis, _height, (1.0,))[:3]


def _corner(u: Array, _: float) -> Array:
    return np.maximum(u, 0.0)


def _power(u: Array, q: float) -> Array:
    return np.maximum(u, 0.0) ** q


def _rounded(u: Array, w: float) -> Array:
    return w * np.logaddexp(0.0, u / w)


def _height(u: Array, _: float) -> Array:
    return (u >= 0).astype(float)


def _best(
    response: Array,
    x: Array,
    axis: Kind,
    rise: Callable[[Array, float], Array],
    shapes: tuple[float, ...],
) -> tuple[Array, ...]:
    """Return c, b, eta and the shape of least squares, the best in each stretch of thresholds.

    The sum of squares has a minimum between any two models, and a likelihood another one than the
    squares, so only a grid is sure of the least.
    """
    at, response = _thinned(place(x, axis), response)
    etas = _thresholds(at)
    u = direction(axis) * (at - etas[:, None])
    columns = np.stack([rise(u, shape) for shape in shapes])  # (shapes, thresholds, rows)
    means = columns.mean(axis=-1)
    centred = columns - means[..., None]
    spread = (centred**2).sum(axis=-1)
    b = np.divide(centred @ response, spread, out=np.zeros_like(spread), where=spread > 0)
    c = response.mean() - b * means
    missed = ((response - c[..., None] - b[..., None] * columns) ** 2).sum(axis=-1)
    missed = np.where(np.isfinite(missed), missed, np.inf)
    shape, stretches = missed.argmin(axis=0), np.array_split(np.arange(len(etas)), _STRETCHES)
    least = missed.min(axis=0)
    best = [stretch[least[stretch].argmin()] for stretch in stretches if len(stretch)]
    best.sort(key=lambda eta: least[eta])
    chosen = shape[best], best
    return c[chosen], b[chosen], etas[best], np.array(shapes)[shape[best]]


def _thinned(at: Array, response: Array) -> tuple[Array, Array]:
    """Return the rows in order, of very many as many as a guess needs."""
    order = np.argsort(at, kind="stable")
    if len(order) > _MOST_ROWS:
        order = order[np.linspace(0, len(order) - 1, _MOST_ROWS).astype(int)]
    return at[order], response[order]


def _thresholds(at: Array) -> Array:
    places = np.unique(at)
    etas = np.sort(np.concatenate([(places[1:] + places[:-1]) / 2, places]))
    if len(etas) > _MOST_PLACES:
        etas = np.quantile(etas, np.linspace(0, 1, _MOST_PLACES))
    return etas


def hinge(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the hinge, y = c + b max(0, u).

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None: a loss falls.

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
            Parameter("c", start=0.25, level=True),
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
