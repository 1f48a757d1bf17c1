"""Find the parameters that minimise an objective, and show how sure the minimum is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from emergekit.fitting.objectives import Objective

__all__ = ["Problem", "Solution", "solve"]

Array = NDArray[np.float64]

_GRADUATION = (100.0, 10.0, 3.0, 1.0)
"""Multiples of delta in turn: a wide Huber zone finds the valley, the last one its floor."""


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
    """

    predict: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    observed: Array
    weights: Array
    objective: Objective
    lower: Array
    upper: Array

    def residuals(self, z: Array) -> Array:
        """Return the residuals, shape (n,)."""
        return self.objective.residuals(self.observed, self.predict(z))

    def design(self, z: Array) -> Array:
        """Return the derivatives of the residuals, shape (n, p)."""
        design: Array = self.objective.slope(self.predict(z))[:, None] * self.jacobian(z)
        return design

    def value(self, z: Array) -> float:
        """Return the weighted sum of penalties."""
        with np.errstate(all="ignore"):
            total = self.weights @ self.objective.penalty(self.residuals(z))
        return float(total) if np.isfinite(total) else np.inf

    def gradient(self, z: Array) -> Array:
        """Return the gradient of `value`, shape (p,)."""
        score = self.objective.score(self.residuals(z))
        gradient: Array = (self.weights * score) @ self.design(z)
        return gradient

    def hessian(self, z: Array) -> Array:
        """Return the Hessian of `value`, shape (p, p), by central differences of the gradient."""
        steps = np.cbrt(np.finfo(float).eps) * np.maximum(np.abs(z), 1.0)
        columns = [
            (self.gradient(z + step) - self.gradient(z - step)) / (2 * size)
            for step, size in zip(np.diag(steps), steps, strict=True)
        ]
        hessian: Array = np.array(columns)
        symmetric: Array = (hessian + hessian.T) / 2
        return symmetric


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
    values = np.array([problem.value(z) for z in ends])
    best = _polish(problem, ends[int(values.argmin())])
    value = problem.value(best)
    norm = _gradient_norm(problem, best)
    return Solution(
        z=best,
        value=value,
        gradient_norm=norm,
        converged=norm < 1e-4,
        n_starts=len(starts),
        n_agree=int((values <= value + 1e-6 * max(value, np.finfo(float).tiny)).sum()),
    )


def _descend(problem: Problem, start: Array) -> Array | None:
    """Return where robust least squares leads from `start`, through ever narrower Huber zones."""
    z = np.clip(start, problem.lower, problem.upper)
    if not np.isfinite(problem.value(z)):
        return None
    root = np.sqrt(problem.weights)
    delta = problem.objective.delta
    stages = [np.inf] if np.isinf(delta) else [factor * delta for factor in _GRADUATION]
    for stage in stages:
        wide = np.isinf(stage)
        with np.errstate(all="ignore"):
            z = least_squares(
                lambda at: np.nan_to_num(
                    root * problem.residuals(at), nan=1e6, posinf=1e6, neginf=-1e6
                ),
                z,
                jac=lambda at: np.nan_to_num(root[:, None] * problem.design(at)),
                bounds=(problem.lower, problem.upper),
                x_scale="jac",
                max_nfev=200,
                loss="linear" if wide else "huber",
                f_scale=1.0 if wide else stage,
            ).x
    return np.asarray(z)


def _polish(problem: Problem, z: Array) -> Array:
    """Return the minimum near z by Newton steps in the coordinates that no bound holds."""
    margin = 1e-9 * (1 + np.abs(z))
    free = (z > problem.lower + margin) & (z < problem.upper - margin)
    if not free.any():
        return z

    def whole(part: Array) -> Array:
        full = z.copy()
        full[free] = part
        return full

    # Newton in units in which the curvature is one, or a tenth of the answer would be out of reach:
    # size coefficient and exponent are correlated 0.999 in these laws.
    hessian = problem.hessian(z)[np.ix_(free, free)]
    scales = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    end = minimize(
        lambda step: problem.value(whole(z[free] + scales * step)),
        np.zeros(free.sum()),
        jac=lambda step: scales * problem.gradient(whole(z[free] + scales * step))[free],
        hess=lambda step: (
            scales[:, None]
            * problem.hessian(whole(z[free] + scales * step))[np.ix_(free, free)]
            * scales
        ),
        method="trust-exact",
        options={"gtol": 1e-12, "maxiter": 200},
    )
    moved = whole(z[free] + scales * end.x)
    inside = np.all((moved >= problem.lower) & (moved <= problem.upper))
    return moved if inside and problem.value(moved) <= problem.value(z) else z


def _gradient_norm(problem: Problem, z: Array) -> float:
    """Return the gradient over the spread of its rows' parts: 0 at a minimum, scale-free."""
    parts = (problem.weights * problem.objective.score(problem.residuals(z)))[
        :, None
    ] * problem.design(z)
    free = (z > problem.lower + 1e-9) & (z < problem.upper - 1e-9)
    spread = np.sqrt((parts**2).sum(axis=0))
    relative = np.abs(parts.sum(axis=0)) / np.where(spread > 0, spread, 1.0)
    return float(relative[free].max(initial=0.0))
