import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import gammaincc

from emergekit.theory import (
    class_curve,
    compressed_bits,
    emergence_threshold,
    fine_tuned_curve,
    fine_tuned_threshold,
    graph_from_edges,
    learned_fraction,
    learning_curve,
    peel,
    random_graph,
    understood_texts,
    unlearned_at_threshold,
)


def poisson_edges(rng, n_skills, n_texts, mean, first=0):
    n = rng.poisson(mean * n_texts)
    return first + rng.integers(0, n_skills, n), rng.integers(0, n_texts, n)


def test_a_foundation_shifts_the_threshold_of_its_domain():
    q1 = learning_curve(1.2, 3.0).unlearned_edge
    found = fine_tuned_curve([1.05, 1.1, 1.2, 1.5], 3.0, 2.0, q1)
    expected = [0.29501, 0.35468, 0.93381, 0.97964]  # decoders: .29831, .35784, .93486, .98008
    np.testing.assert_allclose(found.learned, expected, atol=6e-6)
    assert fine_tuned_threshold(3.0, 2.0, q1) == pytest.approx(1.12825, abs=6e-6)
    assert np.isnan(fine_tuned_threshold([2.0], 2.0, q1)).all()
    with pytest.raises(ValueError, match="learning is smooth"):
        fine_tuned_threshold(2.0, 2.0, q1)


def test_a_simulated_domain_is_learned_as_predicted():
    rng, size, n_texts = np.random.default_rng(2), 40_000, 48_000
    basics = random_graph(size, 1.2, 3.0, rng)
    known = peel(basics).learned
    needed = graph_from_edges(*poisson_edges(rng, size, n_texts, 2.0), size, n_texts)
    useful = understood_texts(needed, known)
    skills, texts = poisson_edges(rng, size, n_texts, 3.0)
    kept = useful[texts]
    domain = graph_from_edges(skills[kept], texts[kept], size, n_texts)
    learned = peel(domain).learned
    expected = fine_tuned_curve(1.2, 3.0, 2.0, learning_curve(1.2, 3.0).unlearned_edge)
    assert learned.mean() == pytest.approx(expected.learned, abs=0.01)
    training = 1 - (understood_texts(domain, learned) & useful).mean()
    assert training == pytest.approx(expected.training_error, abs=0.01)
    fresh = graph_from_edges(*poisson_edges(rng, size, n_texts, 3.0), size, n_texts)
    testing = 1 - (understood_texts(fresh, learned) & useful).mean()
    assert testing == pytest.approx(expected.testing_error, abs=0.015)


