"""Laws that come as a plain function."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from emergekit import fit, fit_groups, laws
from emergekit.errors import FitError
from emergekit.laws import Law, Parameter


def falling(flops, E, b, c):
    return E + b * flops**-c


def kinked(flops, a, b):
    return a + np.abs(b) * np.log10(flops)


def rising(flops, a, k):
    return expit(k * (np.log10(flops) - a))


pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
FLOPS = np.geomspace(1e18, 1e24, 15)
PLAIN = Law(
    "plain",
    ("flops",),
    "loss",
    laws.offset_power_law().parameters,
    falling,
    guess=laws.offset_power_law().guess,
)


def table():
    errors = 0.002 * np.random.default_rng(0).standard_normal(15)
    return pd.DataFrame({"flops": FLOPS, "loss": falling(FLOPS, 1.7, 60.0, 0.1) + errors})


def test_its_derivatives_are_those_of_the_law_that_has_them():
    params = {"E": 1.7, "b": 60.0, "c": 0.1}
    ours = PLAIN.jacobian(table(), params)
    assert ours == pytest.approx(laws.offset_power_law().jacobian(table(), params), rel=1e-13)
    assert pickle.loads(pickle.dumps(PLAIN)) == PLAIN


def test_it_is_fitted_to_the_same_numbers():
    options = {"objective": "least_squares_log"}
    own, plain = (fit(law, table(), **options) for law in (laws.offset_power_law(), PLAIN))
    assert plain.params.to_numpy() == pytest.approx(own.params.to_numpy(), rel=1e-7)
    assert np.diag(plain.cov) == pytest.approx(np.diag(own.cov), rel=1e-5)


@pytest.mark.parametrize("function", [kinked, rising])
def test_a_function_without_complex_derivatives_is_refused(function):
    names = list(inspect.signature(function).parameters)[1:]
    law = Law("odd", ("flops",), "loss", tuple(Parameter(n, 1.0) for n in names), function)
    with pytest.raises(
        FitError, match=r"no right derivative by '[abk]'.*give Law\(..., gradient=\)"
    ):
        fit(law, table())
    with pytest.raises(FitError, match="no right derivative"):
        fit_groups(law, table().assign(task="t"), "task")


def test_units_of_a_count_change_parameters_and_not_predictions():
    runs = table()
    one = fit(laws.offset_power_law(), runs)
    other = fit(laws.offset_power_law(), runs.assign(flops=runs["flops"] / 1e18))
    same = other.predict(runs.assign(flops=runs["flops"] / 1e18))
    np.testing.assert_allclose(same, one.predict(runs), rtol=1e-6)
    assert "flops 1 to 1e+06: as given; other units change parameters" in other.summary()
