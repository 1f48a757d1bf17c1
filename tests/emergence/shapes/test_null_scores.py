import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from emergekit.emergence.shapes.curves import emergence_score
from emergekit.emergence.shapes.null_scores import (
    curve_p_value,
    emergence_scores,
    null_p_values,
    simulate_null_scores,
)
from tests.strategies import curves

DRAWS = 60_000


def test_scores_of_the_reference_series(reference_files):
    table = pd.read_csv(reference_files / "metrics_reference" / "emergence_measures.csv")
    for row in table.itertuples():
        scores = [float(part) for part in row.y.split()]
        expected = pytest.approx(row.emergence_score, rel=1e-8, nan_ok=True)
        assert emergence_scores(scores) == expected, row.case


@given(curves)
def test_many_curves_at_once_score_as_one_by_one(scores):
    together = emergence_scores([scores, -scores, scores[::-1]])
    one_by_one = [emergence_score(curve) for curve in (scores, -scores, scores[::-1])]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-12)


# spec/metrics.md section 2, null distribution of B at n = 100, p = .25: P(inf), 95 %, 99 %
DENSE = {4: (0.0065, 4, 10), 6: (0.0015, 5, 9), 8: (0.0003, 5, 8.5), 12: (1e-4, 5.5, 8)}
SPARSE = {4: 0.098, 6: 0.097, 8: 0.085, 12: 0.064}


@pytest.mark.parametrize("m", DENSE)
def test_dense_null_distribution_of_the_spec(m):
    infinite, *quantiles = DENSE[m]
    scores = simulate_null_scores([100] * m, 0.25, DRAWS)
    tolerance = 4 * np.sqrt(infinite / DRAWS)
    assert np.isposinf(scores).mean() == pytest.approx(infinite, abs=tolerance)
    found = np.nanquantile(scores, [0.95, 0.99], method="inverted_cdf")
    # The score is discrete and 0.010 of the mass lies above 9.5 at m = 4: one atom of play.
    assert found.tolist() == pytest.approx(quantiles, abs=1)


@pytest.mark.parametrize("m", SPARSE)
@pytest.mark.parametrize(("n", "p"), [(100, 0.01), (1000, 0.001)])
def test_one_expected_success_a_scale_gives_infinity_in_6_to_10_percent(m, n, p):
    infinite = np.isposinf(simulate_null_scores([n] * m, p, DRAWS)).mean()
    assert infinite == pytest.approx(SPARSE[m], abs=0.005)


def exact_tail(at_least):
    """Return P(B >= at_least) for 4 scales of n = 100 at p = .25, over all counts from 9 to 42."""
    k = np.arange(9, 43)
    weight = binom.pmf(k, 100, 0.25)
    counts = np.stack(np.meshgrid(k, k, k, k, indexing="ij"), axis=-1)
    joint = weight[:, None, None, None] * weight[:, None, None] * weight[:, None] * weight
    return joint, counts, float(joint[emergence_scores(counts) >= at_least - 1e-9].sum())


