"""The one table: what it holds, that it agrees with its parts, and that it invents nothing."""

import numpy as np
import pandas as pd
import pytest

import emergekit as ek
from emergekit import datasets, emergence_table, join_models, laws
from emergekit.emergence import simulate_world
from emergekit.errors import TableError
from emergekit.reporting.layout import FORECAST
from emergekit.reporting.sizes import Bridge, threshold_sizes

# An empty number, and the column that says why.
REASONS = {
    "emergence_score": "shape_reason",
    "onset": "onset_reason",
    "form": "form_reason",
    "emergence_p_value": "form_reason",
    "verdict": "reason",
    **dict.fromkeys(
        ("p_break", "q_break", "p_rev", "p_mirage", "q_mirage", "p_link", "p_smooth_sharp"),
        "p_reason",
    ),
    **dict.fromkeys(("pre_share", "eta", "eta_lower", "eta_upper", "items_needed"), "p_reason"),
    **dict.fromkeys(("threshold_loss", "threshold_loss_lower"), "threshold_reason"),
    **dict.fromkeys(("threshold_n_params", "threshold_n_params_upper"), "threshold_size_reason"),
    **dict.fromkeys(FORECAST, "forecast_reason"),
}


@pytest.fixture(scope="module")
def scores():
    """Return one mirage: exact match and the loss of the same answers at 12 scales."""
    return simulate_world("em K=10", n_items=1000)


@pytest.fixture(scope="module")
def letters():
    """Return MMLU by letters and by ranked choice of three runs over their loss."""
    tables = datasets.load_olmo_ladder()
    asked = tables.results.query("task == 'mmlu_mc' and subtask == 'mean' or task == 'mmlu_rc'")
    table = join_models(asked, tables.models)
    return table[table["run"].str.startswith("peteish") & ~table["run"].str.contains("anneal")]


def test_every_curve_has_one_row_that_agrees_with_the_parts(scores):
    table = emergence_table(scores, x="flops")
    shapes = ek.curve_shapes(scores, x="flops")
    pd.testing.assert_frame_equal(
        table[list(shapes)], shapes, check_dtype=False, check_column_type=False
    )
    verdict = ek.mirage_test(scores, x="flops").iloc[0]
    row = table.iloc[0]
    for name in ("verdict", "evidence", "reason", "p_break", "q_break", "p_mirage", "n_items"):
        assert row[name] == verdict[name], name
    assert (row["verdict"], row["continuous"]) == ("mirage", "token_nll")
    assert table["reason"].iloc[1] == "stands behind exact_match"
    assert pd.isna(table["verdict"].iloc[1])


def test_what_is_read_first_comes_first(scores):
    table = emergence_table(scores, x="flops")
    assert list(table)[:6] == ["task", "metric", "family", "verdict", "reason", "evidence"]
    assert list(table)[-1] == "x"
    assert list(table)[-11:-5] == [*FORECAST]


@pytest.mark.parametrize("case", ["mirage", "few", "no continuous", "alone", "twice", "percent"])
def test_every_empty_number_has_its_reason(scores, case):
    sharp = scores["metric"].eq("exact_match")
    given = {
        "mirage": scores,
        "few": scores[scores["model"] < "m04"],
        "no continuous": scores[sharp],
        "alone": scores[~sharp],
        "twice": pd.concat([scores, scores.head(1)], ignore_index=True),
        "percent": scores.assign(score=scores["score"].where(~sharp, 100 * scores["score"])),
    }[case]
    table = emergence_table(given, x="flops", n_boot=39)
    for number, reason in REASONS.items():
        empty = table[table[number].isna()]
        assert empty[reason].astype(bool).all(), number


def test_tables_a_folder_and_joined_scores_give_the_same(scores, tmp_path):
    models = scores[["model", "family", "flops"]].drop_duplicates()
    results = scores.drop(columns=["family", "flops"])
    joined = emergence_table(scores, x="flops", n_boot=39)
    tables = emergence_table(ek.Tables(models=models, results=results), n_boot=39)
    assert tables.attrs["x"] == "flops"
    pd.testing.assert_frame_equal(tables, joined)
    models.to_csv(tmp_path / "models.csv", index=False)
    results.to_csv(tmp_path / "results.csv", index=False)
    told = ["task", "metric", "verdict", "reason", "p_break", "p_mirage"]
    pd.testing.assert_frame_equal(emergence_table(tmp_path, n_boot=39)[told], joined[told])


def test_verdicts_are_the_same_on_every_engine(scores):
    serial = emergence_table(scores, x="flops", n_boot=19)
    spread = emergence_table(scores, x="flops", n_boot=19, engine="processes", n_workers=2)
    pd.testing.assert_frame_equal(serial, spread)


def test_the_scale_that_ties_no_checkpoints_is_taken(letters):
    rows = letters[(letters["run"] == "peteish7-medlr") & (letters["task"] == "mmlu_mc")]
    assert emergence_table(rows, n_boot=19).attrs["x"] == "flops"


