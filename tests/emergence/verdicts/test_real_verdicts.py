"""Verdicts on real curves; the specification's numbers stand beside ours where they differ."""

import pandas as pd
import pytest

import emergekit as ek
from emergekit import datasets, join_models

RUNS = {
    "peteish13_eval_full": "13B",
    "peteish7_eval_full": "7B",
    "peteish7_medlr_eval_full": "7B high lr",
}


@pytest.fixture(scope="module")
def bigg():
    tables = datasets.load_bigg()
    table = join_models(tables.results, tables.models)
    return table[table["n_examples"] >= 30]


@pytest.fixture(scope="module")
def olmo():
    tables = datasets.load_olmo_ladder()
    return join_models(tables.results, tables.models)


@pytest.mark.slow
def test_no_multiple_choice_task_of_bigg_is_genuine_at_twelve_sizes(bigg):
    table = bigg[bigg["query"] == "multiple_choice"]
    table = table[table["metric"].isin(["multiple_choice_grade", "confidence_brier"])]
    rows = ek.mirage_test(table, continuous="confidence_brier")
    assert len(rows) == 33
    assert not (rows["verdict"] == "genuine").any()
    # Specification: smallest p_break .069, q .775; 16 no_rise and 3 not_mediated.
    assert rows["p_break"].min() == pytest.approx(0.069, abs=0.03)
    assert rows["q_break"].min() > 0.5
    reasons = rows["reason"].value_counts()
    assert (reasons["no_rise"], reasons["not_mediated"]) == (16, 3)
    mirages = {"implicatures", "physics", "swahili_english_proverbs"}
    assert set(rows.loc[rows["verdict"] == "mirage", "task"]) >= mirages
    sports = rows.set_index("task").loc["sports_understanding"]
    assert sports["verdict"] == "resolution_limited"
    assert sports["pre_share"] == pytest.approx(0.63, abs=0.06)


def test_generative_tasks_of_bigg_are_judged_as_specified(bigg):
    table = bigg[(bigg["query"] != "multiple_choice") & (bigg["metric"] == "exact_match")]
    rows = ek.mirage_test(table).set_index("task")
    assert not (rows["verdict"] == "genuine").any()
    for task in ("word_sorting", "modified_arithmetic", "word_unscrambling", "language_games"):
        assert rows.loc[task, "verdict"] == "resolution_limited", task
    assert rows.loc["linguistic_mappings", "verdict"] == "smooth"
    # Specification: .96 and 3.3 expected hits. The best smooth curve fits the zeros exactly and
    # expects none of them to be a hit; its grid of curves was coarser.
    jump = rows.loc["modified_arithmetic"]
    assert jump["p_smooth_sharp"] > 0.9
    assert jump["expected_hits"] < 3.3


def test_pythia_arithmetic_at_seven_sizes_is_undecided():
    tables = datasets.load_pythia_arithmetic()
    table = join_models(tables.results, tables.models)
    last = table[table["step"] == 143000]
    rows = ek.mirage_test(last, kind="em", chance=0.0)
    assert (rows["verdict"] == "undecided").all()
    few = rows.set_index(["task", "n_shots"]).loc[("arithmetic_addition", 16)]
    assert (few["m"], few["reason"]) == (7, "no_continuous")
    assert few["p_break"] == pytest.approx(0.28, abs=0.12)
    assert few["p_smooth_sharp"] <= 0.01
    with pytest.raises(ValueError, match="last checkpoint"):
        ek.mirage_test(table, kind="em", chance=0.0)


def test_mmlu_by_letter_has_a_threshold_in_three_of_three_runs(olmo):
    table = olmo[(olmo["task"] == "mmlu_mc") & (olmo["subtask"] == "mean") & (olmo["loss"] < 3.1)]
    runs = ek.mirage_test(table, x="loss", by_run=True).set_index("run")
    runs = runs.drop(index="peteish7-anneal")  # a single checkpoint
    assert runs["verdict"].tolist() == ["genuine"] * 3
    assert (runs["evidence"] == "implied").all()
    assert runs["m"].sort_values().tolist() == [14, 17, 19]
    # Specification: p_break .005, .005, .015 (.001, .010, .009 with 999 draws) over its coarser
    # dictionary; over ours .0002, .014 and .030 with 4,999.
    assert (runs["p_break"] <= 0.05).all()
    row = ek.mirage_test(table, x="loss").iloc[0]
    assert (row["verdict"], row["n_runs"], row["n_agree"]) == ("genuine", 3, 3)
    assert row["p_break"] < 0.01
    # loss_and_transitions: power hinge at 2.679, 2.701 and 2.714 nats of C4 loss.
    ends = (row["eta_lower"], row["eta"], row["eta_upper"])
    assert ends == pytest.approx((2.679, 2.701, 2.714), abs=0.01)
    assert "no vote" in row["note"]


def test_mmlu_by_ranked_choice_is_smooth_in_three_of_three_runs(reference_files):
    table = pd.read_parquet(reference_files / "loss" / "olmo_ladder_checkpoints.parquet")
    table = table[table["run"].isin(RUNS) & (table["c4_en_ce"] < 3.1) & (table["step"] > 0)]
    groups = ("stem", "humanities", "social_sciences", "other")
    score = table[[f"mmlu_{group}_test_rc_5shot_len_norm" for group in groups]].mean(axis=1)
    run = table["run"].map(RUNS)
    results = pd.DataFrame(
        {"model": run, "run": run, "step": table["step"], "task": "mmlu_rc", "metric": "acc_norm"}
    ).assign(score=score, n_examples=14_042, chance=0.25, loss=table["c4_en_ce"])
    results = results.dropna(subset="score").drop_duplicates(["run", "step"])
    rows = ek.mirage_test(results, x="loss", by_run=True)
    assert rows["verdict"].tolist() == ["smooth"] * 3
    assert (rows["p_break"] > 0.5).all()
    assert (rows["p_rev"] <= 0.01).all()


def test_letter_accuracy_is_not_mediated_by_the_likelihood_of_written_out_answers(olmo):
    near = olmo[olmo["run"].isin(["peteish13", "peteish7"]) & (olmo["loss"] < 3.1)]
    letters = near[(near["task"] == "mmlu_mc") & (near["subtask"] == "mean")]
    written = near[(near["task"] == "mmlu_rc") & (near["metric"] == "bits_per_byte")]
    both = pd.concat([letters, written.assign(task="mmlu_mc", subtask="mean")], ignore_index=True)
    row = ek.mirage_test(both, x="loss", continuous="bits_per_byte").iloc[0]
    assert (row["verdict"], row["reason"]) == ("undecided", "not_mediated")
    assert row["p_break"] > 0.05


def test_no_task_of_the_ladders_final_models_is_genuine(olmo):
    finals = olmo[olmo["is_final"] & (olmo["family"] == "OLMo ladder")]
    table = finals[finals["task"].str.endswith("_rc")]
    rows = ek.mirage_test(table, x="loss", continuous="bits_per_byte").set_index("task")
    assert len(rows) == 10
    assert (rows["m"] == 30).all()
    assert not (rows["verdict"] == "genuine").any()
    for task in ("hellaswag", "arc_easy", "piqa", "csqa", "boolq"):
        assert rows.loc[f"{task}_rc", "verdict"] == "smooth", task
    # Specification: mirage, pre_share .70; on the raw bits per byte, where ours are their log.
    assert rows.loc["openbookqa_rc", "verdict"] == "mirage"
    assert rows.loc["openbookqa_rc", "pre_share"] == pytest.approx(0.70, abs=0.06)
    assert rows.loc["winogrande_rc", "reason"] == "not_mediated"
