"""How sure the estimates are: the sandwich covariance of an M-estimator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.deviance import counts_answers
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.valleys import design_of

__all__ = ["Sandwiches", "Uncertainty", "correlated_pairs", "sandwich", "sandwiches"]

Array = NDArray[np.float64]

_FULL_RANK = 1e-10
"""Smallest eigenvalue of cross products of columns of length one that are told apart."""


@dataclass(frozen=True)
class Uncertainty:
    """The covariance of the parameters, and why some of it may be missing.

    Parameters
    ----------
    cov : DataFrame
        NaN for what is fixed, on a bound or not identified.
    known : DataFrame
        The same without the NaN of what is not identified: the covariance of what the rows do tell,
        for quantities that do not change along `flat`.
    on_bound, moving : tuple of str
        Parameters on a bound, and those that move along a flat direction.
    flat : array, shape (k, p)
        Flat directions, in the coordinates of the search.
    curved : bool
        Whether the objective is curved enough to measure by, once flat directions are set aside.
    """

    cov: pd.DataFrame
    known: pd.DataFrame
    on_bound: tuple[str, ...]
    moving: tuple[str, ...]
    flat: Array
    curved: bool

    @property
    def identified(self) -> bool:
        """Whether the rows tell all parameters apart."""
        return self.curved and not self.moving


def sandwich(problem: Problem, z: Array, heaviest: float) -> Uncertainty:
    """Return the covariance of the estimates of one problem, z of shape (p,).

    Parameters that are fixed, sit on a bound or are not identified have no covariance: NaN; nor has
    any when as many parameters are free as there are rows.
    """
    coordinates = problem.coordinates
    found = sandwiches(problem, z[None], np.array([heaviest]))
    searched = [p.name for p in coordinates.searched]
    cov = pd.DataFrame(np.nan, index=list(coordinates.names), columns=list(coordinates.names))
    known = cov.copy()
    cov.loc[searched, searched] = found.cov[0]
    known.loc[searched, searched] = found.known[0]
    flat = found.flat[0].T
    return Uncertainty(
        cov=cov,
        known=known,
        on_bound=tuple(compress(searched, problem.on_bound(z))),
        moving=tuple(compress(searched, found.moving[0])),
        flat=flat[flat.any(axis=1)],
        curved=bool(found.curved[0]),
    )


@dataclass(frozen=True)
class Sandwiches:
    """The covariances of B fits.

    Parameters
    ----------
    cov : array, shape (B, p, p)
        NaN for parameters on a bound or not identified, and for all where nothing can be said.
    known : array, shape (B, p, p)
        The same, of what the rows do tell, with numbers for parameters that are not identified.
    bread : array, shape (B, p, p)
        The inverse of the averaged Hessian alone, in the same unit; it need not be the covariance
        up to a factor where errors differ along the law.
    moving : array of bool, shape (B, p)
        Parameters that are not identified: they move along a flat direction.
    flat : array, shape (B, p, p)
        Flat directions in the coordinates of the search, as columns; the other columns are 0.
    curved : array of bool, shape (B,)
        Whether the objective is curved enough to measure by, once flat directions are set aside.
    """

    cov: Array
    known: Array
    bread: Array
    moving: NDArray[np.bool_]
    flat: Array
    curved: NDArray[np.bool_]

    @property
    def told(self) -> NDArray[np.bool_]:
        """Whether the rows tell all parameters apart, shape (B,)."""
        told: NDArray[np.bool_] = self.curved & ~self.moving.any(axis=1)
        return told


def sandwiches(problem: Problem, z: Array, heaviest: Array) -> Sandwiches:
    r"""Return the covariances of the free parameters, valid under unequal error variances.

    .. math:: H^{-1} \left(\sum_i \frac{w_i^2 \psi_i^2}{(1 - h_i)^2} g_i g_i^T\right) H^{-1}, \quad
              H = \sum_i w_i c_i g_i g_i^T

    with g the derivatives of the residuals (of binomial scores, of Pearson's), psi the derivative
    of the penalty, c its curvature and h the leverage of a row. The leverage makes up for residuals
    that are small because the fit went after them (HC3; MacKinnon & White 1985). The curvature of a
    narrow Huber penalty is averaged over a bandwidth (Powell's estimator for quantile regression;
    Koenker 2005, section 3.4.2). Where no row notices a direction, the inverse is Moore and
    Penrose's, which is right for whatever does not change along it.

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
    design = design_of(problem, z)
    gram = design.products(design.weights)
    curved, moving = design.defined, gram.moves & design.defined[:, None]
    flat = gram.flat / design.size[:, :, None]
    if problem.df_residual < 1:
        nothing = np.full(gram.matrix.shape, np.nan)
        return Sandwiches(nothing, nothing, nothing, moving, flat, curved)

    residuals, weights, rows = design.residuals, design.weights, design.rows
    if problem.objective.delta == 0:
        # Rows that the fit goes through have no sign but that of rounding.
        met = np.abs(residuals) <= 1e-9 * np.abs(residuals).mean(axis=1, keepdims=True)
        residuals = np.where(met, 0.0, residuals)
    curvature = weights * problem.objective.smooth_curvature(residuals, z.shape[1], weights)
    hessian = design.products(curvature, gram.flat).matrix
    full, hessian = _invertible(hessian, curvature)
    curved = curved & full
    inverse = np.linalg.inv(hessian)
    leverage = _leverage(rows, weights, gram.matrix)
    parts = rows * (weights * problem.objective.score(residuals) / (1 - leverage))[:, :, None]
    stretch = problem.coordinates.stretch(z) / design.size
    with np.errstate(over="ignore"):  # of a parameter without end
        unit = stretch[:, :, None] * stretch[:, None, :]
    # As a square: rounding must not leave a variance below 0 where the rows do not scatter.
    root = parts @ inverse
    cov = root.swapaxes(1, 2) @ root
    if problem.objective.binomial:
        counts = counts_answers(problem.observed, heaviest[:, None] * weights)
        items = np.einsum("bpp->bp", inverse) / heaviest[:, None]
        cov = _no_less(cov, np.where(counts[:, None], items, 0.0))
    inner, told = _both(design.inner & curved[:, None]), _both(~moving)
    with np.errstate(over="ignore", invalid="ignore"):
        known, bread = (np.where(inner, unit * part, np.nan) for part in (cov, inverse))
    bread = np.where(told, bread, np.nan)
    return Sandwiches(np.where(told, known, np.nan), known, bread, moving, flat, curved)


def _both(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the entries of matrices whose row and column are among these, shape (B, p, p)."""
    return which[:, :, None] & which[:, None, :]


def _invertible(matrix: Array, weights: Array) -> tuple[NDArray[np.bool_], Array]:
    """Return which matrices have an inverse, and 1 in place of the others."""
    heaviest = np.maximum(weights.max(axis=1), np.finfo(float).tiny)[:, None, None]
    full = np.asarray(np.linalg.eigvalsh(matrix / heaviest)[:, 0] > _FULL_RANK)
    return full, np.where(full[:, None, None], matrix, np.eye(matrix.shape[1]))


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
        if 0 < error[i] * error[j] < np.inf
    ]
    return [pair for pair in pairs if abs(pair[2]) > above]


def _leverage(rows: Array, weights: Array, gram: Array) -> Array:
    """Return how much each row draws the fit to itself, from 0 to just below 1."""
    drawn = (rows @ np.linalg.inv(gram) * rows).sum(axis=2)
    leverage: Array = np.clip(weights * drawn, 0.0, 1 - 1e-6)
    return leverage
