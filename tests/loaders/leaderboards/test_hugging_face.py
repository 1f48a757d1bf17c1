import shutil
from pathlib import Path

import pytest

from emergekit import load
from emergekit.errors import LoadError

REPOSITORY = Path(__file__).parents[2] / "files" / "hugging_face" / "acme" / "tiny"


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def test_a_model_card_gives_its_scores_as_fractions():
    tables = load(REPOSITORY / "README.md")
    rows = tables.results.set_index(["task", "metric"])
    assert rows["score"].to_dict() == {
        ("acme/rivers", "acc_norm"): 0.625,
        ("acme/rivers", "perplexity"): 20.0,
        ("colours", "f1 (F1 macro)"): 0.25,
        ("colours", "f1 (F1 micro)"): 0.5,
        ("colours", "accuracy"): 0.75,
    }
    assert rows.loc[("acme/rivers", "perplexity"), "spread"] == 1.5
    assert "stderr" not in rows  # nobody says what a ± is
    assert rows.loc["acme/rivers", "n_shots"].tolist() == [2, 2]
    assert rows.loc["acme/rivers", "subtask"].tolist() == ["long,test"] * 2
    assert set(rows["model"]) == {"acme/tiny"}
    assert "in percent, divided by 100: acc_norm, accuracy" in said(tables)


def test_eval_results_are_named_by_their_repository():
    tables = load(REPOSITORY / ".eval_results" / "rivers.yaml")
    rows = tables.results
    assert rows[["model", "task", "score"]].values.tolist() == [
        ["tiny", "acme/rivers", 0.625],
        ["tiny", "acme/colours", 12.0],
    ]
    assert rows["date"].tolist()[0] == "2026-01-02"
    assert "the file names no model; 'tiny' is its folder" in said(tables)
    assert "the file names no metric" in said(tables)


def test_a_repository_is_read_with_its_eval_results(tmp_path):
    folder = Path(shutil.copytree(REPOSITORY, tmp_path / "tiny"))
    (folder / "config.yaml").write_text("hidden_size: 8\n")
    (folder / "CHANGES.md").write_text("# no results\n")
    tables = load(folder)
    assert len(tables.results) == 7
    assert "no reader takes a .yaml file" in said(tables)
    (folder / "bad.yaml").write_text("- dataset: {id: a}\n  value: [1\n")
    tables = load(folder)
    assert len(tables.results) == 7
    (error,) = tables.notes.query("severity == 'error'")["message"]
    assert "bad.yaml: line 3, column 1: the YAML is broken" in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model-index: 3", "'model-index' must be a list"),
        ("model-index: [{name: a}]", "'model-index.0.results' is absent"),
        ("model-index: [{name: a, results: [{metrics: []}]}]", "'model-index.0.results.0.dataset'"),
        (
            "model-index:\n- name: a\n  results:\n  - dataset: {type: b}\n    metrics: [{type: c}]",
            "no score in it is a number",
        ),
        (
            "model-index:\n- name: a\n  results:\n"
            "  - {dataset: {type: b}, metrics: [{type: c, value: good}]}",
            r"'model-index.0.results.0.metrics.0.value' must be a number, but holds 'good'",
        ),
        ("- dataset: {name: a}\n  value: 1", "'0.dataset.id' is absent"),
        ("- dataset: {id: a}\n  value: .nan", "no score in it is a number"),
        ("model-index: [", r"line 1, column \d+: the YAML is broken"),
    ],
)
def test_wrong_fields_are_named(text, message, write):
    with pytest.raises(LoadError, match=message):
        load(write(text, "results.yaml"))


def test_lines_are_those_of_the_card(write):
    text = "---\nlicense: mit\nmodel-index: [a\n---\ntext\n"
    with pytest.raises(LoadError, match=r"README\.md: line [34], column"):
        load(write(text, "README.md"))
    with pytest.raises(LoadError, match="has no YAML between two lines"):
        load(write("---\nmodel-index: []\n", "README.md"))
