"""Laws of scores: sigmoids, thresholds, humps; along loss and along decades of compute."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit import laws
from tests.contracts import check_law
from tests.laws.cases import PARAMS, RUNS, fitted

FACTORIES = [
    laws.logistic,
    laws.chance_logistic,
    laws.exponential,
    laws.hinge,
    laws.power_hinge,
    laws.softplus_hinge,
]
AT = {"n_params": 8.0, "loss": 2.8, "loss_c4": 2.8, "ability": -1.0, "ppl": 1.4}
BY_NAME = {
    "low": 0.2,
    "high": 0.9,
    "k": 1.5,
    "eps": 0.9,
    "gamma": 0.3,
    "c": 0.25,
    "b": 0.2,
    "q": 0.6,
    "w": 0.3,
}


def params_of(law):
    place = AT[law.variables[0]]
    return {name: BY_NAME.get(name, place) for name in law.names}


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize(
    ("variable", "axis"),
    [
        ("n_params", None),
        ("loss", None),
        ("loss_c4", "falling"),
        ("ability", "rising"),
        ("ppl", None),
    ],
)
def test_every_form_honours_the_contract_along_every_axis(factory, variable, axis):
    law = factory(variable, axis=axis)
    known = {"n_params": [2e8, 1e9, 3e10], "ability": [-0.9, 0.1, 1.0], "ppl": [20.0, 9.0, 4.0]}
    x = known.get(variable, [2.7, 2.4, 2.1])
    check_law(law, pd.DataFrame({variable: x}), params_of(law))


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("variable", ["n_params", "loss"])
@given(x=st.tuples(st.floats(0.5, 12), st.floats(0.5, 12)))
def test_a_better_model_never_scores_worse(factory, variable, x):
    law = factory(variable)
    worse, better = sorted(x) if variable == "n_params" else sorted(x, reverse=True)
    at = np.array([worse, better])
    first, second = law.predict(
        {variable: 10**at if variable == "n_params" else at}, params_of(law)
    )
    if factory is laws.exponential:  # an error, not a score
        first, second = second, first
    assert second >= first


@pytest.mark.parametrize("name", ["logistic_in_flops", "logistic_in_loss"])
def test_scores_beyond_the_levels_lie_at_the_ends_of_the_axis(name):
    law = {"flops": laws.logistic(), "loss": laws.logistic("loss")}[name.rpartition("_")[2]]
    params = [np.asarray(value) for value in PARAMS[name].values()]
    ends = law.inverse(law.variables[0], np.array([0.1, 0.95]), np.ones(2), *params)
    np.testing.assert_array_equal(ends, [0, np.inf] if "flops" in name else [np.inf, -np.inf])


def test_a_chance_logistic_is_the_logistic_from_chance_to_one():
    full = {"low": 0.25, "high": 1.0, "x0": 21.5, "k": 1.3}
    np.testing.assert_array_equal(
        laws.chance_logistic(chance=0.25).predict(RUNS, {"x0": 21.5, "k": 1.3}),
        laws.logistic().predict(RUNS, full),
    )
    with pytest.raises(ValueError, match="chance must be a share from 0 to below 1; it is 1"):
        laws.chance_logistic(chance=1.0)


def test_the_exponential_is_the_formula_of_the_paper():
    # Gadre et al. 2024: Err = eps - k exp(-gamma L)
    by_hand = 0.85 - 2.1 * np.exp(-0.8 * RUNS["loss"])
    predicted = laws.exponential().predict(RUNS, PARAMS["exponential_in_loss"])
    np.testing.assert_allclose(predicted, by_hand, rtol=1e-14)


def test_a_hinge_is_a_power_hinge_of_power_one():
    loss = {"loss": np.linspace(1.5, 3.5, 21)}
    params = {"c": 0.25, "b": 0.4, "eta": 2.6}
    np.testing.assert_allclose(
        laws.power_hinge().predict(loss, {**params, "q": 1.0}),
        laws.hinge().predict(loss, params),
        rtol=1e-15,
    )


def test_a_softplus_hinge_of_no_width_is_the_hinge():
    loss = {"loss": np.linspace(1.5, 3.5, 21)}
    params = {"c": 0.25, "b": 0.4, "eta": 2.63}
    with np.errstate(all="raise", under="ignore"):
        soft = laws.softplus_hinge().predict(loss, {**params, "w": 1e-6})
    np.testing.assert_allclose(soft, laws.hinge().predict(loss, params), atol=1e-6)


@given(loss=st.floats(0.1, 8), width=st.floats(1e-4, 1))
def test_a_softplus_hinge_lies_above_its_hinge_by_at_most_its_corner(loss, width):
    params = {"c": 0.25, "b": 0.4, "eta": 2.6}
    table = {"loss": np.array([loss])}
    sharp = laws.hinge().predict(table, params)[0]
    soft = laws.softplus_hinge().predict(table, {**params, "w": width})[0]
    assert sharp - 1e-12 <= soft <= sharp + 0.4 * width * np.log(2) + 1e-12


@pytest.mark.parametrize("form", [laws.hinge, laws.power_hinge, laws.step])
def test_before_the_threshold_only_the_level_counts(form):
    law = form()
    params = {**dict.fromkeys(law.names, 0.5), "eta": 2.6}
    before = {"loss": np.array([2.61, 3.0, 9.0])}
    assert (law.predict(before, params) == 0.5).all()
    expected = np.zeros((3, len(law.names)))
    expected[:, 0] = 1.0
    np.testing.assert_array_equal(law.jacobian(before, params), expected)


def test_scores_under_the_level_have_no_loss():
    params = [np.asarray(value) for value in (0.25, 0.4, 2.6)]
    losses = laws.hinge().inverse("loss", np.array([0.2, 0.25, 0.45]), np.ones(3), *params)
    np.testing.assert_allclose(losses, [np.nan, 2.6, 2.1])


def test_a_step_is_found_between_the_models_that_it_parts():
    table = pd.DataFrame({"loss": [3.0, 2.8, 2.6, 2.4], "score": [0.26, 0.24, 0.7, 0.72]})
    c, b, eta = (parameter.start for parameter in laws.step().started_at(table).parameters)
    assert (c, b) == pytest.approx((0.25, 0.46))
    assert 2.6 <= eta < 2.8


@pytest.mark.parametrize(
    "law",
    [
        laws.logistic(),
        laws.chance_logistic("loss", chance=0.25),
        laws.exponential(),
        laws.hinge("flops"),
        laws.softplus_hinge(),
    ],
    ids=lambda law: law.name,
)
def test_parameters_come_back_from_scores_without_noise(law):
    truth = {**PARAMS.get(law.name, {}), **({"eta": 20.3} if law.name == "hinge_in_flops" else {})}
    table = pd.DataFrame({"loss": np.linspace(1.7, 3.6, 30), "flops": np.geomspace(1e18, 1e25, 30)})
    table[law.response] = law.predict(table, truth)
    found = fitted(law, table)
    for name, value in truth.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_the_onset_of_a_steep_threshold_comes_back_from_noisy_scores():
    # the shape of MMLU in letter format: spec/loss_and_transitions.md, section 5
    truth = {"c": 0.25, "b": 0.35, "eta": 2.70, "q": 0.35}
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"loss": np.linspace(2.45, 3.0, 80)})
    table["score"] = laws.power_hinge().predict(table, truth) + 0.005 * rng.standard_normal(80)
    found = fitted(laws.power_hinge(), table)
    assert found["eta"] == pytest.approx(2.70, abs=0.01)
    assert found["q"] == pytest.approx(0.35, abs=0.05)


@pytest.mark.parametrize(
    ("factory", "turn"), [(laws.u_shaped, np.argmin), (laws.inverted_u_shaped, np.argmax)]
)
@pytest.mark.parametrize("variable", ["flops", "loss"])
def test_humps_turn_inside_and_start_that_way(factory, turn, variable):
    law = factory(variable)
    x = np.geomspace(1e16, 1e26, 41) if variable == "flops" else np.linspace(4.5, 0.5, 41)
    starts = {parameter.name: parameter.start for parameter in law.parameters}
    y = law.predict({variable: x}, starts)
    assert 5 < turn(y) < 35
    assert law.inverse is None


@pytest.mark.parametrize("factory", [laws.u_shaped, laws.inverted_u_shaped])
def test_humps_come_back_from_noisy_scores(factory):
    law = factory()
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"flops": np.geomspace(1e16, 1e26, 60)})
    table["score"] = law.predict(table, PARAMS[law.name]) + 0.005 * rng.standard_normal(60)
    found = fitted(law, table)
    assert found["x_rise"] == pytest.approx(PARAMS[law.name]["x_rise"], abs=0.3)
    assert found["x_fall"] == pytest.approx(PARAMS[law.name]["x_fall"], abs=0.3)
