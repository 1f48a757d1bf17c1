import json
import shutil
from pathlib import Path

import pytest

from emergekit import load, rescore
from emergekit.errors import LoadError

FILES = Path(__file__).parents[2] / "files" / "helm"
RUN = FILES / "colours-level=easy,method=multiple_choice_separate_original,model=acme_tiny"


@pytest.fixture
def run(tmp_path):
    """Return a copy of the run folder, to be damaged."""
    return Path(shutil.copytree(RUN, tmp_path / RUN.name))


def said(tables, severity="warning"):
    return tables.notes.loc[tables.notes["severity"] == severity, "message"].str.cat(sep="\n")


def test_the_headline_is_without_perturbation_and_splits_are_apart():
    results = load(RUN).results
    assert set(results["model"]) == {"acme/tiny"}
    assert set(results["task"]) == {"colours"}
    assert set(results["n_shots"]) == {2}
    rows = results.set_index(["split", "metric"])
    assert rows["score"].to_dict() == {
        ("test", "exact_match"): 0.5,
        ("valid", "exact_match"): 1.0,
        ("test", "logprob"): -1.25,
    }
    assert rows.loc["test", "n_examples"].tolist() == [2, 2]
    method = "level=easy,method=multiple_choice_separate_original"
    assert set(results["subtask"]) == {f"{method},test", f"{method},valid"}


def test_choices_asked_one_by_one_become_log_probabilities_of_choices():
    samples = load(RUN).samples.set_index("example_id")
    assert samples["choice_logprobs"].to_dict() == {
        "id1": [-0.75, -3.5], "id2": [-1.125, -1.25], "id3": [-4.0, -1.0]
    }  # fmt: skip
    assert samples["gold"].to_dict() == {"id1": 0, "id2": 1, "id3": 1}
    assert samples.loc["id1", "target"] == "dark red"
    assert samples.loc["id1", "choice_tokens"] == [2, 2]
    assert samples["reported_exact_match"].tolist() == [1.0, 0.0, 1.0]
    scores = rescore(load(RUN).samples, ["acc"]).set_index("subtask")["score"]
    assert sorted(scores) == [0.5, 1.0]


def test_any_file_of_the_run_stands_for_it_and_claims_the_others():
    whole = load(RUN)
    assert load(RUN / "stats.json").results.equals(whole.results)
    assert load(FILES).results.equals(whole.results)
    assert "1 file read as 'helm'" in said(whole, "info")


def test_a_damaged_file_costs_its_own_rows_only(run):
    (run / "scenario_state.json").write_text('{"request_states": [{"instance": 3}]}')
    tables = load(run)
    assert len(tables.results) == 3
    assert "'request_states.0.instance' must be an object" in said(tables, "error")
    assert tables.samples["reported_exact_match"].tolist() == [1.0, 0.0, 1.0]
    (run / "stats.json").write_text('[{"name": {"name": "f1"}, "count": 1, "mean": "high"}]')
    (run / "per_instance_stats.json").unlink()
    with pytest.raises(LoadError, match=r"stats\.json: '0\.mean' must be a number, but holds 'hi"):
        load(run)
    (run / "run_spec.json").write_text('{"name": "a", "adapter_spec": {"method": "generation"}}')
    with pytest.raises(LoadError, match=r"run_spec\.json: 'adapter_spec\.model' is absent"):
        load(run)


def test_zeros_throughout_are_missing_and_shots_that_did_not_fit_are_noted(run):
    state = (run / "scenario_state.json").read_text()
    content = json.loads(state)
    for record in content["request_states"]:
        record["num_train_instances"] = 1
        for completion in record["result"]["completions"]:
            completion["logprob"] = 0.0
            for token in completion["tokens"]:
                token["logprob"] = 0.0
    (run / "scenario_state.json").write_text(json.dumps(content))
    tables = load(run)
    assert "choice_logprobs" not in tables.samples
    assert set(tables.results["metric"]) == {"exact_match"}
    assert "0.0 throughout" in said(tables)
    assert "2 worked examples were asked for, but the prompts hold 1 on average" in said(tables)


