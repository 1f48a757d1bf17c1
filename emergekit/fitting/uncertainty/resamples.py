"""Samples that might have been seen instead of the one that was fitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from emergekit.errors import FitError
from emergekit.fitting.deviance import counts_answers
from emergekit.fitting.objectives import Objective
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.solving.problem import Problem

__all__ = ["Resampler"]

Array = NDArray[np.float64]


class Resampler:
    """Draw resamples of a fit as one batched problem.

    Parameters
    ----------
    fit : Fit
        What was fitted.
    kind : str
        As `bootstrap` takes it.
    cluster : Series or array, optional
        The cluster of each row.

    Raises
    ------
    FitError
        If clusters are absent or do not belong to these rows, or the kind does not suit the fit.
    """

    def __init__(self, fit: Fit, kind: str, cluster: pd.Series[Any] | ArrayLike | None) -> None:
        self.problem, self._heaviest = posed_again(fit)
        coordinates = self.problem.coordinates
        self.start = coordinates.near(fit.params)
        self._kind = kind
        self._codes = _codes(cluster, fit.data.index, kind)
        self._fitted = fit.objective.transform(self.problem.predict(coordinates.z(fit.params)))
        if kind in ("residual", "wild", "parametric"):
            _require_suited(fit, kind)
        if kind in ("residual", "wild", "parametric") and not fit.objective.binomial:
            # Of a row of weight 1: rows of less weight scatter more.
            root = np.sqrt(self.problem.weights)
            residuals = fit.objective.transform(self.problem.observed) - self._fitted
            stretch = np.sqrt(len(root) / self.problem.df_residual)
            self._errors = stretch * root * residuals
            if kind == "residual":
                self._errors -= _location(self._errors, fit.objective)
            self._deviation = float(np.sqrt((self._errors**2).mean()))

    def of_rows(self, rows: NDArray[np.intp]) -> Problem:
        """Return the problems whose samples are these rows, shape (B, n_drawn)."""
        return self._counting(_counts(rows, len(self.problem.observed)))

    def draw(self, size: int, rng: np.random.Generator) -> Problem:
        """Return as many problems, drawn at random."""
        n = len(self.problem.observed)
        if self._kind == "case":
            return self.of_rows(rng.integers(0, n, (size, n)))
        if self._kind == "cluster":
            n_clusters = int(self._codes.max()) + 1
            counts = _counts(rng.integers(0, n_clusters, (size, n_clusters)), n_clusters)
            return self._counting(counts[:, self._codes])
        if self._kind == "residual":
            return self._observing(self._errors[rng.integers(0, n, (size, n))])
        if self._kind == "wild":
            return self._observing(self._errors * rng.choice([-1.0, 1.0], (size, n)))
        if self.problem.objective.binomial:
            return self._answering(size, rng)
        return self._observing(self._deviation * rng.standard_normal((size, n)))

    def _counting(self, counts: Array) -> Problem:
        return replace(self.problem, weights=self.problem.weights * counts)

    def _answering(self, size: int, rng: np.random.Generator) -> Problem:
        n_answers = np.rint(self._heaviest * self.problem.weights).astype(int)
        chance = np.clip(self._fitted, 0.0, 1.0)
        right = rng.binomial(n_answers, chance, (size, len(chance)))
        return replace(self.problem, observed=right / n_answers)

    def _observing(self, errors: Array) -> Problem:
        drawn = self._fitted + errors / np.sqrt(self.problem.weights)
        return replace(self.problem, observed=self.problem.objective.untransform(drawn))


def _location(errors: Array, goal: Objective) -> float:
    """Return the constant that fits the errors best: 0 but for a fit that has none of its own.

    Left in, it would move every draw the same way (Efron & Tibshirani 1993, chapter 9).
    """
    lowest, highest = float(errors.min()), float(errors.max())
    if lowest == highest:
        return lowest
    found = minimize_scalar(
        lambda place: goal.penalty(place - errors).sum(),
        bounds=(lowest, highest),
        method="bounded",
        options={"xatol": 1e-9 * (highest - lowest)},
    )
    return float(found.x)


def _counts(rows: NDArray[np.intp], n: int) -> Array:
    """Return how often each of n things is drawn, shape (B, n)."""
    places = rows + n * np.arange(len(rows))[:, None]
    return np.bincount(places.ravel(), minlength=n * len(rows)).reshape(-1, n).astype(float)


def _codes(
    cluster: pd.Series[Any] | ArrayLike | None, index: pd.Index[Any], kind: str
) -> NDArray[np.intp]:
    if (cluster is None) == (kind == "cluster"):
        raise FitError(
            "kind='cluster' and cluster= go together: give the cluster of each row, such as "
            "cluster=table['run']."
        )
    if cluster is None:
        return np.zeros(0, dtype=np.intp)
    if isinstance(cluster, pd.Series) and not cluster.index.equals(index):
        if not (cluster.index.is_unique and index.isin(cluster.index).all()):
            raise FitError(
                "the index of cluster is not that of the rows in fit.data; give an array to go by "
                "position."
            )
        cluster = cluster.reindex(index)
    labels = cluster if isinstance(cluster, pd.Series) else np.asarray(cluster)
    if len(labels) != len(index) or np.ndim(labels) != 1:
        raise FitError(f"cluster must be one label for each of the {len(index)} rows in fit.data.")
    codes, names = pd.factorize(labels)
    if (codes < 0).any() or len(names) < 2:
        raise FitError("cluster must name at least two clusters, and no row may be without one.")
    return codes.astype(np.intp)


def _require_suited(fit: Fit, kind: str) -> None:
    if fit.objective.binomial:
        return _require_counts(fit, kind)
    if fit.stats["df_residual"].iloc[0] < 1:
        raise FitError(f"kind='{kind}' needs more rows than free parameters; so do intervals.")
    if kind != "residual" and fit.objective.over != fit.objective.under:
        raise FitError(
            f"kind='{kind}' draws errors that are as often above as below, which the objective "
            f"'{fit.objective.name}' does not expect; use 'case', 'cluster' or 'residual'."
        )


def _require_counts(fit: Fit, kind: str) -> None:
    if kind != "parametric":
        raise FitError(
            f"kind='{kind}' puts residuals back on other rows, which takes scores out of [0, 1]; "
            f"use 'case', 'cluster' or 'parametric' for a binomial objective."
        )
    weights = np.ones(len(fit.data)) if fit.weights is None else fit.weights.to_numpy()
    if not counts_answers(fit.data.iloc[:, -1].to_numpy(), weights):
        raise FitError(
            "kind='parametric' draws right answers, and must know out of how many: fit with "
            "weights= the number of test items of each row."
        )
