import numpy as np
import pytest

from emergekit.theory import (
    fixed_texts,
    graph_from_edges,
    irregular_skills,
    irregular_texts,
    random_graph,
    regular_skills,
)


def per_text(graph):
    return np.bincount(graph.texts, minlength=graph.n_texts)


def test_poisson_graphs_are_poisson_on_both_sides():
    graph = random_graph(200_000, 1.2, 3.0, seed=1)
    assert graph.n_texts == 240_000
    for degrees, mean in ((per_text(graph), 3.0), (np.diff(graph.offsets), 3.6)):
        error = np.sqrt(mean / len(degrees))
        assert degrees.mean() == pytest.approx(mean, abs=5 * error)
        assert degrees.var() == pytest.approx(mean, rel=0.02)
        assert (degrees == 0).mean() == pytest.approx(np.exp(-mean), rel=0.03)


def test_degrees_are_what_was_asked_for():
    assert (per_text(random_graph(5000, 2.0, fixed_texts(4))) == 4).all()
    assert (np.diff(random_graph(5000, 0.5, regular_skills(3)).offsets) == 3).all()
    mixed = per_text(random_graph(5000, 4.0, irregular_texts({1: 0.25, 5: 0.75})))
    assert set(mixed.tolist()) == {1, 5}
    assert (mixed == 1).mean() == pytest.approx(0.25, abs=0.02)
    skills = np.diff(random_graph(20_000, 1.0, irregular_skills({2: 0.5, 8: 0.5})).offsets)
    assert skills.mean() == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("degrees", [3.0, fixed_texts(4), regular_skills(3)])
def test_equal_seeds_give_equal_graphs(degrees):
    one, two, other = (random_graph(1000, 1.0, degrees, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(one.texts, two.texts)
    np.testing.assert_array_equal(one.offsets, two.offsets)
    assert not np.array_equal(one.texts[:100], other.texts[:100])
    drawn = random_graph(1000, 1.0, degrees, np.random.default_rng(5))
    np.testing.assert_array_equal(one.texts, drawn.texts)


def test_both_listings_hold_the_same_edges():
    graph = random_graph(300, 1.5, 2.0, seed=3)
    starts, skills = graph.by_text()
    texts = np.repeat(np.arange(graph.n_texts), np.diff(starts))
    assert sorted(zip(skills, texts, strict=True)) == sorted(
        zip(graph.skills(), graph.texts, strict=True)
    )


def test_given_edges_are_sorted_and_counted_once():
    graph = graph_from_edges([2, 0, 2, 2], [1, 0, 1, 0], n_texts=4)
    assert graph.offsets.tolist() == [0, 1, 1, 3]
    assert graph.texts.tolist() == [0, 0, 1]
    assert repr(graph) == "SkillTextGraph(3 skills, 4 texts, 3 edges)"
    assert graph_from_edges([], [], 3, 2).n_edges == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random_graph(0, 1.0, 3.0), "n_skills must be a whole number, 1 or more"),
        (lambda: random_graph(10, -1.0, 3.0), "ratio must be positive"),
        (lambda: random_graph(10, 0.01, 3.0), "ratio = 0.01 makes no text for 10 skills"),
        (lambda: random_graph(2**31, 1.0, 3.0), "at most 2147483647 skills"),
        (lambda: graph_from_edges([0, 1], [0]), "as many skills as texts.*2 and 1"),
        (lambda: graph_from_edges([0, -1], [0, 0]), "skills must be a whole number, 0 or more"),
        (lambda: graph_from_edges([0, 1.5], [0, 0]), "skills must be a whole number"),
        (lambda: graph_from_edges([0, 5], [0, 0], n_skills=3), "n_skills is 3, but an edge has"),
        (lambda: graph_from_edges([], []), "A graph without edges needs n_skills"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
