import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from emergekit.emergence.shapes.increments import (
    emergence_score,
    increment_gini,
    largest_increment_share,
    linearity,
)
from tests.strategies import curves

# spec/metrics.md section 2: curve, emergence score, linearity, Gini, largest share
CASES = {
    "step": ([0, 0, 0, 0, 0, 1], np.inf, 2.2361, 0.8, 1),
    "line": ([0, 0.2, 0.4, 0.6, 0.8, 1], 5, 5, 0, 0.2),
    "late jump": ([0.02, 0.03, 0.05, 0.06, 0.08, 0.60], 29, 2.4895, 0.7103, 0.8966),
    "decline": ([0.60, 0.08, 0.06, 0.05, 0.03, 0.02], -29, -2.4895, 0.7103, 0.8966),
    "flat": ([0.25] * 6, np.nan, np.nan, np.nan, np.nan),
    "noise": ([0.25, 0.26, 0.24, 0.25, 0.27, 0.26], 3, 2.0226, 0.1714, 0.2857),
    "u-shape": ([0.5, 0.3, 0.1, 0.2, 0.4, 0.7], 3, 2.8604, 0.16, 0.3),
    "tie": ([0, 1, 0, 1, 0], 1, 1, 0, 0.25),
    "mirage toy": ([0, 0.01, 0.02, 0.03, 0.5], 50, 2.1262, 0.69, 0.94),
}


@pytest.mark.parametrize("name", CASES)
def test_measures_of_reference_curves(name):
    scores, *expected = CASES[name]
    measures = (emergence_score, linearity, increment_gini, largest_increment_share)
    for measure, value in zip(measures, expected, strict=True):
        assert measure(scores) == pytest.approx(value, abs=5e-5, nan_ok=True), measure.__name__


@given(curves, st.floats(0.01, 100), st.floats(-10, 10))
def test_the_emergence_score_does_not_depend_on_units(scores, scale, shift):
    once, again = emergence_score(scores), emergence_score(scale * scores + shift)
    assert again == pytest.approx(once, rel=1e-6, nan_ok=True)


@given(curves)
def test_turning_a_curve_over_turns_the_sign(scores):
    assert emergence_score(-scores) == pytest.approx(-emergence_score(scores), nan_ok=True)
    assert increment_gini(-scores) == pytest.approx(increment_gini(scores), nan_ok=True)


@given(curves)
@example(np.array([0.003, 0.0, 0.003, 0.0, 0.003]))  # equal steps, whose Gini rounds below 0
def test_bounds_of_the_measures(scores):
    assume(np.ptp(scores) > 0)
    n_steps = len(scores) - 1
    assert 0 <= increment_gini(scores) <= (n_steps - 1) / n_steps + 1e-12
    assert 1 / n_steps - 1e-12 <= largest_increment_share(scores) <= 1
    assert abs(linearity(scores)) <= n_steps + 1e-9


def test_differences_of_rounding_size_are_none():
    assert emergence_score([0.3, 0.1 + 0.2, 0.3, 0.3, 0.9]) == np.inf
    assert np.isnan(emergence_score([0.3, 0.1 + 0.2]))


def test_one_scale_has_no_shape():
    assert np.isnan(emergence_score([0.5]))
    assert np.isnan(linearity([0.5]))


@pytest.mark.parametrize("scores", [[[0, 1]], [0, np.nan]])
def test_scores_are_one_row_of_numbers(scores):
    with pytest.raises(ValueError, match="one row of finite numbers"):
        emergence_score(scores)


def test_a_score_is_infinite_where_more_than_half_of_the_steps_are_zero():
    assert emergence_score([0, 0, 0, 0.5, 1]) == pytest.approx(1 / np.sqrt(0.125))
    assert emergence_score([0, 0, 0, 0, 1]) == np.inf
