import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaincc, lambertw

from emergekit.theory import (
    critical_point,
    emergence_threshold,
    hysteresis_window,
    unlearned_at_threshold,
)

CRITICAL = {  # minimum of the spinodal curve at x = D, by hand
    1: (np.e, 1.0, 1 / np.e),
    2: (4.234000, 0.436293, 0.47237),
    3: (5.630746, 0.264231, 0.53279),
    4: (6.965587, 0.183709, 0.57425),
    5: (8.260771, 0.137979, 0.60527),
}
THRESHOLDS = {  # D, c: R*, unlearned before it, lower end of the window; independent root finding
    (1, 3): (1.037885697, 0.538450, 0.976507),
    (1, 4): (1.466350325, 0.699491, 0.856508),
    (1, 5): (2.456530889, 0.771691, 0.753563),
    (1, 6): (4.532989620, 0.815070, 0.672061),
    (1, 8): (18.351698159, 0.865523, 0.553991),
    (2, 5): (0.525360049, 0.686425, 0.429785),
    (2, 6): (0.786714318, 0.767840, 0.404407),
    (2, 8): (2.340385188, 0.843544, 0.353155),
    (3, 6): (0.283817264, 0.665377, 0.268041),
    (3, 8): (0.603105142, 0.811580, 0.255185),
}


@pytest.mark.parametrize(("depth", "point"), CRITICAL.items())
def test_jumps_begin_at_the_critical_point(depth, point):
    c, ratio, unlearned = critical_point(depth)
    assert (c, ratio) == pytest.approx(point[:2], abs=6e-7)
    assert unlearned == pytest.approx(point[2], abs=6e-6)
    below, above = emergence_threshold([c * (1 - 1e-9), c * (1 + 1e-9)], depth)
    assert np.isnan(below)
    assert above == pytest.approx(ratio, rel=1e-6)


@pytest.mark.parametrize(("learner", "values"), THRESHOLDS.items())
def test_thresholds_and_windows_have_their_table(learner, values):
    depth, c = learner
    lower, upper = hysteresis_window(c, depth)
    assert emergence_threshold(c, depth) == upper == pytest.approx(values[0], abs=6e-10)
    assert unlearned_at_threshold(c, depth) == pytest.approx(values[1], abs=6e-7)
    assert lower == pytest.approx(values[2], abs=6e-7)


@settings(max_examples=25)
@given(c=st.floats(2.8, 600))
def test_the_one_skill_learner_is_solved_by_lambert(c):
    x = float(np.real(-1 / lambertw(-1 / c)))
    assert emergence_threshold(c) == pytest.approx(np.exp(x) / (c * x), rel=1e-9)
    assert unlearned_at_threshold(c) == pytest.approx(x / c, rel=1e-12)


@settings(max_examples=25)
@given(c=st.floats(1.01, 30), depth=st.integers(1, 6))
def test_the_threshold_is_a_peak_of_the_curve_of_fixed_points(c, depth):
    c = c * critical_point(depth).mean_skills

    def ratio(x):
        return np.log(c / x) / (c * gammaincc(depth, x))

    x = c * unlearned_at_threshold(c, depth)
    top = ratio(x)
    assert emergence_threshold(c, depth) == pytest.approx(top, rel=1e-6)
    near = np.array([x * (1 - 1e-4), x + (c - x) * 1e-3])
    assert (ratio(near) <= top * (1 + 1e-9)).all()


def test_below_the_critical_point_one_learner_has_no_threshold():
    with pytest.raises(ValueError, match=r"With 2 skills per text learning is smooth.*2\.71828"):
        emergence_threshold(2.0)
    assert np.isnan(emergence_threshold([2.0, 3.0])).tolist() == [True, False]
    assert np.isnan(hysteresis_window(np.array([2.0]))).all()


def test_what_is_beyond_floating_point_is_infinite():
    assert emergence_threshold([2000.0]).tolist() == [np.inf]
    assert np.isfinite(emergence_threshold([200.0], 80)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: emergence_threshold([3.0, 0.0]), "mean_skills must be positive; entry 1 is 0"),
        (lambda: emergence_threshold(np.nan), "mean_skills must be positive; entry 0 is nan"),
        (lambda: emergence_threshold(3.0, 0), "learner must be a whole number, 1 or more"),
        (lambda: critical_point(1.5), "learner must be a whole number"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
