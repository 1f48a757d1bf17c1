"""Where searches begin: guesses from the rows against what a search of every place finds."""

import numpy as np
import pandas as pd
import pytest

from emergekit import datasets, fit, laws

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")


@pytest.fixture(scope="module")
def curves():
    return datasets.load_extrapolation_benchmark().query("is_fit")


def squares(law, rows):
    return fit(law, rows, objective="least_squares_log").stats["objective_value"].iloc[0]


def of(curves, task, model):
    return curves[(curves["task"] == task) & (curves["model"] == model)]


@pytest.mark.parametrize(
    ("task", "model", "least"),
    [
        # Half sums of squares, the least of 20 searches by SciPy from the best and from other ones
        # of 3,000 random places.
        ("cal_25", "BiT/101/3", 0.00118960),
        ("bird_25", "MiX/L/16", 0.00292860),
        ("date_1", "262M", 0.00123678),
    ],
)
def test_m4_finds_the_least_squares_of_curves_with_and_without_a_ceiling(
    curves, task, model, least
):
    assert squares(laws.m4("x"), of(curves, task, model)) == pytest.approx(least, rel=1e-4)


def test_m4_is_never_worse_than_the_laws_within_it(curves):
    for task, model in [("cal_5", "MiX/B/16"), ("date_2", "262M"), ("c_5", "MiX/L/16")]:
        rows = of(curves, task, model)
        m1, m2, m4 = (squares(law("x"), rows) for law in (laws.m1, laws.m2, laws.m4))
        assert m4 <= m2 * (1 + 1e-4)
        assert m2 <= m1 * (1 + 1e-4)


def test_m3_finds_the_least_squares_of_every_bend(curves):
    rows = of(curves, "bird_10", "BiT/101/3")
    x, log_y = rows["x"].to_numpy(), np.log(rows["loss"].to_numpy())
    least = np.inf
    for gamma in np.geomspace(1e-4, 1e4, 2001) / x.mean():
        base = np.log(1 / x + gamma)
        base -= base.mean()
        c = np.clip(base @ log_y / (base @ base), 0, 2)
        rest = log_y - log_y.mean() - c * base
        least = min(least, rest @ rest / 2)
    assert squares(laws.m3("x"), rows) <= least * (1 + 1e-9)


def test_a_floor_may_lie_above_the_lowest_row():
    rng = np.random.default_rng(0)
    x = np.geomspace(1e3, 1e7, 40)
    y = (2.0 + 50 * x**-0.6) * np.exp(0.02 * rng.standard_normal(40))
    guess = laws.offset_power_law("n", "y").started_at({"n": x, "y": y})
    floor, _, c = (parameter.start for parameter in guess.parameters)
    assert floor > y.min()
    assert floor == pytest.approx(2.0, rel=0.01)
    assert c == pytest.approx(0.6, rel=0.1)


def test_rows_without_a_floor_are_searched_from_a_faint_one():
    x = np.geomspace(1.0, 1e6, 20)
    law = laws.m2("n").started_at(pd.DataFrame({"n": x, "loss": 0.5 * x**-0.2}))
    start = {parameter.name: parameter.start for parameter in law.parameters}
    assert 0 < start["eps_inf"] < 0.1 * 0.5 * 1e6**-0.2
    assert start["c"] == pytest.approx(0.2, rel=0.05)
