"""Which rows an answer rests on: the fit without each of them, and rows that fit nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from emergekit.errors import FitError, shown, unknown
from emergekit.fitting.diagnostics.leave_one_out import (
    cook,
    leverage,
    linear_cook,
    one_step,
    rounding,
    scaled,
    without_each,
)
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.scatter import robust_deviation
from emergekit.fitting.solving.problem import Problem

__all__ = ["deletion_path", "influence"]

Array = NDArray[np.float64]

_MOST_REFITS = 2000
"""Rows up to which each is left out in earnest: the work grows with the square of their number."""


def influence(fit: Fit, *, exact: bool | None = None, level: float = 0.05) -> pd.DataFrame:
    r"""Return what each row does to a fit: outliers first, then the others, by Cook's distance.

    .. math:: D_i = \frac{\sum_j w_j (\hat{y}_j - \hat{y}_{j(i)})^2}{p\,s^2}

    is Cook's distance, with the fitted values (on the objective's scale) of the fit without row i.
    It does not depend on how the law is written, while single parameters may run along a valley
    that the rows hardly tell apart.

    Parameters
    ----------
    fit : Fit
        Refitted as it was, but for one row each time.
    exact : bool, optional
        Whether to refit to the minimum or to take one Newton step; to refit up to 2,000 rows if
        None.
    level : float
        Chance that a single row of normal errors is called an outlier, over all rows together.

    Returns
    -------
    DataFrame
        One row a row of ``fit.data``, on its index: residual (observed less fitted, on the
        objective's scale), leverage (0 to 1), standardised (the residual in robust standard
        deviations, leverage allowed for), p_value of that among all rows (Holm's correction),
        outlier, cook, and change_<parameter>, by how much it moves when the row is left out. NaN
        where the fit without the row has not converged.

    Raises
    ------
    FitError
        If no rows are to spare.

    Notes
    -----
    A group of outliers can hide its members from each other; `deletion_path` leaves out one after
    another.

    References
    ----------
    Cook 1977; Belsley, Kuh & Welsch 1980, chapter 2, for the change of each parameter (dfbeta);
    Holm 1979.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla().set_index("model")
    >>> held = {"E": 1.82, "A": 480.0, "alpha": 0.347, "beta": 0.367}
    >>> every = fit(laws.CHINCHILLA, runs, fixed=held)
    >>> influence(every)[["standardised", "cook", "change_B"]].round(2).head(1).to_dict("index")
    {'chinchilla-001': {'standardised': 60.19, 'cook': 0.05, 'change_B': -0.88}}
    """
    _require_freedom(fit)
    _require_level(level)
    problem, _ = posed_again(fit)
    z = problem.coordinates.z(fit.params)
    residuals, design = scaled(problem, z)
    drawn = leverage(design)
    if len(residuals) <= _MOST_REFITS if exact is None else exact:
        moved = without_each(problem, z, np.arange(len(residuals)))
        distances = cook(problem, z, moved)
    else:
        moved = one_step(problem, z, residuals, design)
        distances = linear_cook(problem, z, moved)
    robust = robust_deviation(residuals, np.ones_like(residuals), len(z))
    standardised = -residuals / np.sqrt(1 - drawn) / max(robust, rounding(problem))
    p_value = multipletests(2 * norm.sf(np.abs(standardised)), method="holm")[1]
    params = pd.DataFrame(problem.coordinates.params(moved), index=fit.data.index)
    changes = (params - fit.params).drop(columns=list(fit.fixed)).add_prefix("change_")
    table = pd.DataFrame(
        {
            "residual": -residuals / np.sqrt(problem.weights),
            "leverage": drawn,
            "standardised": standardised,
            "p_value": p_value,
            "outlier": p_value < level,
            "cook": distances,
        },
        index=fit.data.index,
    )
    both = pd.concat([table, changes], axis=1)
    return both.sort_values(["outlier", "cook"], ascending=False, kind="stable")


def deletion_path(
    fit: Fit,
    n: int = 5,
    parameter: str | None = None,
    *,
    rows: Sequence[Any] | pd.Index[Any] | None = None,
) -> pd.DataFrame:
    """Return the parameters as rows are left out one after another, each time the weightiest.

    Parameters
    ----------
    fit : Fit
        Refitted as it was, but for the rows left out.
    n : int
        Rows to leave out.
    parameter : str, optional
        The row that takes this parameter farthest from the fit to all rows goes first; the one of
        the largest Cook's distance if None.
    rows : sequence, optional
        Rows to leave out in this order, by their index in ``fit.data``, instead of looking for
        them.

    Returns
    -------
    DataFrame
        One row a step, from no row left out to all of them: n_dropped, row (index of the one that
        goes; None at first), and one column a parameter.

    Raises
    ------
    FitError
        If an argument cannot be meant, the fit cannot spare so many rows, or does not converge
        without them.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla().set_index("model")
    >>> held = {"E": 1.82, "A": 480.0, "alpha": 0.347, "beta": 0.367}
    >>> deletion_path(fit(laws.CHINCHILLA, runs, fixed=held), 2)[["row", "B"]].round(1)
                  row       B
    0            None  2104.0
    1  chinchilla-001  2103.1
    2  chinchilla-002  2102.3
    """
    order = None if rows is None else _positions(fit, rows)
    n = n if order is None else len(order)
    _require_freedom(fit)
    _require_steps(fit, n, parameter)
    problem, _ = posed_again(fit)
    path, dropped = [problem.coordinates.z(fit.params)], list[int]()
    for step in range(n):
        ahead = np.delete(np.arange(len(fit.data)), dropped) if order is None else order[[step]]
        moved = without_each(problem, path[-1], ahead, dropped)
        gains = _gains(fit, problem, path[-1], moved, parameter)
        if np.isnan(gains).all():
            raise FitError(f"no fit of {fit.law.name} without {step + 1} rows converges.")
        best = int(np.nanargmax(gains))
        path.append(moved[best])
        dropped.append(int(ahead[best]))
    params = pd.DataFrame([dict(problem.coordinates.params(z)) for z in path]).astype(float)
    labels = pd.Series([None, *(fit.data.index[row] for row in dropped)], dtype=object)
    return pd.concat([pd.DataFrame({"n_dropped": range(n + 1), "row": labels}), params], axis=1)


def _gains(fit: Fit, problem: Problem, z: Array, moved: Array, parameter: str | None) -> Array:
    """Return how much leaving out each row does, NaN where it gives no fit."""
    if parameter is None:
        return cook(problem, z, moved)
    ends = problem.coordinates.params(moved)[parameter]
    gains: Array = np.abs(np.asarray(ends) - fit.params[parameter])
    return gains


def _positions(fit: Fit, rows: Sequence[Any] | pd.Index[Any]) -> NDArray[np.intp]:
    """Return where these rows stand in the data of a fit."""
    index = fit.data.index
    if not index.is_unique:
        raise FitError("rows= goes by the index of fit.data, which is not unique; reset it first.")
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise FitError(f"rows must be several labels of rows in fit.data; it is {shown(rows)}.")
    labels = pd.Index(rows)
    absent = labels[~labels.isin(index)]
    if len(absent) or not labels.is_unique or not len(labels):
        said = f"{shown(absent[0])} is none" if len(absent) else "none may be there twice"
        raise FitError(f"rows must be labels of rows in fit.data, one or more; {said}.")
    return np.asarray(index.get_indexer(labels), dtype=np.intp)


def _require_freedom(fit: Fit) -> None:
    if not isinstance(fit, Fit):
        raise FitError(f"influence is that on a fit, not on a {type(fit).__name__}.")
    df = int(fit.stats["df_residual"].iloc[0])
    if df < 1:
        raise FitError(
            f"influence needs more rows than free parameters; {fit.law.name} was fitted to "
            f"{len(fit.data)} rows with {len(fit.data) - df} free parameters."
        )


def _require_level(level: Any) -> None:
    if isinstance(level, bool) or not isinstance(level, float | int) or not 0 < level < 1:
        raise FitError(f"level must lie between 0 and 1; it is {shown(level)}.")


def _require_steps(fit: Fit, n: object, parameter: str | None) -> None:
    spare = int(fit.stats["df_residual"].iloc[0])
    whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
    if not whole or not 1 <= n <= spare:  # type: ignore[operator]  # a number
        raise FitError(
            f"n must be a whole number of rows from 1 to the {spare} that the fit can spare; it is "
            f"{shown(n)}."
        )
    free = [name for name in fit.law.names if name not in fit.fixed]
    if parameter is not None and parameter not in free:
        raise FitError(unknown(f"free parameter of {fit.law.name}", parameter, free))
