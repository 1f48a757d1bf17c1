import json
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from emergekit.metrics.resampling import bootstrap_interval
from emergekit.metrics.uncertainty import mean_stderr

score_lists = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=2, max_size=40)


@pytest.fixture(scope="module")
def clustered(reference_files):
    return pd.read_csv(reference_files / "metrics_reference" / "clustered_scores.csv")


@pytest.fixture(scope="module")
def answers(reference_files):
    return json.loads((reference_files / "metrics_reference" / "aggregates.json").read_text())


@pytest.mark.parametrize(("method", "key"), [("percentile", "percentile"), ("bca", "BCa")])
def test_bootstrap_intervals_are_the_reference_ones(clustered, answers, method, key):
    expected = answers[f"bootstrap_{key}_a"]
    interval = bootstrap_interval(clustered["score_a"], method=method)
    within = {"abs": expected["tolerance"]}
    assert interval.lower == pytest.approx(expected["lo"], **within)
    assert interval.upper == pytest.approx(expected["hi"], **within)
    if "se" in expected:
        assert interval.stderr == pytest.approx(expected["se"], rel=0.02)


def test_the_cluster_bootstrap_agrees_with_the_clustered_error(clustered):
    scores, clusters = clustered["score_a"], clustered["cluster"]
    interval = bootstrap_interval(scores, clusters=clusters)
    assert interval.stderr == pytest.approx(mean_stderr(scores, clusters), rel=0.03)
    assert interval.stderr > 1.25 * bootstrap_interval(scores).stderr
    bca = bootstrap_interval(scores, clusters=clusters, method="bca")
    assert (bca.lower, bca.upper) == pytest.approx((interval.lower, interval.upper), abs=0.02)


def test_clusters_of_unequal_size_are_drawn_whole():
    # Three clusters: the 27 draws can be listed.
    scores, clusters = [1, 1, 1, 0, 0, 1], ["a", "a", "a", "b", "b", "c"]
    totals, sizes = np.array([3, 0, 1]), np.array([3, 2, 1])
    drawn = np.array(np.meshgrid(*[range(3)] * 3)).reshape(3, -1)
    means = totals[drawn].sum(axis=0) / sizes[drawn].sum(axis=0)
    interval = bootstrap_interval(scores, clusters=clusters, n=50_000)
    assert interval.stderr == pytest.approx(means.std(), rel=0.02)
    assert (interval.lower, interval.upper) == (0, 1)


def test_the_binomial_shortcut_has_the_distribution_of_drawing_examples():
    rng = np.random.default_rng(5)
    marks = (rng.random(150) < 0.1).astype(float)
    shortcut = bootstrap_interval(marks, n=40_000)
    one_each = bootstrap_interval(marks, n=40_000, clusters=np.arange(150))
    assert shortcut.stderr == pytest.approx(one_each.stderr, rel=0.02)
    assert shortcut.lower == pytest.approx(one_each.lower, abs=1 / 150)
    assert shortcut.upper == pytest.approx(one_each.upper, abs=1 / 150)


def test_bca_is_that_of_scipy():
    skewed = np.random.default_rng(3).exponential(size=60)
    ours = bootstrap_interval(skewed, method="bca", level=0.9)
    scipys = stats.bootstrap(
        (skewed,),
        np.mean,
        confidence_level=0.9,
        random_state=np.random.default_rng(4),
        method="BCa",
    ).confidence_interval
    assert ours.lower == pytest.approx(scipys.low, abs=0.01)
    assert ours.upper == pytest.approx(scipys.high, abs=0.02)
    plain = bootstrap_interval(skewed, level=0.9)
    assert ours.lower > plain.lower
    assert ours.upper > plain.upper


@pytest.mark.parametrize("grouped", [False, True])
def test_bca_of_the_same_draws_is_scipys_to_nine_digits(grouped):
    rng = np.random.default_rng(12)
    sizes = rng.integers(1, 6, size=60).astype(float) if grouped else np.ones(60)
    scores = rng.exponential(size=60).repeat(sizes.astype(int))
    clusters = np.arange(60).repeat(sizes.astype(int)) if grouped else None
    totals = np.bincount(np.arange(60).repeat(sizes.astype(int)), weights=scores)
    ours = bootstrap_interval(scores, n=4000, method="bca", clusters=clusters, seed=2)
    index = np.random.default_rng(2).integers(60, size=(4000, 60), dtype=np.int32)

    def mean(total, size, axis):
        return total.sum(axis=axis) / size.sum(axis=axis)

    scipys = stats.bootstrap(
        (totals, sizes),
        mean,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(
            bootstrap_distribution=mean(totals[index], sizes[index], axis=1)
        ),
        paired=True,
        method="BCa",
    ).confidence_interval
    assert (ours.lower, ours.upper) == pytest.approx((scipys.low, scipys.high), rel=1e-9)


