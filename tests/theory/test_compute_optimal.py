import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom

from emergekit.theory import compute_optimal, ldpc, percolation, skill_levels
from emergekit.theory.density_evolution import learning_curve
from emergekit.theory.ldpc import BinomialDegrees, RegularDegrees
from emergekit.theory.learner_thresholds import emergence_threshold, unlearned_at_threshold

# Richardson & Urbanke 2008, table 3.49: thresholds of regular ensembles
REGULAR = {(3, 6): 0.4294, (4, 8): 0.3834, (3, 5): 0.5176, (4, 6): 0.5061, (3, 4): 0.6474}
LIMIT = 4.532989620  # e^x / (c x) at the larger root of x e^(1/x) = c, for c = 6


@pytest.fixture(scope="module")
def published(reference_files):
    return pd.read_csv(reference_files / "theory" / "nayak_varshney_compute_optimal.csv")


@pytest.mark.parametrize(("degrees", "threshold"), REGULAR.items())
def test_regular_codes_have_the_thresholds_of_the_textbook(degrees, threshold):
    found = ldpc.bp_threshold(*map(RegularDegrees, degrees))
    assert found.erasure == pytest.approx(threshold, abs=5e-5)


def test_the_threshold_of_3_6_codes_to_six_digits():
    assert ldpc.bp_threshold(RegularDegrees(3), RegularDegrees(6)).erasure == pytest.approx(
        0.429440, abs=5e-7
    )


def test_two_edges_a_variable_fail_little_by_little_from_the_stability_condition_on():
    erasure, x = ldpc.bp_threshold(RegularDegrees(2), RegularDegrees(6))
    assert (erasure, x) == (pytest.approx(1 / 5), 0)


def test_codes_of_many_edges_a_check_get_stuck_near_nothing():
    erasure, x = ldpc.bp_threshold(RegularDegrees(3), RegularDegrees(600))
    fine = np.linspace(1e-4, 0.02, 100_001)
    assert erasure == pytest.approx((fine / (1 - (1 - fine) ** 599) ** 2).min(), rel=1e-8)
    assert 0 < x < 0.01


def test_one_edge_a_variable_has_no_threshold():
    assert np.isnan(ldpc.bp_threshold(RegularDegrees(1), RegularDegrees(6)).erasure)


def test_arrays_of_degrees_give_one_threshold_each():
    both = ldpc.bp_threshold(RegularDegrees([3, 4]), RegularDegrees([6, 8]))
    single = [ldpc.bp_threshold(RegularDegrees(d), RegularDegrees(2 * d)) for d in (3, 4)]
    assert both.erasure.tolist() == [one.erasure for one in single]


@given(d=st.integers(3, 8), k=st.integers(4, 12))
def test_decoding_succeeds_just_below_the_threshold_and_fails_just_above(d, k):
    erasure, stuck = ldpc.bp_threshold(RegularDegrees(d), RegularDegrees(k))
    x = np.append(np.linspace(1e-3, 1, 2000), stuck)
    for factor, succeeds in ((0.999, True), (1.001, False)):
        after = factor * erasure * (1 - (1 - x) ** (k - 1)) ** (d - 1)
        assert bool((after < x).all()) is succeeds


@given(n=st.floats(2, 1e6), mean=st.floats(0.01, 1), x=st.floats(0.01, 0.99))
def test_binomial_degrees_are_consistent_with_each_other(n, mean, x):
    degrees = BinomialDegrees(n, mean / n)
    h = 1e-5
    slope = (degrees.edge(x + h) - degrees.edge(x - h)) / (2 * h)
    assert degrees.edge_slope(x) == pytest.approx(slope, rel=1e-4)
    # an edge finds its node with a chance in proportion to the degree: L' = L'(1) lambda
    area = quad(lambda u: degrees.mean * degrees.edge(u), 0, 1)[0]
    assert degrees.node(1.0) == pytest.approx(1)
    assert area == pytest.approx(1, rel=1e-6)


def test_finite_length_parameter_of_3_6_codes_is_that_of_the_literature():
    # Amraoui et al. 2009 give 0.56036 for (3, 6); 0.5603547 by the formula's full digits
    degrees = RegularDegrees(3), RegularDegrees(6)
    assert ldpc.finite_length_alpha(*degrees) == pytest.approx(0.56036, abs=1e-5)
    assert ldpc.finite_length_alpha(*degrees, convention="published") > 0.9


def test_signs_of_the_published_code_are_a_switch():
    with pytest.raises(ValueError, match="Unknown convention 'publish'; did you mean 'published'"):
        ldpc.finite_length_alpha(RegularDegrees(3), RegularDegrees(6), convention="publish")


def test_the_200_published_rows_come_out(published):
    R, C = published["R_opt"].to_numpy(), published["compute_RT"].to_numpy()
    found = compute_optimal.concepts_learned(R, C / R, convention="published")
    # their powers of 1 - 1e-9 lose digits from C = 1e12 on; ours do not
    tight = C < 1e12
    assert found.erasure_threshold[tight] == pytest.approx(published["eps_BP"][tight], rel=1e-11)
    assert found.erasure_threshold == pytest.approx(published["eps_BP"], rel=1e-6)
    assert found.alpha[tight] == pytest.approx(published["alpha"][tight], rel=2e-6)
    assert found.alpha == pytest.approx(published["alpha"], rel=1e-5)
    assert found.learned == pytest.approx(published["R_learnt"], rel=2e-6)


