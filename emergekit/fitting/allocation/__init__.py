"""Compute-optimal sizes: how to split a budget, by Hoffmann's three approaches."""

from __future__ import annotations

from emergekit.fitting.allocation.allocating import allocate
from emergekit.fitting.allocation.bias import parabola_bias
from emergekit.fitting.allocation.isoflop import isoflop_draws, isoflop_optima
from emergekit.fitting.allocation.optima import fit_optima
from emergekit.fitting.allocation.training import envelope

__all__ = [
    "allocate",
    "envelope",
    "fit_optima",
    "isoflop_draws",
    "isoflop_optima",
    "parabola_bias",
]
