import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit import laws
from emergekit.laws import Law, Parameter, broken, humps, ramps, saturating, sigmoids
from tests.contracts import check_law
from tests.laws.cases import PARAMS, RUNS, TABLES, columns_of

EVERY_LAW = pytest.mark.parametrize("law", laws.LAWS, ids=[law.name for law in laws.LAWS])


@EVERY_LAW
def test_every_law_honours_the_contract(law):
    check_law(law, TABLES.get(law.name, RUNS), PARAMS[law.name])


def test_no_two_laws_have_one_name():
    assert len({law.name for law in laws.LAWS}) == len(laws.LAWS)
    assert set(PARAMS) == {law.name for law in laws.LAWS}


@pytest.fixture
def _complex_functions(monkeypatch):
    """Let the real-valued functions of SciPy and NumPy take complex numbers."""
    monkeypatch.setattr(np, "logaddexp", lambda a, b: np.log(np.exp(a) + np.exp(b)))
    for module in (broken, humps, ramps, saturating, sigmoids):
        monkeypatch.setattr(module, "expit", lambda z: 1 / (1 + np.exp(-z)))


@EVERY_LAW
@pytest.mark.usefixtures("_complex_functions")
def test_gradients_agree_with_complex_steps(law):
    arguments = columns_of(law, TABLES.get(law.name, RUNS))
    n = len(law.variables)
    gradient = law.gradient(*arguments)
    for place, name in enumerate(law.names):
        moved = list(arguments)
        moved[n + place] = moved[n + place] * (1 + 1e-30j)
        slope = np.imag(law.function(*moved)) / (1e-30 * arguments[n + place])
        np.testing.assert_allclose(gradient[place], slope, rtol=1e-11, err_msg=name)


@EVERY_LAW
def test_no_law_warns_at_its_starts_or_far_from_them(law):
    rng = np.random.default_rng(0)
    scales = {
        "n_params": 10 ** rng.uniform(5, 13, 40),
        "n_tokens": 10 ** rng.uniform(6, 14, 40),
        "n_unique_tokens": 10 ** rng.uniform(6, 14, 40),
        "flops": 10 ** rng.uniform(14, 28, 40),
        "n_finetune": 10 ** rng.uniform(0, 6, 40),
        "loss": rng.uniform(0.1, 12, 40),
        "n_target_tokens": rng.integers(1, 200, 40).astype(float),
    }
    variables = [scales[name] for name in law.variables]
    starts = np.array([[parameter.start for parameter in law.parameters]])
    far = starts * rng.uniform(0.5, 2.0, (20, len(law.names)))
    with np.errstate(all="raise", under="ignore"):
        for params in np.concatenate([starts, far]):
            params = [np.asarray(value) for value in params]
            value = law.function(*variables, *params)
            defined = np.isfinite(value)
            assert defined.all() or law.name == "m4_in_n_tokens"  # floor above ceiling
            for part in law.gradient(*variables, *params):
                assert np.isfinite(np.broadcast_to(part, value.shape)[defined]).all()


@EVERY_LAW
def test_the_starts_of_a_law_are_a_batch_of_one_like_any_other(law):
    starts = {p.name: np.full((3, 1), p.start) for p in law.parameters}
    table = TABLES.get(law.name, RUNS)
    assert law.predict(table, starts).shape == (3, len(table))
    assert law.jacobian(table, starts).shape == (3, len(table), len(law.names))


@pytest.mark.parametrize("law", [law for law in laws.LAWS if law.guess], ids=lambda law: law.name)
@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0, 2.5, 1e9, 1e9, 1e21, 1e24, np.nan]),
            st.sampled_from([-1.0, 0.0, 0.2, 0.2, 0.9, 3.0, 1e10, np.nan]),
        ),
        max_size=6,
    )
)
def test_any_rows_leave_a_law_with_usable_starts(law, rows):
    x, y = np.array(rows).reshape(-1, 2).T
    started = law.started_at({**dict.fromkeys(law.variables, x), law.response: y})
    assert started.names == law.names
    assert np.isfinite([parameter.start for parameter in started.parameters]).all()


