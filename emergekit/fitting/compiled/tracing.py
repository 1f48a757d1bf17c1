"""What a law's NumPy code computes, as a graph of array operations.

The code is called once with stand-ins for its arrays, which record what is done to them. What comes
out can be differentiated, and evaluated without Python. Options of a law are bound as it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy.special import expit

from emergekit.fitting.compiled.graphs import Graph, Node, Untraceable

__all__ = ["traced"]


class _Traced(NDArrayOperatorsMixin):
    """Stands for an array; NumPy hands it what it is asked to compute."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph, self.node = graph, node

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc not in _UFUNCS:
            raise Untraceable(f"it calls {ufunc.__name__} in a way that is not known")
        return self._recorded(_UFUNCS[ufunc], inputs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, inputs: Any, options: Any
    ) -> Any:
        if function not in _FUNCTIONS or options:
            raise Untraceable(f"it calls {function.__name__}, which is not known")
        return self._recorded(_FUNCTIONS[function], inputs)

    def _recorded(self, record: Callable[..., Node], inputs: tuple[Any, ...]) -> _Traced:
        return _Traced(self.graph, record(self.graph, *(_node(self.graph, x) for x in inputs)))

    def _refuse(self, *_: Any) -> Any:
        raise Untraceable("it looks at the values of its arrays")

    __bool__ = __float__ = __int__ = _refuse


def traced(
    graph: Graph, function: Callable[..., Any], n_variables: int, n_parameters: int
) -> list[Node]:
    """Return what a function of variables and parameters gives, one node for each output.

    Raises
    ------
    Untraceable
        If it cannot be followed.
    """
    arguments = [_Traced(graph, graph.variable(place)) for place in range(n_variables)]
    arguments += [_Traced(graph, graph.parameter(place)) for place in range(n_parameters)]
    try:
        with np.errstate(all="ignore"):
            found = function(*arguments)
        outputs = found if isinstance(found, tuple | list) else (found,)
        return [_node(graph, output) for output in outputs]
    except Untraceable:
        raise
    except Exception as error:  # somebody else's code, given what it does not expect
        raise Untraceable(f"it fails on arrays that only record ({error})") from error


def _node(graph: Graph, value: Any) -> Node:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()  # np.asarray wraps what it does not know
    if isinstance(value, _Traced):
        return value.node
    if isinstance(value, bool | int | float | np.generic):
        return graph.number(float(value))
    raise Untraceable(f"it holds a {type(value).__name__} of its own")


def _ones(graph: Graph, _: Node) -> Node:
    return graph.number(1.0)


def _zeros(graph: Graph, _: Node) -> Node:
    return graph.number(0.0)


def _log10(graph: Graph, x: Node) -> Node:
    return graph.multiply(graph.log(x), graph.number(1 / np.log(10.0)))


def _tanh(graph: Graph, x: Node) -> Node:
    two = graph.number(2.0)
    return graph.subtract(
        graph.multiply(two, graph.apply("expit", graph.multiply(two, x))), graph.number(1.0)
    )


def _square(graph: Graph, x: Node) -> Node:
    return graph.multiply(x, x)


def _reciprocal(graph: Graph, x: Node) -> Node:
    return graph.divide(graph.number(1.0), x)


def _greater(graph: Graph, a: Node, b: Node) -> Node:
    return graph.apply("less", b, a)


def _greater_equal(graph: Graph, a: Node, b: Node) -> Node:
    return graph.apply("less_equal", b, a)


def _plainly(operation: str) -> Callable[..., Node]:
    def record(graph: Graph, *operands: Node) -> Node:
        return graph.apply(operation, *operands)

    return record


_UFUNCS: dict[np.ufunc, Callable[..., Node]] = {
    np.add: Graph.add,
    np.subtract: Graph.subtract,
    np.multiply: Graph.multiply,
    np.divide: Graph.divide,
    np.negative: Graph.negative,
    np.power: Graph.power,
    np.exp: Graph.exp,
    np.log: Graph.log,
    np.log10: _log10,
    np.square: _square,
    np.reciprocal: _reciprocal,
    np.tanh: _tanh,
    np.greater: _greater,
    np.greater_equal: _greater_equal,
    expit: _plainly("expit"),
    **{
        ufunc: _plainly(ufunc.__name__)
        for ufunc in (
            np.less,
            np.less_equal,
            np.maximum,
            np.minimum,
            np.absolute,
            np.sqrt,
            np.log1p,
            np.expm1,
            np.logaddexp,
        )
    },
}
_FUNCTIONS: dict[Callable[..., Any], Callable[..., Node]] = {
    np.where: Graph.where,
    np.ones_like: _ones,
    np.zeros_like: _zeros,
}