def test_the_tail_of_the_spec_misses_ties_that_rounding_took():
    # The spec prints P(B >= 10) = .0089 at m = 4 and asks for B >= b - 1e-9, as scores of k / n
    # come out a rounding error below 10. Its own table does not: .0089 is the naive comparison,
    # the exact probability is .0101.
    joint, counts, exact = exact_tail(10)
    assert exact == pytest.approx(0.01007, abs=2e-5)
    shares = counts / 100
    change = np.ptp(shares, axis=-1) * np.sign(shares.argmax(axis=-1) - shares.argmin(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        naive = change / np.sqrt(np.median(np.diff(shares, axis=-1) ** 2, axis=-1))
    assert joint[naive >= 10].sum() == pytest.approx(0.0089, abs=5e-5)
    simulated = simulate_null_scores([100] * 4, 0.25, DRAWS)
    assert (simulated >= 10 - 1e-9).mean() == pytest.approx(exact, abs=4 * 0.0004)


def test_the_p_value_is_the_tail_of_the_null_distribution():
    counts, n = [20, 30, 22, 30], [100] * 4  # pooled accuracy .255; two digits of it are .26
    scores = simulate_null_scores(n, 0.26, 5000, seed=1)
    hits = (scores >= emergence_score(counts) - 1e-9).sum()
    assert null_p_values([counts], [n], 5000, seed=1)[0] == (1 + hits) / 5001


def test_p_values_at_constant_accuracy_are_nearly_uniform():
    rng = np.random.default_rng(8)
    counts = rng.binomial(2000, 0.3, size=(300, 8))
    assert kstest(null_p_values(counts, [[2000] * 8] * 300), "uniform").pvalue > 1e-3


def test_an_infinite_score_of_sparse_counts_is_not_surprising_but_a_clean_jump_is():
    sparse, jump = null_p_values([[1, 1, 1, 1, 1, 2], [25, 25, 26, 25, 25, 90]], [[100] * 6] * 2)
    assert emergence_score([1, 1, 1, 1, 1, 2]) == np.inf
    assert sparse > 0.05
    assert jump < 0.005


def test_p_values_do_not_depend_on_the_company_of_a_curve():
    curve, other = [5, 9, 4, 30], [7, 2, 3, 8]
    alone = null_p_values([curve], [[40] * 4])[0]
    assert null_p_values([other, curve], [[30] * 4, [40] * 4])[1] == alone
    assert null_p_values([curve], [[40] * 4], seed=1)[0] != alone


def test_test_sizes_may_differ_between_scales():
    k, n = np.array([2, 20, 3, 190]), np.array([10, 100, 12, 200])
    assert 0 < null_p_values([k], [n])[0] < 0.2


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8))
def test_p_values_are_shares_and_follow_the_score(counts):
    n = [50] * len(counts)
    p_value = null_p_values([counts], [n], n_draws=50)[0]
    assert np.isnan(p_value) == np.isnan(emergence_score(counts))
    assert np.isnan(p_value) or 0 < p_value <= 1


def test_a_constant_curve_and_a_single_scale_have_no_p_value():
    assert np.isnan(null_p_values([[3, 3, 3], [3]], [[9] * 3, [9]])).all()


def test_draws_are_made_in_blocks():
    simulate_null_scores([50] * 4, 0.3, 10)
    tracemalloc.start()
    simulate_null_scores([50] * 12, 0.3, 300_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6  # one array of all counts would take 29 MB, and scoring makes several


def curve(**columns):
    rows = {"n_params": [1e9, 1e7, 1e8], "score": [0.9, 0.1, 0.3], "n_examples": 30}
    return pd.DataFrame(rows | columns)


def test_the_p_value_of_a_curve_is_that_of_its_sorted_counts():
    assert curve_p_value(curve()) == null_p_values([[3, 9, 27]], [[30] * 3])[0]
    assert np.isnan(curve_p_value(curve(score=[0.911, 0.1, 0.3])))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="curve 1 has"):
        null_p_values([[1, 2], [3, 9]], [[5, 5], [5, 5]])
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\]; it is 25"):
        simulate_null_scores([100] * 4, 25)
    with pytest.raises(ValueError, match="two or more whole numbers from 1"):
        simulate_null_scores([100.5, 100], 0.25)
    with pytest.raises(ValueError, match="two scales or more"):
        emergence_scores([[1.0]])


def test_scores_that_differ_by_rounding_tie():
    # 0.1 + 0.2 is above 0.3 by 5e-17; the first of equals is the best, so the curve falls
    for last in (0.3, 0.1 + 0.2):
        assert emergence_score([0.3, 0.1, last]) == pytest.approx(-1)
        assert emergence_scores([0.3, 0.1, last]) == pytest.approx(-1)
