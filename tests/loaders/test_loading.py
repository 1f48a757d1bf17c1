import os

import pandas as pd
import pyarrow as pa
import pytest

from emergekit import join_models, load
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
    with pytest.raises(
        LoadError,
        match=r"model 'a' has n_params 1000000000 in .*one.csv and 7000000000 in .*two.csv",
    ):
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


def test_a_size_that_a_file_states_goes_before_the_one_in_the_name(tmp_path):
    (tmp_path / "models.csv").write_text("model,n_params\nllama-7b,6738415616\n")
    (tmp_path / "results.csv").write_text(
        "model,task,metric,score\nllama-7b,t,acc,.1\nllama-13b,t,acc,.2\n"
    )
    tables = load(tmp_path)
    sizes = dict(zip(tables.models["model"], tables.models["n_params"], strict=True))
    assert sizes == {"llama-7b": 6738415616, "llama-13b": 13e9}
    assert tables.notes["message"].tolist() == ["read from the names of llama-13b"]


@pytest.mark.parametrize("folder", ["bigg", "chinchilla", "open_models", "wei_classes", "."])
def test_every_bundled_folder_loads(folder):
    tables = load(data_folder() / folder)
    assert "error" not in tables.notes["severity"].tolist()
    assert not tables.models.duplicated(["model"]).any()
    if len(tables.results):
        assert join_models(tables.results, tables.models)["n_params"].notna().all()


def test_the_other_draw_of_bigg_stays_apart_from_the_curves():
    tables = load(data_folder() / "bigg")
    assert tables.notes.empty
    draws = tables.results["subtask"].fillna("").value_counts()
    assert draws.to_dict() == {"": 5100, "own_split": 425}


def test_renames_go_to_the_files_that_have_the_column(tmp_path):
    (tmp_path / "models.csv").write_text("model,n_params\na,1e6\n")
    (tmp_path / "results.csv").write_text("model,task,Accuracy\na,t,.1\n")
    tables = load(tmp_path, columns={"Accuracy": "score"}, constants={"metric": "acc"})
    assert tables.results["score"].tolist() == [0.1]
    assert "metric" not in tables.models
    with pytest.raises(LoadError, match="columns= names 'Acc', which none of the 2 files has"):
        load(tmp_path, columns={"Acc": "score"}, constants={"metric": "acc"})


def test_reports_of_ours_are_passed_over(tmp_path):
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "report" / "deep").mkdir(parents=True)
    (tmp_path / "report" / ".emergekit-report").write_text("")
    (tmp_path / "report" / "curves.csv").write_text(GOOD)
    (tmp_path / "report" / "deep" / "more.csv").write_text(GOOD)
    tables = load(tmp_path)
    assert len(tables.results) == 1
    assert "a report of ours; passed over" in tables.notes["message"].tolist()
    assert len(load(tmp_path / "**" / "*.csv").results) == 1
    assert len(load(tmp_path / "report").results) == 2  # named, so meant


def test_what_is_hidden_is_passed_over_with_a_note(tmp_path):
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "._r.csv").write_bytes(b"\x00\x05\x16\x07")  # what macOS puts beside a file
    for folder in (".ipynb_checkpoints", "__MACOSX", ".git/deep"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "old.csv").write_text(GOOD)
    for path in (tmp_path, tmp_path / "**" / "*.csv"):
        assert len(load(path).results) == 1
    notes = load(tmp_path).notes
    assert notes["message"].tolist() == ["hidden; passed over"] * 4
    names = ["._r.csv", ".git", ".ipynb_checkpoints", "__MACOSX"]
    assert notes["file"].tolist() == [str(tmp_path / name) for name in names]
    assert len(load(tmp_path / ".git").results) == 1  # named, so meant
    assert len(load(tmp_path / ".git" / "**" / "*.csv").results) == 1


