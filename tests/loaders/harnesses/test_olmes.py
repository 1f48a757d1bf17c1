import json
import math

import numpy as np
import pytest

from emergekit import load, rescore
from emergekit.errors import LoadError
from emergekit.loaders import explain

FOLDER = "olmes/models/mix-a/20M/seed-3/step-125"
NAMES = {"acc": "acc_raw", "acc_norm": "acc_per_char", "acc_mutual_info": "acc_uncond"}


def per_token(samples):
    picks = [
        int(np.argmax(np.array(row["choice_logprobs"]) / row["choice_tokens"]) == row["gold"])
        for _, row in samples.iterrows()
    ]
    return np.mean(picks)


def test_the_path_names_model_seed_and_step_and_is_noted(files):
    tables = load(files / FOLDER)
    assert tables.models.iloc[0].to_dict() == {
        "model": "mix-a-20M",
        "step": 125,
        "seed": 3,
        "family": "mix-a",
        "n_params": 20e6,
        "n_params_source": "parsed",
    }
    assert tables.samples[["task", "n_shots", "step", "seed"]].iloc[0].tolist() == [
        "arc_easy", 5, 125, 3
    ]  # fmt: skip
    assert any("told by the path only" in said for said in tables.notes["message"])


def test_requests_are_read_with_their_answers(files):
    rows = explain(files / FOLDER)
    about = dict(zip(rows["file"].str.rpartition("-")[2], rows["about"], strict=True))
    assert about["requests.jsonl"] == "read with another file"
    assert set(rows["format"].dropna()) == {"olmes"}


def test_what_is_scored_again_is_what_the_metrics_file_says(files):
    tables = load(files / FOLDER)
    scores = rescore(tables.samples, list(NAMES)).set_index("metric")["score"]
    said = tables.results.set_index("metric")["score"]
    for name in NAMES:
        assert scores[name] == said[name] == tables.samples[f"reported_{name}"].mean()
    assert per_token(tables.samples) == said["acc_per_token"]
    assert set(tables.results["n_examples"]) == {2}


def test_real_predictions_give_their_own_scores_again(formats):
    file = next((formats / "olmes").glob("*.jsonl"))
    tables = load(file)
    records = [json.loads(line) for line in file.read_text().splitlines()]
    scores = rescore(tables.samples, [*NAMES, "bits_per_byte"]).set_index("metric")["score"]
    for ours, theirs in NAMES.items():
        expected = np.mean([record["metrics"][theirs] for record in records])
        assert scores[ours] == pytest.approx(expected, abs=1e-12), ours
    expected = np.mean([record["metrics"]["acc_per_token"] for record in records])
    assert per_token(tables.samples) == expected
    gold = [record["model_output"][record["label"]] for record in records]
    nats = -sum(one["sum_logits"] for one in gold)
    n_bytes = [round(-one["sum_logits"] / one["logits_per_byte"] / math.log(2)) for one in gold]
    assert scores["bits_per_byte"] == pytest.approx(nats / math.log(2) / sum(n_bytes), rel=1e-12)
    each = rescore(tables.samples, "bits_per_byte", by="example_id").set_index("example_id")
    for record, one in zip(records, gold, strict=True):  # "exact to 1e-6": they are 32-bit floats
        ours = each.loc[record["native_id"], "score"]
        assert ours == pytest.approx(one["logits_per_byte"], rel=1e-6)
    assert tables.samples["choice_bytes"].iloc[0] == [60, 55, 51, 44]
    assert tables.models["model"].tolist() == ["32890bd27f74"]


RECORD = {
    "doc_id": 0,
    "metrics": {},
    "label": 0,
    "model_output": [{"sum_logits": -1.0, "num_tokens": 1, "num_chars": 2}],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": 3}, "line 1: 'label' names choice 3, but there are 1"),
        ({"label": "x"}, "line 1: 'label' must be a whole number"),
        ({"model_output": 3}, "'model_output' must be a list"),
        ({"model_output": [3]}, "'model_output.0' must be an object"),
        ({"model_output": [{"sum_logits": "x"}]}, "'model_output.0.sum_logits' must be a number"),
        ({"metrics": 3}, "'metrics' must be an object"),
    ],
)
def test_a_damaged_line_is_named(write, change, said):
    with pytest.raises(LoadError, match=said):
        load(write(json.dumps(RECORD | change), "task-000-t-predictions.jsonl"))


def test_generated_answers_are_text(write):
    record = RECORD | {"label": ["4", "four"], "model_output": [{"continuation": "4"}]}
    samples = load(write(json.dumps(record), "task-001-sums-predictions.jsonl")).samples
    assert samples[["task", "prediction"]].iloc[0].tolist() == ["sums", "4"]
    assert samples["target"].iloc[0] == ["4", "four"]
