"""A law some of whose parameters are read from the rows instead of being searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emergekit.laws import Formula, Law

__all__ = ["holding"]


def holding(law: Law, names: tuple[str, ...]) -> Law:
    """Return the law with these parameters as variables, the last ones.

    A batch of problems can then hold each at its own value, row by row if need be: the chance level
    of a task, or the values that a profile goes through.

    Examples
    --------
    >>> from emergekit import laws
    >>> at_chance = holding(laws.hinge(), ("c",))
    >>> at_chance.variables, at_chance.names
    (('loss', 'c'), ('b', 'eta'))
    """
    if not names:
        return law
    left = tuple(place for place, name in enumerate(law.names) if name not in names)
    variables, parameters = (*law.variables, *names), tuple(law.parameters[i] for i in left)
    arguments = (*variables, *(parameter.name for parameter in parameters))
    places = tuple(arguments.index(name) for name in (*law.variables, *law.names))
    options = (("places", places), ("left", left))
    return replace(
        law,
        variables=variables,
        parameters=parameters,
        function=Formula(_value, arguments, (("function", law.function), *options[:1])),
        gradient=Formula(_gradient, arguments, (("gradient", law.gradient), *options)),
        inverse=None,
        guess=None
        if law.guess is None
        else Formula(
            _guess,
            ("response", *variables),
            (("guess", law.guess), ("n_variables", len(law.variables)), options[1]),
        ),
    )


def _value(*arguments: Any, function: Callable[..., Any], places: tuple[int, ...]) -> Any:
    return function(*(arguments[place] for place in places))


def _gradient(
    *arguments: Any,
    gradient: Callable[..., tuple[Any, ...]],
    places: tuple[int, ...],
    left: tuple[int, ...],
) -> tuple[Any, ...]:
    parts = gradient(*(arguments[place] for place in places))
    return tuple(parts[place] for place in left)


def _guess(
    *rows: Any, guess: Callable[..., tuple[Any, ...]], n_variables: int, left: tuple[int, ...]
) -> tuple[Any, ...]:
    parts = guess(*rows[: 1 + n_variables])
    return tuple(parts[place] for place in left)
