"""Scores that fall and rise again with scale, or rise and fall."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit

from emergekit.laws.axis import Axis, Kind, ahead, axis_of, direction, place
from emergekit.laws.formula import Formula
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["inverted_u_shaped", "u_shaped"]

Shape = Literal["u", "inverted_u"]


def two_logistics(
    x: Array,
    c: Array,
    rise: Array,
    x_rise: Array,
    k_rise: Array,
    fall: Array,
    x_fall: Array,
    k_fall: Array,
    *,
    axis: Kind = "log10",
) -> Array:
    r"""Return a rising logistic plus a falling one above a floor.

    .. math:: y = c + \frac{r}{1 + e^{-k_r u_r}} + \frac{f}{1 + e^{k_f u_f}}

    From c + f at small scale to c + r at large scale: through c between them where the fall comes
    first (U-shaped), through c + r + f where the rise does (inverted U).

    Parameters
    ----------
    x : array
        Count, loss or score; u_r and u_f are its distances past x_rise and x_fall (see `Axis`).
    c : array
        Floor, in units of the response.
    rise, fall : array
        Heights r and f.
    x_rise, x_fall : array
        Where half of each is done: log10 of the variable, or the variable itself.
    k_rise, k_fall : array
        Slopes, per decade or per nat.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        Between c and c + r + f.

    References
    ----------
    Derived, for the U-shaped curves of Wei et al. 2022, "Inverse scaling can become U-shaped"
    (from memory), which publish no form.
    """
    risen: Array = expit(k_rise * ahead(x, x_rise, axis))
    unfallen: Array = expit(-k_fall * ahead(x, x_fall, axis))
    return c + rise * risen + fall * unfallen


def two_logistics_gradient(
    x: Array,
    c: Array,
    rise: Array,
    x_rise: Array,
    k_rise: Array,
    fall: Array,
    x_fall: Array,
    k_fall: Array,
    *,
    axis: Kind = "log10",
) -> tuple[Array, ...]:
    """Return the derivatives of `two_logistics` by its parameters, in their order."""
    u_rise, u_fall = ahead(x, x_rise, axis), ahead(x, x_fall, axis)
    risen, unfallen = expit(k_rise * u_rise), expit(-k_fall * u_fall)
    steep_rise = rise * risen * expit(-k_rise * u_rise)
    steep_fall = fall * unfallen * expit(k_fall * u_fall)
    sign = direction(axis)
    return (
        np.ones_like(risen * unfallen),
        risen,
        -sign * k_rise * steep_rise,
        u_rise * steep_rise,
        unfallen,
        sign * k_fall * steep_fall,
        -u_fall * steep_fall,
    )


def two_logistics_guess(
    response: Array, x: Array, *, shape: Shape, axis: Kind = "log10"
) -> tuple[float, ...]:
    """Return heights from the ends and the turn of the data, places halfway to the turn."""
    at = direction(axis) * place(x, axis)
    order = np.argsort(at)
    y, at = response[order], at[order]
    turn = int(np.argmin(y) if shape == "u" else np.argmax(y))
    before, after = (at[0] + at[turn]) / 2, (at[turn] + at[-1]) / 2
    early, late = abs(float(y[0] - y[turn])), abs(float(y[-1] - y[turn]))
    k = 20 / max(float(np.ptp(at)), 1e-9)
    if shape == "u":
        c, rise, fall, at_rise, at_fall = float(y[turn]), late, early, after, before
    else:
        c, rise, fall, at_rise, at_fall = float(y[turn]) - early - late, early, late, before, after
    sign = direction(axis)
    return c, rise, float(sign * at_rise), k, fall, float(sign * at_fall), k


def u_shaped(variable: str = "flops", response: str = "score", axis: Kind | None = None) -> Law:
    """Return the law of a score that falls before it rises.

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None: a loss falls.

    Returns
    -------
    Law
        With parameters c, rise, x_rise, k_rise, fall, x_fall, k_fall; without an inverse, since
        two scales have one score.

    Examples
    --------
    >>> u_shaped().names
    ('c', 'rise', 'x_rise', 'k_rise', 'fall', 'x_fall', 'k_fall')
    """
    return _law("u", axis_of(variable, axis), response)


def inverted_u_shaped(
    variable: str = "flops", response: str = "score", axis: Kind | None = None
) -> Law:
    """Return the law of a score that rises before it falls.

    Parameters
    ----------
    variable, response, axis : str
        As in `u_shaped`.

    Returns
    -------
    Law
        The formula of `u_shaped`, begun with the rise before the fall.
    """
    return _law("inverted_u", axis_of(variable, axis), response)


def _law(shape: Shape, where: Axis, response: str) -> Law:
    # A search seldom crosses from one order of the two logistics to the other, so starts decide.
    apart = direction(where.kind) * (1.0 if where.is_log else 0.25)
    apart = apart if shape == "u" else -apart
    names = ("c", "rise", "x_rise", "k_rise", "fall", "x_fall", "k_fall")
    arguments = (where.variable, *names)
    up, down = (
        f"{height} / (1 + exp({sign}k_{height} ({where.past(f'x_{height}')})))"
        for height, sign in (("rise", "-"), ("fall", ""))
    )
    return Law(
        name=f"{shape}_shaped_in_{where.variable}",
        variables=(where.variable,),
        response=response,
        parameters=(
            Parameter("c", start=0.2, level=True),
            Parameter("rise", start=0.5, lower=0.0, upper=10.0),
            Parameter("x_rise", start=where.start + apart, unit=where.unit),
            Parameter("k_rise", start=4.0, lower=0.0, upper=1e4, scale="log"),
            Parameter("fall", start=0.3, lower=0.0, upper=10.0),
            Parameter("x_fall", start=where.start - apart, unit=where.unit),
            Parameter("k_fall", start=4.0, lower=0.0, upper=1e4, scale="log"),
        ),
        function=Formula(two_logistics, arguments, where.options),
        gradient=Formula(two_logistics_gradient, arguments, where.options),
        reference="derived; for the curves of Wei et al. 2022, 'Inverse scaling can become "
        "U-shaped' (from memory)",
        formula=f"{response} = c + {up} + {down}",
        guess=Formula(
            two_logistics_guess,
            ("response", where.variable),
            (("shape", shape), *where.options),
        ),
    )
