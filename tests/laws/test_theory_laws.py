import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emergekit import compare, fit, laws, theory
from emergekit.errors import FitWarning
from emergekit.laws.bipartite import bipartite_shares
from emergekit.laws.percolation import giant_share
from emergekit.laws.skill_graphs import unlearned
from tests.laws.cases import PARAMS, fitted


def scores(law, params, table, noise=0.0, seed=0):
    exact = law.predict(table, params)
    rng = np.random.default_rng(seed)
    return table.assign(**{law.response: exact + noise * rng.normal(size=len(table))})


@given(c=st.floats(0.1, 30), decades=st.floats(-2, 2))
def test_the_learner_of_the_law_is_the_learner_of_the_theory(c, decades):
    ratio = 10**decades
    expected = theory.learning_curve(ratio, c).unlearned_edge
    found = unlearned(np.array(ratio), np.array(c))
    if c <= np.e or abs(ratio / theory.emergence_threshold(c) - 1) > 1e-6:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_learners_take_one_number_of_skills_a_row():
    both = unlearned(np.array([[1.2], [1.0]]), np.array([3.0, 2.0]))
    each = [[1 - theory.learned_fraction(r, c) for c in (3.0, 2.0)] for r in (1.2, 1.0)]
    assert both == pytest.approx(np.array(each), rel=1e-9)
    assert 1 - both[0, 0] == pytest.approx(0.95826, abs=5e-6)


@given(a=st.floats(0, 100))
def test_the_giant_component_of_the_law_is_that_of_the_theory(a):
    assert giant_share(np.array(a)) == pytest.approx(theory.random_graph_giant(a), abs=1e-6)


@given(excess=st.floats(-0.9, 20), entities=st.floats(1e2, 1e6), properties=st.floats(1e2, 1e6))
def test_the_cluster_of_the_law_is_that_of_the_theory(excess, entities, properties):
    degree = 1 + excess
    known = degree * theory.bipartite_threshold(entities, properties)
    assume(known <= 1 and abs(excess) > 1e-4)
    found = bipartite_shares(np.array(degree), properties / entities)
    expected = theory.bipartite_giant(entities, properties, known)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_facts_join_up_at_the_corner_that_made_the_data():
    law = laws.bipartite_law(properties_per_entity=2.5)
    table = pd.DataFrame({"n_tokens": np.geomspace(1e8, 1e11, 60)})
    known = theory.bipartite_threshold(2000, 5000) * (table["n_tokens"] / 3e9) ** 0.7
    entities, properties = theory.bipartite_giant(2000, 5000, np.minimum(known, 1))
    table["score"] = entities * properties
    found = fitted(law, table)
    assert found["x0"] == pytest.approx(np.log10(3e9), abs=1e-3)
    assert found["b"] == pytest.approx(0.7, rel=1e-3)
    place = law.inverse("n_tokens", np.array([0.2, 0.9]), None, *map(np.array, found))
    assert law.predict({"n_tokens": place}, found) == pytest.approx([0.2, 0.9], abs=1e-9)


def test_a_ratio_of_properties_below_nothing_is_refused():
    with pytest.raises(ValueError, match="properties_per_entity must be positive"):
        laws.bipartite_law(properties_per_entity=-1)


@pytest.mark.parametrize("a", [0.3, 1.0, 3.0])
def test_frequencies_of_features_come_back_from_a_learning_curve(a):
    table = pd.DataFrame({"n_tokens": np.geomspace(1e3, 1e7, 30)})
    table["error"] = theory.hutter_error(table["n_tokens"], a)
    found = fitted(laws.hutter_law(), table)
    assert found["a"] == pytest.approx(a, rel=0.02)
    asymptotic = theory.hutter_error_asymptotic(1.0, a)
    assert found["A"] == pytest.approx(float(asymptotic), rel=0.05)
    half = laws.hutter_law().inverse("n_tokens", np.array([0.01, 0.0]), None, *map(np.array, found))
    assert laws.hutter_law().predict({"n_tokens": half[:1]}, found) == pytest.approx([0.01])
    assert half[1] == np.inf


def test_a_score_inside_the_jump_is_reached_at_the_jump():
    law = laws.learner_law()
    params = {"x0": 12.0, "c": 3.0}
    place = law.inverse("n_tokens", np.array([0.5, 0.7, 0.8]), None, *map(np.array, (12.0, 3.0)))
    assert place == pytest.approx(1e12 * theory.emergence_threshold(3.0))
    either = law.predict({"n_tokens": place[0] * np.array([0.9999, 1.0001])}, params)
    assert either[0] < 0.5 < 0.9 < either[1]


@pytest.mark.parametrize("c", [1.5, 3.0, 4.0])
def test_skills_per_text_come_back_from_the_rise_or_the_jump(c):
    law = laws.learner_law()
    table = pd.DataFrame({"n_tokens": np.geomspace(2e11, 1e13, 60)})
    found = fitted(law, scores(law, {"x0": 12.0, "c": c}, table, noise=0.01))
    assert found["x0"] == pytest.approx(12.0, abs=0.02)
    assert found["c"] == pytest.approx(c, rel=0.05)


