"""Likelihood criteria: against statsmodels and SciPy, on logarithms and under weights."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import lognorm, norm

from emergekit import fit, laws

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

N_FREE = 2


def power_rows(seed=0, n=60):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1.0, 1e4, n)
    spread = rng.uniform(0.5, 2.0, n)
    y = np.exp(1.0 - 0.3 * np.log(x) + 0.1 * spread * rng.standard_normal(n))
    return pd.DataFrame({"n": x, "loss": y, "weight": spread**-2})


def criteria(result):
    return result.stats[["aic", "bic"]].iloc[0].tolist()


def expected(likelihood, n):
    # The deviation is a parameter too, which statsmodels does not count.
    return [2 * (N_FREE + 1) - 2 * likelihood, np.log(n) * (N_FREE + 1) - 2 * likelihood]


@pytest.mark.parametrize("weights", [None, "weight"])
def test_criteria_of_a_fit_to_logarithms_are_those_of_a_log_normal_response(weights):
    rows = power_rows()
    result = fit(laws.power_law("n"), rows, objective="least_squares_log", weights=weights)
    weight = np.ones(len(rows)) if weights is None else rows["weight"].to_numpy()

    # A density of log y is one of y after division by y, the derivative of exp.
    line = sm.WLS(np.log(rows["loss"]), sm.add_constant(np.log(rows["n"])), weights=weight).fit()
    jacobian = np.log(rows["loss"]).sum()
    assert criteria(result) == pytest.approx(expected(line.llf - jacobian, len(rows)), rel=1e-9)

    predicted = laws.power_law("n").predict(rows, result.params)
    miss = np.log(rows["loss"]) - np.log(predicted)
    deviation = np.sqrt(np.mean(weight * miss**2) / weight)
    density = lognorm.logpdf(rows["loss"], s=deviation, scale=predicted)
    assert criteria(result) == pytest.approx(expected(density.sum(), len(rows)), rel=1e-9)


@pytest.mark.parametrize("weights", [None, "weight"])
def test_criteria_of_a_fit_to_responses_are_those_of_a_normal_response(weights):
    rows = power_rows()
    law = laws.power_law("n")
    result = fit(law, rows, objective="least_squares", weights=weights)
    weight = np.ones(len(rows)) if weights is None else rows["weight"].to_numpy()
    predicted = law.predict(rows, result.params)
    variance = np.mean(weight * (rows["loss"] - predicted) ** 2) / weight
    density = norm.logpdf(rows["loss"], loc=predicted, scale=np.sqrt(variance))
    assert criteria(result) == pytest.approx(expected(density.sum(), len(rows)), rel=1e-9)


def test_criteria_of_a_law_that_is_linear_are_those_of_statsmodels():
    # With its exponent held at -1 a power law with offset is a line.
    rows = power_rows()
    rows = rows.assign(n=np.linspace(1, 3, 60), loss=2.0 + rows["loss"])
    held = laws.offset_power_law("n")
    result = fit(held, rows, objective="least_squares", weights="weight", fixed={"c": 1.0})
    line = sm.WLS(rows["loss"], sm.add_constant(1 / rows["n"]), weights=rows["weight"]).fit()
    assert criteria(result) == pytest.approx(expected(line.llf, len(rows)), rel=1e-9)


@pytest.mark.parametrize("noise", ["normal", "log-normal"])
def test_criteria_tell_noise_on_logarithms_from_noise_on_responses(noise):
    # Comparable only with the Jacobian: without it the winner would depend on the unit.
    rng = np.random.default_rng(3)
    x = np.geomspace(1.0, 1e3, 200)
    truth = 5.0 * x**-0.3
    errors = rng.standard_normal(200)
    y = truth + 0.05 * errors if noise == "normal" else truth * np.exp(0.2 * errors)
    for unit in (1e-3, 1.0, 1e3):
        rows = pd.DataFrame({"n": x, "loss": unit * y})
        raw, log = (
            fit(laws.power_law("n"), rows, objective=objective).stats["aic"].iloc[0]
            for objective in ("least_squares", "least_squares_log")
        )
        assert (raw < log) == (noise == "normal")


@pytest.mark.parametrize("objective", ["huber_log", "lad", "quantile_log", "asymmetric"])
def test_objectives_that_are_no_likelihood_have_no_criteria(objective):
    result = fit(laws.power_law("n"), power_rows(), objective=objective)
    assert np.isnan(criteria(result)).all()
