import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.emergence import curve_dictionary, hinge_test
from emergekit.emergence.questions.dictionary import GOMPERTZ_RISE, LOGISTIC_RISE

X = np.linspace(18, 24, 12)


def wiggle(m):
    """Return unit pseudo-noise that is the same on every machine."""
    return np.sqrt(2) * np.cos(2.4 * np.arange(m) ** 2)


def test_a_logistic_rises_from_10_to_90_percent_as_declared():
    u = np.linspace(-30, 30, 600_001)
    for curve, rise in (
        (1 / (1 + np.exp(-u)), LOGISTIC_RISE),
        (np.exp(-np.exp(-u)), GOMPERTZ_RISE),
    ):
        inside = u[(curve > 0.1) & (curve < 0.9)]
        assert np.ptp(inside) == pytest.approx(rise, abs=1e-3)


def test_no_smooth_shape_is_narrower_than_the_width_and_all_thresholds_are_inside():
    shapes = curve_dictionary(X, width=0.25)
    fine = curve_dictionary(np.linspace(0, 1, 2001), width=0.25)
    line = fine.smooth[:, 1:]  # the straight line aside
    ends = line - line[0]
    bounded = ends[:, np.abs(ends[-1] - ends[-200]) < 1e-3 * np.abs(ends[-1])]
    share = bounded / bounded[-1]
    rise = ((share > 0.1) & (share < 0.9)).mean(axis=0)
    full = rise[(share[0] < 0.01) & (share[200] < 0.01)]
    assert len(full) > 20
    assert full.min() > 0.24
    assert (shapes.etas >= shapes.t[2]).all()
    assert (shapes.etas < shapes.t[-2]).all()


@pytest.mark.parametrize("m", [8, 12, 20])
def test_a_kinked_loss_needs_a_threshold_and_a_power_law_does_not(m):
    # Worked examples of the specification: p_break <= 0.02 and p_rev > 0.1; > 0.2 and < 0.02.
    x = np.linspace(18, 24, m)
    kinked = hinge_test(
        x, -np.log(2.5 * np.exp(-1.2 * np.maximum(x - 21, 0)) * (1 + 0.02 * wiggle(m)))
    )
    assert kinked.p_break <= 0.02
    assert kinked.p_rev > 0.1
    assert kinked.eta == pytest.approx(21, abs=0.1)
    assert kinked.eta_lower <= kinked.eta <= kinked.eta_upper
    power = hinge_test(x, -np.log(3 * 10 ** (-0.25 * (x - 18)) * (1 + 0.02 * wiggle(m))))
    assert power.p_break > 0.2
    assert power.p_rev < 0.02


def test_the_raw_loss_without_errors_hides_the_kink_that_its_log_shows():
    # A flat loss that then decays exponentially is nearly a Gompertz curve.
    loss = 2.5 * np.exp(-1.2 * np.maximum(X - 21, 0)) * (1 + 0.02 * wiggle(12))
    assert hinge_test(X, -loss).p_break > 0.05 >= hinge_test(X, -np.log(loss)).p_break


def test_a_smooth_curve_between_two_of_the_dictionary_is_no_threshold():
    # With 33 middles and 7 widths, as first specified, 31 % of these had p_break <= 0.05.
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 20)
    found = []
    for seed in range(60):
        w, middle = rng.uniform(0.06, 0.2), rng.uniform(0.3, 0.9)
        y = 1 / (1 + np.exp(-(x - middle) / w)) + 1e-3 * rng.standard_normal(20)
        found.append(hinge_test(x, y, n_boot=49, seed=seed).p_break)
    assert np.mean(np.array(found) <= 0.05) <= 0.15


def test_one_scale_above_a_jump_is_no_threshold():
    y = np.append(np.zeros(11), 1.0) + 0.01 * wiggle(12)
    assert hinge_test(X, y).p_break > 0.05


def test_a_constant_is_neither():
    found = hinge_test(X, np.ones(12))
    assert (found.p_break, found.p_rev) == (1.0, 1.0)


@settings(max_examples=15)
@given(
    shift=st.floats(-100, 100),
    factor=st.floats(0.01, 100),
    seed=st.integers(0, 3),
    move=st.floats(-5, 5),
)
def test_units_of_score_and_scale_do_not_matter(shift, factor, seed, move):
    y = np.maximum(X - 21, 0) + 0.05 * wiggle(12)
    one = hinge_test(X, y, seed=seed)
    other = hinge_test(2 * X + move, shift + factor * y, seed=seed)
    assert other.p_break == pytest.approx(one.p_break, abs=0.011)
    assert other.eta == pytest.approx(2 * one.eta + move, abs=1e-6)


def test_points_in_any_order_give_the_same_answer():
    y = np.maximum(X - 21, 0) + 0.05 * wiggle(12)
    order = np.random.default_rng(0).permutation(12)
    assert hinge_test(X[order], y[order]).p_break == hinge_test(X, y).p_break


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (range(4), {}, "five different scales"),
        (range(6), {"width": 1.0}, "share of the range"),
        (range(6), {"variance": [1, 1, 0, 1, 1, 1]}, "variance must be positive"),
    ],
)
def test_designs_that_cannot_be_judged_are_refused(x, options, message):
    with pytest.raises(ValueError, match=message):
        hinge_test(x, np.arange(len(x)) ** 2.0, **options)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        hinge_test(range(6), [0, 1, 2, np.nan, 4, 5])
