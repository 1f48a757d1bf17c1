from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.theory import (
    fixed_texts,
    graph_from_edges,
    irregular_skills,
    learning_curve,
    learning_rounds,
    peel,
    peeling,
    random_graph,
    regular_skills,
    simulate_learning,
    understood_texts,
)

ENGINES = [False, pytest.param(True, id="numba")]


def by_sets(graph, depth, known):
    """Peel one text after the other, with sets: the plain reading of the definition."""
    starts, skills = graph.by_text()
    texts = [set(skills[a:b].tolist()) for a, b in pairwise(starts)]
    learned = set(np.flatnonzero(known).tolist())
    while True:
        ready = [text - learned for text in texts if 0 < len(text - learned) <= depth]
        if not ready:
            return learned
        learned = learned.union(*ready)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(2, 60),
    mean=st.floats(0.5, 6),
    depth=st.integers(1, 3),
)
def test_any_order_of_texts_learns_the_same(seed, size, mean, depth):
    drawn = random_graph(size, 1.3, mean, seed)
    graph = graph_from_edges(drawn.skills(), drawn.texts, size, drawn.n_texts)  # no pair twice
    known = np.random.default_rng(seed).random(size) < 0.1
    learned = set(np.flatnonzero(peel(graph, depth, known, compiled=False).learned).tolist())
    assert learned == by_sets(graph, depth, known)


@pytest.mark.slow
@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(2, 400),
    mean=st.floats(0.5, 6),
    ratio=st.floats(0.5, 2),
    depth=st.integers(1, 3),
    prior=st.sampled_from([0.0, 0.3]),
)
def test_numpy_and_compiled_code_agree_to_the_bit(seed, size, mean, ratio, depth, prior):
    pytest.importorskip("numba")
    graph = random_graph(size, ratio, mean, seed)
    known = np.random.default_rng(seed).random(size) < prior
    plain, fast = (peel(graph, depth, known, compiled=engine) for engine in (False, True))
    np.testing.assert_array_equal(plain.learned, fast.learned)
    np.testing.assert_array_equal(plain.n_learned, fast.n_learned)
    assert plain.n_learned[0] == known.sum()
    assert plain.n_learned[-1] == plain.learned.sum()


@pytest.mark.parametrize("degrees", [fixed_texts(3), regular_skills(3)])
@pytest.mark.parametrize("depth", [1, 2])
def test_numpy_and_compiled_code_agree_on_graphs_of_size(degrees, depth):
    pytest.importorskip("numba")
    graph = random_graph(30_000, 1.3, degrees, seed=2)
    known = np.random.default_rng(0).random(30_000) < 0.2
    plain, fast = (peel(graph, depth, known, compiled=engine) for engine in (False, True))
    np.testing.assert_array_equal(plain.learned, fast.learned)
    np.testing.assert_array_equal(plain.n_learned, fast.n_learned)


@pytest.mark.parametrize("compiled", ENGINES)
@pytest.mark.parametrize("depth", [1, 2])
def test_rounds_are_those_of_density_evolution(compiled, depth):
    if compiled:
        pytest.importorskip("numba")
    c, ratio, size = (3.0, 1.2, 100_000) if depth == 1 else (5.0, 0.7, 100_000)
    found = peel(random_graph(size, ratio, c, seed=0), depth, compiled=compiled).n_learned
    expected = size * (1 - learning_rounds(ratio, c, 6, depth))
    error = np.sqrt(size) * 2.5
    np.testing.assert_allclose(found[:7], expected, atol=error)


