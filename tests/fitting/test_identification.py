"""What rows do not tell: named in words, without intervals, and the same wherever it is fitted."""

import warnings

import numpy as np
import pandas as pd
import pytest

from emergekit import allocate, bootstrap, fit, fit_groups, laws
from emergekit.errors import FitWarning

CHINCHILLA = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
ONE_SIZE = pd.DataFrame({"n_params": 1e9, "n_tokens": np.geomspace(1e9, 1e12, 40)})


def noisy(law, table, truth, noise=0.01, seed=0):
    loss = law.predict(table, truth)
    return table.assign(loss=loss * np.exp(noise * np.random.default_rng(seed).normal(size=40)))


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return function(*arguments, **options)


@pytest.mark.parametrize(
    ("law", "words", "free"),
    [
        (laws.power_law("n_params"), "only b * n_params^-c is known", "bc"),
        (
            laws.offset_power_law("n_params"),
            "only one combination of E and b * n_params^-c is known",
            "Ebc",
        ),
        (
            laws.CHINCHILLA,
            "only one combination of E and A * n_params^-alpha is known",
            ["E", "A", "alpha"],
        ),
        (laws.KAPLAN, "N_c and alpha_N can move together (N_c x 2, alpha_N -", ["N_c", "alpha_N"]),
    ],
    ids=["power", "offset", "chinchilla", "kaplan"],
)
def test_the_flat_direction_is_named_and_fits_agree_on_a_point(law, words, free):
    table = noisy(laws.CHINCHILLA, ONE_SIZE, CHINCHILLA)
    with pytest.warns(FitWarning, match="do not tell all parameters apart"):
        alone = fit(law, table)
    stats = alone.stats.iloc[0]
    assert stats["flat"].startswith(words)
    assert stats["flat"].endswith("as n_params is 1e+09 in every row")
    assert not stats["identified"]
    assert stats["converged"]
    frame = alone.to_frame().set_index("term")
    told = ~frame.index.isin(list(free))
    assert frame.loc[list(free), ["stderr", "lower", "upper"]].isna().all(axis=None)
    assert frame.loc[told, ["stderr", "lower", "upper"]].notna().all(axis=None)
    for text in (repr(alone), alone.summary(), alone._repr_html_()):
        assert text.count("not identified") == len(free)
    assert words in alone.summary()

    together = fit_groups(law, table.assign(task="a"), "task").set_index("term")
    assert together["identified"].tolist() == told.tolist()
    assert words in together["reason"].iloc[0]
    for name in ("estimate", "stderr", "lower", "upper"):
        expected = alone.params if name == "estimate" else frame[name]
        assert together[name].to_numpy() == pytest.approx(
            expected.to_numpy(), rel=1e-4, nan_ok=True
        ), name


@pytest.mark.parametrize("objective", ["huber_log", "least_squares"])
def test_the_point_does_not_depend_on_the_order_of_the_rows(objective):
    table = noisy(laws.CHINCHILLA, ONE_SIZE, CHINCHILLA)
    one, other = (
        quietly(fit, laws.offset_power_law("n_params"), rows, objective=objective)
        for rows in (table, table.sample(frac=1, random_state=0))
    )
    np.testing.assert_allclose(one.params, other.params, rtol=1e-4)


def test_what_the_rows_do_tell_is_as_good_as_without_the_rest():
    # With the size the same everywhere, E + A n_params^-alpha is one constant, and the law a power
    # law with that floor.
    table = noisy(laws.CHINCHILLA, ONE_SIZE, CHINCHILLA)
    options = {"objective": "least_squares"}
    whole = quietly(fit, laws.CHINCHILLA, table, **options)
    part = quietly(fit, laws.offset_power_law("n_tokens"), table, **options)
    assert whole.params["beta"] == pytest.approx(part.params["c"], rel=1e-5)
    stderr = [f.to_frame().set_index("term")["stderr"] for f in (whole, part)]
    # The leverage is that of the same fitted values; nothing else enters.
    assert stderr[0]["beta"] == pytest.approx(stderr[1]["c"], rel=1e-4)
    places = pd.DataFrame({"n_params": [1e9, 1e9, 2e9], "n_tokens": [3e9, 1e13, 3e9]})
    bands = [f.predict(places, interval="mean") for f in (whole, part)]
    width = [np.diff(band[["lower", "upper"]], axis=1).ravel() for band in bands]
    assert width[0][:2] == pytest.approx(width[1][:2], rel=0.02)  # Student's t has 2 more rows
    assert np.isnan(width[0][2])
    assert bands[0]["predicted"].notna().all()


def test_draws_and_allocations_know_what_is_not_identified():
    table = noisy(laws.CHINCHILLA, ONE_SIZE, CHINCHILLA)
    drawn = quietly(bootstrap, quietly(fit, laws.CHINCHILLA, table), 10)
    frame = drawn.to_frame().set_index("term")
    assert frame.loc[["E", "A", "alpha"], ["stderr", "lower", "upper"]].isna().all(axis=None)
    assert frame.loc["beta", "stderr"] > 0
    band = drawn.predict(pd.DataFrame({"n_params": [1e9, 1e10], "n_tokens": 1e11}))
    assert band["lower"].notna().tolist() == [True, False]
    split = allocate(quietly(fit, laws.CHINCHILLA, table)).set_index("term")
    assert split.loc["n_params", ["lower", "upper"]].isna().all()


def test_a_parameter_without_effect_may_have_any_value():
    # Above its corner a hinge says nothing about its slope.
    loss = np.linspace(2.8, 3.5, 30)
    score = 0.25 + 0.01 * np.random.default_rng(0).standard_normal(30)
    rows = pd.DataFrame({"loss": loss, "score": score})
    found = quietly(fit, laws.hinge(), rows, fixed={"eta": 2.5})
    assert found.stats["flat"].iloc[0] == "b may have any value"
    frame = found.to_frame().set_index("term")
    assert np.isnan(frame.loc["b", "stderr"])
    assert frame.loc["c", "stderr"] == pytest.approx(score.std() / np.sqrt(30), rel=0.1)


def test_identified_fits_say_nothing_of_it(chinchilla_fit):
    assert chinchilla_fit.flat is None
    assert chinchilla_fit.stats["flat"].iloc[0] == ""
    assert "not identified" not in repr(chinchilla_fit)
