import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.emergence import normalized_performance, threshold_size
from emergekit.metrics import METRICS


def test_guessing_is_0_and_the_ceiling_1():
    assert normalized_performance([0.25, 1.0, 0.2], 0.25) == pytest.approx([0, 1, -1 / 15])
    assert normalized_performance(np.array([0.5]), 0.25, 0.75) == pytest.approx([0.5])
    for chance, ceiling in ((0.5, 0.5), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="two different numbers"):
            normalized_performance([0.5], chance, ceiling)


def test_both_conventions_of_brier_scores_are_normalised_by_their_own_chance():
    # Du et al. sum over options, the Mirage paper takes their mean: uniform over four options
    for name, uniform in (("brier_sum", 0.75), ("brier_mean", 0.1875)):
        table = pd.DataFrame({"choice_logprobs": [[np.log(0.25)] * 4], "gold": [0]})
        [score] = METRICS[name].score(table)
        assert score == pytest.approx(uniform)
        assert normalized_performance([score], uniform, 0.0) == pytest.approx([0])


@given(
    eta=st.floats(1.8, 5),
    n0=st.floats(1e6, 1e12),
    alpha=st.floats(0.05, 1),
)
def test_the_threshold_size_reaches_the_threshold_and_no_smaller_one_does(eta, n0, alpha):
    size = threshold_size(eta, 1.7, n0, alpha)
    assert 1.7 + (n0 / size) ** alpha == pytest.approx(eta, rel=1e-9)
    assert 1.7 + (n0 / (size * 0.9)) ** alpha > eta


def test_no_size_gets_below_what_is_left_in_the_end():
    assert threshold_size([1.6, 1.7, 2.7], 1.7, 1e8, 0.3) == pytest.approx([np.inf, np.inf, 1e8])
    with pytest.raises(ValueError, match="must be positive"):
        threshold_size(2.0, 1.7, -1.0, 0.3)
