"""A law, its gradient and its second derivatives as one list of operations on registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.compiled.expansion import Expansion
from emergekit.fitting.compiled.graphs import Graph, Node, Schedule

__all__ = ["Code", "Program", "program_of"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


class Code(IntEnum):
    """What a step does; with SCALAR in its name, to one row register and one scalar."""

    FILL = 0
    ADD = 1
    ADD_SCALAR = 2
    SUBTRACT = 3
    FROM_SCALAR = 4
    MULTIPLY = 5
    MULTIPLY_SCALAR = 6
    DIVIDE = 7
    DIVIDE_SCALAR = 8
    POWER = 9
    EXP = 10
    LOG = 11
    LOG1P = 12
    EXPM1 = 13
    SQRT = 14
    ABSOLUTE = 15
    EXPIT = 16
    LOGADDEXP = 17
    MAXIMUM = 18
    MINIMUM = 19
    LESS = 20
    LESS_EQUAL = 21
    WHERE = 22


@dataclass(frozen=True)
class Program:
    """Steps that give a law's values, then its first, then its second derivatives.

    Parameters
    ----------
    columns : Schedule
        What depends on the variables alone: computed once, not at each step of a search.
    column_registers : array of int, shape (n_columns,)
        The row registers that hold them.
    scalars : array, shape (n_scalars,)
        First the parameters, then numbers, and room for what scalar steps compute.
    scalar_steps, row_steps : array of int, shape (n_steps, 5)
        Code, target, and up to three operands.
    ends : array of int, shape (4,)
        Row steps before the first, and after which values, first and second derivatives are there.
    value : int
        Row register of the law's values.
    slopes : array of int, shape (n_free,)
        Row registers of the derivatives by the free parameters.
    bends : array of int, shape (n_bends, 3)
        Two places among the free parameters, the first not below the second, and the row register
        of the derivative by both, for those that are not 0.
    n_registers : int
        Row registers.
    """

    columns: Schedule
    column_registers: Codes
    scalars: Array
    scalar_steps: Codes
    row_steps: Codes
    ends: Codes
    value: int
    slopes: Codes
    bends: Codes
    n_registers: int

    def computed_columns(self, variables: list[Array]) -> Array:
        """Return the columns for rows of shape (n,) or (B, n), shape (..., n_columns, n)."""
        shape = np.broadcast_shapes(*(variable.shape for variable in variables))
        with np.errstate(all="ignore"):
            columns = self.columns.run(variables)
        found = np.empty((*shape[:-1], len(columns), shape[-1]))
        for place, column in enumerate(columns):
            found[..., place, :] = column
        return found


def program_of(expansion: Expansion) -> Program:
    """Return the steps that compute an expansion."""
    parameters = [expansion.graph.parameter(place) for place in range(expansion.n_parameters)]
    writer = _Writer(expansion.graph, parameters)
    value, ends = writer.row(expansion.value), [0, len(writer.row_steps)]
    slopes = [writer.row(slope) for slope in expansion.slopes]
    ends.append(len(writer.row_steps))
    bends = [(*places, writer.row(node)) for places, node in expansion.bends.items()]
    ends.append(len(writer.row_steps))
    return Program(
        columns=Schedule(list(writer.columns)),
        column_registers=_codes(writer.columns.values()),
        scalars=np.array(writer.scalars),
        scalar_steps=_codes(writer.scalar_steps, 5),
        row_steps=_codes(writer.row_steps, 5),
        ends=_codes(ends),
        value=value,
        slopes=_codes(slopes),
        bends=_codes(bends, 3),
        n_registers=writer.n_registers,
    )


def _codes(values: Any, width: int | None = None) -> Codes:
    array = np.array(list(values), dtype=np.int64)
    return array if width is None else array.reshape(-1, width)


@dataclass
class _Writer:
    """Gives every node a register, and writes down the step that fills it."""

    graph: Graph
    parameters: list[Node]
    columns: dict[Node, int] = field(default_factory=dict)
    scalars: list[float] = field(default_factory=list)
    scalar_steps: list[tuple[int, ...]] = field(default_factory=list)
    row_steps: list[tuple[int, ...]] = field(default_factory=list)
    n_registers: int = 0
    _rows: dict[Node, int] = field(default_factory=dict)
    _places: dict[Node, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for parameter in self.parameters:
            self._new_scalar(parameter, 0.0)

    def row(self, node: Node) -> int:
        """Return the row register of a node."""
        if node not in self._rows:
            if node.by_row and node.by_parameter:
                code, operands = self._step(node)
                self._rows[node] = self._write(code, operands)
            elif node.by_row:
                self._rows[node] = self.columns[node] = self._new_register()
            else:
                self._rows[node] = self._write(Code.FILL, (self.scalar(node),))
        return self._rows[node]

    def scalar(self, node: Node) -> int:
        """Return the place of a node that is the same for all rows."""
        if node in self._places:
            return self._places[node]
        if node.is_number():
            return self._new_scalar(node, node.value)
        if node.operation == "negative":
            operands = [self.scalar(self.graph.number(0.0)), self.scalar(node.operands[0])]
            code = Code.SUBTRACT
        else:
            operands = [self.scalar(operand) for operand in node.operands]
            code = Code[node.operation.upper()]
        place = self._new_scalar(node, 0.0)
        self.scalar_steps.append(_padded(code, place, operands))
        return place

    def _step(self, node: Node) -> tuple[Code, tuple[int, ...]]:
        """Return the code and the operands of a node; one scalar is read, not spread out."""
        graph, operation = self.graph, node.operation
        if operation == "negative":
            minus = self.scalar(graph.number(-1.0))
            return Code.MULTIPLY_SCALAR, (self.row(node.operands[0]), minus)
        if operation in ("add", "subtract", "multiply", "divide"):
            a, b = node.operands
            if not b.by_row:
                if operation == "subtract":
                    operation, b = "add", graph.negative(b)
                if operation == "divide":
                    operation, b = "multiply", graph.divide(graph.number(1.0), b)
                return Code[f"{operation.upper()}_SCALAR"], (self.row(a), self.scalar(b))
            if not a.by_row:
                if operation == "subtract":
                    return Code.FROM_SCALAR, (self.row(b), self.scalar(a))
                return Code[f"{operation.upper()}_SCALAR"], (self.row(b), self.scalar(a))
        return Code[operation.upper()], tuple(self.row(operand) for operand in node.operands)

    def _write(self, code: Code, operands: tuple[int, ...]) -> int:
        register = self._new_register()
        self.row_steps.append(_padded(code, register, operands))
        return register

    def _new_register(self) -> int:
        self.n_registers += 1
        return self.n_registers - 1

    def _new_scalar(self, node: Node, value: float) -> int:
        self._places[node] = len(self.scalars)
        self.scalars.append(value)
        return self._places[node]


def _padded(code: Code, target: int, operands: Any) -> tuple[int, ...]:
    return (int(code), target, *operands, 0, 0, 0)[:5]
