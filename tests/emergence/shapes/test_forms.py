import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from emergekit.emergence.counts import log_likelihood
from emergekit.emergence.shapes.forms import compare_forms, curve_form, form_verdict

X = np.arange(6) - 2.5
N = np.full(6, 250)
SERIES = {
    "jump": [60, 65, 58, 70, 66, 200],
    "gradual": [60, 75, 95, 120, 150, 200],
    "noise": [60, 65, 58, 70, 66, 80],
}
# spec/metrics.md section 2, "Step vs smooth": constant, step, logit line, chance-floor logistic
LOG_LIKELIHOODS = {
    "jump": (-150.323, -17.991, -83.801, -17.947),
    "gradual": (-130.851, -47.344, -22.683, -18.895),
    "noise": (-20.316, -18.144, -18.378, -17.954),
}
BICS = {
    "jump": (302.44, 41.36, 171.19, 39.48),
    "gradual": (263.49, 100.06, 48.95, 41.37),
    "noise": (42.42, 41.66, 40.34, 39.49),
}
FORMS = ["constant", "step", "line", "logistic"]


@pytest.mark.parametrize("name", SERIES)
def test_likelihoods_and_bic_of_the_spec(name):
    rows = compare_forms(X, SERIES[name], N, chance=0.25)
    assert rows["form"].tolist() == FORMS
    assert rows["log_likelihood"].tolist() == pytest.approx(LOG_LIKELIHOODS[name], abs=5.1e-4)
    assert rows["bic"].tolist() == pytest.approx(BICS[name], abs=5.1e-3)
    assert rows["bic_difference"].min() == 0


def test_the_step_of_the_spec_splits_where_the_spec_says():
    splits = {"jump": 2.0, "gradual": 1.0, "noise": 2.0}  # between scales 4|5, 3|4, 4|5 from 0
    for name, midpoint in splits.items():
        step = compare_forms(X, SERIES[name], N, 0.25).set_index("form").loc["step"]
        assert step["midpoint"] == midpoint


def test_six_scales_do_not_tell_a_jump_from_a_steep_logistic():
    verdict = form_verdict(X, SERIES["jump"], N, chance=0.25)
    assert verdict["form"] == "not identifiable"
    assert verdict["bic_step_less_smooth"] == pytest.approx(41.36 - 39.48, abs=0.01)


def test_gradual_counts_are_logistic_and_noise_is_constant():
    assert form_verdict(X, SERIES["gradual"], N, chance=0.25)["form"] == "logistic"
    assert form_verdict(X, SERIES["noise"], N, chance=0.25)["form"] == "constant"


def test_twelve_scales_tell_a_step_between_two_levels():
    counts = [62, 60, 66, 61, 64, 63, 140, 144, 139, 141, 146, 140]
    verdict = form_verdict(np.arange(12), counts, np.full(12, 250), chance=0.25)
    assert verdict["form"] == "step"
    assert verdict["bic_step_less_smooth"] < -6


def test_a_rise_with_a_scale_on_its_way_is_not_called_a_step():
    # The logistic must reach 1 and fits worse than the step; neither form holds.
    counts = [248, 252, 249, 251, 250, 450, 560, 562, 558, 561, 559, 560]
    verdict = form_verdict(np.arange(12), counts, np.full(12, 1000), chance=0.25)
    assert verdict["bic_step_less_smooth"] < -6
    assert verdict["form"] == "not identifiable"
    assert verdict["reason"] == "a scale lies inside the transition of the step"


@pytest.mark.parametrize(("form", "floor"), [("logistic", 0.25), ("line", 0.0)])
def test_the_form_that_made_the_counts_comes_back_with_its_parameters(form, floor):
    x = np.linspace(6, 11, 12)
    p = floor + (1 - floor) * expit(1.5 * (x - 8.5))
    n = np.full(12, 500)
    k = np.random.default_rng(3).binomial(n, p)
    assert form_verdict(x, k, n, chance=0.25)["form"] == form
    row = compare_forms(x, k, n, chance=0.25).set_index("form").loc[form]
    assert row["midpoint"] == pytest.approx(8.5, abs=0.15)
    assert row["slope"] == pytest.approx(1.5, rel=0.15)


