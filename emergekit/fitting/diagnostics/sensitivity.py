"""How much an answer owes to the choice of the penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, shown
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.solving.solver import balanced, solve

__all__ = ["delta_path"]

Array = NDArray[np.float64]

_DELTAS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, np.inf)
_N_STARTS = 8


def delta_path(fit: Fit, deltas: Sequence[float] | None = None) -> pd.DataFrame:
    """Return the parameters under Huber penalties of different widths.

    Outliers pull the more the wider the penalty: estimates that move along the path rest on a few
    rows, and a single one of them should not be quoted.

    Parameters
    ----------
    fit : Fit
        Refitted as it was, but for the width of its penalty.
    deltas : sequence of float, optional
        Widths, in units of the response or its logarithm; 0 for absolute deviations, inf for least
        squares. From 0 to inf by default.

    Returns
    -------
    DataFrame
        One row a delta: delta, one column a parameter, n_within (rows within delta, where the
        penalty is a square), objective_value and converged.

    Raises
    ------
    FitError
        If a delta is no number from 0 to inf.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla()
    >>> held = fit(laws.CHINCHILLA, runs[runs["used_in_fit"]], fixed={"alpha": 0.34, "beta": 0.37})
    >>> delta_path(held, [0, 1e-3, np.inf])[["delta", "A", "n_within"]].round(3)
       delta        A  n_within
    0  0.000  422.890         3
    1  0.001  422.964        40
    2    inf  414.954       240
    """
    widths = [_width(delta) for delta in (_DELTAS if deltas is None else deltas)]
    problem, heaviest = posed_again(fit)
    near = problem.coordinates.near(fit.params)
    return pd.DataFrame([_row(_widened(problem, width), near, heaviest) for width in widths])


def _widened(problem: Problem, delta: float) -> Problem:
    return replace(problem, objective=replace(problem.objective, delta=delta))


def _row(problem: Problem, near: Array, heaviest: float) -> dict[str, object]:
    starts = np.array([near, *problem.coordinates.starts(_N_STARTS)])
    found = solve(problem, balanced(problem, starts))
    sizes, delta = np.abs(problem.residuals(found.z)), problem.objective.delta
    # Absolute deviations meet their rows but for rounding.
    within = sizes <= max(delta, 1e-9 * float(sizes.mean()))
    params = {name: float(value) for name, value in problem.coordinates.params(found.z).items()}
    return {
        "delta": delta,
        **params,
        "n_within": int(within.sum()),
        "objective_value": heaviest * float(found.value),
        "converged": bool(found.converged),
    }


def _width(delta: object) -> float:
    if isinstance(delta, bool) or not isinstance(delta, float | int | np.number) or not delta >= 0:
        raise FitError(f"each delta must be a number from 0 to inf; one is {shown(delta)}.")
    return float(delta)
