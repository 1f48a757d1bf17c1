import warnings

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.laws import Law, Parameter
from tests.contracts import check_fit

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def simulate(seed, n=120, noise=0.005):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"n_params": 10 ** rng.uniform(7.5, 10.5, n), "n_tokens": 10 ** rng.uniform(9, 12, n)}
    )
    loss = laws.CHINCHILLA.predict(table, TRUTH) * np.exp(noise * rng.standard_normal(n))
    return table.assign(loss=loss)


def test_chinchilla_fit_agrees_with_published_replication(chinchilla_fit):
    # Besiroglu et al. 2024, same data and objective; their printed digits are the LAD optimum.
    converged = {"E": 1.8172, "alpha": 0.3473, "beta": 0.3672}  # Huber-log, delta 1e-3
    for name, value in converged.items():
        assert chinchilla_fit.params[name] == pytest.approx(value, abs=5e-5), name
    check_fit(chinchilla_fit, chinchilla_fit.data)


def test_chinchilla_fit_is_the_global_optimum(chinchilla_fit):
    # spec/scaling.md 2.1, verified there by two codes and 4,500 starts
    stats = chinchilla_fit.stats.iloc[0]
    assert stats["objective_value"] <= 0.0010182740180
    assert stats["converged"]
    assert stats["n_starts_agree"] >= 3
    assert chinchilla_fit.params["A"] == pytest.approx(477.82587, rel=1e-6)
    assert chinchilla_fit.params["B"] == pytest.approx(2143.41736, rel=1e-6)


def test_standard_errors_are_near_the_published_bootstrap(chinchilla_fit):
    # 4,000 case resamples, each refitted: .0256773, .0153961, .0206287 (spec/scaling.md 2.1).
    # A sandwich of a nearly unsmooth penalty is within a third of that.
    stderr = chinchilla_fit.to_frame().set_index("term")["stderr"]
    for name, bootstrap in {"E": 0.0256773, "alpha": 0.0153961, "beta": 0.0206287}.items():
        assert stderr[name] == pytest.approx(bootstrap, rel=1 / 3), name


@pytest.mark.parametrize(
    ("objective", "delta", "value"),
    [
        ("least_squares_log", 1e-3, 0.005730943496),  # half the sum of squares
        ("huber_log", 1e-2, 0.00469622488262),
        ("huber_log", 1e-4, 0.000111778748164),
    ],
)
def test_other_objectives_reach_their_reference_optima(chinchilla_runs, objective, delta, value):
    result = fit(laws.CHINCHILLA, chinchilla_runs, objective=objective, delta=delta)
    assert result.stats["objective_value"].iloc[0] == pytest.approx(value, rel=1e-8)


def test_least_absolute_deviations_give_the_published_digits(chinchilla_runs):
    # Besiroglu et al. 2024, table 1 and notebook cell 24: their free Huber scale fits to e^-12.27,
    # which makes their estimate this one (spec/scaling.md 2.1).
    result = fit(laws.CHINCHILLA, chinchilla_runs, objective="lad_log")
    assert result.stats["objective_value"].iloc[0] <= 1.1294947
    assert result.stats["converged"].iloc[0]
    published = {"E": 1.816864, "A": 482.0057, "B": 2085.434, "alpha": 0.347813, "beta": 0.365854}
    for name, value in published.items():
        assert result.params[name] == pytest.approx(value, rel=2e-6), name
    residuals = np.log(chinchilla_runs["loss"] / result.predict(chinchilla_runs)["predicted"])
    assert (residuals.abs() < 1e-12).sum() == 5
    check_fit(result, result.data)


@pytest.mark.parametrize("log", ["", "_log"])
@pytest.mark.parametrize("tau", [0.1, 0.5, 0.8])
def test_quantile_fits_put_their_share_of_the_rows_below(chinchilla_runs, tau, log):
    result = fit(laws.CHINCHILLA, chinchilla_runs, objective="quantile" + log, tau=tau)
    below = chinchilla_runs["loss"] < result.predict(chinchilla_runs)["predicted"]
    assert below.mean() == pytest.approx(tau, abs=5 / 240)
    assert result.stats["converged"].iloc[0]


