import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from emergekit.metrics.comparisons import mcnemar_test, paired_difference
from emergekit.metrics.uncertainty import mean_stderr

pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=80)


@pytest.fixture(scope="module")
def answers(reference_files):
    return json.loads((reference_files / "metrics_reference" / "aggregates.json").read_text())


@pytest.fixture(scope="module")
def clustered(reference_files):
    return pd.read_csv(reference_files / "metrics_reference" / "clustered_scores.csv")


def test_paired_differences_are_the_reference_ones(clustered, answers):
    b, a, clusters = clustered["score_b"], clustered["score_a"], clustered["cluster"]
    expected = answers["clustered"]["diff_b_minus_a"]
    plain, by_cluster = paired_difference(b, a), paired_difference(b, a, clusters)
    corrected = paired_difference(b, a, clusters, correction="CR1")
    assert plain.n_examples == expected["n"]
    assert plain.difference == pytest.approx(expected["mean"], rel=1e-9)
    assert plain.stderr == pytest.approx(expected["se_naive_ddof1"], rel=1e-9)
    assert by_cluster.stderr == pytest.approx(expected["se_clustered_CR0"], rel=1e-9)
    assert by_cluster.stderr == pytest.approx(expected["se_clustered_formula"], rel=1e-9)
    assert corrected.stderr == pytest.approx(expected["se_clustered_CR1_statsmodels"], rel=1e-9)
    half = stats.t.ppf(0.975, expected["n_clusters"] - 1) * by_cluster.stderr
    assert by_cluster.upper - by_cluster.difference == pytest.approx(half)


def test_what_pairing_gains_is_compared_with_like_errors(clustered, answers):
    # spec/metrics.md sets the clustered error of the difference, 0.03555, beside the plain unpaired
    # 0.04614. Like with like, pairing gains sqrt(1 - correlation) in the plain errors.
    b, a, clusters = clustered["score_b"], clustered["score_a"], clustered["cluster"]
    unpaired = np.hypot(mean_stderr(a), mean_stderr(b))
    assert unpaired == pytest.approx(answers["clustered"]["se_unpaired"], rel=1e-9)
    assert unpaired == pytest.approx(0.04614, abs=5e-6)
    assert paired_difference(b, a, clusters).stderr == pytest.approx(0.03555, abs=5e-6)
    correlation = np.corrcoef(a, b)[0, 1]
    assert correlation == pytest.approx(answers["clustered"]["corr_ab"], rel=1e-9)
    plain = paired_difference(b, a).stderr
    assert plain == pytest.approx(0.03948, abs=5e-6)
    assert plain / unpaired == pytest.approx(np.sqrt(1 - correlation), rel=1e-3)
    both_clustered = np.hypot(mean_stderr(a, clusters), mean_stderr(b, clusters))
    assert both_clustered == pytest.approx(0.05598, abs=5e-6)


def test_without_clusters_the_paired_test_is_the_t_test(clustered):
    b, a = clustered["score_b"], clustered["score_a"]
    ours, scipys = paired_difference(b, a, level=0.9), stats.ttest_rel(b, a)
    interval = scipys.confidence_interval(0.9)
    assert ours.p_value == pytest.approx(scipys.pvalue)
    assert (ours.lower, ours.upper) == pytest.approx((interval.low, interval.high))


@given(pairs)
def test_exchanging_the_models_turns_the_difference_over(marks_of_pairs):
    a, b = np.array(marks_of_pairs).T
    once, again = paired_difference(a, b), paired_difference(b, a)
    assert (once.difference, once.lower, once.upper) == pytest.approx(
        (-again.difference, -again.upper, -again.lower)
    )
    assert once.p_value == pytest.approx(again.p_value, nan_ok=True)
    assert mcnemar_test(a, b).p_value == mcnemar_test(b, a).p_value


@given(pairs)
def test_the_interval_excludes_zero_where_the_p_value_is_small(marks_of_pairs):
    test = paired_difference(*np.array(marks_of_pairs).T, level=0.9)
    assume(test.stderr > 0)
    assume(abs(test.p_value - 0.1) > 1e-9)
    assert (test.lower > 0 or test.upper < 0) == (test.p_value < 0.1)


def test_differences_that_do_not_vary_have_no_t_test():
    same = paired_difference([0.1, 0.7, 0.3], [0.1, 0.7, 0.3])
    assert (same.difference, same.stderr, same.p_value) == (0, 0, 1)
    shifted = paired_difference([0.3, 0.4, 0.9], [0.2, 0.3, 0.8])
    assert shifted.difference == pytest.approx(0.1)
    assert np.isnan(shifted.p_value)


def test_one_pair_says_nothing_of_the_spread():
    alone = paired_difference([0.5], [0.25])
    assert alone.difference == 0.25
    assert np.isnan([alone.stderr, alone.lower, alone.upper, alone.p_value]).all()


def test_incomplete_pairs_are_left_out():
    test = paired_difference([1, np.nan, 0, 1, 1], [0, 1, np.nan, 1, 1])
    assert test.n_examples == 3
    assert test.difference == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="No example has a number in scores_a and scores_b"):
        paired_difference([1, np.nan], [np.nan, 0])
    with pytest.raises(ValueError, match="but scores_a has 2, scores_b has 1"):
        paired_difference([1, 0], [1])


def test_the_clustered_test_keeps_its_level_where_the_plain_one_does_not():
    # Two equal models; what an example is worth is shared by the ten examples of a passage.
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(40), 10)
    plain, by_cluster = [], []
    for _ in range(400):
        a = rng.normal(size=40)[clusters] + rng.normal(size=400)
        b = rng.normal(size=40)[clusters] + rng.normal(size=400)
        plain.append(paired_difference(a, b).p_value < 0.05)
        by_cluster.append(paired_difference(a, b, clusters).p_value < 0.05)
    assert np.mean(plain) > 0.3
    assert 0.02 < np.mean(by_cluster) < 0.085


@given(pairs)
def test_mcnemar_is_a_binomial_test_of_the_discordant_pairs(marks_of_pairs):
    a, b = np.array(marks_of_pairs).T
    test = mcnemar_test(a, b)
    discordant = test.n_only_a + test.n_only_b
    assert discordant == np.sum(a != b)
    assert test.exact == (discordant < 25)
    if 0 < discordant < 25:
        expected = stats.binomtest(test.n_only_a, discordant).pvalue
        assert test.p_value == pytest.approx(expected)


def test_mcnemar_of_many_discordant_pairs_is_a_chi_square_test():
    a, b = np.repeat([1, 0, 1], [30, 12, 50]), np.repeat([0, 1, 1], [30, 12, 50])
    test = mcnemar_test(a, b)
    assert (test.n_only_a, test.n_only_b, test.exact) == (30, 12, False)
    statistic = (abs(30 - 12) - 1) ** 2 / 42  # McNemar 1947, with continuity correction
    assert test.p_value == pytest.approx(stats.chi2.sf(statistic, 1))


def test_models_that_never_disagree_have_equal_chances():
    assert mcnemar_test([True, False], [True, False]).p_value == 1
    assert mcnemar_test([True, np.nan], [False, 1]).n_only_a == 1


def test_mcnemar_takes_right_and_wrong_only():
    with pytest.raises(ValueError, match=r"right_b must be 0 or 1; entry 2 is 0\.5"):
        mcnemar_test([0, 1, 1], [0, 1, 0.5])
    with pytest.raises(ValueError, match="but right_a has 3, right_b has 2"):
        mcnemar_test([0, 1, 1], [0, 1])
    with pytest.raises(ValueError, match="No example has a number in right_a and right_b"):
        mcnemar_test([], [])
