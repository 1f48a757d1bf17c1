"""Gadre's law of an error rate: exponential in the loss."""

from __future__ import annotations

import numpy as np

from emergekit.laws.axis import Kind, ahead, axis_of, direction, variable_at
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line

__all__ = ["exponential"]


def decay(x: Array, eps: Array, k: Array, gamma: Array, *, axis: Kind = "falling") -> Array:
    r"""Return an error that falls ever faster from a level as the loss falls.

    .. math:: \mathrm{Err}(L) = \epsilon - k\,e^{-\gamma L}

    Along decades of a count, log10 x stands for -L.

    Parameters
    ----------
    x : array
        Loss, nats per token, or a count.
    eps : array
        Error where the loss is high.
    k, gamma : array
        Coefficient, in units of the response, and rate, per nat or per decade.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        Below eps.

    References
    ----------
    Gadre et al. 2024, equation 5 (number from memory; the form is that of their code).
    """
    return eps - np.exp(np.log(k) + gamma * ahead(x, np.zeros(()), axis))


def decay_gradient(
    x: Array, eps: Array, k: Array, gamma: Array, *, axis: Kind = "falling"
) -> tuple[Array, ...]:
    """Return the derivatives of `decay` by eps, k and gamma."""
    at = ahead(x, np.zeros(()), axis)
    by_k = np.exp(gamma * at)
    return np.ones_like(by_k), -by_k, -k * by_k * at


def decay_place(
    along: str,
    response: Array,
    x: Array,
    eps: Array,
    k: Array,
    gamma: Array,
    *,
    variable: str,
    axis: Kind = "falling",
) -> Array:
    """Return the value of the variable at which `decay` gives the response.

    From eps on the far end of the axis: inf for a loss, 0 for a count.
    """
    require_variable(along, (variable,), "exponential")
    with np.errstate(all="ignore"):
        u = np.log(np.maximum(eps - response, 0.0) / k) / gamma
    return variable_at(u, np.zeros(()), axis)


def decay_guess(response: Array, x: Array, *, axis: Kind = "falling") -> tuple[float, ...]:
    """Return the best of 40 levels, the rest by a line through the logarithms below it."""
    at = ahead(x, np.zeros(()), axis)
    span, tried = float(np.ptp(response)), []
    for eps in response.max() + span * np.geomspace(0.01, 3.0, 40):
        log_k, gamma = line(at, np.log(eps - response))
        miss = eps - np.exp(log_k + gamma * at) - response
        tried.append((float(miss @ miss), float(eps), float(np.exp(log_k)), float(gamma)))
    return min(tried)[1:]


def exponential(variable: str = "loss", response: str = "error", axis: Kind | None = None) -> Law:
    """Return Gadre's law of an error rate, Err = eps - k exp(-gamma L).

    Parameters
    ----------
    variable, response : str
        Columns; the response is an error, 1 - score.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None: a loss falls.

    Returns
    -------
    Law
        With parameters eps, k, gamma.

    Examples
    --------
    >>> exponential().formula, exponential("flops").formula
    ('error = eps - k exp(-gamma loss)', 'error = eps - k exp(gamma log10(flops))')
    """
    where = axis_of(variable, axis)
    gamma = 1.0
    at = f"log10({variable})" if where.is_log else variable
    exponent = f"{'-' if where.falls else ''}gamma {at}"
    usual = float(np.exp(-gamma * direction(where.kind) * where.start))
    arguments = (variable, "eps", "k", "gamma")
    return Law(
        name=f"exponential_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("eps", start=0.8, level=True),
            Parameter("k", start=0.3 * usual, lower=0.0, scale="log"),
            Parameter("gamma", start=gamma, lower=0.0, upper=100.0, scale="log"),
        ),
        function=Formula(decay, arguments, where.options),
        gradient=Formula(decay_gradient, arguments, where.options),
        inverse=Formula(
            decay_place,
            ("along", "response", *arguments),
            (("variable", variable), *where.options),
        ),
        reference="Gadre et al. 2024, eq. 5 (number from memory)",
        formula=f"{response} = eps - k exp({exponent})",
        guess=Formula(decay_guess, ("response", variable), where.options),
    )
