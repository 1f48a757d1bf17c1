import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emergekit import load, rescore
from emergekit.errors import LoadError

STAMP = "2024-05-06T07-08-09.000001"
RESULTS = f"lighteval/results/acme/tiny/results_{STAMP}.json"


def doc(choices, gold, logprobs, score):
    return {
        "__doc__": {"query": "?", "choices": choices, "gold_index": gold},
        "__model_response__": {"text": [], "logprobs": logprobs},
        "__metric__": {"acc": score},
    }


def flat(prediction, gold, score):
    return {
        "full_prompt": "1+1=",
        "predictions": [prediction],
        "gold": [gold],
        "choices": [gold],
        "gold_index": [0],
        "metrics": {"qem": score},
    }


@pytest.fixture
def folder(files, tmp_path):
    """Return a folder as LightEval writes it; the names of details hold bars and colons."""
    shutil.copytree(files / "lighteval", tmp_path, dirs_exist_ok=True)
    details = tmp_path / "details" / "acme" / "tiny" / STAMP
    details.mkdir(parents=True)
    chosen = [doc(["a", "bb"], [1], [-1.0, -0.5], 1), doc(["c", "d"], [0], [-3.0, -0.5], 0)]
    written = [flat("2", "2", 1.0), flat("4", "3", 0.0)]
    for name, rows in (("harness|arc:challenge|25", chosen), ("lighteval|sums|4|0", written)):
        pq.write_table(pa.Table.from_pylist(rows), details / f"details_{name}_{STAMP}.parquet")
    return tmp_path


def test_results_are_read_by_task_and_shots(files):
    tables = load(files / RESULTS)
    rows = tables.results.set_index("task")
    assert rows.loc["arc:challenge", ["n_shots", "suite", "n_examples"]].tolist() == [
        25, "harness", 10
    ]  # fmt: skip
    assert rows.loc["sums", ["n_shots", "n_examples", "n_examples_source"]].tolist() == [
        4, 2, "reported"
    ]  # fmt: skip
    assert rows.loc["wmt", ["score", "stderr"]].tolist() == [0.3, 0.02]
    assert rows["is_group"].to_dict()["all"]
    assert "n_params" not in tables.models  # 20.0 MB is the size on disk
    assert any("max_samples 10" in said for said in tables.notes["message"])


def test_details_give_the_scores_of_their_results(folder):
    tables = load(folder)
    assert tables.models["model"].tolist() == ["acme/tiny"]
    chosen = tables.samples.query("task == 'arc:challenge'").dropna(axis=1, how="all")
    assert chosen["choices"].tolist() == [["a", "bb"], ["c", "d"]]
    assert rescore(chosen, "acc")["score"].tolist() == [0.5] == [chosen["reported_acc"].mean()]
    written = tables.samples.query("task == 'sums'").dropna(axis=1, how="all")
    assert written["n_shots"].tolist() == [4, 4]
    assert written[["prediction", "target"]].values.tolist() == [["2", "2"], ["4", "3"]]
    assert rescore(written, "exact_match")["score"].tolist() == [0.5]


def test_details_alone_are_named_by_their_folder(folder, tmp_path):
    shutil.rmtree(folder / "results")
    tables = load(folder / "details")
    assert tables.models["model"].tolist() == ["acme/tiny"]
    assert (tables.notes["message"] == "'acme/tiny' is named by its folder").any()


def test_the_real_excerpt_is_read_value_for_value(formats):
    file = next((formats / "lighteval").glob("*.json"))
    content = json.loads(file.read_text())
    results = load(file).results.set_index(["task", "metric"])
    for name, scores in content["results"].items():
        _, task, n_shots = name.split("|")
        for metric in ("acc", "acc_norm"):
            row = results.loc[(task, metric)]
            assert (row["score"], row["stderr"], row["n_shots"]) == (
                scores[metric], scores[f"{metric}_stderr"], int(n_shots)
            )  # fmt: skip
    assert results.loc[("arc:challenge", "acc"), "n_examples"] == 1172  # ARC-Challenge, test split


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config_general": {}}, "'config_general.model_name' is absent"),
        ({"results": {"all": {"acc": []}}}, "'results.all.acc' must be a number"),
        ({"results": 3}, "'results' must be an object"),
    ],
)
def test_damage_is_named(files, write, change, said):
    content = json.loads((files / RESULTS).read_text()) | change
    with pytest.raises(LoadError, match=said):
        load(write(json.dumps(content), "results_2024-05-06T07-08-09.json"))


def test_damaged_details_are_one_sentence(folder):
    file = next(folder.rglob("*arc*.parquet"))
    file.write_bytes(file.read_bytes()[:-30] + b"PAR1")
    with pytest.raises(LoadError, match="not a readable parquet file"):
        load(file, format="lighteval_details")
