import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import gammaincc

from emergekit import theory
from emergekit.theory import (
    critical_point,
    critical_prior,
    emergence_threshold,
    fixed_points,
    fixed_texts,
    hysteresis_window,
    irregular_skills,
    irregular_texts,
    learned_fraction,
    learning_curve,
    learning_rounds,
    poisson_texts,
    regular_skills,
    transition,
)

# Skills per text G* = 1 / R* at which copies of packets can just be resolved. The first three D = 1
# values are those of the literature on slotted ALOHA (0.5, 0.818, 0.772); the rest by bisection.
REGULAR = {
    (1, 2): 0.500000,
    (1, 3): 0.818469,
    (1, 4): 0.772280,
    (1, 5): 0.701780,
    (1, 6): 0.637081,
    (1, 8): 0.534997,
    (2, 2): 1.675459,
    (2, 3): 1.552830,
    (2, 4): 1.333637,
    (3, 2): 2.574701,
    (3, 3): 2.174492,
    (3, 4): 1.810866,
}
GRAPHS = st.one_of(
    st.floats(0.5, 8).map(poisson_texts),
    st.integers(2, 6).map(regular_skills),
    st.integers(2, 6).map(fixed_texts),
    st.just(irregular_skills({2: 0.5, 3: 0.28, 8: 0.22})),
    st.just(irregular_texts({1: 0.3, 4: 0.7})),
)


def test_the_curve_of_three_skills_at_one_and_a_fifth():
    found = learning_curve(1.2, 3)
    assert found.learned == pytest.approx(0.95826, abs=5e-6)
    assert found.testing_error == pytest.approx(0.11770, abs=5e-6)
    assert found.training_error == pytest.approx(0.00722, abs=5e-6)


def test_curves_have_the_reference_grid(reference_files):
    grid = pd.read_csv(reference_files / "theory" / "liao_density_evolution.csv")
    for (depth, c), rows in grid.groupby(["D", "c"]):
        found = learning_curve(rows["R"], float(c), int(depth))
        np.testing.assert_allclose(found.unlearned_edge, rows["q_unlearned"], rtol=2e-9)
        np.testing.assert_allclose(found.learned, rows["learned_fraction"], rtol=2e-9, atol=1e-10)
        np.testing.assert_allclose(found.testing_error, rows["test_error"], rtol=2e-9)
        if depth == 1:  # the file's column is 1 - (1 + x) exp(-x), which cancels
            expected = rows["train_error_D1"]
            np.testing.assert_allclose(found.training_error, expected, rtol=2e-9, atol=3e-16)


@pytest.mark.parametrize(
    ("c", "depth", "ratio", "learned"),
    [  # iterated from q = 1 and confirmed by decoders of 1e4 skills
        (3, 1, 0.6, 0.12082),
        (3, 1, 1.0, 0.33526),
        (3, 1, 1.05, 0.90914),
        (4, 1, 1.2, 0.14568),
        (2, 1, 1.5, 0.92399),
        (5, 2, 0.5, 0.21832),
        (5, 2, 0.56, 0.93041),
        (6, 3, 0.25, 0.17737),
        (6, 3, 0.4, 0.90473),
    ],
)
def test_learned_fractions_have_their_table(c, depth, ratio, learned):
    assert learned_fraction(ratio, c, depth) == pytest.approx(learned, abs=6e-6)


@settings(max_examples=30)
@given(
    graph=GRAPHS, ratio=st.floats(0.05, 3), depth=st.integers(1, 3), prior=st.sampled_from([0, 0.2])
)
def test_following_the_curve_ends_where_the_rounds_do(graph, ratio, depth, prior):
    rounds = learning_rounds(ratio, graph, 1500, depth, prior)
    assume(abs(rounds[-1] - rounds[-2]) <= 1e-11 * rounds[-1] or rounds[-1] < 1e-12)
    found = learning_curve(ratio, graph, depth, prior)
    assert found.unlearned_edge == pytest.approx(rounds[-1], rel=1e-6, abs=1e-11)
    assert (np.diff(rounds) <= 1e-15).all()


