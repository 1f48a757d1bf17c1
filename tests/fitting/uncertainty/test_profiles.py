"""Profiles of the objective along one parameter, and the intervals that they end."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws, profile
from emergekit.errors import FitError, FitWarning
from emergekit.fitting import profile_intervals
from emergekit.laws import Law, Parameter

LOSS = np.linspace(2.0, 3.5, 30)


def straight(n_params, a, b):
    return a + b * n_params


def straight_gradient(n_params, a, b):
    return np.ones_like(n_params * b), n_params * np.ones_like(a)


LINE = Law(
    "line",
    ("n_params",),
    "score",
    (Parameter("a", 0.0), Parameter("b", 1.0)),
    straight,
    straight_gradient,
)


def noisy_line(n=20, seed=0, spread=0.1):
    x = np.linspace(0, 1, n)
    errors = spread * (0.2 + x) * np.random.default_rng(seed).standard_normal(n)
    return pd.DataFrame({"n_params": x, "score": 0.3 + 0.5 * x + errors})


def test_along_a_straight_law_the_statistic_is_the_squared_distance_in_errors():
    found = fit(LINE, noisy_line())
    frame = found.to_frame().set_index("term")
    table = profile(found, "b")
    distance = (table["b"] - frame.loc["b", "estimate"]) / frame.loc["b", "stderr"]
    assert table["statistic"].to_numpy() == pytest.approx(distance.to_numpy() ** 2, abs=1e-6)
    ends = profile_intervals(found).set_index("term")
    for name in ("lower", "upper"):
        assert ends.loc["b", name] == pytest.approx(frame.loc["b", name], rel=1e-3)
    # Errors are small where a is measured: the scale of errors alike is the larger one there.
    assert ends.loc["a", "lower"] < frame.loc["a", "lower"]


def test_where_errors_are_alike_the_interval_is_no_shorter_than_that_of_the_f_test():
    # Least squares: T = (SSR - SSR_min) / (SSR_min / df), Bates & Watts 1988, equation 6.2.
    table = noisy_line(8, seed=2).assign(score=lambda t: t["score"].round(1))
    found = fit(LINE, table)
    line = profile(found, "b", np.linspace(-0.5, 1.5, 5))
    least = 2 * found.stats["objective_value"].iloc[0]
    f = (2 * line["objective_value"] - least) / (least / 6)
    assert (line["statistic"] <= f * (1 + 1e-9)).all()


def test_the_other_parameters_are_at_their_best(chinchilla_fit, chinchilla_runs):
    table = profile(chinchilla_fit, "beta", [0.33, 0.40])
    for _, row in table.iterrows():
        with pytest.warns(FitWarning, match="A and alpha are correlated"):
            held = fit(laws.CHINCHILLA, chinchilla_runs, fixed={"beta": row["beta"]})
        assert row["objective_value"] <= held.stats["objective_value"].iloc[0] * (1 + 1e-8)
    assert table["converged"].all()


def test_the_default_values_reach_beyond_the_interval(chinchilla_fit):
    table = profile(chinchilla_fit, "beta")
    assert table["beta"].is_monotonic_increasing
    assert chinchilla_fit.params["beta"] in table["beta"].to_numpy()
    inside = table["inside"].to_numpy()
    assert not inside[[0, -1]].any()
    assert inside[12]
    ends = profile_intervals(chinchilla_fit, ["beta"]).iloc[0]
    assert table["beta"][table["inside"]].between(ends["lower"], ends["upper"]).all()
    # Published percentiles of 4,000 case resamples: .33126 to .41537
    assert ends["lower"] == pytest.approx(0.331, abs=0.01)
    assert ends["upper"] == pytest.approx(0.415, abs=0.02)


def test_what_the_rows_do_not_rule_out_is_an_open_end():
    loss = np.linspace(2.75, 3.5, 20)  # a hinge whose rise lies beyond the models
    score = 0.25 + 0.01 * np.random.default_rng(0).standard_normal(20)
    table = pd.DataFrame({"loss": loss, "score": score})
    found = fit(laws.hinge(), table, fixed={"c": 0.25, "b": 0.5})
    ends = profile_intervals(found, ["eta"]).iloc[0]
    assert ends["lower"] == -np.inf
    assert 2.7 < ends["upper"] < 3.0


def test_an_end_may_be_a_bound():
    table = pd.DataFrame({"loss": LOSS, "score": 0.5 * np.maximum(2.7 - LOSS, 0)})
    table["score"] += 0.02 * np.random.default_rng(0).standard_normal(30)
    with pytest.warns(FitWarning, match="c on a bound"):
        found = fit(laws.hinge(), table, bounds={"c": (0.0, 1.0), "b": (0.0, 2.0)})
    ends = profile_intervals(found, ["c"]).iloc[0]
    assert ends["lower"] == 0
    assert 0 < ends["upper"] < 0.03


def test_a_lower_minimum_than_that_of_the_fit_is_announced():
    score = 0.2 + np.maximum(2.7 - LOSS, 0) + 0.01 * np.random.default_rng(0).standard_normal(30)
    table = pd.DataFrame({"loss": LOSS, "score": score})
    found = fit(laws.hinge(), table)
    poor = replace(found, params=found.params.add([0.0, 0.0, 0.3]))
    with pytest.warns(FitWarning, match="no global minimum"):
        profile(poor, "eta", np.linspace(2.2, 3.4, 9))


def test_a_profile_of_a_fit_that_stopped_early_says_so():
    found = fit(LINE, noisy_line())
    early = replace(found, stats=found.stats.assign(converged=False))
    for function in (profile, profile_intervals):
        with pytest.warns(FitWarning, match="search stopped early"):
            function(early, "b")


def test_values_and_terms_are_checked(chinchilla_fit, chinchilla_runs):
    with pytest.raises(FitError, match="Unknown parameter of chinchilla 'gamma'"):
        profile(chinchilla_fit, "gamma")
    with pytest.raises(FitError, match=r"within its bounds \[0, 2\]; given is 2.5"):
        profile(chinchilla_fit, "beta", [0.3, 2.5])
    with pytest.raises(FitError, match="one row of numbers"):
        profile(chinchilla_fit, "beta", [])
    assert profile_intervals(chinchilla_fit, "beta")["term"].tolist() == ["beta"]
    with pytest.raises(FitError, match="one row of numbers"):
        profile(chinchilla_fit, "beta", [[0.3]])
    held = fit(laws.CHINCHILLA, chinchilla_runs, fixed={"alpha": 0.34, "beta": 0.37})
    with pytest.raises(FitError, match=r"'beta' was held at 0\.37"):
        profile(held, "beta")
    with pytest.warns(FitWarning, match="nothing to judge the scatter by"):
        exact = fit(LINE, noisy_line(2))
    with pytest.raises(FitError, match="leave no interval"):
        profile(exact, "b")


def test_a_single_parameter_has_a_profile_too():
    found = fit(LINE, noisy_line(), fixed={"a": 0.3})
    frame, ends = found.to_frame().set_index("term"), profile_intervals(found).iloc[0]
    assert ends["term"] == "b"
    assert ends["lower"] == pytest.approx(frame.loc["b", "lower"], rel=1e-3)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_counts_that_a_law_meets_scatter_all_the_same():
    sizes = 10 ** np.linspace(7, 11, 14)
    table = pd.DataFrame({"n_params": sizes, "score": (sizes > 1e9) * 1.0, "n": 40})
    found = fit(laws.chance_logistic("n_params"), table, objective="binomial", weights="n")
    assert profile(found, "k", [100.0])["p_value"].iloc[0] > 0.9
    assert profile_intervals(found, ["k"])["lower"].iloc[0] < 100


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize("objective", ["least_squares", "binomial"])
def test_intervals_of_a_threshold_cover_it(objective):
    # A hinge: eta is where the objective has a kink, and no parabola.
    rng, covered = np.random.default_rng(0), []
    chance = 0.1 + 0.6 * np.maximum(2.7 - LOSS, 0)
    for _ in range(200):
        n = np.full(30, 300)
        table = pd.DataFrame({"loss": LOSS, "score": rng.binomial(n, chance) / n, "n": n})
        weights = "n" if objective == "binomial" else None
        found = fit(laws.hinge(), table, objective=objective, weights=weights)
        ends = profile_intervals(found, ["eta"], level=0.9).iloc[0]
        covered.append(ends["lower"] <= 2.7 <= ends["upper"])
    assert 0.85 < np.mean(covered) < 0.96, np.mean(covered)
