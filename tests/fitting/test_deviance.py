"""Scores that are shares of right answers, under the binomial likelihood."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, rel_entr

from emergekit import bootstrap, fit, fit_groups, laws
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting.deviance import deviance_residuals, deviance_slopes

LOSS = np.linspace(2.0, 3.5, 25)


def table_of(chance, n_items=400, seed=0):
    n = np.full(len(LOSS), n_items)
    right = np.random.default_rng(seed).binomial(n, chance)
    return pd.DataFrame({"loss": LOSS, "n_examples": n, "score": right / n})


@pytest.fixture(scope="module")
def rising():
    return table_of(expit(3 * (2.7 - LOSS)))


def binomial(law, table, **options):
    return fit(law, table, objective="binomial", weights="n_examples", **options)


def test_a_logistic_from_0_to_1_is_the_generalised_linear_model(rising):
    ours = binomial(laws.logistic("loss"), rising, fixed={"low": 0.0, "high": 1.0})
    n, y = rising["n_examples"], rising["score"]
    design = sm.add_constant(-LOSS)
    theirs = sm.GLM(np.c_[n * y, n - n * y], design, family=sm.families.Binomial()).fit()
    intercept, slope = theirs.params
    assert ours.params["k"] == pytest.approx(slope, rel=1e-9)
    assert ours.params["x0"] == pytest.approx(intercept / slope, rel=1e-9)
    found = ours.stats.iloc[0]
    assert found["objective_value"] == pytest.approx(theirs.deviance / 2, rel=1e-9)
    assert found["aic"] == pytest.approx(theirs.aic, rel=1e-9)
    assert found["dispersion"] == pytest.approx(theirs.pearson_chi2 / theirs.df_resid, rel=1e-9)


def test_the_likelihood_is_that_of_counts_with_its_constants(rising):
    ours = binomial(laws.chance_logistic("loss", chance=0.0), rising)
    chance = ours.predict(rising)["predicted"]
    right = np.rint(rising["n_examples"] * rising["score"])
    likelihood = stats.binom.logpmf(right, rising["n_examples"], chance).sum()
    assert ours.stats["aic"].iloc[0] == pytest.approx(2 * 2 - 2 * likelihood, rel=1e-9)


shares = st.integers(0, 1000).map(lambda count: count / 1000)


@given(shares, st.floats(1e-5, 1 - 1e-5))
def test_half_squares_of_the_residuals_are_the_divergence_of_the_scores(y, p):
    residual = deviance_residuals(np.array([y]), np.array([p]))[0]
    lost = rel_entr(y, p) + rel_entr(1 - y, 1 - p)
    assert residual**2 / 2 == pytest.approx(lost, rel=1e-6, abs=1e-15)
    assert np.sign(residual) == np.sign(p - y)


@given(shares, st.floats(1e-3, 1 - 1e-3))
def test_slopes_are_the_derivatives_of_the_residuals(y, p):
    step = 1e-6
    y = np.full(3, y)
    around = deviance_residuals(y, p + step * np.array([-1, 0, 1]))
    slope = deviance_slopes(y[1:2], np.array([p]), around[1:2])[0]
    assert slope == pytest.approx((around[2] - around[0]) / (2 * step), rel=1e-3)


@given(shares)
def test_beyond_0_and_1_the_penalty_is_finite_and_leads_back(y):
    p = np.array([-0.5, -0.1, 1.1, 1.5])
    residuals = deviance_residuals(np.full(4, y), p)
    slopes = deviance_slopes(np.full(4, y), p, residuals)
    assert np.isfinite(residuals).all()
    assert (residuals[:2] < residuals[1] + 1e-9).all()
    assert (residuals[2:] > 0).all()
    assert (slopes > 0).all()


def test_a_hinge_from_a_floor_of_no_right_answers_is_found():
    table = table_of(np.clip(0.5 * (2.7 - LOSS), 0, 1))
    with pytest.warns(FitWarning, match="c on a bound"):
        ours = binomial(laws.hinge(), table)
    assert ours.params["c"] == 0
    held = binomial(laws.hinge(), table, fixed={"c": 0.0})
    pd.testing.assert_series_equal(ours.params, held.params, rtol=1e-6)
    assert ours.params["eta"] == pytest.approx(2.7, abs=0.1)
    # The least of a grid, as a likelihood between two models has several minima.
    grid = [(eta, b) for eta in np.linspace(2.55, 2.9, 71) for b in np.linspace(0.35, 0.65, 61)]
    chance = np.array([np.clip(b * np.maximum(eta - LOSS, 0), 0, 1) for eta, b in grid])
    lost = rel_entr(table["score"].to_numpy(), chance) + rel_entr(1 - table["score"], 1 - chance)
    best = (table["n_examples"].to_numpy() * lost).sum(axis=1).min()
    assert ours.stats["objective_value"].iloc[0] <= best


def test_levels_stay_among_the_shares_and_bounds_may_be_tighter(rising):
    ours = binomial(laws.logistic("loss"), rising)
    assert ours.params["low"] >= 0
    assert ours.params["high"] <= 1
    with pytest.warns(FitWarning, match="high on a bound"):
        tighter = binomial(laws.logistic("loss"), rising, bounds={"high": (0, 0.9)})
    assert tighter.params["high"] == 0.9


def test_intervals_stay_among_the_shares(rising):
    band = binomial(laws.chance_logistic("loss"), rising).predict(rising)
    assert (band["lower"] >= 0).all()
    assert (band["upper"] <= 1).all()
    width = band["upper"] - band["lower"]
    assert width.iloc[0] < width.iloc[12]  # a score near 1 scatters less than one of a half


def test_parametric_draws_answer_the_items_again(rising):
    ours = binomial(laws.chance_logistic("loss"), rising)
    drawn = bootstrap(ours, 400, kind="parametric")
    model = np.linalg.inv(fisher(rising, ours))
    # On the scale of the search, the logarithm of k.
    spread = [drawn.draws["x0"].std(), np.log(drawn.draws["k"]).std()]
    assert spread == pytest.approx(np.sqrt(np.diag(model)), rel=0.15)


def fisher(table, found):
    params = found.params
    p = found.law.predict(table, params)
    slopes = found.law.jacobian(table, params) * [1, params["k"]]
    weights = table["n_examples"].to_numpy() / (p * (1 - p))
    return (slopes * weights[:, None]).T @ slopes


def test_residuals_are_not_put_back_on_other_rows(rising):
    ours = binomial(laws.chance_logistic("loss"), rising)
    with pytest.raises(FitError, match=r"takes scores out of \[0, 1\]"):
        bootstrap(ours, 10, kind="residual")


def test_without_numbers_of_items_there_is_a_fit_but_no_likelihood(rising):
    bare = fit(laws.chance_logistic("loss"), rising, objective="binomial")
    assert bare.params["x0"] == pytest.approx(2.7, abs=0.05)
    assert np.isnan(bare.stats["aic"].iloc[0])
    with pytest.raises(FitError, match="out of how many"):
        bootstrap(bare, 10, kind="parametric")


def test_single_answers_are_counts_of_one_item():
    rng = np.random.default_rng(1)
    loss = rng.uniform(2, 3.5, 300)
    table = pd.DataFrame({"loss": loss, "score": rng.binomial(1, expit(3 * (2.7 - loss)))})
    ours = fit(laws.chance_logistic("loss"), table, objective="binomial")
    assert np.isfinite(ours.stats["aic"].iloc[0])
    assert ours.params["x0"] == pytest.approx(2.7, abs=0.2)


def test_a_fixed_level_is_a_share_too(rising):
    with pytest.raises(FitError, match=r"fixed value of 'low' .* \[0, 1\]; it is 25"):
        binomial(laws.logistic("loss"), rising, fixed={"low": 25})


def test_no_standard_error_is_smaller_than_that_of_the_items():
    flops, score = 10.0 ** np.arange(18, 26), [0.25] * 4 + [0.4, 0.5, 0.7, 0.8]
    table = pd.DataFrame({"flops": flops, "score": score, "n": 20})
    found = fit(laws.hinge("flops"), table, objective="binomial", weights="n")
    # Four models of 20 items share the floor, and the law meets them.
    assert found.to_frame().set_index("term").loc["c", "stderr"] > 0.9 * np.sqrt(0.25 * 0.75 / 80)


@pytest.mark.parametrize("bad", [-0.01, 1.5, np.nan])
def test_scores_that_are_no_shares_are_refused_with_their_row(rising, bad):
    table = rising.copy()
    table.loc[3, "score"] = bad
    with pytest.raises(TableError, match=r"'score' must be .*row 3 holds"):
        binomial(laws.chance_logistic("loss"), table)


def test_impossible_scores_are_announced():
    table = table_of(np.full(25, 0.5))
    with pytest.warns(FitWarning, match=r"leaves \[0, 1\] at \d+ of 25 rows"):
        binomial(laws.hinge(), table, fixed={"c": 0.0, "eta": 2.5})


@pytest.mark.slow
def test_intervals_cover_the_truth_at_the_level_they_claim():
    covered = []
    for seed in range(400):
        table = table_of(expit(3 * (2.7 - LOSS)), n_items=60, seed=seed)
        frame = binomial(laws.chance_logistic("loss"), table).to_frame(level=0.9)
        covered.append(frame["lower"].le([2.7, 3.0]) & frame["upper"].ge([2.7, 3.0]))
    share = np.mean(covered, axis=0)
    assert ((share > 0.86) & (share < 0.945)).all(), share


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_intervals_of_levels_stay_among_the_shares_a_score_can_be():
    table = table_of(0.04 + 0.92 * expit(6 * (2.7 - LOSS)), n_items=40, seed=1)
    frame = binomial(laws.logistic("loss"), table).to_frame(0.999).set_index("term")
    levels = frame.loc[["low", "high"]]
    assert levels["stderr"].notna().all()
    assert (levels["estimate"] + 3 * levels["stderr"] > 1).any()
    assert (levels["lower"] >= 0).all()
    assert (levels["upper"] <= 1).all()
    grouped = fit_groups(
        laws.logistic("loss"),
        table.assign(task="a"),
        "task",
        objective="binomial",
        weights="n_examples",
        level=0.999,
    ).set_index("term")
    for name in ("lower", "upper"):
        np.testing.assert_allclose(grouped[name], frame[name], rtol=1e-4)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_groups_say_where_a_law_leaves_the_shares_a_score_can_be():
    table, held = table_of(np.full(25, 0.5)).assign(task="a"), {"c": 0.0, "eta": 2.5}
    options = {"objective": "binomial", "weights": "n_examples", "fixed": held}
    alone = fit(laws.hinge(), table, **options)
    found = fit_groups(laws.hinge(), table, "task", **options)
    assert found["objective"].unique().tolist() == ["binomial"]
    assert found["n_free"].unique().tolist() == [1]
    assert found["reason"].iloc[0] in alone.warnings
    assert "leaves [0, 1] at" in alone.warnings[0]