def test_a_folder_of_hidden_files_says_so(tmp_path):
    (tmp_path / ".r.csv").write_text(GOOD)
    with pytest.raises(LoadError, match="holds nothing but hidden files"):
        load(tmp_path)


def test_files_that_no_reader_takes_are_noted_each(tmp_path):
    names = {
        "a.xlsx": "a spreadsheet, which no reader takes: save it as CSV; passed over",
        "b.csv.xz": "packed as .xz, which no reader unpacks: unpack it, or pack it as .gz; ",
        "c.jsonl.xz": "packed as .xz, which",
        "d.eval": "no reader takes a .eval file; passed over",
        "e.txt.gz": "no reader takes a .txt.gz file; passed over",
        "f": "its name ends in no suffix",
    }
    for name in (*names, "README.md", "LICENSE", "plot.png", "make.py"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "r.csv").write_text(GOOD)
    for path in (tmp_path, tmp_path / "*"):
        tables = load(path)
        assert len(tables.results) == 1
        assert set(tables.notes["severity"]) == {"warning"}
        assert tables.notes["file"].tolist() == [str(tmp_path / name) for name in names]
        for said, expected in zip(tables.notes["message"], names.values(), strict=True):
            assert said.startswith(expected)


def test_a_broken_link_is_noted(tmp_path):
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    said = load(tmp_path).notes[["severity", "file"]].to_numpy().tolist()
    assert said == [["warning", str(tmp_path / "gone.csv")]]


def test_a_file_is_read_once_whatever_links_lead_to_it(tmp_path):
    (tmp_path / "b.csv").write_text(GOOD)
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "loop").symlink_to(tmp_path)
    for path in (tmp_path, tmp_path / "**"):
        tables = load(path)
        assert tables.results["source"].tolist() == ["b.csv"]
        assert f"a link to {tmp_path / 'b.csv'}, which is read; passed over" in list(
            tables.notes["message"]
        )
    assert "a link to a folder; passed over" in load(tmp_path).notes["message"].tolist()
    assert len(load(tmp_path / "loop").results) == 1  # named, so meant
    assert len(load(tmp_path / "loop" / "*.csv").results) == 1


def test_pipes_and_addresses_are_no_absent_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(LoadError, match="but a pipe or a device"):
        load(tmp_path / "pipe.csv")
    with pytest.raises(LoadError, match="is an address, and nothing is fetched"):
        load("https://example.org/results.csv")


def test_a_folder_of_packed_files_says_how_to_read_them(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(LoadError, match=r"1 \.xlsx, .*\(a\.xlsx is a spreadsheet.*save it as CSV"):
        load(tmp_path)


def test_a_folder_that_cannot_be_looked_into_is_an_error_in_the_notes(tmp_path, monkeypatch):
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "shut").mkdir()
    look = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    [[severity, message]] = load(tmp_path).notes[["severity", "message"]].to_numpy().tolist()
    assert severity == "error"
    assert message == f"{tmp_path / 'shut'}: the folder cannot be looked into (Permission denied)"


def test_a_report_written_into_a_folder_of_results_is_no_result(tmp_path):
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "curves.csv").write_text(GOOD)
    (tmp_path / ".emergekit-report").write_text("index.html\ncurves.csv\n")
    for path in (tmp_path, tmp_path / "*.csv"):
        assert load(path).results["source"].tolist() == ["r.csv"]
    assert load(tmp_path).notes["message"].tolist() == ["of a report of ours; passed over"]
    assert len(load(tmp_path / "curves.csv").results) == 1  # named, so meant


def test_three_reasons_are_given_when_no_file_can_be_read(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.csv").write_text("")
    with pytest.raises(LoadError, match=r"none of the 5 files could be read: .*; and 2 more") as e:
        load(tmp_path)
    assert str(e.value).count("the file is empty") == 3


@pytest.mark.parametrize("path", ["x" * 5000, "", "a\0b", 3, "~nobody-here/x.csv"])
def test_paths_that_cannot_be_are_no_traceback(path):
    with pytest.raises(LoadError):
        load(path)


def test_a_pattern_over_everything_is_read_or_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match="no file matches"):
        load("**")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(LoadError, match=r"matches 1 \.txt, and no table"):
        load("**")
    (tmp_path / "good.csv").write_text(GOOD)
    assert len(load("**").results) == 1


