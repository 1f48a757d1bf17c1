"""What a fit reads from a table, and what it says about a table it cannot read."""

import warnings

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, fit_groups, laws
from emergekit.errors import FitError, TableError

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")


@pytest.fixture
def runs(chinchilla_runs):
    return chinchilla_runs.iloc[::6]


def first_as(table, column, value):
    """Return the table with another first value, its column as loose as need be."""
    values = [value, *table[column].iloc[1:]]
    return table.assign(**{column: pd.Series(values, index=table.index, dtype=object)})


@pytest.mark.parametrize(
    ("mend", "message"),
    [
        (lambda t: t.assign(loss=2.0), "'loss' is 2 in every row, which cannot tell 5 parameters"),
        (lambda t: t.assign(loss=True), "'loss' must be a finite number, but row 5 holds True"),
        (lambda t: first_as(t, "loss", True), "'loss' must be .* row 5 holds True .1 of 40"),
        (lambda t: first_as(t, "loss", None), "'loss' must be .* row 5 holds None .1 of 40"),
        (
            lambda t: first_as(t, "loss", pd.NA).astype({"loss": "Float64"}),
            "'loss' must be .* row 5 holds <NA> .1 of 40",
        ),
        (lambda t: t.assign(loss=t["loss"] + 0j), "'loss' must be a finite number, but row 5"),
        (lambda t: t.assign(loss=pd.Timestamp("2020")), "'loss' must be a finite number"),
        (lambda t: first_as(t, "n_params", np.inf), "'n_params' must be a finite number.* inf"),
        (lambda t: pd.concat([t, t[["loss"]]], axis=1), "column 'loss' is there twice; rename"),
        (lambda t: t.to_dict(), "expected a pandas DataFrame, not dict; make one with"),
        (lambda t: None, "expected a pandas DataFrame, not NoneType"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_by_cell(runs, mend, message):
    with pytest.raises(TableError, match=message):
        fit(laws.CHINCHILLA, mend(runs))


def test_a_column_of_any_numeric_kind_is_read(runs):
    plain = fit(laws.CHINCHILLA, runs).params
    for kind in ("Float64", "float64[pyarrow]", object, str, "category"):
        pd.testing.assert_series_equal(
            fit(laws.CHINCHILLA, runs.astype({"loss": kind})).params, plain
        )


def test_one_free_parameter_may_be_fitted_to_a_constant(runs):
    held = {"A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    assert fit(laws.CHINCHILLA, runs.assign(loss=3.0), fixed=held).params["E"] > 0


def test_rows_of_weight_zero_do_not_count(runs):
    weight = pd.Series(1.0, index=runs.index)
    weight.iloc[:10] = 0.0
    broken = runs.assign(loss=runs["loss"].mask(weight == 0))  # nobody looks at them
    for objective in ("huber_log", "least_squares", "least_squares_log"):
        one = fit(laws.CHINCHILLA, broken, objective=objective, weights=weight)
        other = fit(laws.CHINCHILLA, runs.iloc[10:], objective=objective)
        pd.testing.assert_frame_equal(one.stats, other.stats)
        pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
        pd.testing.assert_frame_equal(one.predict(runs), other.predict(runs))
    with pytest.raises(FitError, match="5 free parameters, but the table has 4 rows"):
        fit(laws.CHINCHILLA, runs, weights=np.r_[np.ones(4), np.zeros(36)])


def test_a_mask_is_a_weight(runs):
    assert fit(laws.CHINCHILLA, runs, weights=runs["n_params"] > 1e9).stats["n_rows"].iloc[0] < 40


@pytest.mark.parametrize("objective", ["huber_log", "least_squares", "least_squares_log"])
@pytest.mark.parametrize("scale", [1e-300, 1e-3, 7.0, 1e300])
def test_nothing_depends_on_the_scale_of_the_weights(runs, objective, scale):
    weights = np.random.default_rng(0).uniform(0.5, 2, len(runs))
    one = fit(laws.CHINCHILLA, runs, objective=objective, weights=weights)
    other = fit(laws.CHINCHILLA, runs, objective=objective, weights=scale * weights)
    np.testing.assert_allclose(other.to_frame()["stderr"], one.to_frame()["stderr"], rtol=1e-5)
    np.testing.assert_allclose(other.predict(runs), one.predict(runs), rtol=1e-6)
    for name in ("aic", "bic", "residual_sd", "rmse"):
        assert other.stats[name].iloc[0] == pytest.approx(
            one.stats[name].iloc[0], rel=1e-7, nan_ok=True
        )
    ratio = other.stats["objective_value"].iloc[0] / one.stats["objective_value"].iloc[0]
    assert ratio == pytest.approx(scale, rel=1e-7)


def test_weights_are_inverse_variances(runs):
    # Dividing a row and its law by its deviation is the same fit; so are residual_sd and the
    # likelihood, up to the Jacobian that log w stands for.
    weights = np.random.default_rng(0).uniform(0.5, 2, len(runs))
    result = fit(laws.CHINCHILLA, runs, objective="least_squares", weights=weights)
    residuals = runs["loss"] - result.predict(runs)["predicted"]
    n, variance = len(runs), np.mean(weights * residuals**2)
    deviation = np.sqrt(n * variance / np.mean(weights) / (n - 5))
    assert result.stats["residual_sd"].iloc[0] == pytest.approx(deviation)
    density = -np.log(2 * np.pi * variance / weights) / 2 - weights * residuals**2 / variance / 2
    assert result.stats["aic"].iloc[0] == pytest.approx(2 * 6 - 2 * density.sum())


def test_a_series_of_weights_goes_by_index_and_an_array_by_position(runs):
    weights = pd.Series(np.linspace(0.5, 2, len(runs)), index=runs.index)
    one = fit(laws.CHINCHILLA, runs, weights=weights.sample(frac=1, random_state=0))
    other = fit(laws.CHINCHILLA, runs, weights=weights.to_numpy())
    pd.testing.assert_series_equal(one.params, other.params)
    twice = pd.concat([runs, runs])  # labels twice, but in the same order
    fit(laws.CHINCHILLA, twice, weights=pd.concat([weights, weights]))
    with pytest.raises(FitError, match=r"index is not that of the table.*weights.loc\[table.index"):
        fit(laws.CHINCHILLA, runs, weights=weights.reset_index(drop=True))
    with pytest.raises(FitError, match="index is not that of the table"):
        fit(laws.CHINCHILLA, runs.iloc[:20], weights=weights)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.zeros(40), FitError, "every weight is 0; at least one row must count"),
        (np.ones((40, 2)), FitError, r"one number a row, in one dimension; it has shape \(40, 2\)"),
        ([[1, 2]] * 40, FitError, r"one number a row, in one dimension; it has shape \(40, 2\)"),
        (3.0, FitError, r"one number a row, in one dimension; it has shape \(\)"),
        (["a"] * 40, TableError, "'weights' must be 0 or more, but row 0 holds 'a'"),
        (np.r_[np.inf, np.ones(39)], TableError, "'weights' must be 0 or more, but row 0 .* inf"),
        ("wight", TableError, "needs column 'wight'"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(runs, weights, error, message):
    with pytest.raises(error, match=message):
        fit(laws.CHINCHILLA, runs, weights=weights)


def test_units_of_the_response_raise_no_numpy_warning(runs):
    for factor in (1e-300, 1e-30, 1e-9, 1e-3, 1e6):
        for objective in ("huber_log", "least_squares", "least_squares_log"):
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                try:
                    fit(laws.CHINCHILLA, runs.assign(loss=runs["loss"] * factor), None, objective)
                except FitError as error:
                    assert "gives no finite objective" in str(error)  # noqa: PT017  both will do


@pytest.mark.parametrize("objective", ["least_squares", "least_squares_log"])
def test_standard_errors_are_weights_on_the_scale_of_the_objective(objective):
    rng = np.random.default_rng(0)
    flops, stderr = np.geomspace(1e18, 1e24, 20), rng.uniform(0.01, 0.1, 20)
    loss = 40 * flops**-0.06 + stderr * rng.standard_normal(20)
    table = pd.DataFrame({"flops": flops, "loss": loss, "se": stderr})
    size = loss if objective.endswith("_log") else 1.0
    given = fit(laws.power_law(), table, objective=objective, weights=(size / stderr) ** 2)
    told = fit(laws.power_law(), table, objective=objective, stderr="se")
    pd.testing.assert_series_equal(told.params, given.params)
    grouped = fit_groups(
        laws.power_law(), table.assign(task="t"), "task", objective=objective, stderr="se"
    )
    assert grouped["estimate"].to_numpy() == pytest.approx(given.params.to_numpy(), rel=1e-6)


def test_standard_errors_are_checked():
    table = pd.DataFrame({"flops": [1e18, 1e19, 1e20], "loss": [3.0, 2.5, 2.0], "se": [0.1, 0, 1]})
    with pytest.raises(TableError, match="'se' must be a positive standard error, but row 1"):
        fit(laws.power_law(), table, stderr="se")
    with pytest.raises(FitError, match="give weights or stderr, not both"):
        fit(laws.power_law(), table, stderr="se", weights="se")
    with pytest.raises(FitError, match="numbers of items"):
        fit(laws.logistic(response="loss"), table, stderr="se", objective="binomial")
