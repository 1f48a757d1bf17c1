"""Starts for laws that no line gives: the best of a grid of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emergekit.laws.axis import Axis, place
from emergekit.laws.formula import Formula
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["best_starts", "rise_starts", "rising_law"]

_MOST_ROWS = 200
_RIVALS = 4


def best_starts(
    function: Callable[..., Array], grids: Sequence[Array], response: Array, x: Array
) -> tuple[Array, ...]:
    """Return the parameters of least squares on a grid, the best of each first parameter's stretch.

    Parameters
    ----------
    function : callable
        ``function(x, *parameters)``.
    grids : sequence of array
        Values of each parameter; the first is that with many minima, such as a place.
    response, x : array
        Rows; of very many, as many as a guess needs are looked at.

    Returns
    -------
    tuple of array
        One array a parameter, of rivals, the best first.
    """
    if len(x) > _MOST_ROWS:
        chosen = np.argsort(x, kind="stable")
        chosen = chosen[np.linspace(0, len(x) - 1, _MOST_ROWS).astype(int)]
        x, response = x[chosen], response[chosen]
    points = np.stack([part.ravel() for part in np.meshgrid(*grids, indexing="ij")])
    missed = ((function(x, *points[:, :, None]) - response) ** 2).sum(axis=-1)
    missed = np.where(np.isfinite(missed), missed, np.inf)
    stretches = np.array_split(np.arange(points.shape[1]), _RIVALS)
    best = [part[missed[part].argmin()] for part in stretches if len(part)]
    best.sort(key=missed.__getitem__)
    return tuple(points[:, best])


def rise_starts(
    function: Callable[..., Array],
    response: Array,
    x: Array,
    places: tuple[float, float, int],
    others: Sequence[Array],
    options: tuple[tuple[str, Any], ...],
) -> tuple[Array, ...]:
    """Return the best starts of a rise by its place, its slope, and whatever else it has.

    Parameters
    ----------
    function : callable
        ``function(x, place, slope, ..., **options)``.
    response, x : array
        Rows.
    places : (float, float, int)
        How far before the first row and past the last a place may be, as shares of their span, and
        how many are tried.
    others : sequence of array
        Values of the slope, per span, then of each other parameter.
    options : tuple of (str, value)
        Keywords of the function, ``axis`` among them.

    Returns
    -------
    tuple of array
        As `best_starts`.
    """
    at = place(x, dict(options)["axis"])
    span = max(float(np.ptp(at)), 1e-9)
    before, past, number = places
    where = np.linspace(at.min() - before * span, at.max() + past * span, number)
    slopes, *rest = others
    grids = (where, slopes / span, *rest)
    return best_starts(Formula(function, ("x",), options), grids, response, x)


def rising_law(
    form: str,
    where: Axis,
    response: str,
    chance: float,
    parameters: tuple[Parameter, ...],
    parts: tuple[Callable[..., Any], ...],
    rise: str,
    reference: str,
    options: tuple[tuple[str, Any], ...] = (),
) -> Law:
    """Return a law of a score that rises from chance to 1 along an axis.

    Parameters
    ----------
    form : str
        Name, without the variable.
    where : Axis
        The variable and how it counts.
    response : str
        Column.
    chance : float
        Score of guessing, from 0 to below 1.
    parameters : tuple of Parameter
        In the order of the formula.
    parts : (function, gradient, inverse, guess)
        At module level, each with the keywords ``axis`` and ``chance`` and the options.
    rise : str
        The formula of the rise from 0 to 1, as text.
    reference : str
        Paper and equation.
    options : tuple of (str, value)
        Further keywords of the parts.

    Raises
    ------
    ValueError
        If chance is out of range.
    """
    if not 0 <= chance < 1:
        raise ValueError(f"chance must be a share from 0 to below 1; it is {chance:g}.")
    function, gradient, inverse, guess = parts
    known = (*where.options, ("chance", chance), *options)
    arguments = (where.variable, *(parameter.name for parameter in parameters))
    formula = rise if chance == 0 else f"{chance:g} + {1 - chance:g} {rise}"
    return Law(
        name=f"{form}_in_{where.variable}",
        variables=(where.variable,),
        response=response,
        parameters=parameters,
        function=Formula(function, arguments, known),
        gradient=Formula(gradient, arguments, known),
        inverse=Formula(
            inverse, ("along", "response", *arguments), (("variable", where.variable), *known)
        ),
        reference=reference,
        formula=f"{response} = {formula}",
        guess=Formula(guess, ("response", where.variable), known),
    )
