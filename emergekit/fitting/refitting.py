"""The problem that a fit solved, posed once more."""

from __future__ import annotations

import numpy as np

from emergekit.fitting.result import Fit
from emergekit.fitting.solving.coordinates import Coordinates
from emergekit.fitting.solving.problem import Problem, problem_of

__all__ = ["posed_again"]


def posed_again(fit: Fit) -> tuple[Problem, float]:
    """Return the problem of a fit, same rows, objective, bounds and fixed parameters.

    Its weights are shares of the heaviest, as the fit took them; the heaviest itself comes second.
    """
    response = str(fit.stats["response"].iloc[0])
    held = {name: float(fit.params[name]) for name in fit.fixed}
    coordinates = Coordinates(fit.law.started_at(fit.data, response), held, dict(fit.bounds))
    weights = np.ones(len(fit.data)) if fit.weights is None else fit.weights.to_numpy()
    heaviest = float(weights.max())
    relative = weights / heaviest
    problem = problem_of(fit.law, fit.data, response, relative, fit.objective, coordinates)
    return problem, heaviest