def test_mmlu_by_letters_is_genuine_in_three_of_three_runs_and_smooth_when_ranked(letters):
    # Specification of the verdicts, section 4: letters genuine (implied) in all three runs; ranked
    # choice smooth in all (that of the third run is not among the data that come with the package).
    near = letters[(letters["loss"] < 3.1) & (letters["metric"] != "bits_per_byte")]
    table = emergence_table(near, x="loss")
    asked, ranked = (table[table["task"] == task] for task in ("mmlu_mc", "mmlu_rc"))
    assert asked["verdict"].tolist() == ["genuine"] * 3
    assert (asked["evidence"] == "implied").all()
    assert asked[["n_votes", "n_agree"]].eq(3).all(axis=None)
    assert ranked["verdict"].tolist() == ["smooth"] * len(ranked)
    assert len(ranked) == 2
    # fit_threshold's power hinges, loss_and_transitions section 5: 2.679, 2.701, 2.714 nats
    assert asked["eta"].sort_values().tolist() == pytest.approx([2.679, 2.701, 2.714], abs=0.01)
    assert ranked["eta"].isna().all()


@pytest.fixture(scope="module")
def law():
    """Return the law of loss of the ladder that stands below those runs."""
    models = datasets.load_olmo_ladder().models
    with pytest.warns(ek.FitWarning):
        return ek.fit(laws.CHINCHILLA, models.query("is_final and family == 'OLMo ladder'"))


def test_a_threshold_in_loss_becomes_a_size_by_a_law(letters, law):
    rows = letters[(letters["task"] == "mmlu_mc") & (letters["step"] > 0)]
    row = emergence_table(rows, x="loss", n_boot=19, law=law).iloc[0]
    assert row["threshold_verdict"] == "threshold"
    assert row["threshold_loss"] == pytest.approx(2.70, abs=0.03)
    assert row["threshold_loss_lower"] < 2.70 < row["threshold_loss_upper"]
    size = ek.threshold(
        law,
        row["threshold_loss"],
        tokens_per_param=20,
        interval=(row["threshold_loss_lower"], row["threshold_loss_upper"]),
    )
    assert row["threshold_n_params"] == size["estimate"][0]
    assert row["threshold_n_params_upper"] == size["upper"][0]
    assert "law chinchilla on 30 runs at 20 tokens a parameter" in row["threshold_size_reason"]
    alone = emergence_table(rows, x="loss", n_boot=19).iloc[0]
    assert np.isnan(alone["threshold_n_params"])
    assert "no law of loss: 3 finished runs" in alone["threshold_size_reason"]


def test_a_family_of_enough_runs_has_its_own_law():
    tables = datasets.load_olmo_ladder()
    finals = join_models(tables.results.query("task == 'arc_challenge_rc'"), tables.models)
    finals = finals.query("is_final and family == 'OLMo ladder' and metric == 'acc_norm'")
    at = pd.DataFrame({"threshold_loss": [3.0], "threshold_loss_lower": [2.9]})
    at["threshold_loss_upper"] = 3.1
    sizes = threshold_sizes(at, ["OLMo ladder"], Bridge(finals), level=0.95, seed=0).iloc[0]
    assert "law chinchilla on 30 runs" in sizes["threshold_size_reason"]
    ends = [sizes[f"threshold_n_params{end}"] for end in ("_lower", "", "_upper")]
    assert 8e8 < ends[0] < ends[1] < ends[2] < 4e9


@pytest.fixture(scope="module")
def bigg():
    tables = datasets.load_bigg()
    table = tables.results[tables.results["n_examples"] >= 30]
    chosen = table["metric"].isin(["multiple_choice_grade", "confidence_brier"])
    mc = table[table["query"].eq("multiple_choice") & chosen]
    return ek.Tables(models=tables.models, results=mc)


def test_no_multiple_choice_task_of_bigg_is_genuine(bigg):
    chosen = bigg.results["task"].drop_duplicates().sort_values().iloc[::4]
    some = bigg.results[bigg.results["task"].isin(chosen)]
    table = emergence_table(
        ek.Tables(models=bigg.models, results=some), continuous="confidence_brier", n_boot=39
    )
    assert not table["verdict"].eq("genuine").any()


@pytest.mark.slow
def test_no_multiple_choice_task_of_bigg_is_genuine_with_all_draws(bigg):
    table = emergence_table(bigg, continuous="confidence_brier", n_boot=999)
    judged = table[table["verdict"].notna()]
    assert (len(table), len(judged)) == (66, 33)
    assert not judged["verdict"].eq("genuine").any()
    assert judged["q_break"].min() > 0.5


