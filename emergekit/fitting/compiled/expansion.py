"""A law's values and derivatives up to the second, as graphs of array operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from emergekit.fitting.compiled.derivatives import derivative
from emergekit.fitting.compiled.graphs import Graph, Node, Schedule, Untraceable
from emergekit.fitting.compiled.tracing import traced
from emergekit.laws import Law
from emergekit.laws.complex_step import ComplexStep

__all__ = ["Expansion", "expansion_of", "why_not_expanded"]


@dataclass(frozen=True, eq=False)
class Expansion:
    """What is known of a law, by its free parameters.

    Parameters
    ----------
    graph : Graph
        That of all nodes.
    n_parameters : int
        Of the law, free or not.
    value : Node
        Its function.
    slopes : tuple of Node
        The derivatives by the free parameters: the law's own gradient if it has one.
    bends : mapping
        The derivatives of these, where they are not 0, by the places of two free parameters, the
        first not below the second.
    """

    graph: Graph
    n_parameters: int
    value: Node
    slopes: tuple[Node, ...]
    bends: dict[tuple[int, int], Node]

    @cached_property
    def bending(self) -> Schedule:
        """Return how NumPy computes the second derivatives."""
        return Schedule(list(self.bends.values()))


def expansion_of(law: Law, free: tuple[bool, ...]) -> Expansion | None:
    """Return the expansion by the free parameters, None if the law's code cannot be followed."""
    return _found(law, free)[0]


def why_not_expanded(law: Law) -> str | None:
    """Return what in the law's code cannot be followed, None if all can.

    Examples
    --------
    >>> from emergekit import laws
    >>> why_not_expanded(laws.CHINCHILLA)
    >>> why_not_expanded(laws.m4())
    'it calls any, which is not known'
    """
    return _found(law, (True,) * len(law.names))[1]


def _found(law: Law, free: tuple[bool, ...]) -> tuple[Expansion | None, str | None]:
    try:
        return _expanded(law.function, law.gradient, len(law.variables), free)
    except TypeError as error:
        return None, f"its functions cannot be remembered ({error})"


@lru_cache(maxsize=64)
def _expanded(
    function: Callable[..., Any],
    gradient: Callable[..., Any],
    n_variables: int,
    free: tuple[bool, ...],
) -> tuple[Expansion | None, str | None]:
    try:
        return _expansion(function, gradient, n_variables, free), None
    except Untraceable as error:
        return None, str(error)
    except RecursionError:
        return None, "its operations are nested too deep"


def _expansion(
    function: Callable[..., Any],
    gradient: Callable[..., Any],
    n_variables: int,
    free: tuple[bool, ...],
) -> Expansion:
    graph = Graph()
    value = traced(graph, function, n_variables, len(free))[0]
    places = [place for place, is_free in enumerate(free) if is_free]
    if isinstance(gradient, ComplexStep):  # complex numbers cannot be followed, nor need they be
        slopes = [derivative(graph, value, graph.parameter(place)) for place in places]
    else:
        parts = traced(graph, gradient, n_variables, len(free))
        slopes = [parts[place] for place in places]
    bends = {}
    for second, place in enumerate(places):
        known: dict[Node, Node] = {}
        for first in range(second, len(places)):
            node = derivative(graph, slopes[first], graph.parameter(place), known)
            if not node.is_number(0):
                bends[first, second] = node
    return Expansion(graph, len(free), value, tuple(slopes), bends)
