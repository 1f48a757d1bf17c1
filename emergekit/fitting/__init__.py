"""Fit laws to tables: `fit` gives a `Fit`, `bootstrap` one with draws, `delta_path` its rivals."""

from __future__ import annotations

from emergekit.fitting.estimation import fit
from emergekit.fitting.groups import fit_groups
from emergekit.fitting.intervals import bootstrap
from emergekit.fitting.objectives import Objective
from emergekit.fitting.result import Fit
from emergekit.fitting.sensitivity import delta_path

__all__ = ["Fit", "Objective", "bootstrap", "delta_path", "fit", "fit_groups"]
