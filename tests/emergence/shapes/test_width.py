import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from emergekit.emergence.shapes.width import (
    WIDTHS_PER_W,
    curve_width,
    width_from_counts,
    width_from_scores,
)

X = np.linspace(6, 11, 12)


def logistic(x, width, middle=8.6, low=0.25, high=0.85):
    return low + (high - low) * expit((x - middle) * WIDTHS_PER_W / width)


def test_the_width_of_a_logistic_is_4_3944_of_its_scale():
    # spec/metrics.md section 2: 2 ln 9 w = 4.3944 w
    assert pytest.approx(4.3944, abs=5e-5) == WIDTHS_PER_W
    assert pytest.approx(WIDTHS_PER_W) == logit(0.9) - logit(0.1)


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
def test_a_logistic_without_noise_gives_its_width_back(width):
    found = width_from_scores(X, logistic(X, width))
    assert found["kind"] == "estimated"
    assert found["width"] == pytest.approx(width, rel=2e-3)
    n = np.full(12, 1e6)
    counted = width_from_counts(X, np.rint(n * logistic(X, width)), n)
    assert counted["width"] == pytest.approx(width, rel=5e-3)
    assert counted["lower"] < width < counted["upper"]
    assert counted["upper"] / counted["lower"] < 1.05


@pytest.mark.parametrize(
    ("n", "width", "m"), [(250, 1.32, 12), (250, 2.64, 12), (50, 1.32, 12), (1000, 1.32, 8)]
)
def test_intervals_from_counts_cover_the_true_width(n, width, m):
    rng, x = np.random.default_rng(5), np.linspace(6, 11, m)
    hits = 0
    for _ in range(60):
        found = width_from_counts(x, rng.binomial(n, logistic(x, width)), np.full(m, n))
        hits += found["lower"] <= width <= found["upper"]
    assert hits >= 52  # of 60; fewer has a chance of 0.3 % where the level is 95 %


def test_intervals_from_scatter_cover_the_true_width():
    rng = np.random.default_rng(6)
    noisy = (logistic(X, 1.5) + rng.normal(0, 0.03, 12) for _ in range(60))
    found = [width_from_scores(X, scores) for scores in noisy]
    assert sum(one["lower"] <= 1.5 <= one["upper"] for one in found) >= 52
    assert np.nanmedian([one["width"] for one in found]) == pytest.approx(1.5, rel=0.1)


def test_a_jump_between_two_scales_bounds_the_width_by_their_gap():
    jump = width_from_counts(np.arange(6), [60, 65, 58, 200, 198, 203], [250] * 6)
    assert jump["kind"] == "upper bound"
    assert jump["reason"].startswith("no scale lies inside the transition")
    assert np.isnan(jump["width"])
    assert (jump["lower"], jump["upper"]) == (0, 1)
    clear = width_from_scores(np.arange(8), [0, 0, 0, 0, 1, 1, 1, 1])
    assert clear["kind"] == "upper bound"
    assert (clear["lower"], clear["upper"]) == (0, 1)


def test_the_jump_of_the_spec_at_its_last_scale_is_bounded_from_above_only():
    # spec/metrics.md section 2 says: the gap, 1. The last score may still be on its way up to 1
    # (one scale inside), so the likelihood keeps widths up to 1.4 gaps, and we follow it.
    last = width_from_counts(np.arange(6), [60, 65, 58, 70, 66, 200], [250] * 6)
    assert last["kind"] == "upper bound"
    assert 1 <= last["upper"] < 1.5


def test_few_examples_widen_the_bound_beyond_the_gap():
    few = width_from_counts(np.arange(6), [0, 0, 0, 8, 8, 8], [8] * 6)
    many = width_from_counts(np.arange(6), [0, 0, 0, 800, 800, 800], [800] * 6)
    assert few["kind"] == many["kind"] == "upper bound"
    assert few["upper"] > many["upper"] == 1


def test_noise_has_no_width_and_too_few_scales_say_so():
    noise = width_from_counts(np.arange(6), [60, 65, 58, 70, 66, 70], [250] * 6)
    assert noise["kind"] == "no change"
    assert np.isnan([noise["width"], noise["lower"], noise["upper"]]).all()
    assert width_from_scores(np.arange(6), [0.25] * 6)["kind"] == "no change"
    assert width_from_scores(np.arange(4), [0, 0, 1, 1])["kind"] == "too few scales"


def test_a_line_has_no_upper_end():
    line = width_from_scores(X, 0.1 * X + np.tile([0.002, -0.002], 6))
    assert line["upper"] == np.inf
    assert line["lower"] > 5


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.1, 10), shift=st.floats(-20, 20), seed=st.integers(0, 99))
def test_the_width_is_in_units_of_the_scale(scale, shift, seed):
    k = np.random.default_rng(seed).binomial(200, logistic(X, 1.5))
    once = width_from_counts(X, k, np.full(12, 200))
    again = width_from_counts(scale * X + shift, k, np.full(12, 200))
    assert again["kind"] == once["kind"]
    for name in ("width", "lower", "upper"):
        assert again[name] == pytest.approx(scale * once[name], rel=1e-4, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.1, 10), shift=st.floats(-20, 20), seed=st.integers(0, 99))
def test_the_width_does_not_depend_on_the_unit_of_the_score(scale, shift, seed):
    scores = logistic(X, 1.5) + np.random.default_rng(seed).normal(0, 0.02, 12)
    once, again = width_from_scores(X, scores), width_from_scores(X, shift - scale * scores)
    assert again["width"] == pytest.approx(once["width"], rel=1e-3, nan_ok=True)
    assert again["upper"] == pytest.approx(once["upper"], rel=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=3, max_size=10))
def test_a_higher_level_gives_a_wider_interval(counts):
    x, n = np.arange(len(counts)), np.full(len(counts), 30)
    narrow, wide = (width_from_counts(x, counts, n, level) for level in (0.8, 0.99))
    if np.isfinite(narrow["lower"]) and np.isfinite(wide["lower"]):
        assert wide["lower"] <= narrow["lower"] + 1e-9
        assert wide["upper"] >= narrow["upper"] - 1e-9


def test_a_curve_uses_its_counts_where_it_has_them():
    counts = np.random.default_rng(2).binomial(200, logistic(X, 1.5))
    curve = pd.DataFrame({"n_params": 10.0**X, "score": counts / 200, "n_examples": 200})
    by_counts = width_from_counts(X, counts, np.full(12, 200))
    assert curve_width(curve)["width"] == pytest.approx(by_counts["width"])
    by_scores = width_from_scores(X, counts / 200)
    assert curve_width(curve.assign(n_examples=np.nan))["upper"] == pytest.approx(
        by_scores["upper"]
    )
    assert curve_width(curve.iloc[:1])["kind"] == "too few scales"


def test_levels_and_scores_out_of_range_are_named():
    with pytest.raises(
        ValueError, match=r"level must lie between 0 and 1, such as 0\.95; it is 95"
    ):
        width_from_counts([1, 2, 3], [1, 2, 3], [9] * 3, level=95)
    with pytest.raises(ValueError, match="x and scores must be finite"):
        width_from_scores([1, 2, 3], [0, np.inf, 1])
