import json
import math
import shutil
from pathlib import Path

import pytest

from emergekit import load, rescore
from emergekit.errors import LoadError

TASK = Path(__file__).parents[2] / "files" / "big_bench" / "rivers"
SCORES = TASK / "results" / "scores_Tiny_2m_T=0.json"
LOG = TASK / "results" / "full-logs_Tiny_16m_T=0.json"


def changed(path, source, **fields):
    path.write_text(json.dumps(json.loads(source.read_text()) | fields))
    return path


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def test_every_metric_of_every_subtask_and_shot_is_a_row():
    tables = load(SCORES)
    rows = tables.results.set_index(["subtask", "n_shots", "metric"])
    assert rows["score"].to_dict() == {
        ("length", 0, "multiple_choice_grade"): 0.5,
        ("length", 0, "expected_calibration_error"): 0.25,
        ("length", 2, "multiple_choice_grade"): 0.75,
        ("length", 2, "expected_calibration_error"): 0.125,
        ("names", 0, "bleu"): 0.125,
        ("names", 0, "rougeLsum"): 0.5,
        ("names", 0, "exact_str_match"): 0.25,
        ("names", 0, "log_likelihood"): -3.5,
    }
    assert "1 rows of normalized_aggregate_score" in said(tables)
    assert "in percent, divided by 100: bleu, rougeLsum" in said(tables)


def test_bounds_are_those_of_the_preferred_metric_alone():
    rows = load(SCORES).results.set_index(["subtask", "n_shots", "metric"])
    preferred = rows[rows["is_preferred"]]
    assert preferred["low"].to_dict() == {
        ("length", 0, "multiple_choice_grade"): 0.25,
        ("length", 2, "multiple_choice_grade"): 0.25,
        ("names", 0, "bleu"): 0.0,
    }
    assert set(preferred["high"]) == {1.0}
    assert rows.loc[~rows["is_preferred"], ["low", "high"]].isna().all(axis=None)


def test_sizes_are_those_of_the_file_and_zero_is_none():
    models = load(TASK).models.set_index("model")
    assert models.loc["Tiny T=0 2m", ["n_params", "n_params_kind"]].tolist() == [
        2_000_000,
        "non-embedding",
    ]
    assert models.loc["Tiny T=0 16m", ["n_params", "n_params_kind"]].tolist() == [
        16_000_000,
        "total",
    ]
    assert set(models["family"]) == {"Tiny T=0"}


def test_a_task_folder_is_read_whole_and_no_score_twice(tmp_path):
    folder = Path(shutil.copytree(TASK, tmp_path / "rivers"))
    shutil.copy(LOG, folder / "results" / "scores_Tiny_16m_T=0.json")
    changed(folder / "results" / "scores_Tiny_16m_T=0.json", LOG, queries=[])
    tables = load(folder)
    assert len(tables.results) == 10
    assert len(tables.samples) == 4
    assert not tables.notes["message"].str.contains("task.json|several files").any()


def test_multiple_choice_keeps_soft_targets():
    rows = load(LOG).samples.dropna(subset="choices")
    assert rows["choice_scores"].tolist() == [[1.0, 0.0], [0.5, 0.0, 0.5]]
    assert rows["gold"].tolist() == [0, [0, 2]]
    assert rows["choice_logprobs"].tolist() == [[-0.5, -1.0], [-3.0, -1.0, -2.0]]
    assert rows["prediction"].tolist() == ["yes", "no"]
    (row,) = rescore(rows, "multiple_choice_grade").to_dict("records")
    assert row["score"] == 0.5


def test_generated_text_and_its_scoring_are_one_sample():
    rows = load(LOG).samples.query("subtask == 'names'")
    assert rows["prediction"].tolist() == ["Aa", "Po"]
    assert rows["reported_exact_str_match"].tolist() == [1.0, 0.0]
    assert rows["target"].tolist() == [["Aa", "Aare"]] * 2
    assert rows["logprob"].iloc[0] == pytest.approx(math.log(0.75))  # a half and a quarter
    assert rows["example_id"].is_unique
    assert rows["n_shots"].isna().all()
    assert "3 answers do not say how many worked examples" in said(load(LOG))


def test_the_question_names_the_example_whoever_is_asked(tmp_path):
    log = json.loads(LOG.read_text())
    other = log["model"] | {"model_name": "1b"}
    turned = [log["queries"][0] | {"samples": log["queries"][0]["samples"][::-1]}]
    tables = load(changed(tmp_path / "other.json", LOG, model=other, queries=turned))
    mine = load(LOG).samples.set_index("example_id")["choices"].dropna()
    assert tables.samples.set_index("example_id")["choices"].sort_index().equals(mine.sort_index())


QUERY = {"function": "cond_log_prob", "shots": 0}
SAMPLE = {"input": "a", "targets": ["x", "y"], "absolute_scores": [-1, -2]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": {}}, "'task.task_name' is absent"),
        ({"model": {"model_name": 3}}, "'model.model_family' is absent"),
        ({"scores": {}}, "'scores' must be a list"),
        ({"scores": [{"preferred_score": "a"}]}, "'scores.0.score_dict' is absent"),
        (
            {"scores": [{"preferred_score": "a", "score_dict": {"a": [1]}}]},
            "'scores.0.score_dict.a",
        ),
        ({"queries": [{"function": "sing", "samples": []}]}, "'queries.0.function' is 'sing', but"),
        ({"queries": [QUERY | {"samples": [{"input": 3}]}]}, "'queries.0.samples.0.targets' must"),
        (
            {"queries": [QUERY | {"samples": [SAMPLE | {"absolute_scores": [-1]}]}]},
            "'queries.0.samples.0.absolute_scores' has 1 numbers for 2 targets",
        ),
        (
            {"queries": [QUERY | {"samples": [SAMPLE | {"target_values": {"x": 1}}]}]},
            "'queries.0.samples.0.target_values.y' is absent",
        ),
    ],
)
def test_wrong_fields_are_named(fields, message, tmp_path):
    with pytest.raises(LoadError, match=message):
        load(changed(tmp_path / "scores_x.json", SCORES, **fields))