def test_without_basic_skills_a_domain_is_learned_as_alone():
    alone, tuned = (
        learning_curve([0.9, 1.2], 3.0, 2),
        fine_tuned_curve([0.9, 1.2], 3.0, 0.0, 0.4, 2),
    )
    for one, two in zip(alone, tuned, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_classes_have_their_point():
    found = class_curve([2000, 8000], [10_000], [[2.0, 1.0]])
    assert found.learned.tolist() == pytest.approx([0.99823, 0.54698], abs=6e-6)
    rng, learned = np.random.default_rng(0), []
    for _ in range(20):  # elsewhere: .99830 and .54665
        first = poisson_edges(rng, 2000, 10_000, 2.0)
        second = poisson_edges(rng, 8000, 10_000, 1.0, first=2000)
        graph = graph_from_edges(*np.concatenate([first, second], axis=1), 10_000, 10_000)
        known = peel(graph).learned
        learned.append([known[:2000].mean(), known[2000:].mean()])
    errors = 5 * np.std(learned, axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(np.mean(learned, axis=0) - found.learned) < errors).all()


def test_classes_that_are_alike_are_one():
    one = learning_curve(1.2, 3.0)
    two = class_curve([500, 500], [400, 800], [[1.5, 1.5], [1.5, 1.5]])
    np.testing.assert_allclose(two.learned, one.learned, rtol=1e-9)
    np.testing.assert_allclose(two.testing_error, one.testing_error, rtol=1e-9)
    np.testing.assert_allclose(two.training_error, one.training_error, rtol=1e-9)


@pytest.mark.parametrize("c", [3.0, 6.0, 20.0])
@pytest.mark.parametrize("past", [-1e-3, -1e-9, 1e-12, 1e-9, 1e-3])
def test_classes_next_to_their_threshold_come_to_rest_on_the_right_side(c, past):
    ratio = emergence_threshold(c) * (1 + past)
    found = class_curve([1.0, 2.0], [3 * ratio], [[c / 3, 2 * c / 3]])
    np.testing.assert_allclose(found.learned, learned_fraction(ratio, c), atol=2e-9)


def test_classes_at_a_threshold_have_the_state_before_the_jump():
    for c in (3.0, 6.0):
        found = class_curve([1.0], [emergence_threshold(c)], [[c]])
        assert 1 - found.learned == pytest.approx(unlearned_at_threshold(c), abs=1e-6)
    critical = class_curve([1.0], [1.0], [[np.e]])  # a root of third order
    assert critical.learned == pytest.approx(1 - 1 / np.e, abs=2e-5)


@settings(max_examples=40)
@given(
    sizes=st.lists(st.floats(0.2, 3), min_size=2, max_size=2),
    texts=st.lists(st.floats(0.2, 6), min_size=2, max_size=2),
    means=st.lists(st.floats(0, 10), min_size=4, max_size=4),
    learner=st.integers(1, 3),
)
def test_strides_end_where_single_rounds_do(sizes, texts, means, learner):
    c = np.reshape(means, (2, 2))
    q = np.ones(2)
    for _ in range(3000):
        q, before = np.exp(-gammaincc(learner, c @ q) @ (c * np.divide.outer(texts, sizes))), q
    assume((before - q < 1e-16).all())
    found = class_curve(sizes, texts, c, learner)
    np.testing.assert_allclose(found.learned, 1 - q, atol=1e-9)


def test_a_success_function_that_rises_with_the_unknown_never_comes_to_rest():
    with pytest.raises(ValueError, match="do not come to rest"):
        class_curve([1.0], [5.0], [[3.0]], lambda unknown: (unknown > 1).astype(float))


def test_what_is_understood_compresses():
    q = learning_curve([0.5, 1.2, 3.0], 3.0).unlearned_edge
    bits = compressed_bits(q, 3.0, 1024, 10_000)
    assert (np.diff(bits) < 0).all()
    assert compressed_bits(0.0, 3.0, 1024, 1e4) == pytest.approx(30)
    rng = np.random.default_rng(0)
    n, unknown = rng.poisson(3.0, 200_000), 0.1
    missed = rng.binomial(n, unknown)
    simulated = np.where(missed == 0, n * 10.0, 10_000.0)
    error = 5 * simulated.std() / np.sqrt(len(n))
    expected = compressed_bits(unknown, 3.0, 1024, 10_000)
    assert simulated.mean() == pytest.approx(expected, abs=error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fine_tuned_curve(1.0, 3.0, -1.0, 0.1), "mean_basic must be 0 or more"),
        (lambda: fine_tuned_curve(1.0, 3.0, 1.0, 1.1), "unlearned_basic must be within"),
        (lambda: class_curve([10, 10], [10], [[1.0]]), r"shape \(1, 2\); its shape is \(1, 1\)"),
        (lambda: class_curve([0], [10], [[1.0]]), "n_skills must be positive"),
        (lambda: class_curve([10], [10], [[-1.0]]), "mean_skills must be 0 or more"),
        (lambda: compressed_bits(0.1, 3.0, 0, 10), "n_skills must be a whole number"),
        (lambda: compressed_bits(0.1, 3.0, 10, 0), "raw_bits must be positive"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
