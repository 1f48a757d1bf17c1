import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.theory import (
    association_threshold,
    emergence_threshold,
    giant_component,
    giant_fraction,
    giant_learned,
    graph_from_edges,
    learned_fraction,
    peel,
    random_graph,
)

# c, R: formula of site percolation; i.i.d., learned, and learned by understood texts, each from
# graphs of 1e5 skills made independently of this code
MEASURED = {
    (3, 0.9): (0.1538, 0.1534, 0.2126, 0.1268),
    (3, 1.0): (0.2725, 0.2718, 0.3169, 0.2611),
    (3, 1.08): (0.8788, 0.8788, 0.9172, 0.9167),
    (2, 0.8): (0.0545, 0.0519, 0.2499, 0.1752),
}
TEXTS = st.sampled_from(["all", "understood"])
TEXTS_OF_BOTH_KINDS = pytest.mark.parametrize("texts", ["all", "understood"])


@pytest.mark.parametrize(("point", "giants"), MEASURED.items())
def test_learned_skills_hang_together_far_more_than_the_formula_says(point, giants):
    c, ratio = point
    found = giant_fraction(ratio, c, learned_fraction(ratio, c))
    assert found == pytest.approx(giants[0], abs=6e-5)
    assert giant_learned(ratio, c) == pytest.approx(giants[2], abs=4e-3)
    assert giant_learned(ratio, c, "understood") == pytest.approx(giants[3], abs=4e-3)


@pytest.mark.parametrize("texts", ["all", "understood"])
@pytest.mark.parametrize(("c", "ratio"), [(3.0, 0.9), (3.0, 1.2), (2.0, 0.8), (2.0, 1.2)])
def test_simulated_giants_are_those_of_the_formulas(c, ratio, texts):
    learned, free, phi = [], [], learned_fraction(ratio, c)
    for seed in range(4):
        graph = random_graph(30_000, ratio, c, seed)
        learned.append(giant_component(graph, peel(graph).learned, texts))
        occupied = np.random.default_rng(seed).random(graph.n_skills) < phi
        free.append(giant_component(graph, occupied, texts))
    for found, expected in (
        (learned, giant_learned(ratio, c, texts)),
        (free, giant_fraction(ratio, c, phi, texts)),
    ):
        # where there is no giant, the largest of the small components is left
        within = 5 * np.std(found, ddof=1) / 2 + 3e-3
        assert np.mean(found) == pytest.approx(expected, abs=within)


@pytest.mark.parametrize(
    ("c", "ratio"), [(1, 1.515394), (2, 0.762116), (2.5, 0.7089581), (3, 0.711556), (4, 0.807105)]
)
def test_giants_by_chance_begin_where_the_formula_says(c, ratio):
    found = association_threshold(c)
    assert found == pytest.approx(ratio, abs=6e-7)
    q = 1 - 1 / (c**2 * found)
    assert q == pytest.approx(np.exp(-c * found * np.exp(-c * q)), rel=1e-12)


def test_learned_skills_hang_together_sooner():
    by_chance, learned = (association_threshold(2.0, kind) for kind in ("iid", "learned"))
    assert learned < by_chance
    below, above = giant_learned([learned * 0.999, learned * 1.001], 2.0)
    assert below == pytest.approx(0, abs=1e-7)
    assert above > 1e-5


@settings(max_examples=12)
@given(c=st.floats(0.3, 8), ratio=st.floats(0.01, 5), texts=TEXTS)
def test_no_giant_is_larger_than_what_is_learned(c, ratio, texts):
    phi = learned_fraction(ratio, c)
    for giant in (giant_learned(ratio, c, texts), giant_fraction(ratio, c, phi, texts)):
        assert -1e-12 <= giant <= phi + 1e-12
    assert giant_learned(ratio, c, "understood") <= giant_learned(ratio, c) + 1e-9


@pytest.mark.parametrize("c", [14.0, 25.0, 40.0])
@TEXTS_OF_BOTH_KINDS
def test_the_threshold_of_long_texts_is_where_the_walk_begins_to_grow(c, texts):
    near = association_threshold(c, "iid", texts) * np.array([1 - 1e-5, 1, 1 + 1e-5])
    phi = learned_fraction(near, c)
    alike = np.exp(-c * (1 - phi)) if texts == "understood" else 1.0
    below, at, above = c**2 * near * phi * alike - 1
    assert below < 0 < above
    if texts == "all":  # where texts must be understood, it is the jump of what is learned
        assert at == pytest.approx(0, abs=1e-6)
    else:
        assert near[1] == pytest.approx(emergence_threshold(c), rel=1e-9)


@pytest.mark.parametrize("c", [14.0, 25.0, 40.0])
@TEXTS_OF_BOTH_KINDS
def test_learned_skills_of_long_texts_have_a_giant_past_the_threshold_only(c, texts):
    found = association_threshold(c, "learned", texts)
    phi = learned_fraction(found, c)
    below, above = giant_learned(found * np.array([0.99, 1.01]), c, texts) / phi
    assert below < 1e-5 < 1e-2 < above


def test_a_threshold_beyond_floating_point_is_infinite():
    assert association_threshold(900.0) == np.inf


def test_extremes_stay_finite():
    found = giant_learned([1e-9, 1e-3, 1e3, 1e6], 3.0)
    np.testing.assert_allclose(found, [0, 0, 1, 1], atol=1e-9)
    assert giant_learned(1.0, 900.0) == 0
    assert giant_fraction(1.0, 3.0, 0.0) == 0
    assert giant_fraction(100.0, 3.0, 1.0) == pytest.approx(1)


def test_small_graphs_have_the_components_that_are_seen():
    graph = graph_from_edges([0, 1, 1, 2, 3], [0, 0, 1, 1, 2])
    assert giant_component(graph) == 0.75
    assert giant_component(graph, [True, False, True, True]) == 0.25
    some = np.array([True, True, False, True])  # the text of skills 1 and 2 is not understood
    assert giant_component(graph, some, "understood") == 0.5
    assert giant_component(graph, np.zeros(4, dtype=bool)) == 0
    assert giant_component(graph_from_edges([], [], 4, 1)) == 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: giant_fraction(1.0, 3.0, 1.5), "occupied must be within"),
        (lambda: giant_fraction(1.0, 3.0, 0.5, "some"), "Unknown choice of texts 'some'"),
        (lambda: giant_learned(0.0, 3.0), "ratio must be positive"),
        (lambda: association_threshold(-1.0), "mean_skills must be positive"),
        (lambda: association_threshold(2.0, "random"), "Unknown occupation 'random'"),
        (lambda: giant_component(graph_from_edges([0], [0]), [0.5]), "one truth value a skill"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
