import csv
import json

import pytest

from emergekit import load
from emergekit.errors import LoadError


def test_evaluations_find_the_sizes_of_their_models(files):
    tables = load(files / "dclm")
    models = tables.models.set_index("model")
    assert models.loc["tiny", ["n_params", "n_tokens", "seed"]].tolist() == [11e6, 220e6, 124]
    assert models.loc["tiny-other", ["n_params", "model_uuid"]].tolist() == [11e6, "m2"]
    rows = tables.results.set_index(["model", "task"])
    assert rows.loc[("tiny", "copa"), "score"] == 0.6
    centered = rows.loc[("tiny", "aggregated_task_categories_centered.safety")]
    assert centered[["metric", "score", "is_group"]].tolist() == ["centered_accuracy", -0.1, True]
    assert rows.loc[("tiny-other", "copa"), ["metric", "score"]].tolist() == ["perplexity", 2.5]
    assert ("tiny-other", "mmlu_zeroshot") in rows.index
    assert set(models["n_params_source"]) == {"reported"}


def test_a_real_evaluation_is_read_value_for_value(formats):
    file = next((formats / "dclm").glob("*.json"))
    content = json.loads(file.read_text())
    scores = load(file).results.set_index("task")["score"].to_dict()
    for task, value in content["eval_metrics"]["icl"].items():
        assert scores[task] == value
    for name, value in content["aggregated_task_categories_centered"].items():
        assert scores[f"aggregated_task_categories_centered.{name}"] == value
    assert scores["Core"] == content["Core"]
    assert "95%_CI_above" not in scores  # a mean over tasks of their choice, no score


def test_the_real_table_is_read_value_for_value(formats):
    file = next((formats / "dclm").glob("*.csv"))
    tables = load(file)
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(tables.models) == len(rows) == 59
    assert tables.models["n_params"].tolist() == [float(row["params"]) for row in rows]
    assert tables.models["n_tokens"].tolist() == [float(row["tokens"]) for row in rows]
    for task in ("mmlu_zeroshot", "arc_easy", "svamp_cot", "Core"):
        expected = [float(row[task]) for row in rows if row[task]]
        ours = tables.results.query("task == @task and metric != 'perplexity'")
        assert ours["score"].tolist() == expected


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ('{"eval_metrics": {"icl": {"copa": "x"}}, "model_uuid": "m"}', "a.json",
         "'eval_metrics.icl.copa' must be a number"),
        ('{"eval_metrics": {"icl": []}, "model_uuid": "m"}', "a.json",
         "'eval_metrics.icl' must be an object"),
        ('{"eval_metrics": {"icl": {}}, "model_uuid": "m"}', "a.json", "there are no scores"),
        ("Model JSON,params,tokens,model_uuid,copa\na.json,1,2,m,x\n", "a.csv",
         "line 2: 'copa' must be a number, but holds 'x'"),
        ("Model JSON,params,model_uuid,copa\na.json,1,m,0.5\n", "a.csv",
         "Unknown column 'tokens'"),
    ],
)  # fmt: skip
def test_damage_is_named(write, text, name, said):
    with pytest.raises(LoadError, match=said):
        load(write(text, name))


def test_columns_that_are_there_twice_are_named(files, write):
    text = (files / "dclm" / "DCLM_model_database.csv").read_text()
    with pytest.raises(LoadError, match="two columns are named 'params'"):
        load(write(text.replace("perplexity.copa", "params", 1), "DCLM_model_database.csv"))
