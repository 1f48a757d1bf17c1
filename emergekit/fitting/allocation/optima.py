"""The power law through optima: how compute-optimal size and tokens grow with compute."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting.estimation import fit
from emergekit.fitting.result import Fit
from emergekit.fitting.rows import positive_numbers, require_columns
from emergekit.laws import optimal_power_law

__all__ = ["fit_optima"]

Array = NDArray[np.float64]


def fit_optima(
    optima: pd.DataFrame,
    response: str = "n_params",
    draws: pd.DataFrame | None = None,
    *,
    weighted: bool = True,
) -> Fit:
    """Return the power law N*(C) = k C^a through optima, one a budget.

    ``fit(laws.optimal_power_law(response), optima)`` on the optima that lie inside their sizes,
    each with the weight that its noise leaves it.

    Parameters
    ----------
    optima : DataFrame
        From `isoflop_optima` or `envelope`, of one family of runs: flops and the response; rows
        whose `inside` is False, or whose response is absent, are left out.
    response : str
        n_params, or n_tokens.
    draws : DataFrame, optional
        From `isoflop_draws` with the same arguments: the fit gains one draw of k and a for each
        set of noisy optima. Draws that have no optimum at a budget give way to the next one there,
        as budgets are drawn independently.
    weighted : bool
        Weigh optima by 1 / log_n_params_stderr^2, if that column is there.

    Returns
    -------
    Fit
        Of ``laws.optimal_power_law(response)``, by least squares of logarithms. `allocate` takes
        it.

    Raises
    ------
    TableError
        If a column is absent, or a budget is there twice.
    FitError
        If fewer than two optima are left, or a budget has no draws.

    Warns
    -----
    FitWarning
        As `fit` does: k, the optimum at one FLOP, is always correlated with a.

    References
    ----------
    Hoffmann et al. 2022, sections 3.1 and 3.2; Porian et al. 2024, section 2 (numbers from
    memory).

    Examples
    --------
    >>> from emergekit import datasets
    >>> optima = datasets.load_porian("optima").query("dataset == 'RefinedWeb'")
    >>> with warnings.catch_warnings(action="ignore"):  # k and a belong together
    ...     law = fit_optima(optima[optima["setting"] == "tuned"])
    >>> float(law.params["a"].round(4))
    0.4969
    """
    rows = _usable(optima, response, weighted)
    weights = 1 / rows["log_n_params_stderr"] ** 2 if "log_n_params_stderr" in rows else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # said again where the caller sees it
        result = fit(optimal_power_law(response), rows, weights=weights)
    if result.warnings:
        said = "; ".join(result.warnings)
        warnings.warn(f"Fit of {result.law.name}: {said}", FitWarning, stacklevel=2)
    return result if draws is None else _with_draws(result, draws, response)


def _usable(optima: pd.DataFrame, response: str, weighted: bool) -> pd.DataFrame:
    """Return the rows that count: flops, the response and, for weights, the stderr."""
    where = "fit of optima"
    require_columns(optima, ("flops", response), where=where)
    names = ["flops", response]
    if weighted and "log_n_params_stderr" in optima:
        names.append("log_n_params_stderr")
    known = optima[names].notna().all(axis=1)
    if "inside" in optima:
        known &= optima["inside"].astype(bool)
    rows = positive_numbers(optima[known], tuple(names), where=where)
    twice = rows["flops"].duplicated()
    if twice.any():
        raise TableError(
            f"{where}: {rows.loc[twice, 'flops'].iloc[0]:g} FLOPs are there twice (row "
            f"{rows.index[twice][0]}); select one optimum a budget, of one configuration."
        )
    if len(rows) < 2:
        raise FitError(
            f"{where}: {len(rows)} of {len(optima)} budgets have an optimum inside their sizes, "
            f"but a power law needs 2; see the column reason."
        )
    return rows


def _with_draws(result: Fit, draws: pd.DataFrame, response: str) -> Fit:
    """Return the fit with one draw of its parameters for each set of noisy optima."""
    require_columns(draws, ("flops", response), where="draws of optima")
    flops = result.data["flops"].to_numpy()
    optima = {c: part[response].dropna().to_numpy() for c, part in draws.groupby("flops")}
    absent = [c for c in flops if len(optima.get(c, ())) < 2]
    if absent:
        raise FitError(
            f"draws hold no optima at {absent[0]:g} FLOPs; make them with isoflop_draws and the "
            f"same arguments as the optima."
        )
    n = min(len(optima[c]) for c in flops)
    k, a = _lines(np.log(flops), np.log([optima[c][:n] for c in flops]), result.weights)
    values = pd.DataFrame({"k": k, "a": a})
    values.index.name = "draw"
    n_asked = max(int((draws["flops"] == c).sum()) for c in flops)
    stats = result.stats.assign(bootstrap="noise", n_draws=n_asked, n_draws_failed=n_asked - n)
    return replace(result, draws=values, cov=values.cov(), stats=stats)


def _lines(x: Array, y: Array, weights: pd.Series | None) -> tuple[Array, Array]:
    """Return exp(intercept) and slope of weighted lines through y, shape (n, B)."""
    w = np.ones(len(x)) if weights is None else weights.to_numpy()
    w = w / w.sum()
    middle = w @ x
    slope = (w * (x - middle)) @ y / (w @ (x - middle) ** 2)
    return np.exp(w @ y - slope * middle), slope
