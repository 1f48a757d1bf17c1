"""The law of one right answer among exponentially many wrong ones."""

from __future__ import annotations

import numpy as np

from emergekit.laws.axis import Kind, ahead, axis_of, direction, variable_at
from emergekit.laws.formula import require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.searching import rise_starts, rising_law

__all__ = ["random_energy_law"]

_LOG_FAR = np.log(1e12)


def random_energy(
    x: Array, x0: Array, k: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> Array:
    r"""Return how often the right one of very many answers scores best.

    .. math:: s = c + (1 - c) \exp\left(-\ln 2\, e^{-k u}\right)

    The largest of many Gaussian scores has a Gumbel distribution, whose place and width are x0 and
    1/k; derived as the limit of `random_energy_success` about its threshold.

    Parameters
    ----------
    x, x0, k : array
        Variable, place of the score one half, and slope there but for ln(2) / 2.
    axis, chance
        As in `composition`.

    Returns
    -------
    array
        Between chance and 1.

    References
    ----------
    Derrida 1981 for the picture; Gompertz's curve by its other name.
    """
    failing = np.log(2) * np.exp(np.minimum(-k * ahead(x, x0, axis), _LOG_FAR))
    return np.asarray(chance + (1 - chance) * np.exp(-failing))


def random_energy_gradient(
    x: Array, x0: Array, k: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the derivatives of `random_energy` by x0 and k."""
    u = ahead(x, x0, axis)
    failing = np.log(2) * np.exp(np.minimum(-k * u, _LOG_FAR))
    steep = (1 - chance) * failing * np.exp(-failing)
    return -direction(axis) * k * steep, u * steep


def random_energy_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    k: Array,
    *,
    variable: str,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `random_energy` gives the response."""
    require_variable(along, (variable,), "random_energy")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)
        return variable_at(-np.log(-np.log2(share)) / k, x0, axis)


def random_energy_guess(
    response: Array, x: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the best of a grid of places and slopes."""
    slopes = np.array([1.0, 2, 5, 10, 20, 40, 80])
    options = (("axis", axis), ("chance", chance))
    return rise_starts(random_energy, response, x, (0.3, 0.3, 41), (slopes,), options)


def random_energy_law(
    variable: str = "flops", response: str = "score", axis: Kind | None = None, chance: float = 0.0
) -> Law:
    """Return the law of one right answer among exponentially many.

    Parameters
    ----------
    variable, response, axis, chance
        As in `composition_law`.

    Returns
    -------
    Law
        With parameters x0, where half of the rise is done, and k.

    Raises
    ------
    ValueError
        If chance is out of range.

    Examples
    --------
    >>> random_energy_law("loss").formula
    'score = exp(-ln(2) exp(-k (x0 - loss)))'
    """
    where = axis_of(variable, axis)
    rise = f"exp(-ln(2) exp(-k ({where.past('x0')})))"
    parameters = (
        where.place("x0"),
        Parameter("k", start=2.0, lower=1e-3, upper=1e4, scale="log", unit=where.slope_unit),
    )
    parts = (random_energy, random_energy_gradient, random_energy_place, random_energy_guess)
    reference = "Derrida 1981 (from memory); derived"
    return rising_law("random_energy", where, response, chance, parameters, parts, rise, reference)