@settings(max_examples=30)
@given(c=st.floats(1.01, 3), depth=st.integers(1, 4), side=st.sampled_from([-1, 1]))
def test_close_to_a_threshold_the_side_decides(c, depth, side):
    c = c * critical_point(depth).mean_skills
    ratio = emergence_threshold(c, depth)
    q = float(learning_curve(ratio * (1 + side * 1e-9), c, depth).unlearned_edge)
    x_star = depth if side < 0 else c
    assert (c * q > x_star) if side < 0 else (c * q < depth)
    assert q == pytest.approx(np.exp(-c * ratio * gammaincc(depth, c * q)), rel=1e-6)


@settings(max_examples=25)
@given(graph=GRAPHS, depth=st.integers(1, 3))
def test_more_texts_never_teach_less_and_testing_is_harder_than_training(graph, depth):
    found = learning_curve(np.geomspace(0.01, 20, 50), graph, depth)
    assert (np.diff(found.learned) >= -1e-12).all()
    assert ((found.learned >= -1e-15) & (found.learned <= 1)).all()
    if graph.side == "texts":
        assert (found.training_error <= found.testing_error + 1e-12).all()


@pytest.mark.parametrize(("graph", "skills_per_text"), REGULAR.items())
def test_regular_skills_have_the_thresholds_of_slotted_aloha(graph, skills_per_text):
    depth, degree = graph
    found = transition(regular_skills(degree), depth)
    assert 1 / found.ratio == pytest.approx(skills_per_text, abs=6e-7)
    assert found.order == ("continuous" if graph == (1, 2) else "first")
    assert found.unlearned_after == pytest.approx(0, abs=1e-9)
    near = found.ratio * np.array([1 - 1e-6, 1 + 1e-6])
    before, after = learned_fraction(near, regular_skills(degree), depth)
    assert after == pytest.approx(1)
    assert before == pytest.approx(1 - found.unlearned_before, abs=5e-3)


def test_the_numbers_of_slotted_aloha_that_are_asked_for_by_name():
    assert transition(regular_skills(3)).ratio == pytest.approx(1.221793, abs=5e-7)
    irregular = transition(irregular_skills({2: 0.5, 3: 0.28, 8: 0.22}))  # Liva 2011: 0.938
    assert 1 / irregular.ratio == pytest.approx(0.938635, abs=5e-7)


@settings(max_examples=20)
@given(c=st.floats(1.02, 4), depth=st.integers(1, 4))
def test_the_general_transition_agrees_with_the_closed_form(c, depth):
    c = c * critical_point(depth).mean_skills
    lower, upper = hysteresis_window(c, depth)
    found = transition(c, depth)
    assert found.order == "first"
    assert found.ratio == pytest.approx(upper, rel=1e-12)
    assert found.lower_ratio == pytest.approx(lower, rel=1e-12)
    assert found.unlearned_before == pytest.approx(
        theory.unlearned_at_threshold(c, depth), rel=1e-5
    )


@pytest.mark.parametrize(("c", "after"), [(3, 0.0987), (4, 0.0030), (5, 4.6e-6)])
def test_the_jump_lands_where_it_should(c, after):
    assert transition(c).unlearned_after == pytest.approx(after, rel=0.02)


def test_a_success_function_is_any_learner():
    def poisson_one(unknown):
        return np.exp(-unknown)

    ratios = np.array([0.5, 1.0, 1.2])
    own, known = learning_curve(ratios, 3, poisson_one), learning_curve(ratios, 3)
    np.testing.assert_allclose(own.unlearned_edge, known.unlearned_edge, rtol=1e-12)
    assert np.isnan(own.training_error).all()
    assert transition(3, poisson_one).ratio == pytest.approx(1.037885697, abs=6e-10)

    def half_the_time(unknown):  # a lossy channel: every text is lost half the time
        return 0.5 * np.exp(-unknown)

    lossy = learning_curve(2 * ratios, 3, half_the_time).unlearned_edge
    np.testing.assert_allclose(lossy, known.unlearned_edge, rtol=1e-12)
    with pytest.raises(ValueError, match="texts must be Poisson"):
        learning_curve(1.0, fixed_texts(3), poisson_one)
    with pytest.raises(ValueError, match="the success function must be within"):
        learning_curve(1.0, 3, np.square)


