"""Derivatives of array operations, as more of them."""

from __future__ import annotations

from collections.abc import Callable

from emergekit.fitting.compiled.graphs import Graph, Node

__all__ = ["derivative"]

Parts = tuple[Node, ...]


def derivative(graph: Graph, node: Node, by: Node, known: dict[Node, Node] | None = None) -> Node:
    """Return the derivative of a node by a parameter, by the chain rule.

    At a corner, as of a maximum, that of one side; 0 of a step.

    Examples
    --------
    >>> graph = Graph()
    >>> x, a = graph.variable(0), graph.parameter(0)
    >>> derivative(graph, graph.multiply(a, x), a) is x
    True
    """
    known = {} if known is None else known
    if node not in known:
        known[node] = _derivative(graph, node, by, known)
    return known[node]


def _derivative(graph: Graph, node: Node, by: Node, known: dict[Node, Node]) -> Node:
    if node is by:
        return graph.number(1.0)
    if not node.by_parameter or not node.operands:
        return graph.number(0.0)
    inner = tuple(derivative(graph, operand, by, known) for operand in node.operands)
    if all(part.is_number(0) for part in inner):
        return graph.number(0.0)
    return _RULES[node.operation](graph, node, node.operands, inner)


def _add(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.add(*inner)


def _subtract(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.subtract(*inner)


def _multiply(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    (a, b), (da, db) = operands, inner
    return graph.add(graph.multiply(da, b), graph.multiply(a, db))


def _divide(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    (_, b), (da, db) = operands, inner
    return graph.divide(graph.subtract(da, graph.multiply(node, db)), b)


def _negative(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.negative(inner[0])


def _power(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    (a, b), (da, db) = operands, inner
    by_exponent = graph.multiply(graph.multiply(node, graph.log(a)), db)
    by_base = graph.multiply(graph.multiply(b, graph.divide(node, a)), da)
    if db.is_number(0):
        return by_base
    return by_exponent if da.is_number(0) else graph.add(by_base, by_exponent)


def _exp(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.multiply(node, inner[0])


def _log(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.divide(inner[0], operands[0])


def _log1p(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.divide(inner[0], graph.add(graph.number(1.0), operands[0]))


def _expm1(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.multiply(graph.add(node, graph.number(1.0)), inner[0])


def _sqrt(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.divide(inner[0], graph.multiply(graph.number(2.0), node))


def _absolute(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    below = graph.apply("less", operands[0], graph.number(0.0))
    return graph.where(below, graph.negative(inner[0]), inner[0])


def _expit(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    # 1 - expit(x) would lose its digits where x is large.
    rest = graph.apply("expit", graph.negative(operands[0]))
    return graph.multiply(graph.multiply(node, rest), inner[0])


def _logaddexp(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    a, b = operands
    share = graph.apply("expit", graph.subtract(a, b))
    rest = graph.apply("expit", graph.subtract(b, a))
    return graph.add(graph.multiply(share, inner[0]), graph.multiply(rest, inner[1]))


def _maximum(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.where(graph.apply("less", *operands), inner[1], inner[0])


def _minimum(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.where(graph.apply("less", *operands), inner[0], inner[1])


def _step(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.number(0.0)


def _where(graph: Graph, node: Node, operands: Parts, inner: Parts) -> Node:
    return graph.where(operands[0], inner[1], inner[2])


_RULES: dict[str, Callable[[Graph, Node, Parts, Parts], Node]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "power": _power,
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "expm1": _expm1,
    "sqrt": _sqrt,
    "absolute": _absolute,
    "expit": _expit,
    "logaddexp": _logaddexp,
    "maximum": _maximum,
    "minimum": _minimum,
    "less": _step,
    "less_equal": _step,
    "where": _where,
}
