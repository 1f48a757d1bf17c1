"""Proper scores against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from emergekit.prediction import crps_normal, crps_sample, interval_score

NUMBERS = st.floats(-3, 3)


def test_interval_score_fines_what_lies_outside():
    # Gneiting & Raftery 2007, eq. 43: width 1 and 2 / .1 for each unit outside.
    assert interval_score([0.5, 1.1, -0.1], 0.0, 1.0, level=0.9) == pytest.approx([1, 3, 3])


def test_a_forecast_of_a_point_scores_its_absolute_error():
    assert crps_normal([0.2, 0.9], [0.5, 0.5], 0.0) == pytest.approx([0.3, 0.4])
    assert crps_sample([0.2, 0.9], [[0.5, 0.5]]) == pytest.approx([0.3, 0.4])


@given(y=NUMBERS, mean=NUMBERS, sd=st.floats(0.05, 2))
def test_crps_is_the_squared_distance_of_distributions(y, mean, sd):
    below, _ = quad(lambda x: norm.cdf(x, mean, sd) ** 2, mean - 12 * sd - 7, y)
    above, _ = quad(lambda x: norm.sf(x, mean, sd) ** 2, y, mean + 12 * sd + 7)
    assert crps_normal(y, mean, sd) == pytest.approx(below + above, abs=1e-6)


@given(st.lists(NUMBERS, min_size=1, max_size=12), NUMBERS)
def test_crps_of_draws_is_that_of_all_their_pairs(draws, y):
    x = np.array(draws)
    pairs = np.abs(x[:, None] - x).sum() / (2 * len(x) ** 2)
    expected = np.abs(x - y).mean() - pairs
    assert crps_sample([y], x[:, None]) == pytest.approx([expected], abs=1e-9)


def test_draws_of_a_normal_score_as_it_does():
    rng = np.random.default_rng(0)
    draws = rng.normal(0.3, 0.1, size=(200_000, 1))
    assert crps_sample([0.45], draws) == pytest.approx(crps_normal([0.45], 0.3, 0.1), rel=5e-3)


def test_what_one_believes_scores_best():
    rng = np.random.default_rng(1)
    y = rng.normal(size=100_000)
    mean = {sd: crps_normal(y, 0.0, sd).mean() for sd in (0.7, 1.0, 1.4)}
    assert mean[1.0] < min(mean[0.7], mean[1.4])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: interval_score([0, 0], [0, 1], [1, 0]), "end below its start; entry 1"),
        (lambda: interval_score(0, 0, 1, level=90), "between 0 and 1; entry 0 has 90"),
        (lambda: crps_normal([0, 0], 0, [1, -1]), "must not be negative; entry 1 has -1"),
        (lambda: crps_sample([0, 0], [[1.0]]), "one row a draw"),
        (lambda: crps_sample([0], np.empty((0, 1))), "one row a draw"),
    ],
)
def test_what_is_no_forecast_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
