"""Fit laws to tables: `fit` gives a `Fit`, `bootstrap` one with draws, `delta_path` its rivals.

`allocate` splits a budget of compute by a fitted loss, or by a fitted optimum.
"""

from __future__ import annotations

from emergekit.fitting.allocation import allocate
from emergekit.fitting.estimation import fit
from emergekit.fitting.groups import fit_groups
from emergekit.fitting.intervals import bootstrap
from emergekit.fitting.objectives import Objective
from emergekit.fitting.profiles import profile, profile_intervals
from emergekit.fitting.result import Fit
from emergekit.fitting.sensitivity import delta_path

__all__ = [  # noqa: RUF022  in the order of the work
    "Fit",
    "Objective",
    "fit",
    "fit_groups",
    "bootstrap",
    "profile",
    "profile_intervals",
    "delta_path",
    "allocate",
]
