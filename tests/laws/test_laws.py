import pickle

import numpy as np
import pandas as pd
import pytest

from emergekit import laws
from emergekit.laws import Law, Parameter
from tests.contracts import check_law

PARAMS = {"chinchilla": {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}}
TABLE = pd.DataFrame({"n_params": [1e8, 1e9, 7e10], "n_tokens": [2e9, 3e11, 1.4e12]})


@pytest.mark.parametrize("law", laws.LAWS, ids=[law.name for law in laws.LAWS])
def test_every_law_honours_the_contract(law):
    check_law(law, TABLE, PARAMS[law.name])


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
    assert again.function is law.function


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
