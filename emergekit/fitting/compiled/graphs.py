"""Array operations as a graph in which nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["Graph", "Node", "Schedule", "Untraceable"]

Array = NDArray[np.float64]

_MOST_NODES = 5000
"""A law of more operations is an algorithm, whose second derivatives cost more than they save."""


class Untraceable(TypeError):
    """The code does something to its arrays that a graph has no word for."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operation on arrays, or a variable, a parameter or a number.

    Parameters
    ----------
    operation : str
        "variable", "parameter", "number", or what is done to the operands.
    operands : tuple of Node
        Empty for the first three.
    value : float
        The number, or the place of the variable or the parameter.
    by_row, by_parameter : bool
        Whether it changes from row to row, and with the parameters.
    """

    operation: str
    operands: tuple[Node, ...] = ()
    value: float = 0.0
    by_row: bool = False
    by_parameter: bool = False

    def is_number(self, value: float | None = None) -> bool:
        """Return whether it is a number, and that one if it is given."""
        return self.operation == "number" and (value is None or self.value == value)


class Graph:
    """Makes nodes, the same one for the same operation, and leaves out what changes nothing.

    0 times anything is 0 here, even where NumPy says NaN.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Node] = {}

    def _leaf(self, operation: str, value: float) -> Node:
        by_row, by_parameter = operation == "variable", operation == "parameter"
        node = Node(operation, (), value, by_row, by_parameter)
        return self._known.setdefault((operation, repr(value)), node)

    def variable(self, place: int) -> Node:
        """Return the variable at that place."""
        return self._leaf("variable", float(place))

    def parameter(self, place: int) -> Node:
        """Return the parameter at that place."""
        return self._leaf("parameter", float(place))

    def number(self, value: float) -> Node:
        """Return a number."""
        return self._leaf("number", value)

    def apply(self, operation: str, *operands: Node) -> Node:
        """Return the node of an operation, computed if its operands are numbers."""
        if all(operand.is_number() for operand in operands):
            with np.errstate(all="ignore"):
                return self.number(float(OPERATIONS[operation](*(o.value for o in operands))))
        if len(self._known) > _MOST_NODES:
            raise Untraceable(f"it takes more than {_MOST_NODES} operations")
        node = Node(
            operation,
            operands,
            by_row=any(operand.by_row for operand in operands),
            by_parameter=any(operand.by_parameter for operand in operands),
        )
        # Nodes live as long as their graph, so no two of them share an id.
        return self._known.setdefault((operation, *map(id, operands)), node)

    def add(self, a: Node, b: Node) -> Node:
        """Return a + b."""
        if a.is_number(0):
            return b
        return a if b.is_number(0) else self.apply("add", a, b)

    def subtract(self, a: Node, b: Node) -> Node:
        """Return a - b."""
        if b.is_number(0):
            return a
        return self.negative(b) if a.is_number(0) else self.apply("subtract", a, b)

    def multiply(self, a: Node, b: Node) -> Node:
        """Return a b."""
        if b.is_number():
            a, b = b, a
        if a.is_number(0) or b.is_number(1):
            return a
        if a.is_number(1):
            return b
        if a.is_number(-1):
            return self.negative(b)
        return self.apply("multiply", a, b)

    def divide(self, a: Node, b: Node) -> Node:
        """Return a / b."""
        return a if a.is_number(0) or b.is_number(1) else self.apply("divide", a, b)

    def negative(self, a: Node) -> Node:
        """Return -a."""
        return a.operands[0] if a.operation == "negative" else self.apply("negative", a)

    def exp(self, a: Node) -> Node:
        """Return the exponential."""
        return self.apply("exp", a)

    def log(self, a: Node) -> Node:
        """Return the logarithm."""
        return a.operands[0] if a.operation == "exp" else self.apply("log", a)

    def power(self, a: Node, b: Node) -> Node:
        """Return a^b."""
        if b.is_number(1):
            return a
        if b.is_number(0):
            return self.number(1.0)
        if b.is_number(2):
            return self.multiply(a, a)
        if a.by_row and not a.by_parameter and b.by_parameter:
            # The logarithm of a column is taken once for all parameters.
            return self.exp(self.multiply(b, self.log(a)))
        return self.apply("power", a, b)

    def where(self, condition: Node, a: Node, b: Node) -> Node:
        """Return a where the condition holds, elsewhere b."""
        if condition.is_number():
            return b if condition.value == 0 else a
        return a if a is b else self.apply("where", condition, a, b)


class Schedule:
    """Nodes in the order in which NumPy can compute them, each array let go after its last use."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        order: dict[Node, None] = {}
        for node in nodes:
            _enter(node, order)
        seen = set(nodes)
        self._nodes = tuple(nodes)
        self._steps: list[tuple[Node, tuple[Node, ...]]] = []
        for node in reversed(order):
            freed = tuple({operand for operand in node.operands if operand not in seen})
            seen.update(node.operands)
            self._steps.append((node, freed))
        self._steps.reverse()

    def run(self, variables: Sequence[Array], parameters: Sequence[Array] = ()) -> list[Array]:
        """Return the value of each node; arrays broadcast."""
        found: dict[Node, Any] = {}
        leaves = {"variable": variables, "parameter": parameters}
        for node, freed in self._steps:
            if node.operation in leaves:
                found[node] = leaves[node.operation][int(node.value)]
            elif node.is_number():
                found[node] = node.value
            else:
                operands = (found[operand] for operand in node.operands)
                found[node] = OPERATIONS[node.operation](*operands)
            for operand in freed:
                del found[operand]
        return [np.asarray(found[node], dtype=float) for node in self._nodes]


def _enter(node: Node, order: dict[Node, None]) -> None:
    if node not in order:
        for operand in node.operands:
            _enter(operand, order)
        order[node] = None


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": np.negative,
    "power": np.power,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "absolute": np.absolute,
    "expit": expit,
    "logaddexp": np.logaddexp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "less": np.less,
    "less_equal": np.less_equal,
    "where": np.where,
}
"""What the operations are called, and what they are in NumPy."""
