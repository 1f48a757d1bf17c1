import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from emergekit.metrics.resolution import (
    examples_for_one_success,
    is_resolution_limited,
    p_zero,
    resolution,
)


def test_resolution_of_benchmarks():
    # spec/mirage.md M4: 2000 examples, a step of 0.05 %
    assert resolution(2000) == 0.0005
    # spec/mirage.md M4: a = .001; spec/metrics.md section 1: a = .0069 gives 50 % zeros
    assert p_zero(0.001, [100, 1000]) == pytest.approx([0.904792, 0.367695], abs=5e-7)
    assert p_zero(0.0069, 100) == pytest.approx(0.5, abs=1e-3)
    assert p_zero([0, 1], 10).tolist() == [1, 0]
    assert examples_for_one_success(0.001) == 2995  # spec/mirage.md M4
    assert examples_for_one_success([1, 0]).tolist() == [1, np.inf]


def test_a_bound_that_is_met_exactly_costs_no_further_example():
    assert examples_for_one_success(0.5, 0.75) == 2
    assert examples_for_one_success(0.1, 0.19) == 2


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.01, 0.99))
def test_the_number_of_examples_is_the_smallest_that_suffices(score, chance):
    n = examples_for_one_success(score, chance)
    assert 1 - p_zero(score, n) >= chance - 1e-9
    assert n == 1 or 1 - p_zero(score, n - 1) < chance + 1e-9


@given(st.integers(1, 3000), st.floats(0, 0.2), st.floats(0.5, 0.99))
def test_a_zero_is_limited_by_resolution_below_the_one_sided_bound(n, expected, level):
    bound = proportion_confint(0, n, 2 * (1 - level), "beta")[1]
    assume(abs(bound - expected) > 1e-9)
    assert is_resolution_limited(0, n, expected, level) == (bound > expected)
    assert not is_resolution_limited(1, n, expected, level)


def test_scores_of_zero_at_one_hundred_examples():
    # spec/metrics.md section 1: the one-sided bound of 0 of 100 is 0.02951
    assert is_resolution_limited(0, 100, [0.0295, 0.0296]).tolist() == [True, False]


def test_scores_and_chances_that_are_none_are_named():
    with pytest.raises(ValueError, match=r"score must be within \[0, 1\]; entry 1 is 1.5"):
        p_zero([0.5, 1.5], 10)
    with pytest.raises(ValueError, match=r"score must be within \[0, 1\]; entry 0 is nan"):
        examples_for_one_success(np.nan)
    with pytest.raises(ValueError, match=r"chance must lie inside \(0, 1\)"):
        examples_for_one_success(0.5, 1.0)
    with pytest.raises(ValueError, match="n_examples must be a whole number, 1 or more"):
        resolution([10, 0])
    with pytest.raises(ValueError, match=r"score must be within \[0, 1\]; entry 1 is -0.1"):
        is_resolution_limited(0, 10, [0.1, -0.1])
