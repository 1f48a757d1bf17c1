"""Searches in stages: through ever narrower zones, on while that helps, and onto bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.fitting.solving.absolute import sharpened, spread
from emergekit.fitting.solving.certificate import gradient_norm
from emergekit.fitting.solving.descent import descend
from emergekit.fitting.solving.problem import Problem

__all__ = [
    "CONVERGED",
    "GRADUATION",
    "MANY_STEPS",
    "NEAR",
    "NO_WORSE",
    "descended",
    "rested",
    "settled",
]

Array = NDArray[np.float64]

GRADUATION = (100.0, 10.0, 3.0, 1.0)
"""Multiples of delta in turn: a wide Huber zone finds the valley, the last one its floor."""
NEAR = (3.0, 1.0)
"""The same where the search begins in the valley."""
NO_WORSE = 1e-9
"""Relative difference of values that is left to rounding and to where a search stops."""
CONVERGED = 1e-4
"""Gradient, over the spread of its rows' parts, that counts as none."""
MANY_STEPS = 40
"""Steps for each width of the penalty, on average."""
_NARROWING = (3.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Widths in turn, in units of the spread of the residuals, on the way to absolute deviations."""
_ROUNDS = 10
"""Searches of an end that has not converged; curved valleys of laws with breaks are long."""


def descended(
    problem: Problem, z: Array, graduation: tuple[float, ...], most_steps: int = MANY_STEPS
) -> Array:
    """Return the minima that ever narrower Huber zones lead to, NaN where there is no way."""
    delta = problem.objective.delta
    if delta > 0:
        # The last stage alone takes second derivatives, which cost most and help near the end only.
        stages = [np.inf] * 2 if np.isinf(delta) else [factor * delta for factor in graduation]
        return descend(problem, z, np.tile(stages, (len(z), 1)), most_steps)[0]
    if graduation == GRADUATION:
        z, _ = descend(problem, z, np.full((len(z), 1), np.inf))
    begun = np.all(np.isfinite(z), axis=1)
    ends = np.full(z.shape, np.nan)
    if begun.any():
        part = problem.take(begun)
        widths = spread(part, z[begun])[:, None] * np.array(_NARROWING)
        ends[begun] = sharpened(part, descend(part, z[begun], widths)[0], widths[:, -1])
    return ends


def rested(problem: Problem, z: Array, most_rounds: int = _ROUNDS) -> Array:
    """Return the minima that were still on their way, searched on while that helps."""
    for _ in range(most_rounds):
        tired = ~(gradient_norm(problem, z) < CONVERGED)
        if not tired.any():
            break
        part = problem.take(tired)
        ends = descended(part, z[tired], NEAR[-1:])
        better = part.value(ends) < part.value(z[tired]) * (1 - NO_WORSE)
        if not better.any():
            break
        z = z.copy()
        z[np.flatnonzero(tired)[better]] = ends[better]
    return z


def settled(problem: Problem, z: Array) -> Array:
    """Return the minima with what ends near a bound put on it where that is no worse."""
    for _ in range(z.shape[1]):
        pressed = problem.pressed(z)
        moved = np.any(pressed != z, axis=1) & np.all(np.isfinite(z), axis=1)
        if not moved.any():
            break
        part = problem.take(moved)
        ends = descended(part, pressed[moved], NEAR)
        better = part.value(ends) <= part.value(z[moved]) * (1 + NO_WORSE)
        if not better.any():
            break
        z = z.copy()
        z[np.flatnonzero(moved)[better]] = ends[better]
    return z
