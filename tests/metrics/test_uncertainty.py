import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from emergekit.metrics.uncertainty import mean_stderr, proportion_interval

TOY, TOY_CLUSTERS = [1, 1, 0, 0, 1], ["a", "a", "b", "b", "c"]

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)
marks = st.lists(st.integers(0, 1), min_size=2, max_size=60).map(np.array)


@pytest.fixture(scope="module")
def intervals(reference_files):
    return pd.read_csv(reference_files / "metrics_reference" / "intervals.csv")


@pytest.fixture(scope="module")
def answers(reference_files):
    return json.loads((reference_files / "metrics_reference" / "aggregates.json").read_text())


@pytest.fixture(scope="module")
def clustered(reference_files):
    return pd.read_csv(reference_files / "metrics_reference" / "clustered_scores.csv")


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_intervals_of_proportions_are_the_reference_ones(intervals, alpha):
    rows = intervals[intervals["alpha"] == alpha]
    assert len(rows) == 14
    for method, column in (("wilson", "wilson"), ("clopper-pearson", "beta")):
        lower, upper = proportion_interval(rows["k"], rows["n"], 1 - alpha, method)
        np.testing.assert_allclose(lower, rows[f"{column}_lo"], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(upper, rows[f"{column}_hi"], rtol=1e-9, atol=1e-9)


def test_upper_bounds_of_no_success_in_a_hundred():
    # spec/metrics.md section 1, Uncertainty
    z = stats.norm.ppf(0.975)
    wilson = proportion_interval(0, 100, method="wilson")
    assert wilson[1] == pytest.approx(z**2 / (100 + z**2))
    assert wilson[1] == pytest.approx(0.03699, abs=5e-6)
    assert proportion_interval(0, 100)[1] == pytest.approx(0.03622, abs=5e-6)
    assert proportion_interval(0, 100, level=0.90)[1] == pytest.approx(0.02951, abs=5e-6)


def test_few_successes_or_failures_take_clopper_pearson_and_the_rest_wilson():
    successes = np.array([0, 4, 5, 15, 16, 20])
    default = np.array(proportion_interval(successes, 20))
    exact = np.array(proportion_interval(successes, 20, method="clopper-pearson"))
    wilson = np.array(proportion_interval(successes, 20, method="wilson"))
    few = np.array([True, True, False, False, True, True])
    np.testing.assert_array_equal(default, np.where(few, exact, wilson))
    assert proportion_interval(4, 1000) == proportion_interval(4, 1000, method="clopper-pearson")


def exact_coverage(n, p, method=None):
    successes = np.arange(n + 1)
    lower, upper = proportion_interval(successes, n, method=method)
    covered = (lower[:, None] <= p) & (p <= upper[:, None])
    return np.where(covered, stats.binom.pmf(successes[:, None], n, p), 0).sum(axis=0)


@pytest.mark.parametrize(
    ("n", "p", "wilson", "exact"), [(100, 0.01, 0.921, 0.982), (20, 0.05, 0.925, 0.984)]
)
def test_exact_coverage_for_rare_successes(n, p, wilson, exact):
    # spec/metrics.md section 1, Uncertainty
    assert exact_coverage(n, np.array([p]), "wilson")[0] == pytest.approx(wilson, abs=5e-4)
    assert exact_coverage(n, np.array([p]), "clopper-pearson")[0] == pytest.approx(exact, abs=5e-4)
    assert exact_coverage(n, np.array([p]))[0] == pytest.approx(exact, abs=5e-4)


@pytest.mark.parametrize("n", [1, 3, 10, 20, 36, 100, 300, 1000])
def test_the_default_interval_covers_wherever_the_truth_lies(n):
    # Coverage jumps at the ends of intervals, so its minimum lies beside one of them.
    ends = np.ravel(proportion_interval(np.arange(n + 1), n))
    beside = np.clip(np.concatenate([ends - 1e-9, ends + 1e-9]), 1e-9, 1 - 1e-9)
    assert exact_coverage(n, beside).min() >= 0.918
    assert exact_coverage(n, np.linspace(0.001, 0.999, 999)).mean() >= 0.9495


def test_wilson_alone_fails_for_rare_successes():
    p = np.array([0.00175])
    assert exact_coverage(100, p, "wilson")[0] < 0.84
    assert exact_coverage(100, p)[0] > 0.95


@given(counts, levels, st.sampled_from(["wilson", "clopper-pearson", None]))
def test_an_interval_holds_the_share_and_mirrors_with_it(k_of_n, level, method):
    k, n = k_of_n
    lower, upper = proportion_interval(k, n, level, method)
    assert 0 <= lower <= k / n <= upper <= 1
    assert proportion_interval(n - k, n, level, method) == pytest.approx((1 - upper, 1 - lower))


@given(counts, st.floats(0.5, 0.99))
def test_more_confidence_is_a_wider_interval(k_of_n, level):
    lower, upper = proportion_interval(*k_of_n, level)
    wider = proportion_interval(*k_of_n, level + 0.005)
    assert wider[0] <= lower
    assert upper <= wider[1]


def test_counts_broadcast():
    lower, upper = proportion_interval([[1], [2]], [10, 20, 30])
    assert lower.shape == upper.shape == (2, 3)
    assert lower[1, 2] == proportion_interval(2, 30)[0]
    assert proportion_interval([], 10)[0].shape == (0,)


def test_unknown_choices_come_back_with_the_known_ones():
    with pytest.raises(ValueError, match=r"method 'wilsn'; did you mean 'wilson'"):
        proportion_interval(1, 10, method="wilsn")
    with pytest.raises(ValueError, match=r"correction 'CR2'.*Known: CR0, CR1"):
        mean_stderr(TOY, TOY_CLUSTERS, "CR2")


@pytest.mark.parametrize("model", ["a", "b"])
def test_standard_errors_are_the_reference_ones(clustered, answers, model):
    scores, clusters = clustered[f"score_{model}"], clustered["cluster"]
    expected = answers["clustered"][model]
    assert len(scores) == expected["n"]
    assert clusters.nunique() == expected["n_clusters"]
    assert scores.mean() == pytest.approx(expected["mean"], rel=1e-9)
    found = mean_stderr(scores), mean_stderr(scores, clusters), mean_stderr(scores, clusters, "CR1")
    keys = "se_naive_ddof1", "se_clustered_formula", "se_clustered_CR1_statsmodels"
    assert found == pytest.approx([expected[key] for key in keys], rel=1e-9)
    assert found[1] == pytest.approx(expected["se_clustered_CR0"], rel=1e-9)


def test_the_standard_error_is_that_of_the_harness(clustered, answers):
    expected = answers["clustered"]["lm_mean_stderr_a"]
    assert mean_stderr(clustered["score_a"]) == pytest.approx(expected, rel=1e-9)


def test_standard_errors_of_three_small_clusters():
    # spec/metrics.md section 1, Uncertainty: {1,1}, {0,0}, {1}
    assert mean_stderr(TOY) == pytest.approx(0.24495, abs=5e-6)
    assert mean_stderr(TOY, TOY_CLUSTERS) == pytest.approx(0.29933, abs=5e-6)
    corrected = mean_stderr(TOY, TOY_CLUSTERS, "CR1")
    assert corrected == pytest.approx(0.29933 * np.sqrt(3 / 2), abs=1e-5)


@given(marks)
def test_clusters_of_one_change_nothing_but_the_correction(scores):
    n = len(scores)
    plain, alone = mean_stderr(scores), np.arange(n)
    assert mean_stderr(scores, alone, "CR1") == pytest.approx(plain)
    assert mean_stderr(scores, alone) == pytest.approx(plain * np.sqrt((n - 1) / n))


@given(marks, st.floats(-100, 100), st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_standard_errors_know_neither_order_nor_origin(scores, shift, scale, random):
    clusters = np.arange(len(scores)) // 2
    order = random.sample(range(len(scores)), len(scores))
    again = mean_stderr(shift + scale * scores[order], [f"c{clusters[i]}" for i in order])
    assert again == pytest.approx(scale * mean_stderr(scores, clusters), nan_ok=True, abs=1e-9)


@given(marks, st.integers(2, 5))
def test_copies_of_an_example_add_nothing_when_they_are_one_cluster(scores, times):
    copied, clusters = np.repeat(scores, times), np.repeat(np.arange(len(scores)), times)
    assert mean_stderr(copied, clusters, "CR1") == pytest.approx(mean_stderr(scores))
    assume(np.ptp(scores) > 0)
    assert mean_stderr(copied) < mean_stderr(scores)


def test_missing_scores_are_left_out():
    scores = [1, np.nan, 1, 0, 0, None, 1]
    clusters = ["a", "a", "a", "b", "b", None, "c"]
    assert mean_stderr(scores) == mean_stderr(TOY)
    assert mean_stderr(scores, clusters) == mean_stderr(TOY, TOY_CLUSTERS)
    assert mean_stderr(pd.Series([1, None, 1, 0, 0, 1], dtype="Int64")) == mean_stderr(TOY)


def test_one_score_or_one_cluster_says_nothing_of_the_spread():
    assert np.isnan(mean_stderr([0.5]))
    assert np.isnan(mean_stderr([0, 1, 1], ["a", "a", "a"]))


@pytest.mark.parametrize(
    ("scores", "clusters", "message"),
    [
        ([], None, "No example has a number in scores; give at least one"),
        ([np.nan], None, "No example has a number in scores"),
        ([0, np.inf], None, "scores must be finite, or NaN where missing; entry 1 is inf"),
        ([[0, 1]], None, r"scores must be one row of numbers; its shape is \(1, 2\)"),
        ([0, 1], ["a"], "but scores has 2, clusters has 1"),
        ([0, 1], ["a", None], "clusters must name a cluster for every score; entry 1 is missing"),
    ],
)
def test_scores_without_a_standard_error_are_named(scores, clusters, message):
    with pytest.raises(ValueError, match=message):
        mean_stderr(scores, clusters)