def test_the_published_optima_are_found_and_never_missed(published):
    C = published["compute_RT"].to_numpy()
    best = compute_optimal.compute_optimal_sizes(C, convention="published")
    # row 155 of the published search stopped at .2 % fewer concepts than there are to be learned
    others = np.arange(len(C)) != 155
    assert best.n_concepts[others] == pytest.approx(published["R_opt"][others], rel=2e-5)
    assert best.n_concepts == pytest.approx(published["R_opt"], rel=5e-4)
    R = published["R_opt"].to_numpy()
    theirs = compute_optimal.concepts_learned(R, C / R, convention="published").learned
    assert (best.learned >= theirs * (1 - 1e-12)).all()
    assert best.at_bound.sum() == 25  # the first 25 lie on the end of the search, .6 sqrt(C)
    assert (best.at_bound == (C < 1.5e4)).all()


def test_texts_per_concept_fall_to_the_limit_along_the_published_rows(published):
    # T/R and learned share of rows 45, 75, 105 and 199
    rows = {45: (6.720463, 0.88743566), 75: (5.199838, 0.98669572), 105: (4.699100, 0.99789981)}
    C = published["compute_RT"].to_numpy()[[*rows, 199]]
    best = compute_optimal.compute_optimal_sizes(C, convention="published")
    ratio, learned = np.transpose(list(rows.values()))
    assert (best.n_texts / best.n_concepts)[:3] == pytest.approx(ratio, rel=1e-6)
    # their search leaves R, and so the share, uncertain by some 1e-6
    assert 1 - best.unlearned[:3] == pytest.approx(learned, abs=1e-6)
    assert best.n_texts[3] / best.n_concepts[3] == pytest.approx(LIMIT, rel=5e-4)


