"""Likelihoods of every objective, and the order that they put fits in."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from emergekit import compare, fit, laws
from emergekit.errors import FitError
from emergekit.fitting.likelihood import log_likelihood
from emergekit.fitting.objectives import objective

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

MEASURED = [
    "least_squares",
    "least_squares_log",
    "huber",
    "huber_log",
    "lad",
    "lad_log",
    "quantile_log",
    "asymmetric",
]
RESIDUALS = 0.1 * np.random.default_rng(0).standard_t(3, 50)


def rows(n=40, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e3, 1e9, n)
    y = (1.5 + 40 * x**-0.35) * np.exp(noise * rng.standard_normal(n))
    return pd.DataFrame({"x": x, "y": y})


def power(table, law=laws.power_law, **options):
    return fit(law("x", "y"), table, **{"objective": "least_squares_log", **options})


@pytest.mark.parametrize("name", MEASURED)
@settings(max_examples=10)
@given(dispersion=st.floats(1e-3, 10), delta=st.floats(1e-2, 10))
def test_every_density_has_mass_one_and_no_dispersion_is_likelier(name, dispersion, delta):
    goal = objective(name, delta, over=3.0, tau=0.8)
    density = [
        quad(lambda r, s=sign: np.exp(-goal.penalty(np.array(s * r)) / dispersion), 0, np.inf)[0]
        for sign in (1, -1)
    ]
    ones = np.ones(len(RESIDUALS))
    by_hand = -goal.penalty(RESIDUALS).sum() / dispersion - len(ones) * np.log(sum(density))
    assert by_hand <= log_likelihood(goal, ones, RESIDUALS) + 1e-6


def test_likelihoods_of_squares_and_deviations_are_those_of_scipy():
    ones = np.ones(50)
    normal = stats.norm.logpdf(RESIDUALS, scale=np.sqrt(np.mean(RESIDUALS**2))).sum()
    laplace = stats.laplace.logpdf(RESIDUALS, scale=np.abs(RESIDUALS).mean()).sum()
    assert log_likelihood(objective("least_squares"), ones, RESIDUALS) == pytest.approx(normal)
    assert log_likelihood(objective("lad"), ones, RESIDUALS) == pytest.approx(laplace)
    assert log_likelihood(objective("quantile", tau=0.5), ones, RESIDUALS) == pytest.approx(laplace)


@pytest.mark.parametrize(("delta", "limit"), [(1e4, "least_squares"), (1e-9, "lad")])
def test_hubers_density_lies_between_the_normal_and_laplaces(delta, limit):
    ones = np.ones(50)
    huber = log_likelihood(objective("huber", delta), ones, RESIDUALS)
    assert huber == pytest.approx(log_likelihood(objective(limit), ones, RESIDUALS), abs=1e-5)


def test_aic_and_bic_of_a_line_are_those_of_statsmodels():
    # statsmodels does not count the variance as a parameter; on logs its density is that of ln y.
    table = rows()
    line = sm.OLS(np.log(table["y"]), sm.add_constant(np.log(table["x"]))).fit()
    jacobian = np.log(table["y"]).sum()
    (row,) = compare([power(table)]).to_dict("records")
    assert row["log_likelihood"] == pytest.approx(line.llf - jacobian)
    assert row["aic"] == pytest.approx(line.aic + 2 + 2 * jacobian)
    assert row["bic"] == pytest.approx(line.bic + np.log(40) + 2 * jacobian)
    assert row["aicc"] == pytest.approx(row["aic"] + 2 * 3 * 4 / (40 - 3 - 1))


def test_criteria_are_those_of_the_fit_itself(chinchilla_runs):
    for name in ("least_squares", "least_squares_log"):
        found = fit(laws.CHINCHILLA, chinchilla_runs, objective=name)
        row = compare([found]).iloc[0]
        assert row[["aic", "bic"]].tolist() == pytest.approx(
            found.stats[["aic", "bic"]].iloc[0].tolist(), rel=1e-12
        )


@pytest.mark.parametrize("unit", [1e-3, 1e6])
def test_the_order_of_raw_and_log_fits_does_not_depend_on_the_unit(unit):
    table = rows(noise=0.3)  # whose errors are relative

    def compared(table):
        names = ("least_squares", "least_squares_log", "huber_log")
        return compare([power(table, laws.offset_power_law, objective=name) for name in names])

    plain, scaled = compared(table), compared(table.assign(y=unit * table["y"]))
    assert plain.index[-1] == 0
    assert scaled.index.tolist() == plain.index.tolist()
    assert scaled["difference"].tolist() == pytest.approx(plain["difference"].tolist(), abs=1e-3)


def test_the_law_that_made_the_rows_comes_first_and_weights_add_up():
    table = rows()
    known = [laws.power_law("x", "y"), laws.offset_power_law("x", "y")]
    found = compare([fit(law, table, objective="least_squares_log") for law in known])
    assert found["law"].tolist() == ["offset_power_in_x", "power_in_x"]
    assert found["difference"].iloc[0] == 0
    assert found["weight"].sum() == pytest.approx(1)
    assert found.index.name == "fit"


def test_rounding_does_not_decide_between_fits_through_exact_data():
    table = rows().assign(y=lambda t: 3 * t["x"] ** -0.2)
    found = compare([power(table, laws.offset_power_law), power(table)])
    assert found.index.tolist() == [1, 0]
    assert found["log_likelihood"].iloc[0] == pytest.approx(found["log_likelihood"].iloc[1])


def test_aicc_asks_more_of_a_parameter_than_aic_where_rows_are_few():
    table = rows(7)
    small, large = power(table), power(table, laws.offset_power_law)
    by_law = compare([small, large]).sort_index()
    aic, aicc = by_law["aic"].diff().iloc[1], by_law["aicc"].diff().iloc[1]
    # 2k (k + 1) / (n - k - 1) with k = 4 and 3
    assert aicc - aic == pytest.approx(40 / 2 - 24 / 3)


def test_fits_without_a_criterion_come_last():
    table = rows(5)
    through_all = power(table, lambda x, y: laws.broken_power_law(1, x, y), fixed={"a": 0.0})
    found = compare([through_all, power(table)])
    assert found.index.tolist() == [1, 0]
    assert found.loc[0, ["log_likelihood", "aicc", "weight"]].isna().all()
    assert compare([through_all])["aicc"].isna().all()


def test_weights_of_any_scale_give_one_likelihood():
    table = rows().assign(w=np.linspace(1, 3, 40))
    for name in ("least_squares_log", "huber_log", "lad_log"):
        one, other = (
            power(table.assign(w=scale * table["w"]), weights="w", objective=name)
            for scale in (1, 50)
        )
        both = compare([one, other])["log_likelihood"]
        assert both.iloc[0] == pytest.approx(both.iloc[1])


def test_binomial_fits_are_compared_by_the_likelihood_of_their_answers():
    x = np.geomspace(1e8, 1e11, 12)
    rng = np.random.default_rng(0)
    chance = 0.25 + 0.7 / (1 + np.exp(-2 * (np.log10(x) - 9.5)))
    score = rng.binomial(200, chance) / 200
    table = pd.DataFrame({"flops": x, "score": score})
    options = {"objective": "binomial", "weights": np.full(12, 200)}
    fits = [fit(law("flops"), table, **options) for law in (laws.logistic, laws.hinge)]
    found = compare(fits)
    assert found.index.tolist() == [0, 1]
    assert found["aic"].tolist() == pytest.approx([f.stats["aic"].iloc[0] for f in fits])
    with pytest.raises(FitError, match="counts and of measured responses"):
        compare([fits[0], fit(laws.logistic("flops"), table, objective="least_squares")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.head(39), "they have 40 and 39 rows"),
        (lambda t: t.assign(y=t["y"] * (1 + (t.index == 3))), "place 3 is row 3 with y="),
        (lambda t: t.set_index(t.index + 1), "place 0 is row 0 with y="),
    ],
)
def test_fits_to_different_rows_are_refused_by_name(change, message):
    table = rows()
    with pytest.raises(FitError, match=f"fits 0 .power_in_x. and 1 .*{message}"):
        compare([power(table), power(change(table))])


def test_what_cannot_be_compared_is_refused():
    table = rows()
    one = power(table)
    with pytest.raises(FitError, match="one explains 'y', the other 'z'"):
        compare([one, power(table.rename(columns={"y": "z"}), response="z")])
    with pytest.raises(FitError, match="different weights"):
        compare([one, power(table, weights=np.linspace(1, 2, 40))])
    with pytest.raises(FitError, match="takes a list of fits"):
        compare(one)
    with pytest.raises(FitError, match="takes a list of fits"):
        compare([])
    with pytest.raises(FitError, match="entry 1 is 'str'"):
        compare([one, "power"])
    with pytest.raises(FitError, match="did you mean 'aicc'"):
        compare([one], criterion="aiccc")


def test_counts_out_of_different_numbers_of_items_are_not_compared():
    flops = np.geomspace(1e19, 1e24, 12)
    score = np.round(
        laws.logistic().predict({"flops": flops}, {"low": 0.2, "high": 0.8, "x0": 21.5, "k": 2.0}),
        2,
    )
    table = pd.DataFrame({"flops": flops, "score": score, "n": 100, "many": 1000})
    few, many = (
        fit(laws.logistic(), table, objective="binomial", weights=n) for n in ("n", "many")
    )
    with pytest.raises(FitError, match="different weights"):
        compare([few, many])
