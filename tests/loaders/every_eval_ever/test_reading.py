"""Every Eval Ever is read leniently: versions 0.2 and 0.3, of whoever wrote them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from emergekit import load
from emergekit.errors import LoadError

FOLDER = Path(__file__).parents[2] / "files" / "every_eval_ever"
RESULTS = next(FOLDER.glob("*[0-9].json"))


def test_scores_in_percent_become_fractions_with_their_errors_and_bounds():
    tables = load(RESULTS)
    row = tables.results.set_index("metric").loc["exact_match"]
    expected = {"score": 0.625, "stderr": 0.125, "lower": 0.4, "upper": 0.8, "low": 0, "high": 1}
    assert row[list(expected)].to_dict() == expected
    assert row["n_examples"] == 16
    assert row["n_shots"] == 5
    assert row["higher_is_better"]
    assert tables.notes["message"].str.contains("1 scores in percent became fractions").any()


def test_a_namespaced_id_gives_way_to_the_kind_of_the_metric():
    row = load(RESULTS).results.set_index("metric").loc["nll"]
    assert row["score"] == 1.25
    assert not row["higher_is_better"]
    assert pd.isna(row["high"])


def test_an_unknown_level_is_no_score():
    tables = load(RESULTS)
    assert "politeness" not in set(tables.results["metric"])
    assert tables.notes["message"].str.contains("1 without a score left out").any()


def test_sizes_in_billions_are_counts_that_the_file_reports():
    model = load(RESULTS).models.iloc[0]
    assert model["n_params"] == 1_500_000_000
    assert model["n_params_source"] == "reported"


def test_answers_are_what_was_taken_out_of_the_output():
    samples = load(FOLDER).samples.set_index("example_id")
    assert samples["prediction"].to_dict() == {"1": "2", "2": "4"}
    assert samples["target"].to_dict() == {"1": "2", "2": ["3", "three"]}
    assert samples["metadata_digits"].loc["1"] == "1"
    assert samples["is_correct"].to_dict() == {"1": True, "2": False}


def test_scores_that_only_their_id_tells_apart_get_it_as_subtask(write):
    content = json.loads(RESULTS.read_text())
    first = content["evaluation_results"][0]
    content["evaluation_results"] = [first | {"evaluation_result_id": name} for name in "ab"]
    assert set(load(write(json.dumps(content), "x.json")).results["subtask"]) == {"a", "b"}


def test_a_newer_version_is_read_with_a_note(write):
    content = json.loads(RESULTS.read_text()) | {"schema_version": "0.9.0"}
    notes = load(write(json.dumps(content), "x.json")).notes
    assert notes["message"].str.contains("is version 0.9.0; read as 0.3").any()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"model_info": []}, "'model_info' must be an object with named fields"),
        ({"model_info": {"name": 3}}, "'model_info.id' is absent"),
        ({"evaluation_results": [{"evaluation_name": "t"}]}, "evaluation_results.0.score_details"),
        ({"evaluation_results": []}, None),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(write, damage, said):
    path = write(json.dumps(json.loads(RESULTS.read_text()) | damage), "x.json")
    if said is None:
        assert load(path).results.empty
        return
    with pytest.raises(LoadError, match=said):
        load(path)


def test_real_files_give_the_numbers_that_they_hold(reference_files):
    folder = reference_files / "formats" / "every_eval_ever"
    for file in folder.glob("*[0-9a-f].json"):
        results = load(file).results
        listed = json.loads(file.read_text())["evaluation_results"]
        assert results["score"].tolist() == [e["score_details"]["score"] for e in listed], file.name
        assert results["task"].tolist() == [entry["evaluation_name"] for entry in listed]
        directions = [not entry["metric_config"]["lower_is_better"] for entry in listed]
        assert results["higher_is_better"].tolist() == directions


def test_a_record_of_version_0_2_has_its_size_and_its_metrics(reference_files):
    file = "98ea850e-7019-4728-a558-8b1819ec47c2.json"
    tables = load(reference_files / "formats" / "every_eval_ever" / file)
    assert tables.models["n_params"].tolist() == [8.357e9]
    metrics = tables.results.set_index("task")["metric"]
    assert metrics["MATH Level 5"] == "exact_match"
    assert metrics["IFEval"] == "accuracy"


def test_a_real_sample_has_its_answer(reference_files):
    file = "f3a1c0de-4b2e-4c1a-9f6d-1b7e5a2c8d40_samples.jsonl"
    row = load(reference_files / "formats" / "every_eval_ever" / file).samples.iloc[0]
    assert (row["prediction"], row["target"], row["score"]) == ("4", "4", 1.0)