@pytest.mark.parametrize(
    ("degrees", "ratio", "learner", "prior"),
    [
        (3.0, 1.2, 1, 0.0),
        (3.0, 0.9, 1, 0.0),
        (2.0, 1.5, 1, 0.0),
        (5.0, 0.5, 2, 0.0),
        (6.0, 0.4, 3, 0.0),
        (regular_skills(3), 1.15, 1, 0.0),
        (regular_skills(3), 0.6, 2, 0.0),
        (irregular_skills({2: 0.5, 3: 0.28, 8: 0.22}), 1.0, 1, 0.0),
        (fixed_texts(5), 1.0, 1, 0.4),
        (fixed_texts(5), 1.0, 1, 0.3),
    ],
)
def test_simulated_graphs_learn_what_density_evolution_says(degrees, ratio, learner, prior):
    found = simulate_learning(20_000, ratio, degrees, learner, prior, n_graphs=8, seed=3)
    expected = learning_curve(ratio, degrees, learner, prior)
    for name in ("learned", "testing_error", "training_error"):
        values, value = getattr(found, name), getattr(expected, name)
        spread = max(values.std(ddof=1), 1e-4)
        assert values.mean() == pytest.approx(value, abs=5 * spread / np.sqrt(8) + 2e-4), name


def test_three_skills_at_one_and_a_fifth_within_five_deviations():
    # sd of one graph of 1e4 skills over 40 graphs: .0028; .0018 for 1e5, by hand .0028 / sqrt(10)
    found = simulate_learning(100_000, 1.2, 3.0, n_graphs=4)
    np.testing.assert_allclose(found.learned, 0.95826, atol=5 * 0.0028 / np.sqrt(10))
    assert found.testing_error.mean() == pytest.approx(0.1177, abs=3e-3)
    assert found.training_error.mean() == pytest.approx(0.00722, abs=5e-4)


def test_simulations_repeat_and_grow_by_their_seed():
    few = simulate_learning(500, 1.2, 3.0, n_graphs=2, seed=9)
    many = simulate_learning(500, 1.2, 3.0, n_graphs=5, seed=9)
    for one, two in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, two[:2])


def test_a_graph_without_edges_teaches_nothing():
    empty = graph_from_edges([], [], 4, 3)
    for engine in (False, None):
        found = peel(empty, compiled=engine)
        assert not found.learned.any()
        assert found.n_learned.tolist() == [0]
    assert understood_texts(empty, found.learned).all()
    assert peel(empty, known=np.ones(4, dtype=bool)).n_learned.tolist() == [4]


def test_two_unknown_skills_wait_for_each_other():
    pair = graph_from_edges([0, 1], [0, 0])
    assert not peel(pair).learned.any()
    assert peel(pair, 2).learned.all()
    assert peel(pair, known=[True, False]).learned.all()


def test_what_was_known_is_left_as_it_was():
    known = np.zeros(10, dtype=bool)
    peel(random_graph(10, 3.0, 1.0), known=known)
    assert not known.any()


def test_compiled_code_needs_its_extra(monkeypatch):
    monkeypatch.setattr(peeling, "_compiled", lambda: None)
    graph = random_graph(10, 1.0, 2.0)
    with pytest.raises(ModuleNotFoundError, match=r"emergekit\[fast\]"):
        peel(graph, compiled=True)
    assert len(peel(graph).learned) == 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda graph: peel(graph, 0), "learner must be a whole number, 1 or more"),
        (lambda graph: peel(graph, known=[True]), "one truth value a skill, 10 in all"),
        (lambda graph: peel(graph, known=np.zeros(10)), "array of float64"),
        (lambda graph: understood_texts(graph, [True]), "one truth value a skill"),
        (lambda graph: simulate_learning(10, 1.0, 2.0, prior=1.0), "prior must be"),
        (lambda graph: simulate_learning(10, 1.0, 2.0, n_graphs=0), "n_graphs must be"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_graph(10, 1.0, 2.0))


@pytest.mark.slow
def test_ten_million_skills_learn_what_density_evolution_says():
    pytest.importorskip("numba")
    found = peel(random_graph(10_000_000, 1.2, 3.0, seed=4))
    expected = learning_curve(1.2, 3.0).learned
    assert found.learned.mean() == pytest.approx(expected, abs=5 * 0.0028 / np.sqrt(1000))
