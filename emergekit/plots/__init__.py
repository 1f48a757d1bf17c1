"""Plots: each draws on one Axes and gives it back."""

from __future__ import annotations

from emergekit.plots.curves import plot_curves
from emergekit.plots.extrapolations import plot_extrapolation
from emergekit.plots.fits import plot_fit, plot_residuals
from emergekit.plots.influences import plot_influence
from emergekit.plots.isoflop import plot_isoflops
from emergekit.plots.surfaces import plot_surface
from emergekit.plots.uncertainty import plot_draws, plot_profile
from emergekit.plots.verdicts import plot_verdict, plot_verdicts

__all__ = [
    "plot_curves",
    "plot_draws",
    "plot_extrapolation",
    "plot_fit",
    "plot_influence",
    "plot_isoflops",
    "plot_profile",
    "plot_residuals",
    "plot_surface",
    "plot_verdict",
    "plot_verdicts",
]
