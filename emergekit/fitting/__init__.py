"""Fit laws to tables: `fit` returns a `Fit`."""

from __future__ import annotations

from emergekit.fitting.estimation import fit
from emergekit.fitting.objectives import Objective
from emergekit.fitting.result import Fit

__all__ = ["Fit", "Objective", "fit"]
