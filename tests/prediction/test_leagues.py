"""Leagues of methods: means that are right, differences that are not luck."""

import numpy as np
import pandas as pd
import pytest

from emergekit import TableError
from emergekit.prediction import paired_differences, score_forecasts


def told(errors, method="law", half=0.1, level=0.9):
    """Return forecasts of one method whose errors are these, one a task."""
    errors = np.asarray(errors, dtype=float)
    observed = np.full(len(errors), 0.5)
    return pd.DataFrame(
        {
            "method": method,
            "task": [f"t{i}" for i in range(len(errors))],
            "observed": observed,
            "predicted": observed + errors,
            "lower": observed + errors - half,
            "upper": observed + errors + half,
            "level": level,
        }
    )


def test_means_are_over_the_forecasts_that_were_made():
    rows = told([0.05, -0.05, 0.2, 0.0])
    rows.loc[3, ["predicted", "lower", "upper"]] = np.nan
    rows.loc[len(rows)] = ["law", "unknown", np.nan, 0.5, 0.4, 0.6, 0.9]
    found = score_forecasts(rows).iloc[0]
    assert (found["n"], found["n_failed"]) == (3, 1)
    assert found["mae"] == pytest.approx(0.1)
    assert found["bias"] == pytest.approx(0.2 / 3)
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["width"] == pytest.approx(0.2)
    assert found["interval_score"] == pytest.approx(0.2 + 20 * 0.1 / 3)
    assert found["relative_error"] == pytest.approx(0.2)


def test_a_method_without_intervals_has_no_coverage_and_forecasts_points():
    found = score_forecasts(told([0.1, 0.2], half=np.nan)).iloc[0]
    assert np.isnan(found["coverage"])
    assert np.isnan(found["interval_score"])
    assert found["crps"] == pytest.approx(0.15)


def test_skill_is_measured_within_each_group():
    one = pd.concat([told([0.1], "last"), told([0.05], "law")]).assign(split="near")
    two = pd.concat([told([0.2], "last"), told([0.3], "law")]).assign(split="far")
    rows = pd.concat([one, two], ignore_index=True)
    found = score_forecasts(rows, by=["method", "split"], against="last")
    skill = found.set_index(["method", "split"])["skill"]
    assert skill["law", "near"] == pytest.approx(0.5)
    assert skill["law", "far"] == pytest.approx(-0.5)
    assert skill.loc["last"].tolist() == [0, 0]


def test_a_clear_win_is_told_from_noise():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, 12)
    rows = pd.concat([told(noise), told(0.3 + noise, "far"), told(noise[::-1], "alike")])
    found = paired_differences(rows, "law").set_index("against")
    assert found["decided"].to_dict() == {"alike": "undecided", "far": "better"}
    assert found.loc["far", "n_better"] == 12
    assert paired_differences(rows, "far")["decided"].tolist() == ["worse", "worse"]


def test_forecasts_of_one_task_are_one_unit():
    rows = pd.concat([told([0.1] * 3), told([0.2] * 3, "far")], ignore_index=True)
    many = pd.concat([rows.assign(model=name) for name in "abcdefgh"], ignore_index=True)
    found = paired_differences(many, "law").iloc[0]
    assert found["n_units"] == 3
    assert found["gain"] == pytest.approx(0.1)


def test_two_tasks_decide_nothing():
    rows = pd.concat([told([0.1, 0.1]), told([0.4, 0.4], "far")], ignore_index=True)
    assert paired_differences(rows, "law")["decided"].tolist() == ["undecided"]


@pytest.mark.slow
@pytest.mark.parametrize("n_units", [8, 16])
def test_intervals_of_differences_hold_what_they_say(n_units):
    rng = np.random.default_rng(n_units)
    held, n_repeats = 0, 600
    for seed in range(n_repeats):
        gains = rng.normal(0.02, 0.05, n_units)
        rows = pd.concat([told(np.full(n_units, 0.3)), told(0.3 + gains, "rival")])
        found = paired_differences(rows, "law", n_boot=400, seed=seed).iloc[0]
        held += found["lower"] <= 0.02 <= found["upper"]
    assert held / n_repeats == pytest.approx(0.9, abs=0.037)  # 3 standard errors


@pytest.mark.parametrize(
    ("change", "call", "said"),
    [
        ({"level": 90.0}, lambda t: score_forecasts(t), "level must lie between 0 and 1 at row 0"),
        ({"upper": -1.0}, lambda t: score_forecasts(t), "ends below its start at row 0"),
        ({}, lambda t: score_forecasts(t.drop(columns="observed")), "observed"),
        ({}, lambda t: score_forecasts(t, by=[]), "names no column"),
        ({}, lambda t: score_forecasts(t, against="lwa"), "did you mean 'law'"),
        ({}, lambda t: paired_differences(t, "lwa"), "did you mean 'law'"),
        ({}, lambda t: paired_differences(t, "law"), "only method"),
    ],
)
def test_what_cannot_be_scored_is_named(change, call, said):
    with pytest.raises(TableError, match=said):
        call(told([0.1, 0.2]).assign(**change))