@pytest.mark.parametrize("erasure", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("convention", ["standard", "published"])
def test_optimal_texts_per_concept_are_the_learners_threshold(erasure, convention):
    best = compute_optimal.compute_optimal_sizes(1e26, 6, erasure, convention=convention)
    assert best.n_texts / best.n_concepts == pytest.approx(LIMIT, rel=1e-4)
    assert emergence_threshold(6.0) == pytest.approx(LIMIT, abs=5e-10)


@pytest.mark.parametrize("c", [3.0, 4.0, 8.0])
def test_other_numbers_of_concepts_have_the_threshold_of_their_learners(c):
    best = compute_optimal.compute_optimal_sizes(1e26, c)
    assert not best.at_bound
    assert best.n_texts / best.n_concepts == pytest.approx(emergence_threshold(c), rel=1e-4)


def test_decoding_gets_stuck_where_the_learners_do():
    # x* of the codes is the erased share, epsilon q of the learners just before their jump
    variables, checks = BinomialDegrees(LIMIT * 1e12, 6e-12), BinomialDegrees(2e12, 6e-12)
    erasure, x = ldpc.bp_threshold(variables, checks)
    assert erasure == pytest.approx(0.5, rel=1e-9)
    assert x == pytest.approx(0.5 * unlearned_at_threshold(6.0), rel=1e-6)
    assert x == pytest.approx(0.407535, abs=5e-7)


def test_training_error_is_that_of_the_learners_in_large_corpora():
    # c = 3, R = 1.2: unlearned .04174, train error .00722 (Liao et al.'s model)
    curve = learning_curve(1.2, 3.0)
    error = compute_optimal.training_error(1 - curve.learned, 3.0, 1e9)
    assert error == pytest.approx(curve.training_error, rel=1e-6)
    assert error == pytest.approx(0.00722, abs=5e-6)


def test_a_budget_without_an_optimum_leaves_the_others_theirs():
    found = compute_optimal.compute_optimal_sizes([0.5, 1e12])
    alone = compute_optimal.compute_optimal_sizes(1e12)
    for both, one in zip(found, alone, strict=True):
        assert both[1] == one
    assert all(np.isnan(part[0]) for part in found[:-1])
    assert np.isnan(found.unlearned[0])
    assert found.at_bound.tolist() == [True, False]


def test_sizes_of_models_need_parameters_and_tokens():
    best = compute_optimal.compute_optimal_sizes(1e12)
    with pytest.raises(ValueError, match="per_concept must be positive"):
        best.n_params(-1)
    with pytest.raises(ValueError, match="per_text must be positive"):
        best.n_tokens(0)


def test_both_sizes_grow_as_the_root_of_compute():
    C = np.array([1e18, 1e22])
    best = compute_optimal.compute_optimal_sizes(C)
    for sizes in (best.n_concepts, best.n_texts):
        assert np.log(sizes[1] / sizes[0]) / np.log(1e4) == pytest.approx(0.5, abs=1e-3)


def test_chinchilla_is_where_the_paper_puts_it():
    # spec/theory.md 3.3: at 5.73e23 FLOPs, N = 7.145e10 and D = 1.337e12 (Chinchilla: 63e9, 1.4e12)
    compute = 5.73e23 / compute_optimal.flops_of_compute(1.0)
    best = compute_optimal.compute_optimal_sizes(compute, convention="published")
    assert best.n_params() == pytest.approx(7.145e10, rel=1e-4)
    assert best.n_tokens() == pytest.approx(1.337e12, rel=1e-3)


@given(delta=st.floats(0, 1), d=st.floats(0.1, 20), R=st.integers(20, 10**9))
def test_training_error_is_that_of_binomially_many_missing_concepts(delta, d, R):
    error = compute_optimal.training_error(delta, d, R)
    assert 0 <= error <= 1
    assert error == pytest.approx(binom.sf(1, R, d / R * delta), rel=1e-6, abs=1e-12)


def test_small_training_errors_keep_their_digits():
    assert compute_optimal.training_error(1e-9, 6.0, 1e9) == pytest.approx(1.8e-17, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compute_optimal.compute_optimal_sizes(1e10, 2.0), "learning sets in without"),
        (lambda: compute_optimal.compute_optimal_sizes(-1.0), "compute must be positive"),
        (lambda: compute_optimal.compute_optimal_sizes(np.nan), "compute must be positive"),
        (
            lambda: compute_optimal.compute_optimal_sizes(1e9, erasure=1.0),
            "erasure must be strictly between",
        ),
        (lambda: compute_optimal.compute_optimal_sizes(1e9, search=(1, 0.5)), "in order"),
        (
            lambda: compute_optimal.compute_optimal_sizes(1e10, 4.0, search=(4, 5)),
            r"no size in this range has a threshold. With 4 .* near 0.6",
        ),
        (lambda: compute_optimal.concepts_learned([10, 0], 5), "entry 1 is 0"),
        (lambda: compute_optimal.training_error(1.2, 6, 10), "unlearned must be within"),
        (lambda: compute_optimal.excess_entropy_bound(-0.1), "error must be within"),
        (lambda: BinomialDegrees(10, 0.0), r"p must be within \(0, 1\]"),
        (lambda: RegularDegrees(0), "degree must be 1 or more"),
        (lambda: ldpc.block_error(1.2, 10, 0.5, np.array(1.0)), "erasure must be within"),
        (lambda: skill_levels.level_weights((1.0,), (0.5, 0.6)), "1 and 2"),
        (lambda: skill_levels.composed_accuracy(10, 10, [[1.0]]), "one number a level"),
        (lambda: skill_levels.prerequisites(10, 10, level=0), "level must be a whole number"),
        (lambda: skill_levels.prerequisites(10, 10, level=101), "from 1 to 100"),
        (lambda: skill_levels.skill_edge_chance(0.1, 1, 1), "n_concepts must be above 1"),
        (lambda: percolation.random_graph_giant(-1), "mean_degree must be 0 or more"),
        (lambda: percolation.bipartite_giant(10, 10, 1.1), "p must be within"),
        (lambda: percolation.simulate_random_graph_giant(0, 1.0), "n_nodes must be a whole number"),
        (lambda: percolation.simulate_bipartite_giant(5, 5, -0.1), "p must be within"),
        (
            lambda: percolation.simulate_random_graph_giant(10.5, 1),
            "n_nodes must be a whole number",
        ),
        (lambda: percolation.simulate_random_graph_giant(10, np.inf), "mean_degree must be finite"),
        (
            lambda: percolation.simulate_bipartite_giant(10.5, 5, 0.1),
            "n_entities must be a whole number",
        ),
        (
            lambda: skill_levels.skill_pair_chance(10, 10, -1.0),
            "concepts_per_text must be positive",
        ),
        (
            lambda: skill_levels.skill_pair_chance(10, 10, 6.0, np.nan),
            "skills_per_level must be 1 or more",
        ),
        (
            lambda: skill_levels.composed_accuracy(10, 10, [1.0], skills_per_task=(0, -2)),
            "skills_per_task must be a whole number",
        ),
        (
            lambda: skill_levels.composed_accuracy(10, 10, [1.0], edge_factor=-3),
            "edge_factor must be within",
        ),
        (lambda: skill_levels.concept_pairs_needed(2.5), "n_levels must be a whole number"),
        (lambda: skill_levels.level_weights(n_levels=0), "n_levels must be a whole number"),
        (lambda: skill_levels.level_weights((0.8, 0.8), (0.1, 0.2)), "they sum to 1.6"),
        (lambda: compute_optimal.flops_of_compute(1e12, -1, -1), "per_concept must be positive"),
        (lambda: compute_optimal.training_error(0.1, -1, 10), "concepts_per_text must be positive"),
        (lambda: ldpc.block_error(0.5, 10, 0.4, -0.6), "alpha must be 0 or more"),
        (lambda: ldpc.block_error(0.5, 10, 1.4, 0.6), "threshold must be within"),
        (lambda: compute_optimal.compute_optimal_sizes(0.5), "compute = 0.5, .* has a threshold"),
    ],
)
def test_numbers_outside_their_range_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
