"""How sure the estimates are: the sandwich covariance of an M-estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.coordinates import Coordinates
from emergekit.fitting.solver import Problem

__all__ = ["Uncertainty", "correlated_pairs", "sandwich"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Uncertainty:
    """The covariance of the parameters, and why some of it may be missing."""

    cov: pd.DataFrame
    on_bound: tuple[str, ...]
    identified: bool


def sandwich(problem: Problem, coordinates: Coordinates, z: Array) -> Uncertainty:
    r"""Return the covariance of the estimates, valid under unequal error variances.

    .. math:: H^{-1} \left(\sum_i \psi_i^2 g_i g_i^T\right) H^{-1} \frac{n}{n - p}, \quad
              H = \sum_i c_i g_i g_i^T

    with g the derivatives of the residuals, psi the derivative of the penalty and c its curvature,
    smoothed over a Hall-Sheather bandwidth where the penalty is a narrow Huber (Powell's estimator
    for quantile regression; Koenker 2005, section 3.4.2). Parameters that are fixed or sit on a
    bound have no covariance: NaN.
    """
    margin = 1e-6 * (1 + np.abs(z))
    inner = (z > problem.lower + margin) & (z < problem.upper - margin)
    names = [p.name for p, free in zip(coordinates.searched, inner, strict=True) if free]
    on_bound = tuple(p.name for p in coordinates.searched if p.name not in names)
    cov = pd.DataFrame(np.nan, index=list(coordinates.names), columns=list(coordinates.names))
    if not names:
        return Uncertainty(cov, on_bound, identified=True)

    residuals, design = problem.residuals(z), problem.design(z)[:, inner]
    size = np.sqrt((design**2).sum(axis=0))  # columns of one length, or the inverse loses digits
    design = design / np.where(size > 0, size, 1.0)
    n, p = design.shape
    curvature = problem.weights * problem.objective.smooth_curvature(residuals, p)
    bread = (design * curvature[:, None]).T @ design
    if np.linalg.eigvalsh(bread / max(curvature.max(), np.finfo(float).tiny)).min() < 1e-10:
        return Uncertainty(cov, on_bound, identified=False)
    scores = (problem.weights * problem.objective.score(residuals))[:, None] * design
    inverse = np.linalg.inv(bread)
    stretch = coordinates.stretch(z)[inner] / size
    parts = inverse @ (scores.T @ scores) @ inverse * np.outer(stretch, stretch)
    cov.loc[names, names] = parts * n / max(n - p, 1)
    return Uncertainty(cov, on_bound, identified=True)


def correlated_pairs(cov: pd.DataFrame, above: float) -> list[tuple[str, str, float]]:
    """Return the pairs of parameters correlated above that size, with their correlation."""
    error = np.sqrt(np.diag(cov))
    names = list(cov.index)
    pairs = [
        (names[j], names[i], float(cov.iloc[i, j] / (error[i] * error[j])))
        for i in range(len(names))
        for j in range(i)
        if error[i] * error[j] > 0
    ]
    return [pair for pair in pairs if abs(pair[2]) > above]