def test_the_median_is_the_fit_of_least_absolute_deviations(chinchilla_runs):
    lad, median = (fit(laws.CHINCHILLA, chinchilla_runs, objective=o) for o in ("lad", "quantile"))
    np.testing.assert_allclose(median.params, lad.params, rtol=1e-8)
    np.testing.assert_allclose(median.cov, lad.cov, rtol=1e-4)


def test_asymmetric_fits_lie_below_most_rows(chinchilla_runs, chinchilla_fit):
    options = {"objective": "asymmetric_log", "over": 4.0}
    low = fit(laws.CHINCHILLA, chinchilla_runs, **options)
    above = (chinchilla_runs["loss"] > low.predict(chinchilla_runs)["predicted"]).mean()
    assert 0.7 < above < 0.9
    even = fit(laws.CHINCHILLA, chinchilla_runs, objective="asymmetric_log", over=1.0)
    np.testing.assert_allclose(even.params, chinchilla_fit.params, rtol=1e-8)


def test_huber_on_raw_losses_reaches_its_reference_optimum(chinchilla_runs):
    # spec/scaling.md 0.5: vpnls stops at 0.00289652 and 0.00289699
    result = fit(laws.CHINCHILLA, chinchilla_runs, objective="huber")
    assert result.stats["objective_value"].iloc[0] == pytest.approx(0.00289624, abs=5e-9)


def test_all_245_points_have_their_reference_optimum():
    from emergekit import datasets

    result = fit(laws.CHINCHILLA, datasets.load_chinchilla())
    assert result.stats["objective_value"].iloc[0] == pytest.approx(0.00182601052, rel=1e-8)


@pytest.mark.parametrize("objective", ["least_squares", "least_squares_log", "huber_log"])
def test_known_truth_is_recovered(objective):
    result = fit(laws.CHINCHILLA, simulate(0), objective=objective)
    frame = result.to_frame(level=0.999).set_index("term")
    for name, value in TRUTH.items():
        assert frame.loc[name, "lower"] < value < frame.loc[name, "upper"], name


def test_exact_data_give_exact_parameters():
    result = fit(laws.CHINCHILLA, simulate(0, noise=0.0), objective="least_squares_log")
    for name, value in TRUTH.items():
        assert result.params[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["least_squares_log", "huber_log"])
def test_intervals_cover_as_often_as_they_say(objective):
    n_simulations, hits, new_rows = 300, dict.fromkeys(TRUTH, 0), []
    for seed in range(n_simulations):
        result = fit(laws.CHINCHILLA, simulate(seed), objective=objective)
        frame = result.to_frame(level=0.9).set_index("term")
        for name, value in TRUTH.items():
            hits[name] += frame.loc[name, "lower"] <= value <= frame.loc[name, "upper"]
        fresh = simulate(10_000 + seed, n=20)
        band = result.predict(fresh, level=0.9)
        new_rows.append(fresh["loss"].between(band["lower"], band["upper"]).mean())
    for name, count in hits.items():
        assert 0.84 <= count / n_simulations <= 0.96, (name, count / n_simulations)
    assert np.mean(new_rows) == pytest.approx(0.9, abs=0.02)


def test_scales_in_millions_give_the_same_fit(chinchilla_runs, chinchilla_fit):
    scaled = chinchilla_runs.assign(
        n_params=chinchilla_runs["n_params"] / 1e6, n_tokens=chinchilla_runs["n_tokens"] / 1e9
    )
    result = fit(laws.CHINCHILLA, scaled)
    for name in ("E", "alpha", "beta"):
        assert result.params[name] == pytest.approx(chinchilla_fit.params[name], rel=1e-6)
    assert result.params["A"] == pytest.approx(
        chinchilla_fit.params["A"] * 1e6 ** -result.params["alpha"]
    )


def test_scales_and_their_units_are_told_in_the_summary(chinchilla_runs):
    with pytest.warns(FitWarning, match="A and alpha are correlated"):
        found = fit(laws.CHINCHILLA, chinchilla_runs.assign(n_params=lambda t: t["n_params"] / 1e6))
    said = "n_params 57.3 to 1.62e+04, n_tokens 8.19e+08 to 3.18e+11: as given; other units change"
    assert said in found.summary()


def test_responses_that_are_all_equal_tell_no_parameters_apart(chinchilla_runs):
    with pytest.raises(
        TableError, match="'loss' is 2 in every row, which cannot tell 5 parameters"
    ):
        fit(laws.CHINCHILLA, chinchilla_runs.assign(loss=2.0))