def test_generated_text_keeps_its_output_and_running_text_its_tokens(run):
    content = json.loads((run / "scenario_state.json").read_text())
    first, second = content["request_states"][0], content["request_states"][3]
    for record in (first, second):
        record.pop("reference_index")
    first["output_mapping"] = {"A": "dark red", "B": "pale blue"}
    first["result"]["completions"][0] |= {"text": " B"}
    content["request_states"] = [first, second]
    (run / "scenario_state.json").write_text(json.dumps(content))
    one, other = load(run).samples.to_dict("records")
    assert (one["prediction"], one["output"], one["gold"]) == ("pale blue", " B", 0)
    assert (other["prediction"], other["target"]) == ("Question id2?pale blue", "pale blue")
    spec = json.loads((run / "run_spec.json").read_text())
    spec["adapter_spec"]["method"] = "language_modeling"
    (run / "run_spec.json").write_text(json.dumps(spec))
    second |= {"num_conditioning_tokens": 1}
    content["request_states"] = [second, second]
    (run / "scenario_state.json").write_text(json.dumps(content))
    text = load(run).samples.iloc[0]
    assert text["token_logprobs"] == [-1.0, -0.25, -1.0, -0.25]
    assert text["logprob"] == -2.5


def test_real_runs_give_the_numbers_of_their_files(reference_files):
    folder = reference_files / "formats" / "helm"
    hellaswag, narrative = sorted(path for path in folder.iterdir() if path.is_dir())
    tables = load(hellaswag)
    stats = json.loads((hellaswag / "stats.json").read_text())
    plain = {s["name"]["name"]: s["mean"] for s in stats if s["count"] and len(s["name"]) == 2}
    scores = tables.results.set_index("metric")["score"]
    assert scores.to_dict() == {name: plain[name] for name in scores.index}
    assert len(scores) == 8
    assert set(tables.results["n_examples"]) == {10}
    assert set(tables.results["n_shots"]) == {5}
    assert "0.0 throughout" in said(tables)
    assert rescore(tables.samples, "exact_match")["score"].item() == scores["exact_match"]
    tables = load(narrative)
    f1 = tables.results.query("metric == 'f1_score'").set_index("split")["score"]
    assert f1["test"] == pytest.approx(0.17424242424242425, rel=0)
    assert f1["valid"] == 0.0
    per_example = tables.samples.groupby("split")["reported_f1_score"].mean()
    assert per_example["test"] == pytest.approx(f1["test"])
    assert "prompts hold 0.2 on average, from 0 to 1" in said(tables)
    assert tables.samples["n_shots_in_prompt"].mean() == 0.2


def test_scores_have_their_bounds_and_direction():
    rows = load(RUN).results.set_index("metric")[["low", "high", "higher_is_better"]]
    assert rows.loc["exact_match"].to_numpy().tolist() == [[0.0, 1.0, True]] * 2
    low, high, better = rows.loc["logprob"]
    assert (high, better, low == low) == (0.0, True, False)


def test_what_was_perturbed_is_left_out_with_a_note(run):
    state = json.loads((run / "scenario_state.json").read_text())
    asked = json.loads(json.dumps(state["request_states"][0]))
    asked["instance"]["perturbation"] = {"name": "typos"}
    state["request_states"].append(asked)
    (run / "scenario_state.json").write_text(json.dumps(state))
    tables = load(run / "run_spec.json")
    assert len(tables.samples) == len(load(RUN).samples)
    told = said(tables, "info")
    assert "1 score under perturbations (robustness) left out; the headline is without" in told
    assert "1 request under perturbations (typos) left out" in told


def test_every_score_of_real_runs_has_its_scale(formats):
    tables = load(formats / "helm")
    assert tables.results["higher_is_better"].eq(True).all()
    assert (tables.results[["low", "high"]].to_numpy() == [0.0, 1.0]).all()
    assert said(tables, "info").count("under perturbations (fairness, robustness) left out") == 2
