"""Parameters that might have been estimated instead: draws from a bootstrap or a covariance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from emergekit.fitting.result import Fit

__all__ = ["parameter_draws"]


def parameter_draws(fit: Fit, n: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return parameters of a fit: the estimates in the first row, then draws.

    Parameters
    ----------
    fit : Fit
        With draws of a bootstrap, these; otherwise draws come from its covariance.
    n : int
        Draws from a covariance.
    seed : int
        Of these.

    Returns
    -------
    DataFrame
        One column a parameter. What was searched by its logarithm is drawn there, and so stays
        positive; what has no covariance, being fixed or on a bound, does not vary.
    """
    names = list(fit.law.names)
    if fit.draws is not None:
        return pd.concat([fit.params[names].to_frame().T, fit.draws[names]], ignore_index=True)
    rng = np.random.default_rng(seed)
    estimate = fit.params[names].to_numpy(dtype=float)
    cov = np.nan_to_num(fit.cov.loc[names, names].to_numpy(dtype=float))
    log = np.array(
        [p.scale == "log" and v > 0 for p, v in zip(fit.law.parameters, estimate, strict=True)]
    )
    stretch = np.where(log, np.where(log, estimate, 1.0), 1.0)
    z = rng.multivariate_normal(np.zeros(len(names)), cov / np.outer(stretch, stretch), n)
    drawn = np.where(log, estimate * np.exp(np.where(log, z, 0.0)), estimate + z)
    return pd.DataFrame(np.vstack([estimate, drawn]), columns=names)