def test_at_chance_zero_the_logistic_is_the_line_and_unknown_chance_leaves_it_out():
    counts = [2, 12, 40, 110, 180, 230]
    rows = compare_forms(X, counts, N, chance=0.0).set_index("form")
    assert rows.loc["line", "log_likelihood"] == rows.loc["logistic", "log_likelihood"]
    assert form_verdict(X, counts, N, chance=0.0)["form"] == "logistic"
    assert compare_forms(X, counts, N, chance=np.nan)["form"].tolist() == FORMS[:3]
    assert form_verdict(X, counts, N, chance=np.nan)["form"] == "line"


def test_counts_that_a_threshold_separates_reach_the_likelihood_of_the_step():
    rows = compare_forms(X, [0, 0, 0, 250, 250, 250], N).set_index("form")["log_likelihood"]
    assert rows["line"] == pytest.approx(0, abs=1e-6)
    assert rows["step"] == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=3, max_size=8),
    scale=st.floats(0.01, 100),
    shift=st.floats(-50, 50),
)
def test_units_of_the_scale_do_not_matter(counts, scale, shift):
    x, n = np.arange(len(counts), dtype=float), np.full(len(counts), 40)
    once = compare_forms(x, counts, n, 0.25)["log_likelihood"].to_numpy()
    again = compare_forms(scale * x + shift, counts, n, 0.25)["log_likelihood"].to_numpy()
    np.testing.assert_allclose(again, once, rtol=1e-6, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(counts=st.lists(st.integers(0, 40), min_size=3, max_size=8))
def test_richer_forms_fit_at_least_as_well_as_the_constant(counts):
    x, n = np.arange(len(counts)), np.full(len(counts), 40)
    rows = compare_forms(x, counts, n, 0.25).set_index("form")["log_likelihood"]
    saturated = float(log_likelihood(np.array(counts), n, np.array(counts) / n))
    assert rows["constant"] <= min(rows["step"], rows["line"]) + 1e-7
    assert rows.max() <= saturated + 1e-7


def test_the_curve_of_a_table_gives_the_verdict_of_its_counts():
    curve = pd.DataFrame(
        {
            "n_params": 10.0 ** np.arange(6, 12),
            "score": np.array(SERIES["gradual"]) / 250,
            "n_examples": 250,
            "chance": 0.25,
        }
    )
    expected = form_verdict(X, SERIES["gradual"], N, chance=0.25)
    found = curve_form(curve.iloc[::-1])
    assert found["form"] == "logistic"
    assert found["bic_step_less_smooth"] == pytest.approx(expected["bic_step_less_smooth"])


def test_curves_without_counts_say_why_they_have_no_form():
    curve = pd.DataFrame({"n_params": [1e7, 1e8], "score": [0.1234, 0.2], "n_examples": 20})
    assert curve_form(curve)["reason"] == "scores are no shares of whole examples"
    assert curve_form(curve.drop(columns="n_examples"))["reason"] == "n_examples is unknown"
    assert curve_form(curve.assign(score=0.1).iloc[:1])["reason"] == "one scale has no form"


def test_bad_counts_and_chances_are_named():
    with pytest.raises(ValueError, match=r"entry 1 is 21 of 20\. Give counts"):
        compare_forms([1, 2, 3], [1, 21, 3], [20] * 3)
    with pytest.raises(ValueError, match=r"entries 1 and 2 are 2 and 2\. Sort it"):
        compare_forms([1, 2, 2], [1, 2, 3], [20] * 3)
    with pytest.raises(ValueError, match=r"one length, 2 or more; theirs are \(3,\) and \(2,\)"):
        form_verdict([1, 2, 3], [1, 2], [20] * 2)
    with pytest.raises(ValueError, match=r"chance must be a share from 0 to below 1.* it is 25"):
        form_verdict([1, 2, 3], [1, 2, 3], [20] * 3, chance=25)
