"""What the rows do not tell: flat directions in words, and quantities that do not change along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.laws import Law, Parameter

__all__ = ["Flat", "flat_words", "listed"]

Array = NDArray[np.float64]

_NOTICED = 1e-6
"""Share of its parts by which a quantity may change along a flat direction and still be known."""
_PARALLEL = 1e-6


@dataclass(frozen=True)
class Flat:
    """Directions in which the parameters of a fit can move while no fitted value changes.

    Parameters
    ----------
    terms : tuple of str
        Parameters that move along them, and so are not identified.
    directions : DataFrame
        One row a direction, one column a parameter: derivatives of the parameters along it.
    cov : DataFrame
        Covariance of the parameters but for these directions. It holds for quantities that do not
        change along them; variances of single parameters that do are no variances.
    """

    terms: tuple[str, ...]
    directions: pd.DataFrame
    cov: pd.DataFrame

    def changes(self, slopes: Array) -> NDArray[np.bool_]:
        """Return which quantities change along a flat direction.

        Parameters
        ----------
        slopes : array, shape (n, p)
            Derivatives of n quantities by the parameters.
        """
        along = self.directions.to_numpy().T
        change, parts = np.abs(slopes @ along), np.abs(slopes) @ np.abs(along)
        changes: NDArray[np.bool_] = (change > _NOTICED * parts).any(axis=1)
        return changes


def flat_words(
    law: Law,
    columns: Mapping[str, Array],
    searched: Sequence[Parameter],
    moving: NDArray[np.bool_],
    flat: Array,
) -> str:
    """Return in words what is known of the parameters that are not identified.

    Parameters
    ----------
    law : Law
        The form.
    columns : mapping
        Its variables, each of shape (n,).
    searched : sequence of Parameter
        The free parameters.
    moving : array of bool, shape (p,)
        Which of them move along a flat direction.
    flat : array, shape (k, p)
        The directions, in the coordinates of the search.

    Examples
    --------
    >>> from emergekit import laws
    >>> law, size = laws.power_law("n_params"), np.full(4, 1e9)
    >>> direction = np.array([[np.log(1e9), 1.0]])
    >>> flat_words(law, {"n_params": size}, law.parameters, np.array([True, True]), direction)
    'only b * n_params^-c is known, as n_params is 1e+09 in every row'
    """
    names = [parameter.name for parameter in compress(searched, moving)]
    constant = {
        name: float(columns[name].flat[0])
        for name in law.variables
        if np.ptp(columns[name]) == 0 and np.isfinite(columns[name].flat[0])
    }
    terms, n_left = _terms(constant, list(compress(searched, moving)), flat[:, moving])
    said = f"of {listed(names)} only {len(terms) - n_left} combinations are known"
    if n_left == len(terms):
        said = f"{listed(names)} may have any value"
    elif n_left == 0:
        said = f"only {listed(terms)} {'is' if len(terms) == 1 else 'are'} known"
    elif n_left == len(terms) - 1:
        said = f"only one combination of {listed(terms)} is known"
    if len(flat) == 1 and len(names) > 1 and len(terms) == len(names):
        said = f"{listed(names)} can move together ({_moved(searched, moving, flat[0])})"
    where = [f"{name} is {value:g}" for name, value in constant.items()]
    return f"{said}, as {listed(where)} in every row" if where else said


def listed(words: Sequence[str]) -> str:
    """Return words as one reads them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _terms(
    constant: Mapping[str, float], parameters: Sequence[Parameter], flat: Array
) -> tuple[list[str], int]:
    """Return the terms that parameters make at constant scales, and the directions that are left.

    A coefficient and an exponent are one term A x^-alpha where x is the same in all rows.
    """
    places = {parameter.name: place for place, parameter in enumerate(parameters)}
    words, n_left = {name: name for name in places}, len(flat)
    pairs = [
        (one.name, other.name)
        for one, other in product(parameters, parameters)
        if one.scale == "log" and other.scale == "linear"
    ]
    scales = [(name, np.log(value)) for name, value in constant.items() if value > 0]
    for (coefficient, exponent), (variable, log_x) in product(pairs, scales):
        for sign, power in ((1.0, f"-{exponent}"), (-1.0, exponent)):
            direction = np.zeros(len(parameters))
            direction[[places[coefficient], places[exponent]]] = sign * log_x, 1.0
            unpaired = words.get(coefficient) == coefficient and exponent in words
            if unpaired and log_x != 0 and _spans(flat, direction):
                words[coefficient] = f"{coefficient} * {variable}^{power}"
                del words[exponent]
                n_left -= 1
    return list(words.values()), n_left


def _spans(flat: Array, direction: Array) -> bool:
    """Return whether a direction is made up of flat ones."""
    coefficients, *_ = np.linalg.lstsq(flat.T, direction, rcond=None)
    miss = np.linalg.norm(flat.T @ coefficients - direction)
    return bool(miss <= _PARALLEL * np.linalg.norm(direction))


def _moved(searched: Sequence[Parameter], moving: NDArray[np.bool_], direction: Array) -> str:
    """Return by how much each parameter moves, for a step that one would notice."""
    log = np.array([parameter.scale == "log" for parameter in searched])
    size = np.abs(direction) / np.where(log, np.log(2.0), 0.1)
    step = direction / size.max()
    step = step * np.sign(step[np.argmax(size)])
    parts = [
        f"{parameter.name} x {np.exp(way):.3g}"
        if parameter.scale == "log"
        else f"{parameter.name} {way:+.3g}"
        for parameter, way in compress(zip(searched, step, strict=True), moving)
    ]
    return ", ".join(parts)
