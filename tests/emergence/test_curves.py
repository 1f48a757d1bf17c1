import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emergekit import curve_shapes, datasets, join_models
from emergekit.emergence.curves import (
    emergence_score,
    increment_gini,
    largest_increment_share,
    linearity,
)
from emergekit.errors import TableError
from tests.strategies import curves, result_tables

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


@pytest.fixture(scope="module")
def bigg_shapes():
    bigg = datasets.load_bigg()
    return curve_shapes(join_models(bigg.results, bigg.models))


def test_bigg_has_its_known_emergence_scores(bigg_shapes):
    # spec/mirage.md 2.4, shared split, 3-shot
    expected = {
        "word_sorting": 45.0,
        "linguistic_mappings": 15.875,
        "sports_understanding": 8.75,
        "strategyqa": 4.8333,
        "modified_arithmetic": np.inf,
    }
    sharp = bigg_shapes[bigg_shapes["metric"].isin(["exact_match", "multiple_choice_grade"])]
    found = sharp.set_index("task")["emergence_score"]
    for task, score in expected.items():
        assert found[task] == pytest.approx(score, abs=5e-5), task


def test_four_tasks_of_bigg_exceed_twenty_and_all_are_generative(bigg_shapes):
    sharp = bigg_shapes["metric"].isin(["exact_match", "multiple_choice_grade"])
    enough = bigg_shapes[sharp & (bigg_shapes["n_examples"] >= 30)]
    high = enough[enough["emergence_score"] > 20]
    assert len(enough) == 53
    assert sorted(high["task"]) == [
        "language_games",
        "modified_arithmetic",
        "word_sorting",
        "word_unscrambling",
    ]
    assert set(high["metric"]) == {"exact_match"}


def test_medians_over_multiple_choice_tasks_of_bigg(bigg_shapes):
    # spec/mirage.md 2.4: accuracy 4.57 with 3 above 10, negated Brier 6.12 with 6 above 10
    table = bigg_shapes[bigg_shapes["n_examples"] >= 30].pivot(
        index="task", columns="metric", values="emergence_score"
    )
    choice = table[table["multiple_choice_grade"].notna()]
    assert len(choice) == 33
    assert choice["multiple_choice_grade"].median() == pytest.approx(4.57, abs=0.005)
    assert choice["confidence_brier"].median() == pytest.approx(6.12, abs=0.005)
    assert (choice[["multiple_choice_grade", "confidence_brier"]] > 10).sum().tolist() == [3, 6]


def table(**columns):
    rows = {
        "model": ["m1", "m2", "m3"],
        "task": "t",
        "metric": "exact_match",
        "score": [0.1, 0.2, 0.8],
        "n_params": [1e7, 1e8, 1e9],
    }
    return pd.DataFrame(rows | columns)


@given(result_tables())
def test_shapes_do_not_depend_on_the_order_of_the_rows(results):
    shapes = curve_shapes(results).set_index("task").sort_index()
    again = curve_shapes(results.iloc[::-1]).set_index("task").sort_index()
    pd.testing.assert_frame_equal(shapes, again)
    assert len(shapes) == results["task"].nunique()
    assert (shapes["breakthroughness"].dropna() == shapes["emergence_score"].dropna()).all()


def test_lower_is_better_is_turned_over():
    shapes = curve_shapes(table(score=[0.9, 0.8, 0.1], higher_is_better=False))
    assert shapes["emergence_score"].iloc[0] > 0
    assert shapes[["score_first", "score_last"]].iloc[0].tolist() == [0.9, 0.1]


def test_loss_runs_from_high_to_low():
    shapes = curve_shapes(table(loss=[4.0, 3.0, 2.0]), x="loss")
    assert shapes[["x_first", "x_last"]].iloc[0].tolist() == [4.0, 2.0]
    assert shapes["emergence_score"].iloc[0] > 0


def test_each_setting_is_a_curve_of_its_own():
    settings = pd.concat([table(n_shots=0), table(n_shots=3), table(n_shots=3, metric="acc")])
    assert len(curve_shapes(settings.reset_index(drop=True))) == 3


def test_each_run_is_a_curve_where_scale_changes_inside_it():
    run = table(model="m", run="r0", step=[1, 2, 4], n_tokens=[1e9, 2e9, 4e9])
    both = pd.concat([run, run.assign(run="r1")], ignore_index=True)
    shapes = curve_shapes(both, x="n_tokens")
    assert shapes["run"].tolist() == ["r0", "r1"]
    unnamed = pd.concat([run.drop(columns="run")] * 2, ignore_index=True)
    unnamed["model"] = np.repeat(["m1", "m2"], 3)
    assert curve_shapes(unnamed, x="n_tokens")["model"].tolist() == ["m1", "m2"]


def test_two_rows_at_one_scale_are_named():
    twice = table(n_params=[1e7, 1e9, 1e9])
    with pytest.raises(
        TableError,
        match=r"rows 1 and 2 of the curve \(t, exact_match\) share n_params = 1e\+09 \(models m2",
    ):
        curve_shapes(twice)


def test_scales_that_are_absent_or_no_numbers_are_named():
    with pytest.raises(
        TableError, match=r"scale 'n_parms' is absent.*mean 'n_params'.*join_models"
    ):
        curve_shapes(table(), x="n_parms")
    with pytest.raises(
        TableError,
        match=r"scale 'n_params' must be a number, but row 1 \(model m2\) holds nan \(1 of 3",
    ):
        curve_shapes(table(n_params=[1e7, np.nan, 1e9]))
    with pytest.raises(TableError, match="'score' must be a number, but row 0 holds nan"):
        curve_shapes(table(score=[np.nan, 0.1, 0.2]))


def test_the_table_that_was_given_is_not_changed():
    results = table()
    before = results.copy()
    curve_shapes(results)
    pd.testing.assert_frame_equal(results, before)
