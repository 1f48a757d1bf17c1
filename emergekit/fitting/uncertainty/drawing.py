"""What might have been: parameters estimated from other rows, and new rows about the law."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.fitting.result import Fit

__all__ = ["estimates_and_draws", "parameter_draws", "scatter_draws"]

Array = NDArray[np.float64]


def parameter_draws(fit: Fit, n: int = 2000, seed: int | list[int] = 0) -> pd.DataFrame:
    """Return draws of a fit's parameters, those of its bootstrap if it has one.

    Without a bootstrap they come from Student's t about the estimates, with the sandwich covariance
    and the fit's degrees of freedom, on the scale that each parameter is searched on: what is
    positive stays so.

    Parameters
    ----------
    fit : Fit
        What was estimated.
    n : int
        Draws; of a bootstrap, as many are drawn from its own.
    seed : int, or list of int
        Root of the random numbers.

    Returns
    -------
    DataFrame
        One row a draw, one column a parameter; a fixed one does not move. All NaN where a parameter
        that was searched has no covariance: what it might have been is not known.
    """
    names = list(fit.law.names)
    rng = np.random.default_rng(seed)
    if fit.draws is not None:
        rows = rng.integers(len(fit.draws), size=n) if n != len(fit.draws) else np.arange(n)
        return fit.draws[names].iloc[rows].reset_index(drop=True)
    estimate = fit.params[names].to_numpy(dtype=float)
    cov = fit.cov.loc[names, names].to_numpy(dtype=float).copy()
    held = np.isin(names, list(fit.fixed))
    cov[held, :] = cov[:, held] = 0.0
    df = int(fit.stats["df_residual"].iloc[0])
    if np.isnan(cov).any() or df < 1:
        return pd.DataFrame(np.full((n, len(names)), np.nan), columns=names)
    is_log = np.array([p.scale == "log" for p in fit.law.parameters]) & (estimate > 0)
    unit = np.where(is_log, estimate, 1.0)
    z = rng.multivariate_normal(np.zeros(len(names)), cov / np.outer(unit, unit), n)
    z *= np.sqrt(df / rng.chisquare(df, size=n))[:, None]
    drawn = np.where(is_log, estimate * np.exp(np.where(is_log, z, 0.0)), estimate + z)
    return pd.DataFrame(drawn, columns=names)


def estimates_and_draws(fit: Fit, n: int = 2000, seed: int | list[int] = 0) -> pd.DataFrame:
    """Return the estimates of a fit in the first row, and below them `parameter_draws`.

    Of a fit with draws these come all, and none twice.
    """
    drawn = parameter_draws(fit, n if fit.draws is None else len(fit.draws), seed)
    estimates = fit.params[list(fit.law.names)].to_frame().T
    return pd.concat([estimates, drawn], ignore_index=True)


def scatter_draws(fit: Fit, values: Array, seed: int | list[int] = 0) -> Array:
    """Return values of a fit's law with the scatter of new rows of average weight.

    Parameters
    ----------
    fit : Fit
        Whose residuals are drawn, either sign alike, stretched for what the fit took up.
    values : array
        The law's values, of any shape.
    seed : int, or list of int
        Root of the random numbers.

    Returns
    -------
    array
        Of the shape of `values`; NaN for a fit without rows to spare.
    """
    df = int(fit.stats["df_residual"].iloc[0])
    if df < 1:
        return np.full_like(values, np.nan)
    rng = np.random.default_rng(seed)
    observed = fit.data[str(fit.stats["response"].iloc[0])].to_numpy(dtype=float)
    fitted = fit.law.predict(fit.data, fit.params)
    transform, unit = fit.objective.transform, fit.objective.unit(fitted)
    residuals = transform(fitted) - transform(observed)
    weights = np.ones(len(observed)) if fit.weights is None else fit.weights.to_numpy(dtype=float)
    spread = np.divide(residuals, unit, out=np.zeros_like(residuals), where=unit > 0)
    spread *= np.sqrt(weights / weights.mean() * len(observed) / df)
    drawn = rng.choice(spread, size=values.shape) * rng.choice([-1.0, 1.0], size=values.shape)
    with np.errstate(invalid="ignore"):
        return fit.objective.untransform(transform(values) + fit.objective.unit(values) * drawn)
