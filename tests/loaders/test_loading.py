import pandas as pd
import pytest

from emergekit import load
from emergekit.datasets import data_folder
from emergekit.errors import LoadError

GOOD = "model,task,metric,score\na,t,acc,0.1\n"


def test_good_files_beside_a_bad_one_are_still_loaded(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "deep" / "more.csv").write_text(GOOD.replace("a,t", "b,t"))
    (tmp_path / "bad.json").write_text('[{"model": "c", ')
    (tmp_path / "README.md").write_text("not a table")
    tables = load(tmp_path)
    assert sorted(tables.results["model"]) == ["a", "b"]
    bad = tables.notes[tables.notes["severity"] == "error"]
    assert bad["file"].tolist() == [str(tmp_path / "bad.json")]
    assert "cut off" in bad["message"].iloc[0]


def test_a_pattern_loads_what_it_matches(tmp_path):
    (tmp_path / "x1.csv").write_text(GOOD)
    (tmp_path / "y1.csv").write_text(GOOD)
    assert load(tmp_path / "x*.csv").results["source"].tolist() == ["x1.csv"]


def test_a_models_file_and_a_results_file_come_together():
    folder = data_folder() / "bigg"
    tables = load(folder, columns=None)
    assert len(tables.models) == 12
    assert tables.models["n_params"].notna().all()


def test_what_two_files_say_of_a_model_must_agree(tmp_path):
    (tmp_path / "one.csv").write_text("model,n_params\na,1e9\nb,2e9\n")
    (tmp_path / "two.csv").write_text("model,n_params,loss\na,7e9,2.5\n")
    with pytest.raises(LoadError, match=r"model 'a' has n_params 1000000000.0 in one file and 7"):
        load(tmp_path)
    (tmp_path / "two.csv").write_text("model,loss\na,2.5\n")
    models = load(tmp_path).models.set_index("model")
    assert models.loc["a", ["n_params", "loss"]].tolist() == [1e9, 2.5]
    assert pd.isna(models.loc["b", "loss"])


def test_scores_that_two_files_share_are_noted(tmp_path):
    (tmp_path / "one.csv").write_text(GOOD)
    (tmp_path / "two.csv").write_text(GOOD)
    tables = load(tmp_path)
    assert len(tables.results) == 2
    assert "come from several files" in tables.notes["message"].iloc[-1]


def test_a_missing_file_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "results.csv").write_text(GOOD)
    with pytest.raises(LoadError, match=r"no such file; did you mean 'results.csv'"):
        load(tmp_path / "result.csv")
    with pytest.raises(LoadError, match="no folder"):
        load(tmp_path / "nowhere" / "result.csv")
    with pytest.raises(LoadError, match="no file matches"):
        load(tmp_path / "*.parquet")


def test_a_folder_of_something_else_says_what_it_holds(tmp_path):
    for name in ("a.py", "b.py", "c.txt"):
        (tmp_path / name).write_text("x")
    with pytest.raises(LoadError, match=r"the folder holds 2 \.py, 1 \.txt, and no table"):
        load(tmp_path)
    (tmp_path / "only.csv").write_text("")
    with pytest.raises(LoadError, match=r"only.csv: the file is empty"):
        load(tmp_path)


def test_formats_and_kinds_of_file_are_checked(tmp_path):
    (tmp_path / "x.csv").write_text(GOOD)
    with pytest.raises(LoadError, match="Unknown format 'tabel'; did you mean 'table'"):
        load(tmp_path / "x.csv", format="tabel")
    (tmp_path / "x.py").write_text("print()")
    with pytest.raises(
        LoadError, match=r"x.py: no reader knows this kind of file; known formats: table"
    ):
        load(tmp_path / "x.py")
    with pytest.raises(LoadError, match=r"x.py: a table is one of .csv"):
        load(tmp_path / "x.py", format="table")


def test_what_was_written_reads_back_equal(tmp_path):
    (tmp_path / "x.csv").write_text(GOOD)
    first = load(tmp_path / "x.csv").results
    first.to_parquet(tmp_path / "again.parquet")
    pd.testing.assert_frame_equal(load(tmp_path / "again.parquet").results, first)