BAD = {
    "few scales": (lambda t: t[t["model"] < "m04"], "few_scales"),
    "one run": (lambda t: t.head(1), "few_scales"),
    "unpaired": (lambda t: t[t["metric"] == "token_nll"], "no_sharp_metric"),
    "percentages": (lambda t: t.assign(score=100 * t["score"]), "bad_input"),
    "n unknown": (lambda t: t.drop(columns="n_examples"), "n_unknown"),
    "all at chance": (lambda t: t.assign(score=t["score"].where(t["metric"] != "exact_match", 0.0)),
                      "no_rise"),
    "inverse scaling": (lambda t: t.query("metric == 'exact_match'").assign(
        flops=t["flops"].max() / t["flops"] * 1e18), "inverse_scaling"),
    "ties": (lambda t: t.assign(flops=t["flops"].where(t["model"] != "m03", t["flops"].max())),
             "bad_input"),
    "no number": (lambda t: t.assign(score=t["score"].where(t["model"] != "m03")), "bad_input"),
    "not positive": (lambda t: t.assign(flops=-t["flops"]), "bad_input"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_judged_is_undecided_with_a_reason(scores, case):
    spoil, reason = BAD[case]
    row = emergence_table(spoil(scores), x="flops", n_boot=39).iloc[0]
    assert (row["verdict"], row["reason"]) == ("undecided", reason)
    assert (reason == "inverse_scaling") == (row["needs"] == "")


def test_one_bad_task_costs_no_other_task_its_verdict(scores):
    twice = scores.assign(task="twice")
    percent = scores.assign(task="percent", score=100 * scores["score"])
    bad = pd.concat([scores, twice, twice.head(1), percent], ignore_index=True)
    table = emergence_table(bad, x="flops", n_boot=39)
    alone = emergence_table(scores, x="flops", n_boot=39).iloc[0]
    row = table[table["task"].eq("em K=10 0")].iloc[0]
    pd.testing.assert_series_equal(row, alone)
    assert set(table.loc[table["task"] != "em K=10 0", "verdict"].dropna()) == {"undecided"}
    assert "m00" in table.loc[table["shape_reason"].ne(""), "shape_reason"].item()
    assert [note["field"] for note in table.attrs["notes"]] == ["curve"]


def test_scores_without_a_loss_are_left_out_of_the_threshold_and_counted(scores):
    loss = 20 - np.log10(scores["flops"]) / 2
    some = scores.assign(loss=loss.where(scores["model"] != "m03"))
    row = emergence_table(some, x="flops", n_boot=19).iloc[0]
    assert row["threshold_reason"].endswith("1 of 12 scores have no loss")
    over = emergence_table(some, x="loss", n_boot=19)
    assert over["n_scales"].iloc[0] == 11
    assert "2 of 24 scores have no loss" in over.attrs["notes"][0]["message"]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (3, {}, "takes Tables, a DataFrame of results or a path, not int"),
        (ek.Tables(), {}, "there are no scores"),
        (pd.DataFrame({"model": ["a"]}), {}, "'task'"),
        ("scores", {"x": "flop"}, "Did you mean 'flops'"),
        ("scores", {"loss": "los"}, "'los' is absent"),
        ("scores", {"sharp": "acc"}, "Unknown metric for sharp= 'acc'"),
        ("scores", {"tokens_per_param": 0}, "tokens_per_param must be positive"),
        ("scores", {"level": 95}, "level must lie between 0 and 1"),
        ("scores", {"n_boot": 3}, "take 19 or more"),
        ("scores", {"engine": "fog"}, "Unknown engine 'fog'"),
    ],
)
def test_what_cannot_be_meant_is_refused(scores, given, options, message):
    table = scores if isinstance(given, str) else given
    with pytest.raises(ValueError, match=message):
        emergence_table(table, **options)


def test_scores_without_a_scale_are_refused_with_the_remedy(scores):
    with pytest.raises(TableError, match="no two scores of one curve differ in a scale"):
        emergence_table(scores.drop(columns="flops"))
    with pytest.raises(TableError, match="no score has a number in 'flops'"):
        emergence_table(scores.assign(flops="many"), x="flops")


def test_checkpoints_before_training_cost_no_ability_its_verdict(scores):
    first = scores.groupby("metric").head(1)
    untrained = first.assign(model="untrained", flops=0.0, score=first["score"].min())
    table = emergence_table(pd.concat([untrained, scores], ignore_index=True), x="flops", n_boot=49)
    assert table["verdict"].ne("undecided").any()
    said = [note["message"] for note in table.attrs["notes"]]
    assert any("before training (flops 0)" in message for message in said)


def test_samples_are_told_how_to_become_scores():
    samples = pd.DataFrame({"model": ["m"], "task": "t", "example_id": 1, "prediction": "a"})
    with pytest.raises(TableError, match="these are samples; score them first"):
        emergence_table(samples)


def test_kind_and_chance_go_to_the_verdict(scores):
    table = scores.assign(metric=scores["metric"].replace("exact_match", "acc"))
    options = {"continuous": "token_nll", "kind": "em", "chance": 0.0}
    told = emergence_table(table, x="flops", n_boot=49, **options)
    named = emergence_table(scores, x="flops", n_boot=49)
    assert told["verdict"].tolist() == named["verdict"].tolist()
    with pytest.raises(ValueError, match="kind"):
        emergence_table(table, x="flops", kind="exact")