def test_texts_of_fixed_size_never_start_without_prior_knowledge():
    assert learned_fraction([0.5, 50.0], fixed_texts(5)).tolist() == [0.0, 0.0]
    found = transition(fixed_texts(5))
    assert (found.order, found.ratio) == ("never", np.inf)
    alone = learned_fraction(2.0, fixed_texts(1))  # one skill per text is a coupon collector
    assert alone == pytest.approx(1 - np.exp(-2.0))


@pytest.mark.parametrize(
    ("k", "ratio", "prior"), [(3, 1, 0.098257), (5, 1, 0.324841), (5, 2, 0.245744), (8, 1, 0.49976)]
)
def test_prior_knowledge_starts_texts_of_fixed_size(k, ratio, prior):
    assert critical_prior(ratio, fixed_texts(k)) == pytest.approx(prior, abs=6e-7)
    low, high = (learned_fraction(ratio, fixed_texts(k), prior=prior + d) for d in (-1e-4, 1e-4))
    assert high - low > 0.3


def test_prior_knowledge_has_its_points():
    # decoders of 2e4 skills: .640 and .0040
    low, high = (learned_fraction(1.0, fixed_texts(5), prior=p) for p in (0.3, 0.4))
    assert (1 - low, 1 - high) == pytest.approx((0.6486, 0.0044), abs=6e-5)


@settings(max_examples=20)
@given(degree=st.integers(2, 6), ratio=st.floats(0.1, 3))
def test_prior_knowledge_is_as_good_as_fewer_skills_where_degrees_are_regular(degree, ratio):
    # q = (1 - prior) lambda(1 - P(d q / R)) is the equation at R / (1 - prior), in q / (1 - prior)
    threshold = transition(regular_skills(degree)).ratio
    found = critical_prior([ratio], regular_skills(degree))[0]
    if degree > 2 and ratio < 0.999 * threshold:
        assert found == pytest.approx(1 - ratio / threshold, abs=1e-9)
    elif degree == 2 or ratio > threshold:
        assert np.isnan(found)


@pytest.mark.parametrize(("k", "prior"), [(3, 1e-10), (5, 1e-6), (5, 1e-10), (8, 1e-8)])
def test_little_prior_knowledge_has_its_jump_at_very_many_texts(k, prior):
    # By hand, to first order in the prior: R = s / (k (prior + s)^(k-1)) is highest at prior/(k-2)
    place = prior / (k - 2)
    by_hand = place / (k * (prior + place) ** (k - 1))
    found = transition(fixed_texts(k), 1, prior)
    assert found.order == "first"
    assert found.ratio == pytest.approx(by_hand, rel=1e-5)
    assert found.unlearned_before == pytest.approx(1 - prior - place, abs=1e-9)
    # From all known down, skills and texts change places: the threshold of k copies of each skill
    assert found.lower_ratio == pytest.approx(REGULAR[1, k], rel=2e-6)
    assert critical_prior(found.ratio, fixed_texts(k)) == pytest.approx(prior, rel=1e-5)
    below, above = learned_fraction(found.ratio * np.array([0.99, 1.01]), fixed_texts(k), 1, prior)
    assert below < 1e-3 < 0.999 < above


def test_so_many_texts_that_the_prior_is_lost_in_rounding_say_so():
    found = critical_prior([1e25, 1e45, 1e300], fixed_texts(5))
    assert found[0] == pytest.approx(1.28248e-9, rel=1e-5)
    assert np.isnan(found[1:]).all()
    with pytest.raises(ValueError, match="or with less than 1e-11"):
        critical_prior(1e45, fixed_texts(5))


