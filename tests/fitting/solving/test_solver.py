"""The certificate of a minimum, and parameters that end on a bound or vanish."""

import numpy as np
import pytest
from scipy.stats import t as student_t

from emergekit import fit, laws
from emergekit.errors import FitWarning

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
OBJECTIVES = ["least_squares", "least_squares_log", "huber_log"]


def with_losses(runs, noise=0.0, **changed):
    loss = laws.CHINCHILLA.predict(runs, {**TRUTH, **changed})
    errors = np.random.default_rng(1).standard_normal(len(runs))
    return runs.assign(loss=loss * np.exp(noise * errors))


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-7, 1e-3])
def test_near_exact_data_are_a_converged_fit(chinchilla_runs, objective, noise):
    table = with_losses(chinchilla_runs, noise)
    result = fit(laws.CHINCHILLA, table, objective=objective)
    assert result.stats["converged"].iloc[0]
    assert result.stats["n_starts_agree"].iloc[0] >= 2
    for name, value in TRUTH.items():
        assert result.params[name] == pytest.approx(value, rel=1e-5 + 300 * noise), name


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_at_least_the_best_start_agrees_with_itself(chinchilla_runs, objective):
    for seed in range(3):
        few = chinchilla_runs.sample(8, random_state=seed)
        stats = fit(laws.CHINCHILLA, few, objective=objective).stats.iloc[0]
        assert 1 <= stats["n_starts_agree"] <= stats["n_starts"]


@pytest.mark.parametrize("objective", ["least_squares_log", "huber_log"])
def test_a_floor_that_vanishes_is_on_its_bound_and_the_others_keep_their_intervals(
    chinchilla_runs, objective
):
    table = with_losses(chinchilla_runs, noise=0.02, E=0.0)
    with pytest.warns(FitWarning, match=r"E on a bound \(0\), without interval"):
        result = fit(laws.CHINCHILLA, table, objective=objective)
    assert result.params["E"] == 0
    stats = result.stats.iloc[0]
    assert (stats["on_bound"], stats["converged"], stats["identified"]) == ("E", True, True)
    frame = result.to_frame(0.999).set_index("term").drop("E")
    for name, row in frame.iterrows():
        assert row["lower"] < TRUTH[name] < row["upper"], name


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_a_small_floor_that_the_rows_show_stays(chinchilla_runs):
    table = with_losses(chinchilla_runs, noise=0.001, E=0.01)
    result = fit(laws.CHINCHILLA, table, objective="least_squares_log")
    assert result.stats["on_bound"].iloc[0] == ""
    assert result.params["E"] == pytest.approx(0.01, abs=0.01)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_what_is_on_a_bound_is_exactly_on_it_wherever_that_is_said(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs, bounds={"alpha": (0.0, 0.3), "beta": (0.4, 1)})
    assert result.params[["alpha", "beta"]].tolist() == [0.3, 0.4]
    assert result.stats["on_bound"].iloc[0] == "alpha, beta"
    assert result.stats["converged"].iloc[0]
    frame = result.to_frame().set_index("term")
    assert frame.loc[["alpha", "beta"], "stderr"].isna().all()
    assert frame.loc[["E", "A", "B"], "stderr"].notna().all()


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_degrees_of_freedom_are_rows_less_free_parameters_everywhere(chinchilla_runs):
    result = fit(
        laws.CHINCHILLA,
        chinchilla_runs,
        objective="least_squares_log",
        fixed={"beta": 0.37},
        bounds={"alpha": (0.0, 0.3)},
    )
    stats = result.stats.iloc[0]
    assert (stats["on_bound"], stats["n_free"], stats["df_residual"]) == ("alpha", 4, 236)
    predicted = result.predict(chinchilla_runs)["predicted"]
    square = (np.log(predicted / chinchilla_runs["loss"]) ** 2).sum()
    assert stats["residual_sd"] == pytest.approx(np.sqrt(square / 236))
    row = result.to_frame(level=0.9).set_index("term").loc["E"]
    reach = np.log(row["upper"] / row["estimate"]) * row["estimate"] / row["stderr"]
    assert reach == pytest.approx(student_t.ppf(0.95, 236))