@pytest.mark.parametrize("law", [law for law in laws.LAWS if law.inverse], ids=lambda law: law.name)
def test_an_inverse_knows_the_variables_of_its_law_only(law):
    arguments = columns_of(law, TABLES.get(law.name, RUNS))
    with pytest.raises(ValueError, match=f"Known: {', '.join(law.variables)}"):
        law.inverse("shoes", np.array([2.5]), *arguments)


def test_chinchilla_gives_the_published_loss():
    # Hoffmann et al. 2022, eq. 10, at Chinchilla's own size and tokens, by hand
    published = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    size = pd.DataFrame({"n_params": [70e9], "n_tokens": [1.4e12]})
    by_hand = 1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28
    assert laws.CHINCHILLA.predict(size, published)[0] == pytest.approx(by_hand, rel=1e-15)
    assert by_hand == pytest.approx(1.937, abs=5e-4)


def test_a_loss_below_the_floor_is_never_reached():
    columns = [np.array([1e9]), np.array([1e12]), *PARAMS["chinchilla"].values()]
    assert laws.CHINCHILLA.inverse("n_params", np.array([1.7]), *columns) == np.inf


def test_scales_are_solved_for_along_a_variable_of_the_law_only():
    columns = [np.array([1e9]), np.array([1e12]), *PARAMS["chinchilla"].values()]
    with pytest.raises(
        ValueError, match="Unknown variable of chinchilla 'n_token'; did you mean 'n_tokens'"
    ):
        laws.CHINCHILLA.inverse("n_token", np.array([2.5]), *columns)


def test_where_a_formula_has_no_value_none_comes_back_and_nothing_is_warned_about():
    table = pd.DataFrame({"n_params": [0.0, -1.0, np.nan, 1e9], "n_tokens": 1e12})
    value = laws.CHINCHILLA.predict(table, PARAMS["chinchilla"])
    assert np.isfinite(value).tolist() == [False, False, False, True]
    assert laws.CHINCHILLA.jacobian(table, PARAMS["chinchilla"]).shape == (4, 5)
    flat = {**PARAMS["chinchilla"], "alpha": 0.0}
    columns = [np.array([1e9]), np.array([1e12]), *flat.values()]
    assert laws.CHINCHILLA.inverse("n_params", np.array([2.5]), *columns) in (0, np.inf)


def linear(n_params, a):
    return a * n_params


def linear_gradient(n_params, a):
    return (n_params + 0 * a,)


def test_a_law_checks_the_arguments_of_its_formula():
    with pytest.raises(
        ValueError, match="linear takes n_params, a, but variables and parameters are n_params, b"
    ):
        Law("bad", ("n_params",), "loss", (Parameter("b", 1.0),), linear, linear_gradient)


def linear_inverse(along, response, n_params, a):
    return response / a


def misordered_inverse(response, along, n_params, a):
    return response / a


def linear_law(**options):
    return Law(
        "linear", ("n_params",), "loss", (Parameter("a", 1.0),), linear, linear_gradient, **options
    )


def test_a_law_checks_the_arguments_of_its_inverse():
    assert linear_law(inverse=linear_inverse).inverse is linear_inverse
    with pytest.raises(
        ValueError,
        match="misordered_inverse takes response, along, n_params, a, but arguments of an inverse "
        "are along, response, n_params, a",
    ):
        linear_law(inverse=misordered_inverse)


@pytest.mark.parametrize("law", [*laws.LAWS, linear_law(inverse=linear_inverse)])
def test_laws_survive_pickling(law):
    again = pickle.loads(pickle.dumps(law))
    assert again == law
    assert again.function == law.function


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 3.0, "upper": 2.0}, "start 3 lies outside its bounds"),
        ({"start": 1.0, "lower": -1.0, "scale": "log"}, "scale 'log' needs"),
    ],
)
def test_a_parameter_checks_its_start(arguments, message):
    with pytest.raises(ValueError, match=message):
        Parameter("a", **arguments)
