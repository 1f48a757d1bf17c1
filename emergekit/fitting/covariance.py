"""How sure the estimates are: the sandwich covariance of an M-estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.coordinates import Coordinates
from emergekit.fitting.problem import Problem

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

    .. math:: H^{-1} \left(\sum_i \frac{w_i^2 \psi_i^2}{(1 - h_i)^2} g_i g_i^T\right) H^{-1}, \quad
              H = \sum_i w_i c_i g_i g_i^T

    with g the derivatives of the residuals (of binomial scores, of Pearson's), psi the derivative
    of the penalty, c its curvature and h the leverage of a row. The leverage makes up for residuals
    that are small because the fit went after them (HC3; MacKinnon & White 1985). The curvature of a
    narrow Huber penalty is averaged over a bandwidth (Powell's estimator for quantile regression;
    Koenker 2005, section 3.4.2). Parameters that are fixed or sit on a bound have no covariance:
    NaN; nor has any when as many parameters are free as there are rows, or the rows do not tell
    them apart.
    """
    inner = ~problem.on_bound(z)
    names = [p.name for p, free in zip(coordinates.searched, inner, strict=True) if free]
    on_bound = tuple(p.name for p in coordinates.searched if p.name not in names)
    cov = pd.DataFrame(np.nan, index=list(coordinates.names), columns=list(coordinates.names))
    if not names:
        return Uncertainty(cov, on_bound, identified=True)

    residuals, design = problem.design(z)
    design = design[:, inner]
    size = np.sqrt((design**2).sum(axis=0))  # columns of one length, or the inverse loses digits
    design = design / np.where(size > 0, size, 1.0)
    if not (np.isfinite(design).all() and _full_rank(design, problem.weights)):
        return Uncertainty(cov, on_bound, identified=False)
    if problem.df_residual < 1:
        return Uncertainty(cov, on_bound, identified=True)

    if problem.objective.delta == 0:
        # Rows that the fit goes through have no sign but that of rounding.
        residuals[np.abs(residuals) <= 1e-9 * np.abs(residuals).mean()] = 0.0
    curvature = problem.weights * problem.objective.smooth_curvature(
        residuals, len(problem.lower), problem.weights
    )
    if not _full_rank(design, curvature):
        return Uncertainty(cov, on_bound, identified=False)
    inverse = np.linalg.inv((design * curvature[:, None]).T @ design)
    left = 1 - _leverage(design, problem.weights)
    scores = problem.weights * problem.objective.score(residuals) / left
    parts = design * scores[:, None]
    stretch = coordinates.stretch(z)[inner] / size
    cov.loc[names, names] = inverse @ (parts.T @ parts) @ inverse * np.outer(stretch, stretch)
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


def _full_rank(design: Array, weights: Array) -> bool:
    heaviest = max(float(weights.max()), np.finfo(float).tiny)
    gram = (design * (weights / heaviest)[:, None]).T @ design
    return bool(np.linalg.eigvalsh(gram).min() > 1e-10)


def _leverage(design: Array, weights: Array) -> Array:
    """Return how much each row draws the fit to itself, from 0 to just below 1."""
    basis, _ = np.linalg.qr(design * np.sqrt(weights)[:, None])
    leverage: Array = np.minimum((basis**2).sum(axis=1), 1 - 1e-6)
    return leverage