def test_weights_count_rows(chinchilla_runs):
    few = chinchilla_runs.iloc[::4]
    twice = pd.concat([few, few.iloc[:10]], ignore_index=True)
    weight = np.r_[np.full(10, 2.0), np.ones(len(few) - 10)]
    one = fit(laws.CHINCHILLA, few.assign(weight=weight), weights="weight")
    other = fit(laws.CHINCHILLA, twice)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-6)


def test_fixed_parameters_stay_and_have_no_interval(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs, fixed={"alpha": 0.34})
    assert result.params["alpha"] == 0.34
    frame = result.to_frame().set_index("term")
    assert np.isnan(frame.loc["alpha", "stderr"])
    assert frame.loc["beta", "stderr"] > 0


def test_a_parameter_on_a_bound_is_announced(chinchilla_runs):
    with pytest.warns(FitWarning, match="alpha on a bound"):
        result = fit(laws.CHINCHILLA, chinchilla_runs, bounds={"alpha": (0.0, 0.3)})
    assert result.params["alpha"] == pytest.approx(0.3, abs=1e-6)
    assert result.stats["on_bound"].iloc[0] == "alpha"
    assert "WARNING: alpha on a bound" in repr(result)


def test_one_size_only_leaves_the_fit_unidentified(chinchilla_runs):
    flat = chinchilla_runs.assign(n_params=1e9)
    with pytest.warns(FitWarning, match="do not tell all parameters apart"):
        result = fit(laws.CHINCHILLA, flat)
    assert not result.stats["identified"].iloc[0]
    stderr = result.to_frame().set_index("term")["stderr"]
    assert stderr[["E", "A", "alpha"]].isna().all()
    assert stderr[["B", "beta"]].notna().all()  # of which the rows tell all there is


def test_the_fit_does_not_depend_on_the_order_of_the_rows(chinchilla_runs, chinchilla_fit):
    shuffled = fit(laws.CHINCHILLA, chinchilla_runs.sample(frac=1, random_state=1))
    np.testing.assert_allclose(shuffled.params, chinchilla_fit.params, rtol=1e-7)


def test_likelihood_criteria_are_those_of_a_normal_error():
    table = simulate(1)
    result = fit(laws.CHINCHILLA, table, objective="least_squares")
    residuals = table["loss"] - result.predict(table)["predicted"]
    n, variance = len(table), np.mean(residuals**2)
    likelihood = -n / 2 * (np.log(2 * np.pi * variance) + 1)
    assert result.stats["aic"].iloc[0] == pytest.approx(2 * 6 - 2 * likelihood)
    assert result.stats["bic"].iloc[0] == pytest.approx(6 * np.log(n) - 2 * likelihood)


def test_bad_rows_are_named(chinchilla_runs):
    runs = chinchilla_runs.head(20).reset_index(drop=True)
    cases = [
        (runs.rename(columns={"loss": "los"}), "needs column 'loss'.*'los' looks like 'loss'"),
        (
            runs.assign(loss=[*runs["loss"][:-1], np.nan]),
            r"'loss' must be .* row 19 holds nan \(1 of 20",
        ),
        (runs.assign(loss=-1.0), "'loss' must be a positive number.*logarithm.*row 0 holds -1.0"),
        (
            runs.assign(n_tokens="many"),
            "'n_tokens' must be a finite number, but row 0 holds 'many'",
        ),
    ]
    for table, message in cases:
        with pytest.raises(TableError, match=message):
            fit(laws.CHINCHILLA, table)


