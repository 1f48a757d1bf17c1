import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from emergekit.emergence.shapes.onset import (
    chance_onset,
    chance_tests,
    curve_onset,
    last_point_error,
)
from tests.strategies import curves

N = np.full(6, 250)
JUMP = [60, 65, 58, 70, 66, 200]
GRADUAL = [60, 75, 95, 120, 150, 200]
NOISE = [60, 65, 58, 70, 66, 80]


def series(reference_files):
    path = reference_files / "metrics_reference" / "emergence_measures.csv"
    for row in pd.read_csv(path).itertuples():
        x, y = ([float(part) for part in text.split()] for text in (row.log10_scale, row.y))
        yield row.case, x, y, row.last_point_extrapolation_error


def test_last_point_errors_of_the_reference_series(reference_files):
    checked = 0
    for case, x, y, expected in series(reference_files):
        if case != "two_points":
            assert last_point_error(x, y) == pytest.approx(expected, rel=1e-9, abs=1e-9), case
            checked += 1
    assert checked == 11


def test_two_scales_determine_no_line():
    # metrics_reference has 0.7753846154 for (8, 0.1), (10, 0.9): the least-norm "line" through one
    # point, slope 0.1 * 8 / 65. It moves when x changes its unit, so it is no property of the data.
    slope, intercept = 0.1 * 8 / 65, 0.1 / 65
    assert 0.9 - (slope * 10 + intercept) == pytest.approx(0.7753846154)
    assert np.isnan(last_point_error([8, 10], [0.1, 0.9]))


@given(curves, st.floats(0.1, 10), st.floats(-10, 10))
def test_extrapolation_does_not_depend_on_the_unit_of_scale(scores, scale, shift):
    x = np.arange(len(scores), dtype=float)
    once, again = last_point_error(x, scores), last_point_error(scale * x + shift, scores)
    assert again == pytest.approx(once, abs=1e-9, nan_ok=True)


@given(st.integers(3, 12), st.floats(-1, 1), st.floats(-1, 1))
def test_a_line_extrapolates_without_error(m, slope, start):
    assert last_point_error(np.arange(m), start + slope * np.arange(m)) == pytest.approx(
        0, abs=1e-9
    )


def test_tests_against_chance_have_the_values_of_the_spec():
    # spec/metrics.md section 2, n = 250, chance .25, 6 scales
    p_adjusted, lower = chance_tests(JUMP, N, 0.25)
    assert p_adjusted[:5].tolist() == pytest.approx([1, 1, 1, 0.92, 1], abs=5e-3)
    assert p_adjusted[5] == pytest.approx(1.9e-73, rel=0.05)
    assert lower[5] == pytest.approx(0.726, abs=5e-4)
    p_adjusted, lower = chance_tests(GRADUAL, N, 0.25)
    assert p_adjusted[1:3].tolist() == pytest.approx([0.251, 2.3e-5], rel=0.01)
    assert lower[2] == pytest.approx(0.300, abs=5e-4)
    p_adjusted, lower = chance_tests(NOISE, N, 0.25)
    assert p_adjusted[5] == pytest.approx(0.0455, abs=5e-5)
    assert lower[5] == pytest.approx(0.244, abs=5e-4)


def test_tests_against_chance_agree_with_scipy():
    for k, n in [(0, 20), (7, 20), (20, 20)]:
        p_adjusted, lower = chance_tests([k], [n], 0.25)
        reference = binomtest(k, n, 0.25, alternative="greater")
        assert p_adjusted[0] == pytest.approx(reference.pvalue)
        interval = binomtest(k, n).proportion_ci(0.95, method="exact")
        assert lower[0] == pytest.approx(interval.low)


def test_only_the_jump_of_the_spec_is_emergent():
    assert chance_onset(np.arange(6), JUMP, N, 0.25)["onset"] == 5
    gradual = chance_onset(np.arange(6), GRADUAL, N, 0.25)
    noise = chance_onset(np.arange(6), NOISE, N, 0.25)
    assert np.isnan([gradual["onset"], noise["onset"]]).all()
    assert gradual["reason"] == "gradual: above chance at scale 3 of 6, but not by 0.1"
    assert noise["reason"] == "above chance at scale 6 of 6, but nowhere by 0.1"


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([60, 62, 58], "at chance at every scale"),
        ([200, 210, 220], "above chance at the smallest scale already"),
        ([60, 200, 61], "falls back: not above chance by 0.1 at scale 3 of 3"),
    ],
)
def test_curves_without_an_onset_say_why(counts, reason):
    found = chance_onset([7, 8, 9], counts, [250] * 3, 0.25)
    assert np.isnan(found["onset"])
    assert found["reason"] == reason


@given(
    st.lists(st.integers(0, 100), min_size=2, max_size=8),
    st.floats(0, 0.6),
    st.floats(0, 0.3),
    st.floats(-3, 3),
)
def test_the_onset_moves_with_the_scale_and_a_stricter_delta_never_adds_one(
    counts, chance, delta, shift
):
    x, n = np.arange(len(counts)) + shift, np.full(len(counts), 100)
    loose = chance_onset(x, counts, n, chance, delta=delta)["onset"]
    again = chance_onset(x + 5, counts, n, chance, delta=delta)["onset"]
    strict = chance_onset(x, counts, n, chance, delta=delta + 0.2)["onset"]
    assert again == pytest.approx(loose + 5, nan_ok=True)
    assert np.isnan(strict) or strict == loose


def test_noise_at_chance_seldom_has_an_onset():
    rng = np.random.default_rng(0)
    counts = rng.binomial(100, 0.25, size=(400, 8))
    found = [chance_onset(np.arange(8), row, [100] * 8, 0.25, delta=0)["onset"] for row in counts]
    assert np.isfinite(found).mean() <= 0.02


def curve(**columns):
    rows = {"n_params": 10.0 ** np.arange(6, 12), "score": np.array(JUMP) / 250}
    return pd.DataFrame(rows | {"n_examples": 250, "chance": 0.25} | columns)


def test_the_onset_of_a_curve_is_in_units_of_its_column():
    assert curve_onset(curve().iloc[::-1])["onset"] == 1e11
    assert curve_onset(curve(loss=[4.0, 3.5, 3.0, 2.5, 2.0, 1.5]), x="loss")["onset"] == 1.5


def test_an_error_rate_is_turned_over():
    wrong = 1 - np.array(JUMP) / 250
    assert curve_onset(curve(score=wrong, chance=0.75, higher_is_better=False))["onset"] == 1e11


def test_a_curve_without_chance_or_counts_has_no_onset_and_says_why():
    assert curve_onset(curve().drop(columns="chance"))["reason"] == "chance is unknown"
    assert curve_onset(curve(), chance=0.9)["reason"] == "at chance at every scale"
    assert curve_onset(curve(n_examples=np.nan))["reason"] == "n_examples is unknown"
    assert curve_onset(curve().iloc[:1])["reason"] == "one scale has no onset"


def test_levels_and_counts_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"chance must lie in \[0, 1\).* they are 25 and 0.05"):
        chance_onset([1, 2], [1, 2], [9, 9], chance=25)
    with pytest.raises(ValueError, match=r"entry 1 is 12 of 9\. Give counts, not shares"):
        chance_tests([1, 12], [9, 9], chance=0.25)
    with pytest.raises(ValueError, match="x must rise; entries 0 and 1 are 3 and 2"):
        last_point_error([3, 2, 1], [0, 0, 1])
    with pytest.raises(ValueError, match="x and scores must be finite"):
        last_point_error([1, 2, 3], [0, np.nan, 1])
