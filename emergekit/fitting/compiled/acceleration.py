"""What compiled code (extra `fast`) does for the solver, behind calls like those in NumPy."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.compiled.expansion import Expansion, why_not_expanded
from emergekit.fitting.compiled.programs import Program, program_of
from emergekit.fitting.objectives import objective as find_objective
from emergekit.fitting.solving.problem import Problem
from emergekit.laws import Law

__all__ = ["descend_compiled", "examined_compiled", "require_numba", "why_not_compiled"]

Array = NDArray[np.float64]

_RESIDUALS = {"raw": (False, 0.0), "log": (True, 0.0), "log1p": (True, 1.0)}
"""Kinds of residual that compiled code knows, as the first two fields of `Goal`."""


class Tape(NamedTuple):
    """The arrays of a `Program`, and which of its scalars are free parameters."""

    column_registers: Any
    scalars: Any
    scalar_steps: Any
    row_steps: Any
    ends: Any
    value: int
    slopes: Any
    bends: Any
    n_registers: int
    free: Any


class Data(NamedTuple):
    """Rows of the problems; a first axis of length 1 is shared.

    Parameters
    ----------
    columns : array, shape (B, n_columns, n)
        What the law reads.
    target : array, shape (B, n)
        The response, or its logarithm.
    weights : array, shape (B, n)
        How much rows count.
    """

    columns: Any
    target: Any
    weights: Any


class Box(NamedTuple):
    """Bounds of the coordinates, which of them are logarithms, and which of these may vanish."""

    lower: Any
    upper: Any
    log: Any
    vanishing: Any


class Goal(NamedTuple):
    """Whether residuals are of logarithms, of what plus the response, and how much they count."""

    log: bool
    shift: float
    over: float
    under: float


def require_numba() -> None:
    """Raise a `ModuleNotFoundError` that names the extra where numba is absent."""
    if find_spec("numba") is None:
        raise ModuleNotFoundError(
            "compiled=True needs the extra 'fast': pip install 'emergekit[fast]'."
        )


def why_not_compiled(law: Law, objective: str | None = None) -> str | None:
    """Return why ``compiled=True`` searches a law in NumPy all the same, None if it does not.

    Parameters
    ----------
    law : Law
        The form.
    objective : str, optional
        As in `fit`.

    Examples
    --------
    >>> from emergekit import laws
    >>> why_not_compiled(laws.CHINCHILLA)
    >>> why_not_compiled(laws.m4())
    'the code of m4_in_n_tokens cannot be followed: it calls any, which is not known'
    """
    goal = find_objective(law.objective if objective is None else objective)
    if goal.residual not in _RESIDUALS:
        return f"residuals of the objective {goal.name} are not among those that are compiled"
    reason = why_not_expanded(law)
    return None if reason is None else f"the code of {law.name} cannot be followed: {reason}"


def descend_compiled(
    problem: Problem, starts: Array, deltas: Array, most_steps: int
) -> tuple[Array, NDArray[np.bool_]] | None:
    """Return what `descend` does, or None where the compiled code does not know how."""
    arguments = _arguments(problem)
    if arguments is None:
        return None
    ends, rested = np.empty(starts.shape), np.empty(len(starts), dtype=bool)
    starts, deltas = _own(starts), _own(deltas)
    _descent().descend_each(*arguments, starts, deltas, most_steps, ends, rested)
    return ends, rested


def examined_compiled(problem: Problem, z: Array) -> tuple[Array, Array, Array] | None:
    """Return what a certificate is made of, or None where the compiled code does not know how.

    Returns
    -------
    relative : array, shape (B, p)
        Gradient over the spread of its rows' parts, of each coordinate.
    metric, curvature : array, shape (B, p, p)
        As in `neighbourhood.Model`.
    """
    delta = problem.objective.delta
    arguments = None if delta == 0 else _arguments(problem)
    if arguments is None:
        return None
    square = (*z.shape, z.shape[1])
    relative, metric, curvature = np.empty(z.shape), np.empty(square), np.empty(square)
    _sums().examine_each(*arguments, _own(z), float(delta), relative, metric, curvature)
    return relative, metric, curvature


def _arguments(problem: Problem) -> tuple[Any, ...] | None:
    """Return the problem as compiled functions take it, None where they do not know it."""
    expansion, goal, where = problem.expansion, problem.objective, problem.coordinates
    if expansion is None or goal.residual not in _RESIDUALS:
        return None
    program = _program(expansion)
    columns = program.computed_columns([problem.columns[x] for x in problem.law.variables])
    if not np.isfinite(columns).all():
        return None
    tape = Tape(
        program.column_registers,
        _scalars(program, problem),
        program.scalar_steps,
        program.row_steps,
        program.ends,
        program.value,
        program.slopes,
        program.bends,
        program.n_registers,
        np.flatnonzero(where.free),
    )
    data = Data(
        columns if columns.ndim == 3 else columns[None],
        _own(goal.transform(problem.observed)),
        _own(problem.weights),
    )
    box = Box(where.lower, where.upper, where.log, where.vanishing)
    return tape, data, box, Goal(*_RESIDUALS[goal.residual], goal.over, goal.under)


def _own(array: Array) -> Array:
    """Return a copy, of two dimensions: code is compiled anew for views and read-only arrays."""
    return np.array(array, dtype=float, order="C", ndmin=2)


@lru_cache(maxsize=64)
def _program(expansion: Expansion) -> Program:
    return program_of(expansion)


def _scalars(program: Program, problem: Problem) -> Array:
    """Return the scalars with the parameters that are held."""
    scalars = program.scalars.copy()
    for place, name in enumerate(problem.law.names):
        scalars[place] = problem.coordinates.fixed.get(name, 0.0)
    return scalars


@cache
def _descent() -> ModuleType:
    from emergekit.fitting.compiled import descents

    return descents


@cache
def _sums() -> ModuleType:
    from emergekit.fitting.compiled import sums

    return sums
