"""Compare fits to the same rows by what their likelihood is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from emergekit.errors import FitError, shown, unknown
from emergekit.fitting.likelihood import log_likelihood
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit

__all__ = ["compare"]

Criterion = Literal["aicc", "aic", "bic"]


def compare(fits: Sequence[Fit], criterion: Criterion = "aicc") -> pd.DataFrame:
    r"""Return fits to the same rows side by side, the best first.

    .. math:: AIC = 2k - 2 \ln L, \quad AICc = AIC + \frac{2k(k + 1)}{n - k - 1}, \quad
              BIC = k \ln n - 2 \ln L

    with k the free parameters and the dispersion. L is the likelihood of the responses, whatever
    they were fitted as: that of logarithms is brought back by its derivative, and a robust
    objective is the likelihood of its own density of errors (Laplace's, Huber's), with its
    dispersion estimated and its delta given. Fits that differ in objective are thus compared in
    what they say of the errors as well.

    Parameters
    ----------
    fits : sequence of Fit
        To the same rows of the same response, with the same weights.
    criterion : {"aicc", "aic", "bic"}
        By which they are put in order.

    Returns
    -------
    DataFrame
        One row a fit, on an index that says which of `fits` it is: law, objective, n_rows, n_free,
        rmse (units of the response), log_likelihood, aic, aicc, bic, difference from the best in
        the criterion, and weight, exp(-difference / 2) over the sum of these (Akaike weights). NaN
        where there is none: `aicc` with fewer than k + 2 rows, and all of them for a fit through
        every row; those come last.

    Raises
    ------
    FitError
        If fits differ in rows, response or weights, or only some are binomial.

    Notes
    -----
    Criteria judge how rows like those fitted are met, not larger scale; see `extrapolate`.

    References
    ----------
    Burnham & Anderson 2002, sections 2.2 to 2.11; Hurvich & Tsai 1989 for AICc.

    Examples
    --------
    >>> from emergekit import datasets, fit, laws
    >>> runs = datasets.load_chinchilla().query("used_in_fit")
    >>> fits = [
    ...     fit(laws.power_law(x), runs, fixed={"c": 0.05}) for x in ("flops", "n_params")
    ... ]
    >>> found = compare(fits)
    >>> dict(zip(found["law"], found["difference"].round(1)))
    {'power_in_flops': 0.0, 'power_in_n_params': 574.4}
    """
    if criterion not in get_args(Criterion):
        raise FitError(unknown("criterion", criterion, get_args(Criterion)))
    _require_comparable(fits)
    table = pd.DataFrame([_row(fit) for fit in fits])
    table.index.name = "fit"
    difference = table[criterion] - table[criterion].min()
    share = np.exp(-difference / 2)
    table = table.assign(difference=difference, weight=share / share.sum())
    return table.sort_values("difference", kind="stable", na_position="last")


def _row(fit: Fit) -> dict[str, Any]:
    stats = fit.stats.iloc[0]
    n, n_free = int(stats["n_rows"]), int(stats["n_free"])
    k = n_free if fit.objective.binomial else n_free + 1
    likelihood = _likelihood(fit, k)
    aic = 2 * k - 2 * likelihood
    return {
        "law": fit.law.name,
        "objective": stats["objective"],
        "n_rows": n,
        "n_free": n_free,
        "rmse": stats["rmse"],
        "log_likelihood": likelihood,
        "aic": aic,
        "aicc": aic + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.nan,
        "bic": k * np.log(n) - 2 * likelihood,
    }


def _likelihood(fit: Fit, k: int) -> float:
    stats = fit.stats.iloc[0]
    if fit.objective.binomial:  # it has been taken with the numbers of test items
        return float(k - stats["aic"] / 2)
    if stats["df_residual"] < 1:
        return np.nan
    problem, _ = posed_again(fit)
    residuals = problem.residuals(problem.coordinates.z(fit.params))
    return float(log_likelihood(fit.objective, problem.observed, residuals, problem.weights))


def _require_comparable(fits: Sequence[Fit]) -> None:
    if isinstance(fits, Fit) or not len(fits):
        raise FitError("compare takes a list of fits, such as compare([fit1, fit2]).")
    for place, fit in enumerate(fits):
        if not isinstance(fit, Fit):
            raise FitError(
                f"compare takes fits, but entry {place} is {shown(type(fit).__name__)}; "
                f"make one with fit(law, table)."
            )
    first = fits[0]
    for place, other in enumerate(fits[1:], start=1):
        differing = _difference(first, other)
        if differing:
            raise FitError(
                f"fits 0 ({first.law.name}) and {place} ({other.law.name}) cannot be compared: "
                f"{differing}. Fit both to the same rows of one table."
            )


def _difference(one: Fit, other: Fit) -> str:
    """Return in words why the likelihoods of two fits are of different data, or nothing."""
    names = [str(fit.stats["response"].iloc[0]) for fit in (one, other)]
    if names[0] != names[1]:
        return f"one explains '{names[0]}', the other '{names[1]}'"
    if one.objective.binomial != other.objective.binomial:
        return (
            f"the objectives {one.objective.name} and {other.objective.name} are likelihoods of "
            f"counts and of measured responses"
        )
    if len(one.data) != len(other.data):
        return f"they have {len(one.data)} and {len(other.data)} rows"
    observed = [fit.data[name].to_numpy() for fit, name in zip((one, other), names, strict=True)]
    apart = (observed[0] != observed[1]) | (one.data.index != other.data.index)
    if apart.any():
        at = int(np.argmax(apart))
        labels = one.data.index[at], other.data.index[at]
        return (
            f"their rows differ; place {at} is row {labels[0]} with {names[0]}="
            f"{observed[0][at]:g} in one and row {labels[1]} with {observed[1][at]:g} in the other"
        )
    weights = [
        np.ones(len(fit.data)) if fit.weights is None else fit.weights.to_numpy()
        for fit in (one, other)
    ]
    # Weights of measured responses have any unit; of counts they are the numbers of items.
    units = [1.0, 1.0] if one.objective.binomial else [w.max() for w in weights]
    if not np.allclose(weights[0] / units[0], weights[1] / units[1], rtol=1e-9):
        return "their rows have different weights"
    return ""
