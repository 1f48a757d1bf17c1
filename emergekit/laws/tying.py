"""Laws two of whose parameters are one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emergekit.errors import unknown
from emergekit.laws.formula import Formula
from emergekit.laws.law import Law

__all__ = ["tied"]


def tied(law: Law, pairs: Mapping[str, str]) -> Law:
    """Return the law with some parameters equal to others.

    Parameters
    ----------
    law : Law
        The form.
    pairs : mapping
        From each parameter that goes to the one that it equals: ``{"beta": "alpha"}``.

    Returns
    -------
    Law
        Without the parameters that went; `fit` searches the others.

    Raises
    ------
    ValueError
        If a parameter is unknown, or goes itself while another equals it.

    Examples
    --------
    >>> from emergekit.laws import CHINCHILLA
    >>> tied(CHINCHILLA, {"beta": "alpha"}).names
    ('E', 'A', 'B', 'alpha')
    """
    if not pairs or any(one == other for one, other in pairs.items()):
        raise ValueError(
            f"pairs must name parameters of {law.name} that equal others, such as "
            f"{{'{law.names[-1]}': '{law.names[0]}'}}; it is {dict(pairs)}."
        )
    for name in (*pairs, *pairs.values()):
        if name not in law.names:
            raise ValueError(unknown(f"parameter of {law.name}", name, law.names))
    gone = [name for name in pairs.values() if name in pairs]
    if gone:
        raise ValueError(
            f"'{gone[0]}' equals another parameter of {law.name} and cannot stand for a third; tie "
            f"both to '{pairs[gone[0]]}'."
        )
    parameters = tuple(p for p in law.parameters if p.name not in pairs)
    arguments = (*law.variables, *(p.name for p in parameters))
    whole = [pairs.get(name, name) for name in (*law.variables, *law.names)]
    places = tuple(arguments.index(name) for name in whole)
    sums = tuple(
        tuple(i for i, name in enumerate(law.names) if pairs.get(name, name) == p.name)
        for p in parameters
    )
    ties = ", ".join(f"{one} = {other}" for one, other in pairs.items())
    return replace(
        law,
        name=f"{law.name}_{'_'.join(f'{one}_is_{other}' for one, other in pairs.items())}",
        parameters=parameters,
        function=Formula(_value, arguments, (("function", law.function), ("places", places))),
        gradient=Formula(
            _gradient, arguments, (("gradient", law.gradient), ("places", places), ("sums", sums))
        ),
        inverse=None
        if law.inverse is None
        else Formula(
            _inverse,
            ("along", "response", *arguments),
            (("inverse", law.inverse), ("places", places)),
        ),
        guess=None
        if law.guess is None
        else Formula(_guess, ("response", *law.variables), (("guess", law.guess), ("sums", sums))),
        formula=f"{law.formula}, {ties}" if law.formula else "",
    )


def _value(*arguments: Any, function: Callable[..., Any], places: tuple[int, ...]) -> Any:
    return function(*(arguments[place] for place in places))


def _gradient(
    *arguments: Any,
    gradient: Callable[..., tuple[Any, ...]],
    places: tuple[int, ...],
    sums: tuple[tuple[int, ...], ...],
) -> tuple[Any, ...]:
    parts = gradient(*(arguments[place] for place in places))
    return tuple(sum(parts[place] for place in group) for group in sums)


def _inverse(
    along: str,
    response: Any,
    *arguments: Any,
    inverse: Callable[..., Any],
    places: tuple[int, ...],
) -> Any:
    return inverse(along, response, *(arguments[place] for place in places))


def _guess(
    *rows: Any, guess: Callable[..., tuple[Any, ...]], sums: tuple[tuple[int, ...], ...]
) -> tuple[Any, ...]:
    parts = guess(*rows)
    return tuple(parts[group[0]] for group in sums)
