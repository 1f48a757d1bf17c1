import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from emergekit.emergence.counts import checked_counts, checked_scales, curve_counts, log_likelihood
from emergekit.errors import TableError


def curve(**columns):
    rows = {"n_params": [1e9, 1e7, 1e8], "score": [0.9, 0.1, 0.3], "n_examples": 30}
    return pd.DataFrame(rows | columns)


def test_counts_come_from_printed_scores_and_are_turned_over():
    assert curve_counts(curve(score=[0.9, 0.1333, 0.3]))["n_correct"].tolist() == [4, 9, 27]
    wrong = curve_counts(curve(higher_is_better=False, chance=0.75))
    assert wrong["n_correct"].tolist() == [27, 21, 3]
    assert wrong["chance"] == 0.25
    assert np.isnan(curve_counts(curve(higher_is_better=False), chance=0.0)["chance"])
    by_loss = curve_counts(curve(loss=[2.0, 4.0, 3.0]), x="loss")
    assert by_loss["scale"].tolist() == [-4, -3, -2]
    assert by_loss["n_correct"].tolist() == [3, 9, 27]
    by_bits = curve_counts(curve(c4_bpb=[2.0, 4.0, 3.0]), x="c4_bpb")
    assert by_bits["scale"].tolist() == [-4, -3, -2]
    by_perplexity = curve_counts(curve(ppl=[10.0, 1e6, 100.0]), x="ppl")
    assert by_perplexity["scale"].tolist() == pytest.approx([-6, -2, -1])


def test_scores_that_are_no_counts_say_why():
    unknown = curve_counts(curve().drop(columns="n_examples"))
    assert unknown["reason"] == "n_examples is unknown"
    odd = curve_counts(curve(score=[0.911, 0.1, 0.3]))
    assert odd["reason"] == "scores are no shares of whole examples"
    assert np.isnan(odd["n_correct"]).all()


@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0.01, 0.99)), min_size=1, max_size=8),
)
def test_the_likelihood_is_the_binomial_one(rows):
    k, p = np.array(rows).T
    expected = binom.logpmf(k, 40, p).sum()
    assert log_likelihood(k, np.full_like(k, 40), p) == pytest.approx(expected, rel=1e-9)


def test_certain_outcomes_cost_nothing_and_impossible_ones_all():
    k, n = np.array([0.0, 9.0]), np.array([9.0, 9.0])
    assert log_likelihood(k, n, np.array([[0.0, 1.0], [1.0, 1.0]])).tolist() == [0, -np.inf]


def test_bad_scales_and_counts_are_named():
    with pytest.raises(TableError, match="scale 'flops' is absent; join_models"):
        curve_counts(curve(), x="flops")
    with pytest.raises(TableError, match="'n_params' must be positive and differ"):
        curve_counts(curve(n_params=[1e7, 1e7, 1e8]))
    with pytest.raises(ValueError, match="x and n_correct must be rows of one length, 2 or more"):
        checked_counts([1, 2, 3], [1, 2], [9, 9])
    with pytest.raises(ValueError, match=r"entry 1 is 12 of 9\. Give counts, not shares"):
        checked_counts([1, 2], [1, 12], [9, 9])
    with pytest.raises(ValueError, match="x must rise; entries 0 and 1 are 3 and 2"):
        checked_scales([3, 2, 1], [0, 0, 1], "scores")
