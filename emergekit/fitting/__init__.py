"""Fit laws to tables: `fit` gives a `Fit`, `bootstrap` one with draws, `delta_path` its rivals.

Compute-optimal scaling three ways: `envelope` of training curves and `isoflop_optima` at equal
compute (approaches 1 and 2), whose optima `fit_optima` turns into a `Fit`, or a loss in size and
tokens (approach 3). `allocate` splits a budget by any of them.

`influence` shows what an answer owes to single rows, and `deletion_path` to one after another.
`compare` puts fits in order by their likelihood, `extrapolate` and `select_law` laws by what
they predict of rows that a split such as `leave_largest_out` holds out.
"""

from __future__ import annotations

from emergekit.fitting.allocation import (
    allocate,
    envelope,
    fit_optima,
    isoflop_draws,
    isoflop_optima,
    parabola_bias,
)
from emergekit.fitting.comparison.extrapolation import extrapolate, extrapolation_errors
from emergekit.fitting.comparison.holdout import (
    blocked_folds,
    flagged,
    leave_largest_out,
    rolling_origin,
)
from emergekit.fitting.comparison.ranking import compare
from emergekit.fitting.comparison.selection import select_law
from emergekit.fitting.compiled.acceleration import why_not_compiled
from emergekit.fitting.diagnostics.deletion import deletion_path, influence
from emergekit.fitting.diagnostics.sensitivity import delta_path
from emergekit.fitting.estimation import fit
from emergekit.fitting.grouped.groups import fit_groups
from emergekit.fitting.objectives import Objective
from emergekit.fitting.result import Fit
from emergekit.fitting.uncertainty.intervals import bootstrap
from emergekit.fitting.uncertainty.posteriors import posterior
from emergekit.fitting.uncertainty.profiles import profile, profile_intervals

__all__ = [  # noqa: RUF022  in the order of the work
    "Fit",
    "Objective",
    "fit",
    "fit_groups",
    "why_not_compiled",
    "bootstrap",
    "posterior",
    "profile",
    "profile_intervals",
    "delta_path",
    "influence",
    "deletion_path",
    "compare",
    "leave_largest_out",
    "rolling_origin",
    "blocked_folds",
    "flagged",
    "extrapolate",
    "extrapolation_errors",
    "select_law",
    "envelope",
    "isoflop_optima",
    "isoflop_draws",
    "parabola_bias",
    "fit_optima",
    "allocate",
]
