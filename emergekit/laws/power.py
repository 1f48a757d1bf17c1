"""Power laws of one variable, to zero or to a floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line

__all__ = ["m1", "m2", "offset_power_law", "power_law"]

_EXPONENTS = np.geomspace(0.01, 2.0, 80)
"""Exponents that a guess of a law with a floor tries."""
_FAINT_FLOOR = 1e-3
"""Share of the lowest response that stands for no floor, where no search by logarithms starts."""


def power(x: Array, b: Array, c: Array) -> Array:
    r"""Return a response that falls to zero.

    .. math:: y = b\,x^{-c}

    Parameters
    ----------
    x : array
        Scale, a count.
    b, c : array
        Coefficient, in units of the response at x = 1, and exponent.

    Returns
    -------
    array
        In units of b.

    References
    ----------
    Kaplan et al. 2020, equations 1.1 to 1.3 (from memory).
    """
    return b * x**-c


def power_gradient(x: Array, b: Array, c: Array) -> tuple[Array, ...]:
    """Return the derivatives of `power` by b and c."""
    by_b = x**-c
    return by_b, -b * by_b * np.log(x)


def power_scale(
    along: str, response: Array, x: Array, b: Array, c: Array, *, variable: str
) -> Array:
    """Return the scale at which `power` gives the response; inf where none does."""
    return offset_power_scale(along, response, x, np.zeros(()), b, c, variable=variable)


def power_guess(response: Array, x: Array) -> tuple[float, ...]:
    """Return b and c by a line through the logarithms."""
    good = (response > 0) & (x > 0)
    return _line(response[good], np.log(x[good]))[:2]


def offset_power(x: Array, E: Array, b: Array, c: Array) -> Array:
    r"""Return a response that falls to a floor.

    .. math:: y = E + b\,x^{-c}

    Parameters
    ----------
    x : array
        Scale, a count.
    E : array
        Floor, in units of the response.
    b, c : array
        Coefficient and exponent of what scale removes.

    Returns
    -------
    array
        In units of E.

    References
    ----------
    Henighan et al. 2020, equation 1.1 (from memory).
    """
    return E + b * x**-c


def offset_power_gradient(x: Array, E: Array, b: Array, c: Array) -> tuple[Array, ...]:
    """Return the derivatives of `offset_power` by E, b and c."""
    by_b, by_c = power_gradient(x, b, c)
    return np.ones_like(by_b), by_b, by_c


def offset_power_scale(
    along: str, response: Array, x: Array, E: Array, b: Array, c: Array, *, variable: str
) -> Array:
    """Return the scale at which `offset_power` gives the response.

    Counts; inf where no scale reaches it. `x` is not read.
    """
    require_variable(along, (variable,), "power law")
    left = np.asarray(response - E)
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every response or none
        scale = (b / np.where(left > 0, left, 1.0)) ** np.divide(1.0, c)
    return np.where(left > 0, scale, np.inf)


def offset_power_guess(response: Array, x: Array) -> tuple[float, ...]:
    """Return E, b and c, the best over a grid of exponents.

    Given c, the law is linear in E and b; squares of relative errors stand for those of logarithms.
    A floor may lie above the lowest row, where a line through the logarithm of y - E has no value.
    """
    good = (response > 0) & (x > 0)
    y, log_x = response[good], np.log(x[good])
    b, c, missed = _line(y, log_x)
    if not (len(y) and np.isfinite(missed)):
        return np.nan, b, c
    tried = [(missed, _FAINT_FLOOR * y.min(), b, c), *zip(*_above_floors(y, log_x), strict=True)]
    return tuple(float(part) for part in min(tried)[1:])


def _above_floors(y: Array, log_x: Array) -> tuple[Array, ...]:
    """Return misfit, E, b and c for each exponent of the grid, E and b by least squares."""
    middle = log_x.mean()  # powers of x itself may leave the range of floats
    falling = np.exp(-_EXPONENTS[:, None] * (log_x - middle))
    one, fall = 1 / y, falling / y
    ones, cross, squares = one @ one, fall @ one, (fall**2).sum(axis=-1)
    floor = (squares * one.sum() - cross * fall.sum(axis=-1)) / (ones * squares - cross**2)
    floor = np.fmax(floor, _FAINT_FLOOR * y.min())
    b = (fall.sum(axis=-1) - floor * cross) / squares
    missed = ((np.log(floor[:, None] + b[:, None] * falling) - np.log(y)) ** 2).sum(axis=-1)
    missed = np.where(np.isfinite(missed) & (b > 0), missed, np.inf)
    return missed, floor, b * np.exp(_EXPONENTS * middle), _EXPONENTS


def _line(y: Array, log_x: Array) -> tuple[float, float, float]:
    """Return b, c and the residuals (squared, summed, in logs) of the power law to zero."""
    log_b, slope = line(log_x, np.log(y))
    miss = log_b + slope * log_x - np.log(y)
    return float(np.exp(log_b)), -float(slope), float(miss @ miss)


def power_law(variable: str = "flops", response: str = "loss") -> Law:
    """Return the power law of a response in one variable, y = b x^-c.

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        With parameters b, c.

    Examples
    --------
    >>> law = power_law("n_params")
    >>> law.predict({"n_params": [1e8, 1e10]}, {"b": 10.0, "c": 0.1}).round(3)
    array([1.585, 1.   ])
    """
    arguments = (variable, "b", "c")
    return Law(
        name=f"power_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("b", start=10.0, lower=0.0, scale="log"),
            Parameter("c", start=0.05, lower=0.0, upper=2.0),
        ),
        function=Formula(power, arguments),
        gradient=Formula(power_gradient, arguments),
        inverse=Formula(power_scale, ("along", "response", *arguments), (("variable", variable),)),
        objective="huber_log",
        reference="Kaplan et al. 2020, eqs. 1.1-1.3 (from memory)",
        formula=f"{response} = b / {variable}^c",
        guess=Formula(power_guess, ("response", variable)),
    )


def offset_power_law(variable: str = "flops", response: str = "loss") -> Law:
    """Return the power law of a response in one variable down to a floor, y = E + b x^-c.

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        With parameters E, b, c.

    Examples
    --------
    >>> offset_power_law("n_tokens").formula
    'loss = E + b / n_tokens^c'
    """
    arguments = (variable, "E", "b", "c")
    return Law(
        name=f"offset_power_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("E", start=1.5, lower=0.0, scale="log"),
            Parameter("b", start=100.0, lower=0.0, scale="log"),
            Parameter("c", start=0.15, lower=0.0, upper=2.0),
        ),
        function=Formula(offset_power, arguments),
        gradient=Formula(offset_power_gradient, arguments),
        inverse=Formula(
            offset_power_scale, ("along", "response", *arguments), (("variable", variable),)
        ),
        objective="huber_log",
        reference="Henighan et al. 2020, eq. 1.1 (from memory)",
        formula=f"{response} = E + b / {variable}^c",
        guess=Formula(offset_power_guess, ("response", variable)),
    )


def m1(variable: str = "n_tokens", response: str = "loss") -> Law:
    """Return M1, the power law, y = beta x^-c (the paper writes -c as c).

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        `power_law` under the letters of its paper, beta and c.

    Examples
    --------
    >>> m1("n_examples", "error").formula
    'error = beta / n_examples^c'
    """
    arguments = (variable, "beta", "c")
    coefficient, exponent = power_law(variable, response).parameters
    return replace(
        power_law(variable, response),
        name=f"m1_in_{variable}",
        parameters=(replace(coefficient, name="beta"), exponent),
        function=Formula(power, arguments),
        gradient=Formula(power_gradient, arguments),
        inverse=Formula(power_scale, ("along", "response", *arguments), (("variable", variable),)),
        objective="least_squares_log",
        reference="Alabdulmohsin et al. 2022, section 2, M1",
        formula=f"{response} = beta / {variable}^c",
    )


def m2(variable: str = "n_tokens", response: str = "loss") -> Law:
    """Return M2, the power law with offset, y = eps_inf + beta x^-c.

    The paper fits log(y - eps_inf), whose least squares favour eps_inf = 0; here the residual is
    that of log y, so estimates differ from published ones (spec/scaling.md, section 2.5).

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        `offset_power_law` under the letters of its paper, eps_inf, beta and c.
    """
    arguments = (variable, "eps_inf", "beta", "c")
    floor, coefficient, exponent = offset_power_law(variable, response).parameters
    return replace(
        offset_power_law(variable, response),
        name=f"m2_in_{variable}",
        parameters=(
            replace(floor, name="eps_inf"),
            replace(coefficient, name="beta"),
            exponent,
        ),
        function=Formula(offset_power, arguments),
        gradient=Formula(offset_power_gradient, arguments),
        inverse=Formula(
            offset_power_scale, ("along", "response", *arguments), (("variable", variable),)
        ),
        objective="least_squares_log",
        reference="Alabdulmohsin et al. 2022, section 2, M2",
        formula=f"{response} = eps_inf + beta / {variable}^c",
    )
