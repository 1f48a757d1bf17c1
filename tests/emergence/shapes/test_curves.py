import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from emergekit import curve_shapes, datasets, join_models
from emergekit.emergence.shapes.curves import split_curves
from emergekit.errors import TableError
from tests.strategies import result_tables


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


@pytest.mark.slow
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


@pytest.mark.parametrize("x", ["val_loss", "loss_c4", "bits_per_byte", "c4_bpb", "nll", "ppl"])
def test_every_scale_that_falls_with_quality_runs_from_high_to_low(x):
    six = {"model": list("abcdef"), "score": [0.0, 0.0, 0.0, 0.4, 0.8, 0.9], "n_examples": 100}
    loss = np.array([4.0, 3.6, 3.2, 2.8, 2.4, 2.0])
    rows = pd.DataFrame(six | {"task": "t", "metric": "acc", "chance": 0.0, x: loss, "loss": loss})
    [by_name], [by_loss] = (
        curve_shapes(rows, x=name, width=True).to_dict("records") for name in (x, "loss")
    )
    assert by_name["x_first"] == 4.0
    same = ["emergence_score", "emergence_p_value", "onset"]
    if x != "ppl":  # its distances are those of its logarithm
        same += ["last_point_error", "form", "width", "width_upper"]
    for name in same:
        assert by_name[name] == pytest.approx(by_loss[name], nan_ok=name == "width"), name
    up = curve_shapes(rows.assign(n_loss_tokens=loss), x="n_loss_tokens")
    assert up["x_first"].iloc[0] == 2.0


def test_distances_in_perplexity_are_those_of_its_logarithm():
    loss = np.array([3.0, 2.5, 2.0, 1.5])
    four = {"model": list("abcd"), "score": [0.1, 0.2, 0.3, 0.4], "ppl": 10**loss, "loss": loss}
    rows = pd.DataFrame(four | {"task": "t", "metric": "acc"})
    for x in ("ppl", "loss"):
        assert curve_shapes(rows, x=x)["last_point_error"].iloc[0] == pytest.approx(0, abs=1e-12)


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


def test_the_registry_knows_the_direction_where_the_table_does_not():
    falling = [0.9, 0.8, 0.1]
    assert curve_shapes(table(metric="brier_mean", score=falling))["emergence_score"].iloc[0] > 0
    assert curve_shapes(table(metric="wikitext_ppl", score=falling))["emergence_score"].iloc[0] > 0
    gaps = table(metric="brier_mean", score=falling, higher_is_better=[False, None, False])
    assert curve_shapes(gaps)["emergence_score"].iloc[0] > 0
    mixed = table(higher_is_better=[False, True, False])
    with pytest.raises(TableError, match="a metric has one direction"):
        curve_shapes(mixed)


def test_scales_that_are_text_are_sorted_as_numbers():
    shapes = curve_shapes(table(n_params=["9e6", "1e7", "2e8"]))
    assert shapes[["x_first", "x_last"]].iloc[0].tolist() == [9e6, 2e8]
    with pytest.raises(TableError, match=r"row 1 .* holds <NA>"):
        curve_shapes(table(n_params=pd.array([1, None, 3], dtype="Int64")))


def test_runs_are_told_apart_only_where_scale_changes_inside_them():
    ladder = table(family="A", run=["r1", "r2", "r3"], step=[9, 9, 9], flops=[1e18, 1e19, 1e20])
    inside = table(family="B", model="b", run="s", step=[1, 2, 3], flops=[1e18, 1e19, 1e20])
    shapes = curve_shapes(pd.concat([ladder, inside], ignore_index=True), x="flops")
    assert shapes["n_scales"].tolist() == [3, 3]
    assert pd.isna(shapes["run"].iloc[0])
    assert shapes["run"].iloc[1] == "s"


def test_each_curve_comes_with_its_key_and_sorted_rows():
    results = pd.concat([table(), table(task="u").iloc[::-1]], ignore_index=True)
    found = {
        key["task"]: rows["n_params"].tolist() for key, rows in split_curves(results, "n_params")
    }
    assert found == {"t": [1e7, 1e8, 1e9], "u": [1e7, 1e8, 1e9]}


def test_counts_say_more_than_increments():
    scores = {"score": [0.0, 0.0, 0.0, 0.9], "n_examples": 100, "chance": 0.0}
    four = pd.DataFrame({"model": list("abcd"), "task": "t", "metric": "exact_match", **scores})
    [row] = curve_shapes(four.assign(n_params=[1e7, 1e8, 1e9, 1e10]), width=True).to_dict("records")
    assert row["emergence_score"] == np.inf
    assert row["emergence_p_value"] < 0.01
    assert row["onset"] == 1e10
    assert row["last_point_error"] == pytest.approx(0.9)
    assert row["form"] is not None
    assert row["width_kind"]
    single = four.assign(n_params=[1e7, 1e8, 1e9, 1e10], score=[0, 0, 0, 0.01])
    [noise] = curve_shapes(single).to_dict("records")
    assert noise["emergence_score"] == np.inf  # one right answer of a hundred
    assert noise["emergence_p_value"] > 0.05


def test_without_counts_there_are_reasons():
    [row] = curve_shapes(table()).to_dict("records")
    assert np.isnan(row["emergence_p_value"])
    assert row["form"] is None
    assert row["form_reason"] == "n_examples is unknown"
    [smooth] = curve_shapes(table(metric="brier_sum", n_examples=100)).to_dict("records")
    assert smooth["form"] is None


@pytest.mark.parametrize("zero", [0.0, -1.0])
def test_a_scale_without_a_logarithm_costs_its_own_curve_only(zero):
    scores = {"score": [0.0, 0.0, 0.0, 0.9], "n_examples": 100, "chance": 0.0}
    good = pd.DataFrame({"model": list("abcd"), "task": "t", "metric": "exact_match", **scores})
    good["n_tokens"] = [1e7, 1e8, 1e9, 1e10]
    bad = good.assign(task="u", n_tokens=[zero, 1e8, 1e9, 1e10])
    alone = curve_shapes(good, x="n_tokens", width=True)
    both = curve_shapes(pd.concat([bad, good], ignore_index=True), x="n_tokens", width=True)
    kept, lost = both.iloc[1], both.iloc[0]
    for name in ("width_upper", "width_kind", "width_reason", "form", "onset", "last_point_error"):
        assert kept[name] == alone[name].iloc[0], name
    assert lost[["width", "width_lower", "width_upper", "onset"]].isna().all()
    assert lost["width_kind"] == "scale not positive"
    for name in ("width_reason", "form_reason", "onset_reason"):
        assert lost[name] == "the scale is not positive"
    assert lost["emergence_score"] == np.inf


def test_one_scale_is_a_curve_without_a_shape():
    [row] = curve_shapes(table().head(1).assign(n_examples=100)).to_dict("records")
    assert row["n_scales"] == 1
    assert np.isnan(row["emergence_score"])
    assert row["form_reason"] == "one scale has no shape"
