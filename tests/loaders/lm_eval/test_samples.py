"""Samples of lm-evaluation-harness: what is scored again is what the results file says."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from emergekit import load, rescore
from emergekit.errors import LoadError
from emergekit.loaders.lm_eval import samples as reader

FOLDER = "lm_eval/acme__tiny-10m"
STAMP = "2026-01-02T03-04-05.000001"


def of(tables, task):
    rows = tables.samples[tables.samples["task"] == task]
    return rows.dropna(axis=1, how="all").reset_index(drop=True)


def test_choices_lose_the_space_before_them_and_keep_their_halves(files):
    rows = of(load(files / FOLDER), "choose")
    assert rows["choices"].tolist() == [["a long one", "short"], ["é", "two", "three"]]
    assert rows["choice_chars"].tolist() == [[10, 5], [1, 3, 5]]
    assert rows["choice_bytes"].tolist() == [[10, 5], [2, 3, 5]]
    assert rows["choice_logprobs"].tolist() == [[-6, -4], [-1, -2, -3.5]]
    assert rows["choice_logprobs_unconditional"].tolist() == [[-9, -3], [-1, -2.5, -3]]
    assert rows["gold"].tolist() == [0, 1]
    assert rows[["model", "n_shots", "doc_hash"]].iloc[0].tolist() == ["acme/tiny-10m", 3, "d0"]
    scores = rescore(rows, ["acc", "acc_norm", "acc_mutual_info"]).set_index("metric")["score"]
    assert scores.tolist() == [rows[f"reported_{name}"].mean() for name in scores.index]


def test_each_filter_is_read_apart(files):
    rows = of(load(files / FOLDER), "write")
    assert rows["filter"].tolist() == ["strict-match"] * 2 + ["flexible-extract"] * 2
    assert rows["target"].tolist() == ["12", ["7", "seven"]] * 2
    assert rows["prediction"].tolist() == ["[invalid]", "Seven", "12", "Seven"]


def test_whole_texts_have_the_lengths_that_the_harness_divides_by(files):
    rows = of(load(files / FOLDER), "pages")
    assert rows[["logprob", "n_words", "n_bytes"]].to_numpy().tolist() == [[-6, 2, 7], [-9, 2, 8]]
    scores = rescore(rows, ["word_perplexity", "byte_perplexity", "bits_per_byte"])
    expected = [np.exp(15 / 4), np.exp(1), 1 / np.log(2)]
    assert scores["score"].tolist() == pytest.approx(expected, rel=1e-12)


def test_early_files_without_filters_are_read(files):
    tables = load(files / "lm_eval" / "early_samples.jsonl")
    row = tables.samples.iloc[0]
    assert (row["task"], row["gold"]) == ("early_samples", 1)
    assert (row["choices"], row["choice_logprobs"]) == (["a", "b"], [-2.5, -1.5])
    assert "filter" not in tables.samples


def test_a_file_comes_in_parts_as_it_comes_whole(files):
    file = files / FOLDER / f"samples_write_{STAMP}.jsonl"
    [part] = reader.stream(file)
    pd.testing.assert_frame_equal(part.samples, reader.read(file).samples)
    pd.testing.assert_frame_equal(part.models, reader.read(file).models)


PAIRS = [["-1", "True"], ["-2", "False"]]
RECORD = {"doc_id": 0, "doc": {}, "target": "0", "filtered_resps": PAIRS}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"doc_id": "x"}, "line 2: 'doc_id' must be a whole number"),
        ({"target": "5"}, "line 2: 'target' names choice 5, but there are 2"),
        ({"filtered_resps": [["-1", "True"], "x"]}, "'filtered_resps.1' must be a log-probability"),
        ({"filtered_resps": [["x", "True"]]}, "'filtered_resps.0' must be a number, but holds 'x'"),
        ({"filtered_resps": [["3", "True"]]}, "must be a log-probability, at most 0"),
        ({"filtered_resps": []}, "'filtered_resps' is empty"),
        ({"filtered_resps": {}}, "'filtered_resps' must be a list"),
        ({"filtered_resps": [{"a": 1}]}, "'filtered_resps.0' must be text"),
        ({"arguments": [["", "a"]]}, "has 1 requests, but there are 2 answers"),
        ({"arguments": {"gen_args_0": 3}}, "'arguments.gen_args_0' must be an object"),
    ],
)
def test_a_damaged_line_is_named(write, change, said):
    text = "\n".join(json.dumps(row) for row in (RECORD, RECORD | {"doc_id": 1} | change))
    with pytest.raises(LoadError, match=said):
        load(write(text, "samples_t_2026-01-02T03-04-05.jsonl"))


@pytest.mark.parametrize(
    ("target", "texts", "gold"),
    [("1", None, 1), ("[0, 1]", None, [0, 1]), ("b", ["a", "b"], 1), ("c", ["a", "b"], None),
     ("['a', 'b']", ["a", "b"], [0, 1]), (None, None, None), ([1], None, [1])],
)  # fmt: skip
def test_the_right_choice_is_found_however_it_is_printed(write, target, texts, gold):
    record = RECORD | {"target": target}
    if texts:
        record["arguments"] = [["?", f" {text}"] for text in texts]
    samples = load(write(json.dumps(record), "samples_t.jsonl")).samples
    assert (samples["gold"].iloc[0] if "gold" in samples else None) == gold


def test_contexts_that_differ_are_no_choices(write):
    record = RECORD | {"arguments": [["a he", " left"], ["a she", " left"]]}
    samples = load(write(json.dumps(record), "samples_t.jsonl")).samples
    assert not {"choices", "choice_chars"} & set(samples)


def test_answers_that_no_filter_chose_among_are_repeats(write):
    record = RECORD | {"filtered_resps": [["x", "y", None]], "target": "x"}
    samples = load(write(json.dumps(record), "samples_t.jsonl")).samples
    assert samples["repeat"].tolist() == [0, 1, 2]
    assert samples["prediction"].fillna("").tolist() == ["x", "y", ""]


@pytest.mark.parametrize("model", ["toy-10m", "toy-100m", "toy-1b", "toy-10b"])
def test_real_samples_give_the_scores_of_their_results_file(formats, model):
    tables = load(formats / "lm_eval_v0413_generated" / f"emergekit-fixture__{model}")
    said = tables.results.set_index(["task", "metric", "filter"])["score"]
    wanted = {"ek_mc": ["acc", "acc_norm", "brier_sum"], "ek_add": ["exact_match"]}
    for task, names in wanted.items():
        scores = rescore(of(tables, task), names)
        for _, row in scores.iterrows():
            metric = {"brier_sum": "brier_score"}.get(row["metric"], row["metric"])
            expected = said[(task, metric, row.get("filter", np.nan))]
            assert row["score"] == pytest.approx(expected, abs=1e-12)
    cloze = of(tables, "ek_cloze")
    perplexity = np.exp(-cloze["logprob"].mean())
    assert perplexity == pytest.approx(said[("ek_cloze", "perplexity", np.nan)], rel=1e-12)
    assert cloze["is_greedy"].mean() == said[("ek_cloze", "acc", np.nan)]
    assert len(tables.samples) == 140
    counts = of(tables, "ek_add").groupby("filter")["example_id"].nunique()
    assert counts.to_dict() == {"flexible-extract": 40, "strict-match": 40}


def test_a_real_file_cut_to_ten_lines_is_read(formats):
    tables = load(formats / "lm_eval_v04")
    assert len(tables.samples) == 10
    assert tables.samples["model"].nunique() == 1
    assert (rescore(tables.samples, "exact_match")["score"] == 0).all()


def test_samples_beside_damaged_results_are_read_and_told(files, tmp_path):
    shutil.copytree(files / FOLDER, tmp_path / "acme__tiny-10m")
    (tmp_path / "acme__tiny-10m" / f"results_{STAMP}.json").write_text('{"results": {')
    tables = load(tmp_path)
    assert tables.samples["model"].unique().tolist() == ["acme/tiny-10m"]
    said = tables.notes.query("severity == 'warning' and field == 'model'")["message"]
    assert said.str.startswith("no results beside it").any()