def test_draws_on_one_side_of_the_mean_have_no_bca_interval_and_say_so():
    scores = [0.0, 0.0, 0.0, 1.0]  # mean 0.25; the draws of seed 4 are 0.5 and 0.75
    with pytest.warns(stats.DegenerateDataWarning, match="All 2 draws lie on one side"):
        interval = bootstrap_interval(scores, n=2, method="bca", clusters=range(4), seed=4)
    assert np.isnan([interval.lower, interval.upper]).all()


def test_clustered_bca_leaves_out_whole_clusters():
    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(30), rng.integers(1, 6, size=30))
    scores = rng.exponential(size=30)[clusters] + rng.random(len(clusters))
    ours = bootstrap_interval(scores, method="bca", clusters=clusters)
    totals, sizes = np.bincount(clusters, weights=scores), np.bincount(clusters).astype(float)
    scipys = stats.bootstrap(
        (totals, sizes),
        lambda total, size, axis: total.sum(axis=axis) / size.sum(axis=axis),
        paired=True,
        method="BCa",
        random_state=np.random.default_rng(8),
    ).confidence_interval
    assert (ours.lower, ours.upper) == pytest.approx((scipys.low, scipys.high), abs=0.03)


def test_the_percentile_interval_covers_the_truth():
    rng = np.random.default_rng(11)
    hits = 0
    for seed in range(400):
        interval = bootstrap_interval(rng.random(60) < 0.4, n=1000, seed=seed)
        hits += interval.lower <= 0.4 <= interval.upper
    assert hits / 400 == pytest.approx(0.95, abs=0.035)  # 3 standard errors


@settings(max_examples=50)
@given(score_lists, st.sampled_from(["percentile", "bca"]), st.booleans())
def test_intervals_stay_within_the_scores(scores, method, grouped):
    clusters = np.arange(len(scores)) // 2 if grouped else None
    interval = bootstrap_interval(scores, n=200, method=method, clusters=clusters)
    if len(scores) == 2 and grouped:
        assert np.isnan(interval.stderr)
    else:
        bounds = min(scores) - 1e-12, max(scores) + 1e-12
        assert bounds[0] <= interval.lower <= interval.upper <= bounds[1]


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_same_seed_gives_the_same_numbers(method):
    scores = np.random.default_rng(0).random(50)
    once = bootstrap_interval(scores, method=method, n=500, seed=3)
    assert once == bootstrap_interval(scores, method=method, n=500, seed=3)
    assert once != bootstrap_interval(scores, method=method, n=500, seed=4)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_scores_without_spread_have_an_interval_without_width(method):
    for scores in ([0, 0, 0], [0.1, 0.1, 0.1]):
        interval = bootstrap_interval(scores, method=method, n=200)
        assert interval.lower == pytest.approx(scores[0])
        assert interval.upper == pytest.approx(scores[0])
    equal = bootstrap_interval([1, 0, 1, 0, 1, 0], method=method, clusters=[1, 1, 2, 2, 2, 2])
    assert (equal.lower, equal.upper) == (0.5, 0.5)


def test_one_score_or_one_cluster_has_no_interval():
    for interval in (
        bootstrap_interval([1]),
        bootstrap_interval([1, np.nan]),
        bootstrap_interval([0, 1, 1], clusters=["a", "a", "a"]),
    ):
        assert np.isnan([interval.lower, interval.upper, interval.stderr]).all()


def test_missing_scores_are_left_out():
    assert bootstrap_interval([0, 1, np.nan, 1]) == bootstrap_interval([0, 1, 1])


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_memory_does_not_grow_with_the_number_of_draws(method):
    scores = np.random.default_rng(0).random(3000)  # times 3000 draws: 72 MB in one piece
    tracemalloc.start()
    try:
        bootstrap_interval(scores, n=3000, method=method)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16e6


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(ValueError, match=r"level must lie inside \(0, 1\)"):
        bootstrap_interval([0, 1], level=95)
    with pytest.raises(ValueError, match="n must be 1 or more draws; it is 0"):
        bootstrap_interval([0, 1], n=0)
    with pytest.raises(ValueError, match=r"method 'BCa'; did you mean 'bca'"):
        bootstrap_interval([0, 1], method="BCa")
    with pytest.raises(ValueError, match="No example has a number in scores"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="clusters must name a cluster for every score; entry 0"):
        bootstrap_interval([0, 1], clusters=[None, 1])
    with pytest.raises(ValueError, match="but scores has 2, clusters has 3"):
        bootstrap_interval([0, 1], clusters=[1, 2, 3])