def test_target_lengths_are_one_law_with_the_exponent_of_the_loss():
    table = pd.DataFrame(
        {
            "n_params": np.tile(np.geomspace(1e8, 1e12, 12), 3),
            "n_target_tokens": np.repeat([1.0, 3.0, 9.0], 12),
        }
    )
    p = theory.mirage.p_token(theory.mirage.power_law_loss(table["n_params"], 1e9, -0.4))
    exact = theory.mirage.expected_exact_match(p, table["n_target_tokens"])
    table["score"] = np.random.default_rng(0).binomial(2000, exact) / 2000
    found = fitted(laws.exact_match_law(), table)
    assert found["alpha"] == pytest.approx(0.4, abs=0.02)
    assert found["N_c"] == pytest.approx(1e9, rel=0.1)


def test_concepts_come_back_from_a_composition():
    law = laws.composition_law("n_tokens")
    table = pd.DataFrame({"n_tokens": np.geomspace(1e8, 1e13, 80)})
    t = np.log10(table["n_tokens"]) - 10
    concept = theory.concept_success(t, width=1 / 2.5)
    table["score"] = theory.composed_success(np.stack([concept] * 4, axis=1))
    found = fitted(law, table)
    assert found["n"] == pytest.approx(4, rel=1e-3)
    assert found["x0"] == pytest.approx(10, abs=1e-3)
    assert found["k"] == pytest.approx(2.5, rel=1e-3)
    half = law.inverse("n_tokens", 0.5, None, *found)
    assert np.log10(half) == pytest.approx(10 + theory.composition_delay(4) / 2.5, abs=1e-3)


def test_random_energies_are_gumbel_about_their_threshold():
    mu, n = np.linspace(0.6, 1.05, 80), 100
    success = theory.random_energy_success(mu, n)
    law = laws.random_energy_law("mu", axis="rising")
    table = pd.DataFrame({"mu": mu, "score": success})
    found = fitted(law, table)
    assert np.abs(law.predict(table, found) - success).max() < 0.03
    # derived: the exponent 2^n Q(z) falls by a factor e over s sqrt(n / 2) / sqrt(2 n ln 2) in n mu
    assert found["k"] == pytest.approx(2 * n * np.sqrt(np.log(2)), rel=0.1)


def test_skills_per_task_come_back_from_giant_components():
    law = laws.giant_component_law("n_tokens")
    table = pd.DataFrame({"n_tokens": np.geomspace(1e9, 1e12, 50)})
    degree = (table["n_tokens"] / 1e10) ** 0.6
    table["score"] = theory.random_graph_giant(degree) ** 3
    found = fitted(law, table)
    assert (found["x0"], found["b"], found["n"]) == pytest.approx((10, 0.6, 3), rel=1e-3)


def test_simulated_graphs_have_the_giant_components_of_the_law():
    table = pd.DataFrame({"n_tokens": np.geomspace(5e9, 5e10, 20)})
    degree = table["n_tokens"] / 1e10
    table["score"] = [
        theory.simulate_random_graph_giant(20_000, a, seed=i) for i, a in degree.items()
    ]
    found = fitted(laws.giant_component_law("n_tokens"), table, fixed={"n": 1.0})
    assert (found["x0"], found["b"]) == pytest.approx((10, 1), abs=0.05)


def test_floor_and_factor_come_back_from_guaranteed_competence():
    law = laws.skill_guarantee_law(alpha=0.2, k=8, k_prime=2)
    table = pd.DataFrame({"loss": np.linspace(1.75, 2.6, 40)})
    theta = theory.failure_from_excess(table["loss"] - 1.7, factor=0.004)
    table["score"] = theory.competence(theta, 0.2, 8, 2)
    assert law.predict(table, {"E": 1.7, "f": 0.004}) == pytest.approx(table["score"].to_numpy())
    assert table["score"].between(0.1, 0.99).sum() > 20
    found = fitted(law, table)
    assert found["E"] == pytest.approx(1.7, abs=1e-3)
    assert found["f"] == pytest.approx(0.004, rel=0.01)


def test_one_exponent_is_told_from_two(chinchilla_runs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        one, two = (fit(law, chinchilla_runs) for law in (laws.QUANTA, laws.CHINCHILLA))
    table = compare([one, two])
    assert set(table["law"]) == {"quanta", "chinchilla"}
    assert one.params["alpha"] / (1 + one.params["alpha"]) < two.params["beta"]


def test_data_exponents_of_quanta_are_those_of_the_theory():
    exponents = theory.quanta_exponents(0.5)
    D = np.array([1e12, 1e13])
    left = laws.QUANTA.predict(
        {"n_params": np.inf * D, "n_tokens": D}, {"E": 0.0, "A": 1.0, "B": 1.0, "alpha": 0.5}
    )
    assert np.log10(left[0] / left[1]) == pytest.approx(exponents.data)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laws.composition_law(chance=1.0), "chance must be a share"),
        (lambda: laws.learner_law(measure="learnt"), "did you mean 'learned'"),
        (lambda: laws.skill_guarantee_law(alpha=1.2), "alpha"),
        (lambda: laws.skill_guarantee_law(k=0), "k must be 1 or more"),
    ],
)
def test_laws_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_chance_is_where_a_theory_begins():
    rows = {"flops": np.array([1e10, 1e30])}
    for law in (laws.composition_law(chance=0.25), laws.random_energy_law(chance=0.25)):
        params = PARAMS[law.name]
        assert law.predict(rows, params) == pytest.approx([0.25, 1.0], abs=3e-3)
