"""Intervals by refitting: the bootstrap of rows, clusters and residuals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from emergekit.errors import FitError, FitWarning, shown, unknown
from emergekit.fitting.compiled.acceleration import require_numba
from emergekit.fitting.result import Fit
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import Solution, solve_near
from emergekit.fitting.uncertainty.resamples import Resampler

__all__ = ["bootstrap"]

Kind = Literal["case", "cluster", "residual", "wild", "parametric"]

_BLOCK = 1000
"""Draws that are made and refitted at once, with a generator of their own."""
_FEW = 0.01
"""Share of draws that may fail without a word."""


def bootstrap(
    fit: Fit,
    n: int = 4000,
    kind: Kind = "case",
    cluster: pd.Series[Any] | ArrayLike | None = None,
    seed: int = 0,
    *,
    rows: ArrayLike | None = None,
    compiled: bool = False,
) -> Fit:
    """Return the fit with draws of its parameters, each from a refit to its own minimum.

    Parameters
    ----------
    fit : Fit
        Draws are refitted as it was: same objective, weights, bounds and fixed parameters.
    n : int
        Number of draws.
    kind : {"case", "cluster", "residual", "wild", "parametric"}
        What is drawn. "case": rows, with replacement. "cluster": whole clusters, such as the
        checkpoints of a run, which are not independent. "residual": residuals, put back on other
        rows. "wild": the sign of each row's own residual, for scatter that changes along the law.
        "parametric": normal errors of the fit's residual deviation. Residuals are those of the
        objective's scale, stretched by sqrt(n / df) for what the fit took up.
    cluster : Series or array, optional
        For "cluster": the cluster of each row of ``fit.data``, by index or by position.
    seed : int
        Of the draws.
    rows : array of int, shape (n, n_drawn), optional
        Positions in ``fit.data`` that make up each draw, instead of drawing them; for "case".
    compiled : bool
        Search by compiled code (extra `fast`), as in `fit`.

    Returns
    -------
    Fit
        `draws` has one row a draw that converged, named by its number, and one column a parameter.
        `cov` is theirs; intervals of `to_frame` and `predict` are their percentiles. `stats` gains
        bootstrap, n_draws and n_draws_failed.

    Raises
    ------
    FitError
        If an argument cannot be meant, or no draw converges.
    ModuleNotFoundError
        If `compiled` and numba is absent.

    Warns
    -----
    FitWarning
        If more than 1 % of the draws fail.

    References
    ----------
    Efron & Tibshirani 1993, chapters 6, 9 and 13; Wu 1986 and Liu 1988 for the wild bootstrap.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla()
    >>> held = fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.34, "beta": 0.37})
    >>> drawn = bootstrap(held, n=200)
    >>> drawn.draws.shape, float(drawn.draws["E"].std().round(3))
    ((200, 5), 0.005)
    """
    if kind not in get_args(Kind):
        raise FitError(unknown("kind of bootstrap", kind, get_args(Kind)))
    if compiled:
        require_numba()
    given = None if rows is None else _positions(rows, len(fit.data), kind)
    n = _count(n) if given is None else len(given)
    resampler = Resampler(fit, kind, cluster)
    problem, start = resampler.problem, resampler.start
    found = [
        solve_near(replace(part, compiled=compiled), np.tile(start, (size, 1)))
        for part, size in _blocks(resampler, n, seed, given)
    ]
    return _with_draws(fit, problem, found, kind)


def _blocks(
    resampler: Resampler, n: int, seed: int, given: NDArray[np.intp] | None
) -> Iterator[tuple[Problem, int]]:
    firsts = range(0, n, _BLOCK)
    for first, child in zip(firsts, np.random.SeedSequence(seed).spawn(len(firsts)), strict=True):
        size = min(_BLOCK, n - first)
        if given is not None:
            yield resampler.of_rows(given[first : first + size]), size
        else:
            yield resampler.draw(size, np.random.default_rng(child)), size


def _with_draws(fit: Fit, problem: Problem, found: list[Solution], kind: str) -> Fit:
    z = np.concatenate([part.z for part in found])
    good = np.concatenate([part.converged for part in found])
    if not good.any():
        raise FitError(f"none of {len(z)} draws of {fit.law.name} converged.")
    draws = pd.DataFrame(problem.coordinates.params(z[good]), index=np.flatnonzero(good))
    draws.index.name = "draw"
    cov = draws.cov() if len(draws) > 1 else fit.cov * np.nan
    held = [*fit.fixed, *(() if fit.flat is None else fit.flat.terms)]
    cov.loc[held, :] = np.nan
    cov.loc[:, held] = np.nan
    n_failed = int((~good).sum())
    stats = fit.stats.assign(bootstrap=kind, n_draws=len(z), n_draws_failed=n_failed)
    said = fit.warnings
    if n_failed > _FEW * len(z):
        said = (*said, f"{n_failed} of {len(z)} bootstrap draws did not converge and are left out")
        warnings.warn(f"Fit of {fit.law.name}: {said[-1]}", FitWarning, stacklevel=3)
    return replace(fit, draws=draws, cov=cov, stats=stats, warnings=said)


def _count(n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 2:
        raise FitError(f"n must be a whole number of draws, 2 or more; it is {shown(n)}.")
    return int(n)


def _positions(rows: ArrayLike, n_rows: int, kind: str) -> NDArray[np.intp]:
    array = np.asarray(rows)
    if kind != "case":
        raise FitError(f"rows says which cases are drawn; it does not go with kind='{kind}'.")
    if array.ndim != 2 or array.dtype.kind not in "iu" or len(array) < 2:
        raise FitError(
            f"rows must be whole numbers, one line a draw and 2 or more of them; it is an array of "
            f"{array.dtype} with shape {array.shape}."
        )
    if array.size and not (array.min() >= 0 and array.max() < n_rows):
        raise FitError(f"rows must be positions from 0 to {n_rows - 1} in fit.data.")
    return array.astype(np.intp)
