import warnings

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws, theory
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import bootstrap
from emergekit.prediction import (
    composable_tuples,
    exact_match_by_loss,
    guaranteed_competence,
    through_theory,
)

MODELS = pd.DataFrame(
    {"n_params": [7e9, 7e10, 7e11], "n_tokens": [1.4e11, 1.4e12, 1.4e13]}, index=["s", "m", "l"]
)
TRUTH = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


@pytest.fixture(scope="module")
def published():
    """Return a fit to runs that follow the published law with 0.2 % of noise."""
    rng = np.random.default_rng(0)
    runs = pd.DataFrame(
        {"n_params": 10 ** rng.uniform(8, 12, 200), "n_tokens": 10 ** rng.uniform(9, 14, 200)}
    )
    runs["loss"] = laws.CHINCHILLA.predict(runs, TRUTH) * np.exp(0.002 * rng.normal(size=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(laws.CHINCHILLA, runs)


def test_a_fitted_law_predicts_the_competence_of_its_published_coefficients(published):
    found = guaranteed_competence(published, MODELS)
    expected = theory.chinchilla_competence(MODELS["n_params"], MODELS["n_tokens"], 0.2, 8)
    assert list(found.columns) == ["loss", "excess", "predicted", "lower", "upper"]
    assert found.index.equals(MODELS.index)
    assert found["predicted"].to_numpy() == pytest.approx(expected, abs=0.05)
    assert (found["lower"] <= found["predicted"]).all()
    assert (found["predicted"] <= found["upper"]).all()
    assert ((found["lower"] <= expected) & (expected <= found["upper"])).all()


def test_ten_times_the_scale_doubles_the_tuples(published):
    # spec/theory.md 1.4: the excess ratio is .50189 at Chinchilla's own scale
    larger = pd.DataFrame({"n_params": [7e11, 7e12], "n_tokens": [1.4e13, 1.4e14]})
    found = composable_tuples(published, larger, success=0.4, alpha=0.1, k=16, method="exact")
    assert found["predicted"].iloc[0] >= 2
    ratio = found["predicted"].iloc[1] / found["predicted"].iloc[0]
    assert ratio == pytest.approx(2, abs=0.5)


def test_the_largest_tuple_has_the_success_and_the_next_has_not(published):
    found = composable_tuples(published, MODELS, success=0.3, alpha=0.2, k=16)
    for (_, row), count in zip(found.iterrows(), found["predicted"], strict=True):
        if count > 0:
            at, beyond = theory.competence(row["excess"], 0.2, 16, [count, count + 1])
            assert at >= 0.3 > beyond
        else:
            assert theory.competence(min(row["excess"], 1.0), 0.2, 16) < 0.3


def test_more_skills_at_once_are_never_easier(published):
    by_size = [
        guaranteed_competence(published, MODELS, k_prime=k)["predicted"].to_numpy()
        for k in (1, 2, 4)
    ]
    assert (np.diff(by_size, axis=0) <= 0).all()


def test_exact_match_is_that_of_the_mirage_model(published):
    found = exact_match_by_loss(published, MODELS, 5)
    assert found["predicted"].to_numpy() == pytest.approx(np.exp(-5 * found["loss"]))


def test_draws_of_a_bootstrap_are_used(published):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        again = bootstrap(published, n=50)
    found = guaranteed_competence(again, MODELS)
    other = guaranteed_competence(again, MODELS, seed=3)
    pd.testing.assert_frame_equal(found, other)
    assert (found["upper"] > found["lower"]).any()


def test_any_theory_of_excess_will_do(published):
    found = through_theory(published, MODELS, lambda excess: np.exp(-excess))
    assert found["predicted"].to_numpy() == pytest.approx(np.exp(-found["excess"]))
    twice = through_theory(published, MODELS, lambda excess: np.exp(-excess), level=0.5)
    assert ((found["upper"] - found["lower"]) > (twice["upper"] - twice["lower"])).all()


def test_a_model_of_unknown_size_has_no_competence_and_others_have(published):
    table = MODELS.copy()
    table.loc["m", "n_params"] = np.nan
    found = guaranteed_competence(published, table)
    assert found.loc["m"].isna().all()
    assert found.loc["l", "predicted"] > 0
    assert guaranteed_competence(published, MODELS.iloc[:0]).empty


def test_a_law_without_a_floor_needs_the_entropy_of_text():
    runs = pd.DataFrame({"flops": np.geomspace(1e18, 1e24, 12)})
    runs["loss"] = 30 * runs["flops"] ** -0.05
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        power = fit(laws.power_law(), runs)
    with pytest.raises(FitError, match=r"no floor \(E or eps_inf\).*entropy="):
        guaranteed_competence(power, runs)
    found = guaranteed_competence(power, runs, entropy=1.5)
    assert found["predicted"].is_monotonic_increasing
    assert exact_match_by_loss(power, runs, 2)["excess"].isna().all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: guaranteed_competence(f, MODELS, alpha=1.0), ValueError, "alpha"),
        (lambda f: guaranteed_competence(f, MODELS, k=0), ValueError, "k must be"),
        (lambda f: guaranteed_competence(f, MODELS, level=1.0), FitError, "level must lie"),
        (lambda f: guaranteed_competence(f, MODELS, n_draws=1), FitError, "n_draws must be"),
        (lambda f: guaranteed_competence(f, MODELS[["n_params"]]), TableError, "'n_tokens'"),
        (lambda f: composable_tuples(f, MODELS, success=0.0), ValueError, "success must lie"),
        (lambda f: through_theory(f, MODELS, abs, of="los"), FitError, "not 'los'"),
        (lambda f: exact_match_by_loss(f, MODELS, -1), ValueError, "n_target_tokens"),
    ],
)
def test_what_cannot_be_predicted_is_named(published, call, error, message):
    with pytest.raises(error, match=message):
        call(published)
