"""How sure the estimates are: the sandwich covariance of an M-estimator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.deviance import counts_answers
from emergekit.fitting.solving.problem import Problem

__all__ = ["Sandwiches", "Uncertainty", "correlated_pairs", "sandwich", "sandwiches"]

Array = NDArray[np.float64]

_FULL_RANK = 1e-10
"""Smallest eigenvalue of cross products of columns of length one that are told apart."""


@dataclass(frozen=True)
class Uncertainty:
    """The covariance of the parameters, and why some of it may be missing."""

    cov: pd.DataFrame
    on_bound: tuple[str, ...]
    identified: bool


def sandwich(problem: Problem, z: Array, heaviest: float) -> Uncertainty:
    """Return the covariance of the estimates of one problem, z of shape (p,).

    Parameters that are fixed or sit on a bound have no covariance: NaN; nor has any when as many
    parameters are free as there are rows, or the rows do not tell them apart.
    """
    coordinates = problem.coordinates
    found = sandwiches(problem, z[None], np.array([heaviest]))
    searched = [p.name for p in coordinates.searched]
    on_bound = tuple(compress(searched, problem.on_bound(z)))
    cov = pd.DataFrame(np.nan, index=list(coordinates.names), columns=list(coordinates.names))
    cov.loc[searched, searched] = found.cov[0]
    return Uncertainty(cov, on_bound, identified=bool(found.told[0]))


@dataclass(frozen=True)
class Sandwiches:
    """The covariances of B fits.

    Parameters
    ----------
    cov : array, shape (B, p, p)
        NaN for parameters on a bound, and for all where nothing can be said.
    bread : array, shape (B, p, p)
        The inverse of the averaged Hessian alone, in the same unit; it need not be the covariance
        up to a factor where errors differ along the law.
    told : array of bool, shape (B,)
        Whether the rows tell the parameters apart.
    """

    cov: Array
    bread: Array
    told: NDArray[np.bool_]


def sandwiches(problem: Problem, z: Array, heaviest: Array) -> Sandwiches:
    r"""Return the covariances of the free parameters, valid under unequal error variances.

    .. math:: H^{-1} \left(\sum_i \frac{w_i^2 \psi_i^2}{(1 - h_i)^2} g_i g_i^T\right) H^{-1}, \quad
              H = \sum_i w_i c_i g_i g_i^T

    with g the derivatives of the residuals (of binomial scores, of Pearson's), psi the derivative
    of the penalty, c its curvature and h the leverage of a row. The leverage makes up for residuals
    that are small because the fit went after them (HC3; MacKinnon & White 1985). The curvature of a
    narrow Huber penalty is averaged over a bandwidth (Powell's estimator for quantile regression;
    Koenker 2005, section 3.4.2).

    Parameters
    ----------
    problem : Problem
        B problems, or one.
    z : array, shape (B, p)
        Their minima.
    heaviest : array, shape (B,)
        The weight that counts as 1. Where weights are numbers of test items, these alone scatter
        by as much as the Fisher information says, and no standard error is smaller: few rows may
        lie near a law by chance.
    """
    inner = ~problem.on_bound(z)
    residuals, design = problem.design(z)
    design = design * inner[:, None, :]
    size = np.sqrt((design**2).sum(axis=1))  # columns of one length, or the inverse loses digits
    size = np.where(inner & (size > 0), size, 1.0)
    design = design / size[:, None, :]
    told = np.asarray(np.isfinite(design).all(axis=(1, 2)))
    design = np.where(told[:, None, None], design, 0.0)
    weights = np.broadcast_to(problem.weights, residuals.shape)
    gram, told = _gram(design, weights, inner, told)
    if problem.df_residual < 1:
        nothing = np.full(gram.shape, np.nan)
        return Sandwiches(nothing, nothing, told)

    if problem.objective.delta == 0:
        # Rows that the fit goes through have no sign but that of rounding.
        met = np.abs(residuals) <= 1e-9 * np.abs(residuals).mean(axis=1, keepdims=True)
        residuals = np.where(met, 0.0, residuals)
    curvature = weights * problem.objective.smooth_curvature(residuals, z.shape[1], weights)
    hessian, told = _gram(design, curvature, inner, told)
    inverse = np.linalg.inv(hessian)
    scores = weights * problem.objective.score(residuals) / (1 - _leverage(design, weights, gram))
    parts = design * scores[:, :, None]
    stretch = problem.coordinates.stretch(z) / size
    unit = stretch[:, :, None] * stretch[:, None, :]
    known = inner[:, :, None] & inner[:, None, :] & told[:, None, None]
    # As a square: rounding must not leave a variance below 0 where the rows do not scatter.
    root = parts @ inverse
    cov = root.swapaxes(1, 2) @ root
    if problem.objective.binomial:
        counts = counts_answers(problem.observed, heaviest[:, None] * weights)
        items = np.einsum("bpp->bp", inverse) / heaviest[:, None]
        cov = _no_less(cov, np.where(counts[:, None], items, 0.0))
    return Sandwiches(
        np.where(known, unit * cov, np.nan), np.where(known, unit * inverse, np.nan), told
    )


def _no_less(cov: Array, variance: Array) -> Array:
    """Return covariances whose variances are no less than these, correlations kept."""
    own = np.einsum("bpp->bp", cov)
    stretch = np.sqrt(np.maximum(variance / np.maximum(own, np.finfo(float).tiny), 1.0))
    cov = cov * stretch[:, :, None] * stretch[:, None, :]
    place = np.arange(cov.shape[1])
    cov[:, place, place] = np.maximum(own, variance)
    return cov


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


def _gram(
    design: Array, weights: Array, inner: NDArray[np.bool_], told: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the weighted cross products, 1 for what is held, and which of them have an inverse."""
    with np.errstate(all="ignore"):
        gram = (design * weights[:, :, None]).swapaxes(1, 2) @ design
    heaviest = np.maximum(weights.max(axis=1), np.finfo(float).tiny)[:, None, None]
    finite = np.asarray(np.isfinite(gram).all(axis=(1, 2)))
    unit = np.eye(design.shape[2])
    held = np.where(finite[:, None, None], gram, 0.0) + heaviest * unit * ~inner[:, None, :]
    full = np.linalg.eigvalsh(held / heaviest)[:, 0] > _FULL_RANK
    return np.where(full[:, None, None], held, unit), told & full


def _leverage(design: Array, weights: Array, gram: Array) -> Array:
    """Return how much each row draws the fit to itself, from 0 to just below 1."""
    drawn = (design @ np.linalg.inv(gram) * design).sum(axis=2)
    leverage: Array = np.clip(weights * drawn, 0.0, 1 - 1e-6)
    return leverage
