import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from emergekit.plots import plot_curves, plot_fit
from emergekit.plots.axes import label, literal
from emergekit.plots.fits import plot_residuals

RESULTS = pd.DataFrame(
    {
        "model": [f"m{i}" for i in range(6)],
        "family": ["f"] * 3 + ["$g$"] * 3,
        "task": "t",
        "metric": "acc",
        "score": [0.1, 0.2, 0.3] * 2,
        "stderr": 0.01,
        "chance": 0.25,
        "n_params": [1e7, 1e8, 1e9] * 2,
        "loss": [4.0, 3.0, 2.0] * 2,
    }
)


def test_curves_are_drawn_on_the_axes_they_are_given():
    _, ax = plt.subplots()
    assert plot_curves(RESULTS, ax=ax) is ax
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "model size (parameters)"
    assert len(ax.containers) == 2
    chance = [line for line in ax.lines if np.allclose(line.get_ydata(), 0.25)]
    assert len(chance) == 1


def test_each_family_has_its_colour():
    ax = plot_curves(RESULTS)
    assert len({container[0].get_color() for container in ax.containers}) == 2


def test_loss_falls_to_the_right():
    ax = plot_curves(RESULTS, x="loss")
    assert ax.xaxis_inverted()


def test_a_dollar_in_a_name_starts_no_formula():
    ax = plot_curves(RESULTS)
    ax.legend()
    ax.figure.canvas.draw()
    assert literal("$x$ y") == r"\$x\$ y"
    assert label("my_$cale") == r"my \$cale"


def test_a_fit_of_two_variables_is_observed_against_predicted(chinchilla_fit):
    ax = plot_fit(chinchilla_fit)
    assert ax.get_xlabel() == "predicted loss (nats per token)"
    assert len(ax.collections) == 2


def test_residuals_scatter_around_zero(chinchilla_fit):
    ax = plot_residuals(chinchilla_fit)
    drawn = np.asarray(ax.collections[0].get_offsets())[:, 1]
    assert len(drawn) == 240
    assert abs(np.median(drawn)) < 1e-3
    assert ax.get_ylabel() == "log loss: observed - fit"


def constant(n_params, a):
    return a + 0 * n_params


def constant_gradient(n_params, a):
    return (np.ones_like(n_params) + 0 * a,)


def test_a_fit_of_one_variable_is_a_curve_through_the_rows():
    from emergekit import fit
    from emergekit.laws import Law, Parameter

    law = Law(
        "constant", ("n_params",), "score", (Parameter("a", 1.0),), constant, constant_gradient
    )
    ax = fit(law, RESULTS).plot()
    assert ax.get_xlabel() == "model size (parameters)"
    assert ax.lines[0].get_ydata() == pytest.approx(np.full(200, 0.2))
