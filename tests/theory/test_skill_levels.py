import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom

from emergekit.theory import compute_optimal, percolation, skill_levels

UNIMODAL = skill_levels.level_weights()
MULTIMODAL = skill_levels.level_weights((0.4, 0.4, 0.2), (0.2, 0.6, 0.95))


@pytest.fixture(scope="module")
def sizes():
    compute = 100 * (1e20 / 100) ** (np.arange(30, 170) / 199)  # the rows that the paper plots
    return compute_optimal.compute_optimal_sizes(compute, convention="published")


def size_at(sizes, accuracy, level):
    return np.exp(np.interp(level, accuracy, np.log(sizes.n_params())))


@pytest.mark.parametrize(
    ("tail", "reached"),
    # spec/theory.md 3.3; read off the rows there, between the rows here
    [("chernoff", (4.94e10, 7.87e10, 1.25e11)), ("exact", (2.47e10, 4.49e10, 8.13e10))],
)
def test_tasks_of_one_mode_emerge_where_the_published_code_has_them(sizes, tail, reached):
    accuracy = skill_levels.composed_accuracy(sizes.n_concepts, sizes.n_texts, UNIMODAL, tail=tail)
    found = [size_at(sizes, accuracy, level) for level in (0.1, 0.5, 0.9)]
    assert found == pytest.approx(reached, rel=0.06)


@pytest.mark.parametrize("tail", ["chernoff", "exact"])
def test_plateaus_lie_at_the_cumulative_weights(sizes, tail):
    accuracy = skill_levels.composed_accuracy(
        sizes.n_concepts, sizes.n_texts, MULTIMODAL, tail=tail
    )
    for height in (0.4, 0.8):
        resting = np.abs(accuracy - height) < 0.02
        assert resting.sum() >= 4
    assert accuracy[-1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(accuracy) > -1e-9).all()


@pytest.mark.parametrize(
    ("tail", "low", "high"), [("chernoff", 4.5e9, 5.7e9), ("exact", 1.3e8, 1.9e8)]
)
def test_a_single_level_emerges_in_a_step(sizes, tail, low, high):
    needed = skill_levels.concept_pairs_needed()[10]
    giant = skill_levels.level_giant_fraction(sizes.n_concepts, sizes.n_texts, needed, tail=tail)
    where = size_at(sizes, giant**7, 0.5)
    assert low < where < high


@pytest.mark.parametrize("tail", ["chernoff", "exact"])
def test_prerequisites_leave_the_published_figures_as_they_are(sizes, tail):
    factor = skill_levels.prerequisites(sizes.n_concepts, sizes.n_texts, tail=tail)
    assert factor.shape == (100, 140)
    assert (factor[:11] == 1).all()
    plain, with_them = (
        skill_levels.composed_accuracy(
            sizes.n_concepts, sizes.n_texts, UNIMODAL, tail=tail, edge_factor=f
        )
        for f in (1.0, factor)
    )
    assert with_them == pytest.approx(plain, abs=1e-9)


def test_exact_tails_agree_with_the_binomial_and_go_over_into_the_poisson():
    few = skill_levels.skill_edge_chance(0.01, 50, [1, 5, 20])
    assert few == pytest.approx(binom.sf([0, 4, 19], 1225, 0.01))
    border = np.sqrt(2e9) * np.array([0.999999, 1.000001])
    both = skill_levels.skill_edge_chance(3e-9, border, 3)
    assert both[0] == pytest.approx(both[1], rel=1e-5)


def test_an_unknown_tail_comes_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'chernoff'"):
        skill_levels.skill_edge_chance(0.1, 10, 1, tail="chernof")


@given(a=st.floats(0, 50))
def test_giant_fraction_solves_its_equation(a):
    share = float(percolation.random_graph_giant(a))
    if a <= 1:
        assert share == 0
    elif a > 1.001:
        root = brentq(lambda g: g - 1 + np.exp(-a * g), 1e-9, 1)
        assert share == pytest.approx(root, rel=1e-6)


@pytest.mark.parametrize(("a", "share"), [(1.5, 0.582812), (2, 0.796812), (3, 0.940480)])
def test_giant_fractions_of_random_graphs_are_those_of_theory(a, share):
    # Erdos & Renyi 1960; spec/theory.md section 4
    assert percolation.random_graph_giant(a) == pytest.approx(share, abs=5e-7)
    found = [percolation.simulate_random_graph_giant(20_000, a, seed) for seed in range(8)]
    assert np.mean(found) == pytest.approx(share, abs=5 * np.std(found) / np.sqrt(8))


@pytest.mark.parametrize(
    ("over", "entities", "properties"), [(1.2, 0.3749, 0.2476), (2.0, 0.8804, 0.6717), (0.8, 0, 0)]
)
def test_facts_join_up_past_the_threshold_of_a_bipartite_graph(over, entities, properties):
    p = over * percolation.bipartite_threshold(2000, 5000)
    expected = percolation.bipartite_giant(2000, 5000, p)
    assert np.array(expected) == pytest.approx([entities, properties], abs=5e-5)
    found = [percolation.simulate_bipartite_giant(2000, 5000, p, seed) for seed in range(10)]
    assert np.mean(found, axis=0) == pytest.approx(np.array(expected), abs=0.03)


@given(n1=st.integers(10, 10_000), n2=st.integers(10, 10_000), u=st.floats(0.1, 5))
def test_bipartite_shares_solve_both_equations(n1, n2, u):
    p = min(u / np.sqrt(n1 * n2), 1.0)
    a, b = percolation.bipartite_giant(n1, n2, p)
    assert a == pytest.approx(1 - np.exp(-n2 * p * b), abs=1e-9)
    assert b == pytest.approx(1 - np.exp(-n1 * p * a), abs=1e-9)
    assert (a > 0) == (p > percolation.bipartite_threshold(n1, n2))
