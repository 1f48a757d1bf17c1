"""Broken power laws: one slope after another in log-log, joined smoothly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.special import expit

from emergekit.laws.formula import Formula, bisected, require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["broken_power_law"]

_DECADES = 300.0
_ROUNDS = 3
_WIDTHS = (0.03, 0.1, 0.3, 1.0)
_FLOORS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def broken_power(x: Array, a: Array, b: Array, c0: Array, *breaks: Array) -> Array:
    r"""Return a response whose slope in log-log changes at each break.

    .. math:: y = a + b\,x^{-c_0} \prod_i \left(1 + (x / d_i)^{1 / f_i}\right)^{-c_i f_i}

    Parameters
    ----------
    x : array
        Scale, a count.
    a : array
        Limit at large x, where the last slope falls; units of the response.
    b : array
        Coefficient; a + b at x = 1 where breaks are far.
    c0 : array
        Exponent before the first break.
    *breaks : array
        For each break its change of exponent c_i, its place d_i (in units of x), and its width f_i
        (in units of log x; at 0 the corner is sharp).

    Returns
    -------
    array
        In units of a.

    References
    ----------
    Caballero et al. 2022, equation 1.
    """
    return a + np.exp(_log_reducible(np.log(x), b, c0, breaks))


def broken_power_gradient(
    x: Array, a: Array, b: Array, c0: Array, *breaks: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `broken_power` by a, b, c0, and each c_i, d_i, f_i."""
    log_x = np.log(x)
    reducible = np.exp(_log_reducible(log_x, b, c0, breaks))
    parts = [np.ones_like(reducible), reducible / b, -reducible * log_x]
    for c, d, f in _triples(breaks):
        z = (log_x - np.log(d)) / f
        passed = np.logaddexp(0.0, z)
        parts += [
            -reducible * f * passed,
            reducible * c * expit(z) / d,
            reducible * c * (z * expit(z) - passed),
        ]
    return tuple(parts)


def broken_power_scale(
    along: str,
    response: Array,
    x: Array,
    a: Array,
    b: Array,
    c0: Array,
    *breaks: Array,
    variable: str,
) -> Array:
    """Return the scale at which `broken_power` gives the response, by bisection.

    Counts; inf where no scale does. A law that turns gives a response at several scales, of which
    one comes back, and may give none although some exist.
    """
    require_variable(along, (variable,), "broken power law")
    left = np.asarray(response - a)
    with np.errstate(all="ignore"):
        target = np.log(np.where(left > 0, left, np.nan))
        edge = np.zeros(np.broadcast_shapes(target.shape, np.shape(b))) + np.log(10.0) * _DECADES
        found = bisected(lambda log_x: _log_reducible(log_x, b, c0, breaks) - target, -edge, edge)
        return np.where(np.isnan(found), np.inf, np.exp(found))


def broken_power_guess(response: Array, x: Array, *, n_breaks: int) -> tuple[float, ...]:
    """Return the best of a grid of limits and breaks, the rest by least squares in log-log.

    Given a, d and f, the logarithm of y - a is linear in log b and the exponents. Breaks are added
    one after another, each at the best place and width for those already there, and then moved in
    turn while the others stay.
    """
    good = (response > 0) & (x > 0)
    response, x = response[good], x[good]
    if len(np.unique(x)) < 3:
        return (np.nan,) * (3 + 3 * n_breaks)
    log_x = np.log(x)
    places = np.linspace(log_x.min(), log_x.max(), 2 * len(x) + 1)[1:-1]
    grid = np.array(list(product(places, _WIDTHS)))
    corners = -grid[:, 1] * np.logaddexp(0.0, (log_x[:, None] - grid[:, 0]) / grid[:, 1])
    plain = np.column_stack([np.ones_like(log_x), -log_x])
    tried = []
    for share in _FLOORS:
        a = share * float(response.min())
        y = np.log(response - a)
        chosen = _chosen(plain, corners, y, n_breaks)
        design = np.column_stack([plain, corners[:, chosen]])
        log_b, c0, *c = np.linalg.lstsq(design, y, rcond=1e-10)[0].tolist()
        tried.append((a, float(np.exp(log_b)), c0, *_joined(c, grid[chosen])))
    return min(tried, key=lambda params: _miss(response, x, params))


