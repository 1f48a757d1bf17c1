"""Rises from a level past a threshold: the formulas of the hinges."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from emergekit.laws.axis import Kind, ahead, direction, variable_at
from emergekit.laws.formula import require_variable
from emergekit.laws.law import Array

__all__ = [
    "power_ramp",
    "power_ramp_gradient",
    "power_ramp_place",
    "ramp",
    "ramp_gradient",
    "ramp_place",
    "soft_ramp",
    "soft_ramp_gradient",
    "soft_ramp_place",
]


def power_ramp(
    x: Array, c: Array, b: Array, eta: Array, q: Array, *, axis: Kind = "falling"
) -> Array:
    r"""Return a level up to a threshold, and a power of the distance past it.

    .. math:: y = c + b\,\max(0, u)^{q}

    Parameters
    ----------
    x : array
        Loss, count or score; u is its distance past the threshold (see `Axis`): eta - L for a loss.
    c : array
        Level before the threshold, often chance.
    b : array
        Rise at a distance of 1, a nat or a decade.
    eta : array
        Threshold: a loss, or log10 of a count.
    q : array
        Power: 1 is the hinge, less leaves the level at right angles.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        In units of c.

    References
    ----------
    The alternatives to a smooth curve in spec/loss_and_transitions.md, section 1, for the threshold
    of Du et al. 2024, NP(L) = 0 where L >= eta; they publish no form beyond it.
    """
    return c + b * np.maximum(ahead(x, eta, axis), 0.0) ** q


def power_ramp_gradient(
    x: Array, c: Array, b: Array, eta: Array, q: Array, *, axis: Kind = "falling"
) -> tuple[Array, ...]:
    """Return the derivatives of `power_ramp` by c, b, eta and q; 0 by the last three before eta."""
    u = ahead(x, eta, axis)
    past = u > 0
    log_u = np.log(np.where(past, u, 1.0))
    by_b = np.where(past, np.exp(q * log_u), 0.0)
    by_u = np.where(past, b * q * np.exp((q - 1) * log_u), 0.0)
    return np.ones_like(by_b), by_b, -direction(axis) * by_u, b * by_b * log_u


def power_ramp_place(
    along: str,
    response: Array,
    x: Array,
    c: Array,
    b: Array,
    eta: Array,
    q: Array,
    *,
    variable: str,
    axis: Kind = "falling",
) -> Array:
    """Return the value of the variable at which `power_ramp` gives the response.

    The threshold at the level itself; NaN on its other side, where no value does.
    """
    require_variable(along, (variable,), "hinge")
    with np.errstate(all="ignore"):  # no rise reaches no response
        share = (response - c) / b
        u = np.where(share >= 0, np.abs(share) ** np.divide(1.0, q), np.nan)
    return variable_at(u, eta, axis)


def ramp(x: Array, c: Array, b: Array, eta: Array, *, axis: Kind = "falling") -> Array:
    r"""Return a level up to a threshold, and a line past it.

    .. math:: y = c + b\,\max(0, u)

    Parameters
    ----------
    x, c, b, eta : array
        As in `power_ramp`; b is the slope, per nat or per decade.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        In units of c.
    """
    return power_ramp(x, c, b, eta, np.ones(()), axis=axis)


def ramp_gradient(
    x: Array, c: Array, b: Array, eta: Array, *, axis: Kind = "falling"
) -> tuple[Array, ...]:
    """Return the derivatives of `ramp` by c, b and eta."""
    return power_ramp_gradient(x, c, b, eta, np.ones(()), axis=axis)[:3]


def ramp_place(
    along: str,
    response: Array,
    x: Array,
    c: Array,
    b: Array,
    eta: Array,
    *,
    variable: str,
    axis: Kind = "falling",
) -> Array:
    """Return the value of the variable at which `ramp` gives the response."""
    one = np.ones(())
    return power_ramp_place(along, response, x, c, b, eta, one, variable=variable, axis=axis)


def soft_ramp(
    x: Array, c: Array, b: Array, eta: Array, w: Array, *, axis: Kind = "falling"
) -> Array:
    r"""Return a hinge whose corner is rounded over a width.

    .. math:: y = c + b\,w \log(1 + e^{u / w})

    Parameters
    ----------
    x, c, b, eta : array
        As in `ramp`.
    w : array
        Width of the corner, nats or decades; the hinge as it goes to 0.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.

    Returns
    -------
    array
        In units of c.
    """
    return c + b * w * np.logaddexp(0.0, ahead(x, eta, axis) / w)


def soft_ramp_gradient(
    x: Array, c: Array, b: Array, eta: Array, w: Array, *, axis: Kind = "falling"
) -> tuple[Array, ...]:
    """Return the derivatives of `soft_ramp` by c, b, eta and w."""
    z = ahead(x, eta, axis) / w
    soft, past = np.logaddexp(0.0, z), expit(z)
    return np.ones_like(z * c), w * soft, -direction(axis) * b * past, b * (soft - z * past)


def soft_ramp_place(
    along: str,
    response: Array,
    x: Array,
    c: Array,
    b: Array,
    eta: Array,
    w: Array,
    *,
    variable: str,
    axis: Kind = "falling",
) -> Array:
    """Return the value of the variable at which `soft_ramp` gives the response.

    The far end of the axis at the level itself; NaN on its other side, where no value does.
    """
    require_variable(along, (variable,), "softplus hinge")
    with np.errstate(all="ignore"):
        soft = (response - c) / (b * w)
        u = w * (soft + np.log(-np.expm1(-soft)))  # softplus undone without exp(soft)
    return variable_at(u, eta, axis)
