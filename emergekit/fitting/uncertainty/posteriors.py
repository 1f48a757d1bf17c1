"""The posterior of a fit under flat priors, by sampling."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emergekit.errors import FitError, FitWarning
from emergekit.fitting.refitting import posed_again
from emergekit.fitting.result import Fit
from emergekit.fitting.solving.problem import Problem
from emergekit.fitting.uncertainty.drawing import parameter_draws
from emergekit.fitting.uncertainty.ensembles import autocorrelation_time, sample_ensemble

__all__ = ["posterior"]

Array = NDArray[np.float64]

_WALKERS = 8
"""Walkers for each free parameter."""
_TIMES = 20
"""Autocorrelation times that a path must last before it is believed."""


def posterior(fit: Fit, n: int = 4000, seed: int = 0, *, n_steps: int = 8000) -> Fit:
    r"""Return the fit with draws of its parameters from their posterior.

    .. math:: p(\theta \mid y) \propto \left[\sum_i w_i r_i^2\right]^{-n/2}
              \quad \text{(least squares)}, \qquad e^{-\text{deviance} / 2} \quad \text{(binomial)}

    The scatter of least squares is integrated out under a prior of 1 / sigma; the priors of the
    parameters are flat between their bounds, on the scale that each is searched on.

    Parameters
    ----------
    fit : Fit
        Under least squares, raw or of logarithms, or a binomial objective.
    n : int
        Draws.
    seed : int
        Of the walkers.
    n_steps : int
        Steps of the ensemble; the first half is thrown away.

    Returns
    -------
    Fit
        As of `bootstrap`: `draws` has one row a draw, `cov` is theirs, intervals are percentiles.
        `stats` has bootstrap ("posterior"), n_draws, acceptance and autocorrelation_time (steps,
        the largest of all parameters).

    Raises
    ------
    FitError
        If the objective is no likelihood, or there are no rows to spare.

    Warns
    -----
    FitWarning
        If the path is shorter than 20 times its autocorrelation time.

    Notes
    -----
    Where the likelihood falls to a plateau in some direction, a flat prior without bounds has no
    posterior; walkers then wander, which the warning shows. Give bounds.

    References
    ----------
    Gelman et al. 2013, section 3.2, for the scatter; Goodman & Weare 2010 for the sampler.

    Examples
    --------
    >>> from emergekit import fit, laws
    >>> x = np.array([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0])
    >>> noise = np.array([0.01, -0.01, 0.0, 0.01, 0.0, -0.01])
    >>> line = fit(laws.linear("loss"), pd.DataFrame({"loss": x, "score": 0.5 - 0.3 * x + noise}))
    >>> drawn = posterior(line, n=2000, n_steps=4000)
    >>> len(drawn.draws), float(drawn.draws["b"].median().round(2))
    (2000, 0.3)
    """
    goal = fit.objective
    if not (goal.binomial or goal.name in ("least_squares", "least_squares_log")):
        raise FitError(
            f"posterior needs a likelihood, and '{goal.name}' is none; fit with "
            f"objective='least_squares', 'least_squares_log' or 'binomial'."
        )
    problem, heaviest = posed_again(fit)
    if problem.df_residual < 1:
        raise FitError(f"posterior of {fit.law.name}: there are no rows to spare.")
    rng = np.random.default_rng(seed)
    density = _density(problem, heaviest)
    start = _spread(fit, problem, density, rng)
    path, acceptance = sample_ensemble(density, start, n_steps, rng)
    kept = path[n_steps // 2 :]
    time = float(autocorrelation_time(kept).max())
    places = rng.integers(kept.shape[0] * kept.shape[1], size=n)
    z = kept.reshape(-1, kept.shape[-1])[places]
    draws = pd.DataFrame(problem.coordinates.params(z), index=pd.RangeIndex(n, name="draw"))
    cov = draws.cov()
    cov.loc[list(fit.fixed), :] = np.nan
    cov.loc[:, list(fit.fixed)] = np.nan
    stats = fit.stats.assign(
        bootstrap="posterior", n_draws=n, acceptance=acceptance, autocorrelation_time=time
    )
    said = fit.warnings
    if len(kept) < _TIMES * time:
        said = (*said, f"the posterior was walked for {len(kept) / time:.0f} autocorrelation times")
        warnings.warn(
            f"Fit of {fit.law.name}: {said[-1]}; take more n_steps, or give bounds.",
            FitWarning,
            stacklevel=2,
        )
    return replace(fit, draws=draws, cov=cov, stats=stats, warnings=said)


def _density(problem: Problem, heaviest: float) -> Callable[[Array], Array]:
    n_rows = problem.observed.shape[-1]

    def log_density(z: Array) -> Array:
        inside = ((z >= problem.lower) & (z <= problem.upper)).all(axis=-1)
        value = problem.value(np.clip(z, problem.lower, problem.upper))
        if problem.objective.binomial:
            found = -heaviest * value
        else:
            with np.errstate(divide="ignore"):
                found = -n_rows / 2 * np.log(value)
        return np.where(inside & ~np.isnan(found), found, -np.inf)

    return log_density


def _spread(
    fit: Fit, problem: Problem, density: Callable[[Array], Array], rng: np.random.Generator
) -> Array:
    """Return walkers about the estimate: as far as its covariance says, or a little."""
    best = problem.coordinates.near(fit.params)
    n_free = len(best)
    n_walkers = 2 * max(_WALKERS * n_free // 2, 8)
    drawn = parameter_draws(replace(fit, draws=None), 4 * n_walkers, int(rng.integers(1 << 31)))
    near = best + 1e-3 * (1 + np.abs(best)) * rng.standard_normal((4 * n_walkers, n_free))
    if drawn.notna().all(axis=None):
        values = np.stack([drawn[p.name].to_numpy() for p in problem.coordinates.searched], axis=-1)
        with np.errstate(all="ignore"):
            far = np.where(problem.coordinates.log, np.log(values), values)
        near = np.concatenate([far, near])
    near = np.clip(near, problem.lower, problem.upper)
    usable = near[np.isfinite(near).all(axis=1) & np.isfinite(density(near))]
    if len(usable) < n_walkers:
        raise FitError(f"posterior of {fit.law.name}: its likelihood vanishes near the estimate.")
    start: Array = usable[:n_walkers]
    return start