def _chosen(plain: Array, corners: Array, y: Array, n_breaks: int) -> list[int]:
    """Return which corners explain most of y beside the plain columns, chosen one by one."""
    chosen: list[int] = []
    for turn in range(n_breaks * (1 + _ROUNDS)):
        if turn >= n_breaks:
            chosen.pop(0)
        basis, _ = np.linalg.qr(np.column_stack([plain, corners[:, chosen]]))
        new = corners - basis @ (basis.T @ corners)
        size, whole = (new**2).sum(axis=0), (corners**2).sum(axis=0)
        gain = (new.T @ (y - basis @ (basis.T @ y))) ** 2
        known = size > 1e-12 * whole  # a corner that the others already make explains nothing
        chosen.append(int(np.argmax(np.where(known, gain / np.where(known, size, 1.0), 0.0))))
    return chosen


def _log_reducible(log_x: Array, b: Array, c0: Array, breaks: tuple[Array, ...]) -> Array:
    # In logarithms (x/d)^(1/f) overflows nowhere, however sharp the break.
    value = np.log(b) - c0 * log_x
    for c, d, f in _triples(breaks):
        value = value - c * f * np.logaddexp(0.0, (log_x - np.log(d)) / f)
    return value


def _triples(breaks: tuple[Array, ...]) -> Iterator[tuple[Array, Array, Array]]:
    return zip(breaks[::3], breaks[1::3], breaks[2::3], strict=True)


def _joined(c: list[float], breaks: Array) -> list[float]:
    """Return c_i, d_i, f_i in turn, breaks at rising places."""
    order = sorted(zip(breaks.tolist(), c, strict=True))
    return [float(part) for (log_d, f), change in order for part in (change, np.exp(log_d), f)]


def _miss(response: Array, x: Array, params: tuple[float, ...]) -> float:
    rest = np.log(broken_power(x, *(np.asarray(value) for value in params))) - np.log(response)
    return float(rest @ rest)


def broken_power_law(n_breaks: int = 1, variable: str = "n_tokens", response: str = "loss") -> Law:
    """Return the broken power law (BNSL) with so many breaks.

    Parameters
    ----------
    n_breaks : int
        Breaks, 0 or more; without any it is the power law with offset.
    variable, response : str
        Columns.

    Returns
    -------
    Law
        With parameters a, b, c0, and c1, d1, f1 and so on. `Law.started_at` finds starts, without
        which a search seldom finds the breaks.

    Raises
    ------
    ValueError
        If `n_breaks` is no whole number of 0 or more.

    Examples
    --------
    >>> broken_power_law(2).names
    ('a', 'b', 'c0', 'c1', 'd1', 'f1', 'c2', 'd2', 'f2')
    """
    if isinstance(n_breaks, bool) or not isinstance(n_breaks, int) or n_breaks < 0:
        raise ValueError(f"n_breaks must be a whole number of 0 or more; it is {n_breaks}.")
    parameters = [
        Parameter("a", start=0.5, lower=0.0),
        Parameter("b", start=10.0, lower=0.0, scale="log"),
        Parameter("c0", start=0.1, lower=-10.0, upper=10.0),
    ]
    factors = ""
    for i in range(1, n_breaks + 1):
        parameters += [
            Parameter(f"c{i}", start=0.1, lower=-50.0, upper=50.0),
            Parameter(f"d{i}", start=10.0 ** (6 + 2 * i), lower=0.0, scale="log", unit=variable),
            Parameter(f"f{i}", start=0.3, lower=1e-4, upper=20.0, scale="log"),
        ]
        factors += f" (1 + ({variable} / d{i})^(1 / f{i}))^(-c{i} f{i})"
    arguments = (variable, *(parameter.name for parameter in parameters))
    return Law(
        name=f"broken{n_breaks}_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=tuple(parameters),
        function=Formula(broken_power, arguments),
        gradient=Formula(broken_power_gradient, arguments),
        inverse=Formula(
            broken_power_scale, ("along", "response", *arguments), (("variable", variable),)
        ),
        objective="least_squares_log",
        reference="Caballero et al. 2022, eq. 1",
        formula=f"{response} = a + b {variable}^(-c0){factors}",
        guess=Formula(broken_power_guess, ("response", variable), (("n_breaks", n_breaks),)),
    )
