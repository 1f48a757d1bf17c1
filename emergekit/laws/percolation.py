"""The law of skills that join up: chance up to a corner, then a continuous rise.

The giant component of a random graph solves an equation that has it on both sides; one step of
Newton's method carries its root over to derivatives.

References
----------
Nayak & Varshney 2024, arXiv 2410.01243, section 5.
"""

from __future__ import annotations

import numpy as np
from scipy.special import lambertw

from emergekit.laws.axis import Kind, ahead, axis_of, direction, power_of_ten, variable_at
from emergekit.laws.formula import require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.searching import rise_starts, rising_law

__all__ = ["giant_component_law"]


def giant(
    x: Array, x0: Array, b: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> Array:
    r"""Return how often n skills all lie in the giant component of their graph.

    .. math:: \gamma = 1 - e^{-a \gamma}, \qquad a = 10^{b u}, \qquad s = \gamma^n

    Parameters
    ----------
    x : array
        Variable; u is its distance past x0.
    x0 : array
        Where skills have one neighbour on average, and the component appears.
    b : array
        Power by which the mean degree grows with the variable.
    n : array
        Skills that a task needs.
    axis, chance
        As in `composition_law`.

    Returns
    -------
    array
        Chance up to x0, then a continuous rise.

    References
    ----------
    Nayak & Varshney 2024, section 5; Lubana et al. 2024 for percolation as emergence.
    """
    a = power_of_ten(b * ahead(x, x0, axis))
    share = giant_share(np.real(a))
    above = share > 0
    started = np.where(above, share, 0.5)
    root = started - (started - 1 + np.exp(-a * started)) / (1 - a * np.exp(-a * started))
    power = np.exp(n * np.log(np.where(above, root, 0.5)))
    return chance + (1 - chance) * np.where(above, power, 0.0)


def giant_gradient(
    x: Array, x0: Array, b: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the derivatives of `giant` by x0, b and n, 0 up to the threshold."""
    a = power_of_ten(b * ahead(x, x0, axis))
    share = giant_share(a)
    above = share > 0
    inside = np.where(above, share, 0.5)
    degree = np.where(above, a, 1.0)
    outside = np.exp(-degree * inside)
    power = (1 - chance) * np.where(above, np.exp(n * np.log(inside)), 0.0)
    by_a = n * power / inside * inside * outside / (1 - degree * outside)
    by_decades = by_a * degree * np.log(10)
    u = ahead(x, x0, axis)
    return -direction(axis) * b * by_decades, u * by_decades, power * np.log(inside)


def giant_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    b: Array,
    n: Array,
    *,
    variable: str,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `giant` gives the response."""
    require_variable(along, (variable,), "giant_component")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0) ** (1 / n)
        degree = np.where(share > 0, -np.log1p(-share) / share, 1.0)
        return variable_at(np.log10(degree) / b, x0, axis)


def giant_guess(
    response: Array, x: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the best of a grid of thresholds, powers and numbers of skills."""
    powers, skills = np.array([0.5, 1, 2, 4, 8]), np.array([1.0, 2, 4, 8])
    options = (("axis", axis), ("chance", chance))
    return rise_starts(giant, response, x, (0.3, 0.0, 60), (powers, skills), options)


def giant_share(a: Array) -> Array:
    """Return the giant component's share of a graph of mean degree a, real numbers."""
    above = a > 1 + 1e-7
    degree = np.where(above, np.minimum(a, 500.0), 2.0)
    return np.where(above, 1 + lambertw(-degree * np.exp(-degree)).real / degree, 0.0)


def giant_component_law(
    variable: str = "n_params",
    response: str = "score",
    axis: Kind | None = None,
    chance: float = 0.0,
) -> Law:
    """Return the law of skills that join up: chance up to a corner, then a continuous rise.

    Parameters
    ----------
    variable, response, axis, chance
        As in `composition_law`.

    Returns
    -------
    Law
        With parameters x0 (the corner), b (power of the mean degree) and n (skills per task).

    Raises
    ------
    ValueError
        If chance is out of range.

    Examples
    --------
    >>> giant_component_law().formula
    'score = g^n, g = 1 - exp(-a g), a = 10^(b (log10(n_params) - x0))'
    """
    where = axis_of(variable, axis)
    rise = f"g^n, g = 1 - exp(-a g), a = 10^(b ({where.past('x0')}))"
    parameters = (
        where.place("x0"),
        Parameter("b", start=0.5, lower=1e-2, upper=1e2, scale="log", unit=where.slope_unit),
        Parameter("n", start=2.0, lower=0.1, upper=1e2, scale="log", unit="skills"),
    )
    parts = (giant, giant_gradient, giant_place, giant_guess)
    reference = "Nayak & Varshney 2024, section 5"
    return rising_law(
        "giant_component", where, response, chance, parameters, parts, rise, reference
    )
