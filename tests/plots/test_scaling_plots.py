"""Plots of compute-optimal scaling: what is drawn where."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from emergekit import datasets, laws
from emergekit.errors import FitError
from emergekit.fitting import allocate, fit
from emergekit.plots import plot_isoflops, plot_surface
from emergekit.plots.axes import power_of_ten


@pytest.fixture
def points():
    return datasets.load_porian().query("dataset == 'RefinedWeb' and setting == 'last_layer'")


def test_every_budget_is_a_curve_through_its_runs_with_its_minimum(points):
    figure, ax = plt.subplots()
    assert plot_isoflops(points, method="interpolation", noise=0.002, ax=ax) is ax
    curves = [line for line in ax.lines if len(line.get_xdata()) == 200]
    assert len(curves) == points["flops"].nunique()
    for line in curves:
        assert np.isfinite(line.get_ydata()).all()
    labels = ax.get_legend_handles_labels()[1]
    assert {"minimum", "minimum at or beyond the ends"} <= set(labels)
    assert ax.get_xlabel() == "model size (parameters)"
    assert ax.get_ylabel() == "loss (nats per token)"
    figure.canvas.draw()


def test_runs_left_out_are_still_drawn(points):
    ax = plot_isoflops(points, within=4)
    drawn = [dots for dots in ax.collections if dots.get_alpha() == 0.25]
    assert sum(len(dots.get_offsets()) for dots in drawn) > 20
    assert sum(len(dots.get_offsets()) for dots in ax.collections) > len(points)


def test_a_budget_of_two_runs_is_drawn_without_a_curve(points):
    two = points.groupby("flops").head(2)
    ax = plot_isoflops(two)
    assert all(np.isnan(line.get_ydata()).all() for line in ax.lines if len(line.get_xdata()) > 2)


def test_the_frontier_runs_through_the_best_splits(chinchilla_fit):
    ax = plot_surface(chinchilla_fit, 5.76e23)
    line = next(line for line in ax.lines if line.get_label() == "best split")
    n, d = line.get_xdata(), line.get_ydata()
    best = allocate(chinchilla_fit, 6 * n[7] * d[7]).set_index("term")["estimate"]
    assert n[7] == pytest.approx(best["n_params"])
    (star,) = [dots for dots in ax.collections if "at $5.76" in dots.get_label()]
    assert np.asarray(star.get_offsets())[0] == pytest.approx([7.319e10, 1.31165e12], rel=1e-4)
    assert {"runs", "95% interval", "loss (nats per token)"} <= set(
        ax.get_legend_handles_labels()[1]
    )
    ax.figure.canvas.draw()


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_a_surface_without_intervals_has_a_frontier_and_no_band(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs.iloc[::48])
    labels = plot_surface(result).get_legend_handles_labels()[1]
    assert "best split" in labels
    assert "95% interval" not in labels
    with pytest.raises(FitError, match="no best split"):
        plot_surface(fit(laws.multiplicative_law(), chinchilla_runs))


def test_powers_of_ten_are_written_as_mathematics():
    assert power_of_ten(1e18) == "$10^{18}$"
    assert power_of_ten(5.76e23) == r"$5.76 \times 10^{23}$"
    assert power_of_ten(2e-3) == r"$2 \times 10^{-3}$"


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_other_variables_of_a_law_are_given(chinchilla_runs):
    runs = chinchilla_runs.assign(n_unique_tokens=chinchilla_runs["n_tokens"])
    held = {"alpha": 0.34, "beta": 0.36, "R_D_star": 15.4, "R_N_star": 5.3}
    result = fit(laws.REPETITION, runs.iloc[::5], fixed=held)
    line = next(
        line
        for line in plot_surface(result, given={"n_unique_tokens": 1e10}).lines
        if line.get_label() == "best split"
    )
    assert np.isfinite(line.get_ydata()).all()
    with pytest.raises(FitError, match="also depends on n_unique_tokens"):
        plot_surface(result)
    with pytest.raises(FitError, match="power_in_flops is a law of flops"):
        plot_surface(fit(laws.power_law(), runs))