def test_repeated_scores_name_both_files(tmp_path):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(GOOD)
    said = load(tmp_path).notes["message"].iloc[-1]
    assert "'a' and 't' stand in" in said
    assert str(tmp_path / "one.csv") in said
    assert str(tmp_path / "two.csv") in said


def test_files_that_fill_different_keys_come_together(tmp_path):
    (tmp_path / "models.csv").write_text("model,run,n_params\na,r0,1e6\nb,r1,1e7\n")
    (tmp_path / "results.csv").write_text(GOOD + "b,t,acc,.2\n")
    tables = load(tmp_path)
    assert tables.models[["model", "run"]].to_numpy().tolist() == [["a", "r0"], ["b", "r1"]]
    assert join_models(tables.results, tables.models)["n_params"].tolist() == [1e6, 1e7]
    (tmp_path / "results.csv").write_text("model,family,task,metric,score\na,f,t,acc,.1\n")
    models = load(tmp_path).models
    assert models.loc[0, ["run", "family", "n_params"]].tolist() == ["r0", "f", 1e6]
    (tmp_path / "results.csv").write_text("model,n_params,task,metric,score\na,5e6,t,acc,.1\n")
    with pytest.raises(LoadError, match="'a' has n_params 5000000, but 1000000 where its run"):
        load(tmp_path)


def test_runs_of_results_share_what_is_known_of_their_model(tmp_path):
    (tmp_path / "models.csv").write_text("model,n_params,n_tokens\na,1e6,1e9\n")
    (tmp_path / "results.csv").write_text(
        "model,run,task,metric,score\na,r0,t,acc,.1\na,r1,t,acc,.2\n"
    )
    tables = load(tmp_path)
    joined = join_models(tables.results, tables.models)
    assert joined["n_tokens"].tolist() == [1e9, 1e9]


def test_files_that_round_or_describe_a_model_otherwise_come_together(write):
    text = "model,n_params,dtype\na,{},{}\nb,100,{}\n"
    write(text.format("7000000000", "float16", "x"), "one/r.csv")
    write(text.format("6738415616", "bfloat16", "y"), "one/s.csv")
    folder = write(text.format("6738415616", "int8", "x"), "one/t.csv").parent
    tables = load(folder)
    assert tables.models.to_dict("records") == [
        {"model": "a", "n_params": 6738415616, "dtype": "float16"},
        {"model": "b", "n_params": 100, "dtype": "x"},
    ]
    said = tables.notes.query("severity == 'warning'").set_index("field")["message"]
    assert "model 'a' has n_params 7000000000 in" in said["n_params"]
    assert said["n_params"].endswith("6738415616 was kept (and 1 more differ)")
    assert said["dtype"].endswith("float16 was kept (and 2 more differ)")


@pytest.mark.parametrize("name", ["r.csv.gz", "r.csv.zst", "r.json.gz", "r.jsonl.zst"])
def test_packed_files_are_read_like_plain_ones(write, name):
    rows = [{"model": "a", "task": "t", "metric": "acc", "score": 0.1}]
    table = pd.DataFrame(rows)
    kind = name.split(".")[1]
    text = table.to_csv(index=False) if kind == "csv" else table.to_json(
        orient="records", lines=kind == "jsonl"
    )  # fmt: skip
    codec = "gzip" if name.endswith("gz") else "zstd"
    path = write(pa.Codec(codec).compress(text.encode(), asbytes=True), name)
    assert load(path).results["score"].tolist() == [0.1]
    assert load(path.parent).results["score"].tolist() == [0.1]