def test_a_prior_that_makes_no_jump_is_absent():
    assert np.isnan(critical_prior([0.5], 1.5)).all()
    with pytest.raises(ValueError, match="no prior knowledge makes learning jump"):
        critical_prior(3.0, 3.0)
    assert 0 < critical_prior(0.99, 3.0) < 0.1  # inside the window of hysteresis


def test_what_was_learned_is_kept_down_to_the_lower_end_of_the_window():
    for c, depth in ((3.0, 1), (6.0, 2), (8.0, 3)):
        lower, upper = (float(end) for end in hysteresis_window(c, depth))
        assert transition(c, depth).lower_ratio == pytest.approx(lower, rel=1e-12)
        ratios = [lower * (1 - 1e-9), lower * (1 + 1e-9), upper * (1 - 1e-9), upper * (1 + 1e-9)]
        first = learning_curve(ratios, c, depth).learned
        kept = learning_curve(ratios, c, depth, retained=True).learned
        assert kept[0] == pytest.approx(first[0])
        assert (kept[1:3] > first[1:3] + 0.1).all()
        assert kept[3] == pytest.approx(first[3])


@settings(max_examples=30)
@given(graph=GRAPHS, ratio=st.floats(0.05, 3), depth=st.integers(1, 3))
def test_what_is_kept_is_where_rounds_end_that_begin_with_all_known(graph, ratio, depth):
    given = fixed_points.system(graph, depth, 0.0)
    q = np.array(1e-9)  # almost; there is no public way to begin there, hence the inner step
    for _ in range(1500):
        before, q = q, fixed_points.next_edge(given, q, np.array(ratio))
    assume(abs(q - before) <= 1e-11 * q or q < 1e-14)
    found = learning_curve(ratio, graph, depth, retained=True).unlearned_edge
    assert found == pytest.approx(q, rel=1e-6, abs=1e-11)


def test_below_the_critical_point_learning_is_smooth():
    assert transition(2.0).order == "smooth"
    assert np.isnan(transition(2.0).ratio)


def test_the_test_error_falls_exponentially_in_the_number_of_texts():
    ratios = np.array([3.0, 5.0, 8.0])
    for depth in (1, 2):
        found = learning_curve(ratios, 4.0, depth).testing_error
        expected = theory.asymptotic_testing_error(ratios, 4.0)
        np.testing.assert_allclose(found, expected, rtol=3e-4)


def test_shapes_follow_the_ratios_and_nothing_is_nothing():
    assert np.shape(learned_fraction(1.2, 3)) == ()
    assert learned_fraction(np.ones((2, 3)), 3).shape == (2, 3)
    assert learned_fraction([], 3).shape == (0,)
    assert learning_rounds([1.0, 2.0], 3, 4).shape == (5, 2)
    extremes = learned_fraction([1e-9, 1e9], 3.0)
    assert extremes == pytest.approx([1e-9 * 3 * np.exp(-3), 1.0], rel=1e-6)
    assert learned_fraction([1.0], 900.0) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learning_curve([1.0, -1.0], 3), "ratio must be positive; entry 1 is -1"),
        (lambda: learning_curve(0.0, 3), "ratio must be positive; entry 0 is 0"),
        (lambda: learning_curve(1.0, -3), "mean_skills must be positive"),
        (lambda: learning_curve(1.0, 3, 0), "learner must be a whole number, 1 or more"),
        (lambda: learning_curve(1.0, 3, prior=1.0), "prior must be 0 or more and below 1"),
        (lambda: fixed_texts(2.5), "degree must be a whole number"),
        (lambda: regular_skills(0), "mean degree must be positive"),
        (lambda: irregular_skills({2: 0.5, 3: 0.4}), "must sum to 1; they sum to 0.9"),
        (lambda: irregular_texts({2: 1.5, 3: -0.5}), "share must be within"),
        (lambda: learning_rounds(1.0, 3, -1), "n_rounds must be a whole number, 0 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
