"""Find the parameters that minimise an objective, and show how sure the minimum is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from emergekit.fitting.coordinates import VANISHED
from emergekit.fitting.objectives import Objective

__all__ = ["Problem", "Solution", "solve"]

Array = NDArray[np.float64]

_GRADUATION = (100.0, 10.0, 3.0, 1.0)
"""Multiples of delta in turn: a wide Huber zone finds the valley, the last one its floor."""
_ON_BOUND = 1e-6
"""A coordinate z this near to its bound, in units of 1 + abs(z), sits on it."""
_FAINT = 0.02
"""A parameter on a log scale that moves no response by more than this share may have vanished."""
_AGREE = 1e-6
"""Minima whose values differ by less, relative, are one."""
_AWFUL = 1e100
"""Residual where the law has no value: worse than any other, and its square is finite."""
_ROUNDING = 1e-6
"""Residuals below this share of the response: the certificate sees rounding, not scatter."""


@dataclass(frozen=True)
class Problem:
    """A law on its rows, as functions of free coordinates z.

    Parameters
    ----------
    predict : callable
        z, shape (p,), to predictions, shape (n,).
    jacobian : callable
        z, shape (p,), to derivatives, shape (n, p).
    observed, weights : array, shape (n,)
        Responses, and how much each counts.
    objective : Objective
        What is minimised.
    lower, upper : array, shape (p,)
        Bounds of z.
    vanishing : array of bool, shape (p,)
        Which coordinates are logarithms of what may go to 0.
    """

    predict: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    observed: Array
    weights: Array
    objective: Objective
    lower: Array
    upper: Array
    vanishing: NDArray[np.bool_]

    @property
    def df_residual(self) -> int:
        """Rows less free parameters, whether these end on a bound or not."""
        return len(self.observed) - len(self.lower)

    def residuals(self, z: Array) -> Array:
        """Return the residuals, shape (n,)."""
        return self.objective.residuals(self.observed, self.predict(z))

    def design(self, z: Array) -> Array:
        """Return the derivatives of the residuals, shape (n, p)."""
        with np.errstate(all="ignore"):
            design: Array = self.objective.slope(self.predict(z))[:, None] * self.jacobian(z)
        return design

    def value(self, z: Array) -> float:
        """Return the weighted sum of penalties, inf where the law has no value."""
        with np.errstate(all="ignore"):
            total = self.weights @ self.objective.penalty(self.residuals(z))
        return float(total) if np.isfinite(total) else np.inf

    def gradient(self, z: Array) -> Array:
        """Return the gradient of `value`, shape (p,)."""
        score = self.objective.score(self.residuals(z))
        with np.errstate(all="ignore"):
            gradient: Array = (self.weights * score) @ self.design(z)
        return gradient

    def hessian(self, z: Array) -> Array:
        """Return the Hessian of `value`, shape (p, p), by central differences of the gradient."""
        steps = np.cbrt(np.finfo(float).eps) * np.maximum(np.abs(z), 1.0)
        with np.errstate(all="ignore"):
            columns = [
                (self.gradient(z + step) - self.gradient(z - step)) / (2 * size)
                for step, size in zip(np.diag(steps), steps, strict=True)
            ]
            hessian: Array = np.array(columns)
            symmetric: Array = (hessian + hessian.T) / 2
        return symmetric

    def on_bound(self, z: Array) -> NDArray[np.bool_]:
        """Return which coordinates sit on a bound, or have vanished, shape (p,)."""
        margin = _ON_BOUND * (1 + np.abs(z))
        vanished = self.vanishing & (z <= VANISHED)
        held: NDArray[np.bool_] = (z <= self.lower + margin) | (z >= self.upper - margin) | vanished
        return held

    def pressed(self, z: Array) -> Array:
        """Return z with what sits near a bound put on it, and what is faint put to 0."""
        margin = _ON_BOUND * (1 + np.abs(z))
        scale = self.objective.scale(self.observed)
        faint = (np.abs(self.design(z)) <= _FAINT * scale[:, None]).all(axis=0)
        z = np.where(self.vanishing & faint, VANISHED, z)
        z = np.where(z <= self.lower + margin, self.lower, z)
        return np.where(z >= self.upper - margin, self.upper, z)


@dataclass(frozen=True)
class Solution:
    """The best minimum that was found, with its certificate."""

    z: Array
    value: float
    gradient_norm: float
    converged: bool
    n_starts: int
    n_agree: int


def solve(problem: Problem, starts: list[Array]) -> Solution:
    """Return the lowest minimum over the starts.

    `n_agree` counts the starts that end within 1e-6 (relative) of the lowest value. `converged`
    says that the gradient, in units of the objective per standard step, has vanished.
    """
    ends = [end for start in starts if (end := _descend(problem, start)) is not None]
    if not ends:
        raise FloatingPointError("no start has a finite objective")
    ends.sort(key=problem.value)
    ends[0] = _settle(problem, ends[0])
    lowest = problem.value(ends[0])
    for place, end in enumerate(ends[1:], start=1):
        if _close(problem, end, lowest, 1e-2) and not _close(problem, end, lowest, _AGREE):
            ends[place] = _settle(problem, end)
    best = min(ends, key=problem.value)
    value = problem.value(best)
    norm = _gradient_norm(problem, best)
    return Solution(
        z=best,
        value=value,
        gradient_norm=norm,
        converged=norm < 1e-4,
        n_starts=len(starts),
        n_agree=sum(_close(problem, end, value, _AGREE) for end in ends),
    )


def _close(problem: Problem, z: Array, value: float, share: float) -> bool:
    """Return whether z is as good as `value`, up to that share of it or of the response."""
    exact = share * _ROUNDING * problem.objective.scale(problem.observed)
    exact_value = float(problem.weights @ problem.objective.penalty(exact))
    return bool(problem.value(z) <= value * (1 + share) + exact_value)


def _descend(problem: Problem, start: Array) -> Array | None:
    """Return where robust least squares leads from `start`, through ever narrower Huber zones.

    None where the law has no value at the start, or the search runs off to where it has none.
    """
    z = np.clip(start, problem.lower, problem.upper)
    if not np.isfinite(problem.value(z)):
        return None
    delta = problem.objective.delta
    stages = [np.inf] if np.isinf(delta) else [factor * delta for factor in _GRADUATION]
    try:
        for stage in stages:
            z = _least_squares(problem, z, stage)
    except (ValueError, np.linalg.LinAlgError):  # SciPy met infinite derivatives
        return None
    return z


def _least_squares(problem: Problem, z: Array, delta: float) -> Array:
    size = float(np.mean(problem.objective.scale(problem.observed)))
    # Raw responses come in any unit, but the tolerances of the search know only 1.
    unit = np.sqrt(problem.weights) / (size if size > 0 else 1.0)

    def residuals(at: Array) -> Array:
        part: Array = np.nan_to_num(
            unit * problem.residuals(at), nan=_AWFUL, posinf=_AWFUL, neginf=-_AWFUL
        )
        return part

    def jacobian(at: Array) -> Array:
        part: Array = np.nan_to_num(unit[:, None] * problem.design(at))
        return part

    with np.errstate(all="ignore"):
        end = least_squares(
            residuals,
            z,
            jac=jacobian,
            bounds=(problem.lower, problem.upper),
            x_scale="jac",
            max_nfev=200,
            loss="linear" if np.isinf(delta) else "huber",
            f_scale=1.0 if np.isinf(delta) else delta,
        )
    return np.asarray(end.x, dtype=float)


def _settle(problem: Problem, z: Array) -> Array:
    """Return the minimum near z, with what ends near a bound put on it if that is no worse."""
    z = _polish(problem, z)
    for _ in range(len(z)):
        pressed = problem.pressed(z)
        if np.array_equal(pressed, z):
            break
        pressed = _polish(problem, pressed)
        if not problem.value(pressed) <= problem.value(z) * (1 + 1e-9):
            break
        z = pressed
    return z


def _polish(problem: Problem, z: Array) -> Array:
    """Return the minimum near z by Newton steps in the coordinates that no bound holds."""
    free = ~problem.on_bound(z)
    value = problem.value(z)
    hessian = problem.hessian(z)[np.ix_(free, free)]
    if not (free.any() and 0 < value < np.inf and np.isfinite(hessian).all()):
        return z

    # Newton on an objective of 1, in units in which its curvature is one, or a tenth of the answer
    # would be out of reach: size coefficient and exponent are correlated 0.999 in these laws.
    curvature = np.abs(np.diag(hessian)) / value
    scales = 1 / np.sqrt(np.maximum(curvature, 1e-12 * max(curvature.max(), 1e-300)))
    scale = problem.weights * problem.objective.scale(problem.observed)
    rounding = scales * (scale @ np.abs(problem.design(z)[:, free])) * np.finfo(float).eps / value

    def at(step: Array) -> Array:
        full = z.copy()
        full[free] += scales * step
        return full

    def gradient(step: Array) -> Array:
        part: Array = np.nan_to_num(scales * problem.gradient(at(step))[free] / value)
        return part

    def curved(step: Array) -> Array:
        whole = problem.hessian(at(step))[np.ix_(free, free)]
        part: Array = np.nan_to_num(scales[:, None] * whole * scales / value)
        return part

    tolerance = 1e-10 + float(np.linalg.norm(np.nan_to_num(rounding)))
    with np.errstate(all="ignore"):
        end = minimize(
            lambda step: problem.value(at(step)) / value,
            np.zeros(free.sum()),
            jac=gradient,
            hess=curved,
            method="trust-exact",
            options={"gtol": tolerance, "maxiter": 100},
        )
    moved = np.clip(at(end.x), problem.lower, problem.upper)
    return moved if problem.value(moved) <= value else z


def _gradient_norm(problem: Problem, z: Array) -> float:
    """Return the gradient over the spread of its rows' parts: 0 at a minimum, scale-free.

    Rows of exact data have no spread but rounding, which the floor under it stands for.
    """
    free = ~problem.on_bound(z)
    design = problem.weights[:, None] * problem.design(z)[:, free]
    parts = problem.objective.score(problem.residuals(z))[:, None] * design
    scale = problem.objective.scale(problem.observed)
    rounding = 1e-3 * problem.objective.score(1e3 * _ROUNDING * scale)[:, None] * design
    spread = np.sqrt((parts**2).sum(axis=0) + (rounding**2).sum(axis=0))
    relative = np.abs(parts.sum(axis=0)) / np.where(spread > 0, spread, 1.0)
    return float(relative.max(initial=0.0))
