"""Scores that change evenly along an axis, or at an even rate: what a threshold has to beat."""

from __future__ import annotations

import numpy as np

from emergekit.laws.axis import Kind, axis_of, direction, place
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line

__all__ = ["linear", "quadratic"]

_REFERENCE = "polynomials of first and second degree, the smooth rivals of a threshold"


def straight(x: Array, a: Array, b: Array, *, axis: Kind = "log10") -> Array:
    r"""Return a straight line along the axis.

    .. math:: y = a + b u

    Parameters
    ----------
    x : array
        Count, loss or score; u is its place on the axis, log10 of a count, minus a loss.
    a : array
        Response at u = 0, in its unit.
    b : array
        Slope, per decade or per nat saved.
    axis : {"log10", "falling", "rising"}
        How the variable counts.

    Returns
    -------
    array
        In units of a.
    """
    return a + b * direction(axis) * place(x, axis)


def straight_gradient(x: Array, a: Array, b: Array, *, axis: Kind = "log10") -> tuple[Array, ...]:
    """Return the derivatives of `straight` by a and b."""
    u = direction(axis) * place(x, axis) * np.ones_like(a * b)
    return np.ones_like(u), u


def straight_place(
    along: str,
    response: Array,
    x: Array,
    a: Array,
    b: Array,
    *,
    variable: str,
    axis: Kind = "log10",
) -> Array:
    """Return the value of the variable at which `straight` gives the response."""
    require_variable(along, (variable,), "line")
    with np.errstate(all="ignore"):  # a level line reaches no other response
        at = direction(axis) * (response - a) / b
        return np.power(10.0, at) if axis == "log10" else at


def straight_guess(response: Array, x: Array, *, axis: Kind = "log10") -> tuple[Array, ...]:
    """Return the line of least squares."""
    return line(direction(axis) * place(x, axis), response)


def bent(x: Array, a: Array, b: Array, d: Array, *, axis: Kind = "log10") -> Array:
    r"""Return a parabola along the axis.

    .. math:: y = a + b u + d u^2

    Parameters
    ----------
    x, a, b : array
        As in `straight`.
    d : array
        Half the curvature.
    axis : {"log10", "falling", "rising"}
        How the variable counts.

    Returns
    -------
    array
        In units of a.
    """
    u = direction(axis) * place(x, axis)
    return a + u * (b + d * u)


def bent_gradient(
    x: Array, a: Array, b: Array, d: Array, *, axis: Kind = "log10"
) -> tuple[Array, ...]:
    """Return the derivatives of `bent` by a, b and d."""
    u = direction(axis) * place(x, axis) * np.ones_like(a * b * d)
    return np.ones_like(u), u, u * u


def bent_guess(response: Array, x: Array, *, axis: Kind = "log10") -> tuple[float, ...]:
    """Return the parabola of least squares; NaN below three places."""
    u = direction(axis) * place(x, axis)
    if len(np.unique(u)) < 3:
        return np.nan, np.nan, np.nan
    middle, half = float(u.mean()), float(np.ptp(u)) / 2
    powers = np.vander((u - middle) / half, 3)  # nearly orthogonal there
    if not (np.isfinite(powers).all() and np.isfinite(response).all()):
        return np.nan, np.nan, np.nan
    d, b, a = np.linalg.lstsq(powers, response, rcond=None)[0] / np.array([half**2, half, 1.0])
    return float(a - middle * (b - middle * d)), float(b - 2 * middle * d), float(d)


def linear(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the straight line.

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "rising"}, optional
        How the variable counts; "falling" if None and it is a loss, else "log10".

    Returns
    -------
    Law
        With parameters a, b.

    Examples
    --------
    >>> linear().formula, linear("flops").formula
    ('score = a + b (-loss)', 'score = a + b log10(flops)')
    """
    where = axis_of(variable, axis)
    arguments = (variable, "a", "b")
    known = (("variable", variable), *where.options)
    return Law(
        name=f"linear_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(Parameter("a", start=0.5), Parameter("b", start=0.1)),
        function=Formula(straight, arguments, where.options),
        gradient=Formula(straight_gradient, arguments, where.options),
        inverse=Formula(straight_place, ("along", "response", *arguments), known),
        reference=_REFERENCE,
        formula=f"{response} = a + b {_place(variable, where.kind)}",
        guess=Formula(straight_guess, ("response", variable), where.options),
        guesses_groups=True,
    )


def quadratic(variable: str = "loss", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the parabola.

    Parameters
    ----------
    variable, response, axis : str
        As in `linear`.

    Returns
    -------
    Law
        With parameters a, b, d; without an inverse, since it takes a value twice.
    """
    where = axis_of(variable, axis)
    arguments = (variable, "a", "b", "d")
    at = _place(variable, where.kind)
    return Law(
        name=f"quadratic_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("a", start=0.5),
            Parameter("b", start=0.1),
            Parameter("d", start=0.0),
        ),
        function=Formula(bent, arguments, where.options),
        gradient=Formula(bent_gradient, arguments, where.options),
        reference=_REFERENCE,
        formula=f"{response} = a + b {at} + d {at}^2",
        guess=Formula(bent_guess, ("response", variable), where.options),
    )


def _place(variable: str, kind: Kind) -> str:
    return {"log10": f"log10({variable})", "falling": f"(-{variable})", "rising": variable}[kind]
