"""What single rows do to a fit: against statsmodels, refits by hand and published outliers."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import OLSInfluence

from emergekit import datasets, fit, laws
from emergekit.errors import FitError
from emergekit.fitting import deletion_path, influence

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")


@pytest.fixture(scope="module")
def every_run():
    """Return the fit to all 245 runs, five of which published fits leave out."""
    return fit(laws.CHINCHILLA, datasets.load_chinchilla().set_index("model"))


@pytest.fixture(scope="module")
def left_out():
    runs = datasets.load_chinchilla().set_index("model")
    return set(runs.index[~runs["used_in_fit"]])


def rows(n=30, seed=0):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e3, 1e9, n)
    return pd.DataFrame({"x": x, "y": 3 * x**-0.1 * np.exp(0.05 * rng.standard_normal(n))})


def power(table, **options):
    options = {"objective": "least_squares_log", **options}
    return fit(laws.power_law("x", "y"), table, **options)


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_law_that_is_linear_has_the_influence_measures_of_statsmodels(weights):
    table = rows().assign(w=np.linspace(1, 3, 30))
    found = influence(power(table, weights=weights)).sort_index()
    weight = np.ones(30) if weights is None else table["w"] / 3  # shares of the heaviest
    root = np.sqrt(weight)
    design = sm.add_constant(np.log(table["x"])).mul(root, axis=0)
    known = OLSInfluence(sm.OLS(root * np.log(table["y"]), design).fit())
    np.testing.assert_allclose(found["leverage"], known.hat_matrix_diag, rtol=1e-6)
    np.testing.assert_allclose(found["cook"], known.cooks_distance[0], rtol=1e-5)
    np.testing.assert_allclose(found["change_c"], known.dfbeta[:, 1], rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(found["residual"] * root, known.resid, rtol=1e-6, atol=1e-9)


def test_one_step_is_exact_for_a_law_that_is_linear():
    result = power(rows(), fixed={"b": 3.0})
    exact, step = (influence(result, exact=way).sort_index() for way in (True, False))
    np.testing.assert_allclose(step["change_c"], exact["change_c"], rtol=1e-6)
    np.testing.assert_allclose(step["cook"], exact["cook"], rtol=1e-6)
    assert "change_b" not in exact


@pytest.mark.parametrize(
    "objective",
    ["huber_log", "least_squares_log", pytest.param("lad_log", marks=pytest.mark.slow)],
)
def test_changes_are_those_of_a_fit_without_the_row(every_run, objective):
    data = every_run.data
    result = fit(laws.CHINCHILLA, data, objective=objective)
    table = influence(result)
    # A search under absolute deviations may stop at a kink beside the corner.
    assert table["cook"].isna().sum() <= (3 if objective == "lad_log" else 0)
    for row in (table.index[0], table.index[200]):
        alone = fit(laws.CHINCHILLA, data.drop(index=row), objective=objective).params
        change = table.loc[row].filter(like="change_").astype(float).to_numpy()
        np.testing.assert_allclose(result.params + change, alone, rtol=1e-5)


def test_the_five_runs_that_published_fits_leave_out_are_on_top(every_run, left_out):
    # Besiroglu et al. 2024, notebook cell 15, leave out the five runs of the highest loss.
    table = influence(every_run)
    assert set(table.index[:5]) == left_out
    assert table["outlier"].iloc[:5].all()
    assert set(influence(every_run, exact=False).index[:5]) == left_out
    assert (table.loc[sorted(left_out), "change_beta"] < -0.007).all()


def test_leaving_the_five_out_takes_beta_from_453_to_367(every_run, left_out):
    # spec/scaling.md, section 5: B 12,846 to 2,143 and beta .453 to .367
    path = deletion_path(every_run, rows=sorted(left_out))
    assert path["row"].tolist() == [None, *sorted(left_out)]
    assert path["beta"].round(3).iloc[[0, -1]].tolist() == [0.453, 0.367]
    assert path["B"].round().iloc[[0, -1]].tolist() == [12846, 2143]
    assert path["beta"].is_monotonic_decreasing


@pytest.mark.slow
def test_a_search_for_what_moves_beta_finds_four_of_the_five_and_goes_as_far(every_run, left_out):
    path = deletion_path(every_run, 5, "beta")
    assert set(path["row"].iloc[1:5]) == left_out - {"chinchilla-005"}
    assert path["beta"].iloc[-1] == pytest.approx(0.3672, abs=5e-5)


def test_outliers_that_hide_each_other_are_found_one_after_another():
    table = rows(40)
    table.loc[[3, 4], "y"] *= 2
    path = deletion_path(power(table), 2)
    assert set(path["row"].iloc[1:]) == {3, 4}
    flagged = influence(power(table, objective="huber_log", delta=1e-2))
    assert set(flagged.index[flagged["outlier"]]) == {3, 4}


@pytest.mark.slow
def test_rows_of_normal_scatter_are_seldom_called_outliers():
    called = [influence(power(rows(60, seed)), exact=False)["outlier"].any() for seed in range(60)]
    # 5 % aimed at; the robust deviation is itself uncertain
    assert np.mean(called) <= 0.15


def test_a_row_without_which_nothing_is_told_has_no_numbers():
    table = pd.DataFrame({"x": [1.0, 1.0, 1.0, 10.0], "y": [3.0, 3.1, 2.9, 2.0]})
    found = influence(power(table))
    assert found.loc[3, "leverage"] == pytest.approx(1, abs=1e-5)
    assert found.loc[[0, 1, 2], "cook"].notna().all()


def test_binomial_scores_have_influence_too():
    x = np.geomspace(1e18, 1e24, 20)
    chance = 0.25 + 0.7 / (1 + np.exp(-2 * (np.log10(x) - 21)))
    score = np.random.default_rng(0).binomial(100, chance) / 100
    table = pd.DataFrame({"flops": x, "score": score})
    table.loc[5, "score"] = 0.9
    result = fit(laws.logistic("flops"), table, objective="binomial", weights=np.full(20, 100))
    found = influence(result)
    assert found.index[0] == 5
    assert found["outlier"].sum() == 1


def test_many_rows_take_one_step_and_little_time():
    found = influence(power(rows(2500)))
    assert len(found) == 2500
    assert found["cook"].gt(0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: influence(f, level=0), "level must lie between 0 and 1; it is 0"),
        (lambda f: deletion_path(f, 0), "from 1 to the 28 that the fit can spare; it is 0"),
        (lambda f: deletion_path(f, 29), "it is 29"),
        (lambda f: deletion_path(f, True), "it is True"),
        (lambda f: deletion_path(f, 1, "beta"), "Unknown free parameter of power_in_x 'beta'"),
        (lambda f: deletion_path(f, rows=["a"]), "'a' is none"),
        (lambda f: deletion_path(f, rows=[1, 1]), "none may be there twice"),
        (lambda f: deletion_path(f, rows=[]), "one or more"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(call, message):
    with pytest.raises(FitError, match=message):
        call(power(rows()))


def test_rows_of_exact_data_have_no_influence_but_rounding():
    x = np.geomspace(1, 1e6, 30)
    found = influence(power(pd.DataFrame({"x": x, "y": 3 * x**-0.2})))
    assert found["cook"].max() < 1e-3
    assert not found["outlier"].any()


def test_what_is_no_fit_is_refused():
    with pytest.raises(FitError, match="not on a DataFrame"):
        influence(rows())


def test_a_fit_through_every_row_has_no_influence_to_measure():
    with pytest.raises(FitError, match="2 rows with 2 free parameters"):
        influence(power(rows(2)))
