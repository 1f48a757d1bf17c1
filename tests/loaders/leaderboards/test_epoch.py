from pathlib import Path

import pytest

from emergekit import load
from emergekit.errors import LoadError

FILES = Path(__file__).parents[2] / "files" / "epoch"
HEADER = "Model version,Release date,Organization,"


def said(tables):
    return tables.notes["message"].str.cat(sep="\n")


def test_a_benchmark_is_read_by_its_score_column():
    tables = load(FILES / "rivers_external.csv")
    rows = tables.results.set_index(["model", "filter"], append=False)
    assert tables.results["score"].tolist() == [0.125, 0.5, 0.75]
    assert tables.results["filter"].tolist()[1:] == ["plain", "long"]
    assert set(rows["task"]) == {"rivers"}
    assert set(rows["n_shots"]) == {2}
    assert "in percent, divided by 100: Percent correct" in said(tables)
    assert "1 rows without a model left out" in said(tables)
    assert tables.models.set_index("model").loc["tiny-2026", "flops"] == 3e20


def test_of_several_score_columns_none_is_guessed():
    path = FILES / "colours.csv"
    with pytest.raises(
        LoadError, match=r"several columns may be the score: mean_score, Best score"
    ):
        load(path)
    rows = load(path, score_column="mean_score").results
    assert rows[["score", "stderr"]].values.tolist() == [[0.25, 0.03125], [0.5, 0.03125]]
    assert rows["run"].tolist() == ["line 2", "line 3"]
    rows = load(path, score_column=["absent", "Best score (across scorers)"]).results
    assert rows["score"].tolist() == [0.375, 0.5]


def test_the_table_of_models_sizes_them():
    tables = load(FILES, score_column="mean_score")
    models = tables.models.set_index("model")
    assert models["n_params"].to_dict() == {"tiny-2026": 1e6, "small-2026": 2e7}
    assert models.loc["tiny-2026", "flops"] == 3e20
    assert len(tables.results) == 5
    assert not len(load(FILES / "models.csv").results)


def test_a_folder_is_read_without_the_file_that_needs_a_column():
    tables = load(FILES)
    assert len(tables.results) == 3
    (error,) = tables.notes.query("severity == 'error'")["message"]
    assert "several columns may be the score" in error


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("Depth\nm,2026,Acme,3\n", {}, "no column is known to be the score; name one of Model"),
        ("Depth\nm,2026,Acme,3\n", {"score_column": "Dept"}, "did you mean 'Depth'"),
        ("Score\nm,2026,Acme,high\n", {}, "line 2: 'Score' must be a number, but holds 'high'"),
        ("Score\n,2026,Acme,1\n", {}, "no row names a model"),
        ("Score\nm,2026,Acme,\n", {}, "no score in it is a number"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, options, message, write):
    with pytest.raises(LoadError, match=message):
        load(write(HEADER + text, "a.csv"), **options)


def test_a_scale_that_nobody_states_is_noted_and_a_wrong_column_too(write):
    path = write(HEADER + "Score,task\nm,2026,Acme,140,index\n", "eci.csv")
    tables = load(path, score_column="Scores")
    assert tables.results["score"].tolist() == [140.0]
    assert tables.results["task"].tolist() == ["index"]
    assert "'Score' goes up to 140 on a scale that nobody states" in said(tables)
    assert "there is no column 'Scores' in it; 'Score' was taken" in said(tables)