def test_impossible_requests_are_refused(chinchilla_runs):
    with pytest.raises(FitError, match="5 free parameters, but the table has 4 rows"):
        fit(laws.CHINCHILLA, chinchilla_runs.head(4))
    with pytest.raises(
        FitError, match="Unknown parameter of chinchilla 'alpa'; did you mean 'alpha'"
    ):
        fit(laws.CHINCHILLA, chinchilla_runs, fixed={"alpa": 0.3})
    with pytest.raises(FitError, match="bounds of 'alpha' are the wrong way round"):
        fit(laws.CHINCHILLA, chinchilla_runs, bounds={"alpha": (1, 0)})
    with pytest.raises(FitError, match="Unknown objective 'huber_lg'; did you mean 'huber_log'"):
        fit(laws.CHINCHILLA, chinchilla_runs, objective="huber_lg")
    with pytest.raises(FitError, match="delta must be positive"):
        fit(laws.CHINCHILLA, chinchilla_runs, delta=0)
    with pytest.raises(FitError, match="weights has 3 entries, but the table has 240 rows"):
        fit(laws.CHINCHILLA, chinchilla_runs, weights=[1, 2, 3])
    with pytest.raises(TableError, match="'weights' must be 0 or more, but row 1 holds -1"):
        fit(laws.CHINCHILLA, chinchilla_runs.head(6), weights=[1, -1, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("law", "options", "message"),
    [
        ("chinchilla", {}, "a Law, not the text 'chinchilla'; did you mean laws.CHINCHILLA"),
        ("zebra", {}, "a Law, not the text 'zebra'; known are CHINCHILLA"),
        (print, {}, "a Law such as laws.CHINCHILLA, not builtin_function_or_method"),
        (laws.CHINCHILLA, {"objective": ["huber_log"]}, "Unknown objective"),
        (laws.CHINCHILLA, {"delta": "x"}, "delta must be positive and finite; it is x"),
        (laws.CHINCHILLA, {"tau": 90}, "tau must lie between 0 and 1; it is 90"),
        (laws.CHINCHILLA, {"over": -1}, "over must be positive and finite; it is -1"),
        (laws.CHINCHILLA, {"delta": np.inf}, "delta must be positive and finite; it is inf"),
        (laws.CHINCHILLA, {"response": "n_params"}, "'n_params' is a variable of chinchilla"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(chinchilla_runs, law, options, message):
    with pytest.raises(FitError, match=message):
        fit(law, chinchilla_runs, **options)


def line(n_params, a, b):
    return a + b * n_params


def line_gradient(n_params, a, b):
    return (np.ones_like(n_params) + 0 * a, n_params + 0 * b)


def test_a_law_of_ones_own_is_fitted_as_statistics_knows_it():
    law = Law(
        "line",
        ("n_params",),
        "score",
        (Parameter("a", 0.0), Parameter("b", 1.0)),
        line,
        line_gradient,
    )
    x = np.linspace(0, 1, 50)
    table = pd.DataFrame({"n_params": x, "score": 2 - x + 0.1 * np.sin(40 * x)})
    result = fit(law, table)
    slope, intercept = np.polyfit(x, table["score"], 1)
    np.testing.assert_allclose(result.params, [intercept, slope], rtol=1e-9)

    # HC3 by its textbook formula (MacKinnon & White 1985)
    design = np.column_stack([np.ones(50), x])
    inverse = np.linalg.inv(design.T @ design)
    leverage = np.einsum("np,pq,nq->n", design, inverse, design)
    parts = (
        design * ((table["score"] - design @ result.params) / (1 - leverage)).to_numpy()[:, None]
    )
    np.testing.assert_allclose(result.cov, inverse @ parts.T @ parts @ inverse, rtol=1e-6)


def square_root(n_params, a):
    return np.sqrt(a - n_params)


def square_root_gradient(n_params, a):
    return (0.5 / np.sqrt(a - n_params),)


def test_a_law_without_a_finite_value_says_where():
    law = Law(
        "root", ("n_params",), "loss", (Parameter("a", 1.0),), square_root, square_root_gradient
    )
    table = pd.DataFrame({"n_params": [0.5, 1e9], "loss": [1.0, 2.0]})
    with pytest.raises(
        FitError,
        match=r"root gives no finite objective .* row 1 has n_params=1e.09, tried with a=1",
    ):
        fit(law, table)


def test_nothing_is_warned_about_when_nothing_is_wrong(chinchilla_runs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(laws.CHINCHILLA, chinchilla_runs, fixed={"alpha": 0.34, "beta": 0.37})


@pytest.mark.parametrize("law", [laws.power_law(), laws.logistic(response="loss")])
def test_a_count_of_zero_is_named_where_the_law_takes_its_logarithm(law):
    flops = np.r_[10.0 ** np.linspace(18, 24, 12), 0.0]
    table = pd.DataFrame({"flops": flops, "loss": np.linspace(3, 2, 13)})
    with pytest.raises(ValueError, match=r"row 12.* has flops=0"):
        fit(law, table)
