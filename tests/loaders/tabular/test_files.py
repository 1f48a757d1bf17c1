import csv
import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emergekit import load
from emergekit.errors import LoadError

HEADER = "model,task,metric,score\n"


def sample(**answer):
    return {"model": "a", "task": "t", "example_id": "1"} | answer


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\f", "\v", "\u001e"])
def test_only_line_ends_end_lines(write, mark):
    lines = json.dumps(sample(prediction=f"x{mark}y"), ensure_ascii=False) + "\n"
    assert load(write(lines, "s.jsonl")).samples["prediction"].tolist() == [f"x{mark}y"]
    results = load(write(f"{HEADER}a,t{mark}u,acc,.1\nb,t,acc,.2\n")).results
    assert results["task"].tolist() == [f"t{mark}u", "t"]


def test_fields_may_be_long_and_the_limit_of_others_stays(write):
    before = csv.field_size_limit()
    text = f"model,task,example_id,prediction\na,t,1,{'x' * 200_000}\n"
    assert len(load(write(text)).samples["prediction"].iloc[0]) == 200_000
    assert csv.field_size_limit() == before


def test_line_ends_of_every_system_are_read(write):
    for end in ("\n", "\r\n", "\r"):
        text = (HEADER + "a,t,acc,.1\nb,t,acc,x\n").replace("\n", end)
        with pytest.raises(LoadError, match="line 3 holds 'x'"):
            load(write(text))


@pytest.mark.parametrize("given", ["\t", "\\t", "tab", "TAB"])
def test_a_tab_can_be_named(write, given):
    path = write((HEADER + "a,t,acc,.1\n").replace(",", "\t"))
    assert load(path, delimiter=given).results["score"].tolist() == [0.1]


@pytest.mark.parametrize("given", [";;", "", '"', "\n"])
def test_a_delimiter_is_one_character(write, given):
    with pytest.raises(LoadError, match="does not separate fields: it is one character"):
        load(write(HEADER + "a,t,acc,.1\n"), delimiter=given)


def test_decimal_commas_are_read_when_asked_and_named_when_not(write):
    text = "model;task;metric;score;n_params;size\na;t;acc;0,5;1.000.000;3,25\nb;t;acc;45 %;2;1,5\n"
    path = write(text)
    with pytest.raises(LoadError, match=r"pass delimiter=';' .*, and decimal=',' for its decimal"):
        load(path)
    with pytest.raises(
        LoadError, match=r"line 2 holds '0,5' .*pass decimal=',' \(or --decimal ,\)"
    ):
        load(path, delimiter=";")
    tables = load(path, delimiter=";", decimal=",")
    assert tables.results["score"].tolist() == [0.5, 0.45]
    assert tables.results["size"].tolist() == [3.25, 1.5]
    assert tables.models["n_params"].tolist() == [1e6, 2]


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ({"results": {}, "versions": {}, "config": {}}, "lm-evaluation-harness"),
        ([{"doc_id": 0, "doc": {}, "target": "x"}], "lm-evaluation-harness"),
        ({"config_general": {}, "results": {}}, "lighteval"),
        ({"adapter_spec": {}, "request_states": []}, "HELM"),
        ([{"name": {}, "count": 1, "sum": 1, "sum_squared": 1}], "HELM"),
        ({"scores": [{"score_dict": {}, "preferred_score": "acc"}]}, "BIG-bench"),
        ({"schema_version": "0.1", "evaluation_id": "x"}, "Every Eval Ever"),
        ({"version": 2, "eval": {}, "plan": {}, "results": {}}, "Inspect"),
    ],
)
def test_files_of_other_tools_are_recognised(write, content, tool):
    path = write(json.dumps(content), "t.json")
    with pytest.raises(LoadError, match=f"looks like a file of {tool}, which the table reader"):
        load(path, format="table")


def test_real_files_of_other_tools_end_in_one_sentence(reference_files):
    files = [*(reference_files / "formats").rglob("*.json*")]
    assert files
    for file in files:
        with pytest.raises(LoadError, match=r"looks like a file of|not a table|is an object with"):
            load(file, format="table")


def test_json_by_columns_is_read(write):
    table = pd.DataFrame(
        {"model": ["a", "b"], "task": "t", "metric": "acc", "score": [0.1, np.nan]}
    )
    expected = [0.1]
    for orient in ("columns", "list", "split", "index-free split"):
        text = (
            json.dumps(table.to_dict("list"))
            if orient == "list"
            else table.to_json(orient=orient.split()[-1], index="free" not in orient)
        )
        assert load(write(text, "t.json")).results["score"].tolist() == expected, orient
    with pytest.raises(LoadError, match=r"different lengths \('model' 2, 'task' 1\)"):
        load(write('{"model": ["a", "b"], "task": ["t"]}', "t.json"))


def test_nan_in_json_is_missing_and_infinity_is_refused(write):
    row = {"model": "a", "task": "t", "metric": "acc", "score": 0.5}
    rows = [row, row | {"model": "b", "score": float("nan")}]
    assert load(write(json.dumps(rows), "t.json")).results["model"].tolist() == ["a"]
    lines = "\n".join(map(json.dumps, rows))
    assert load(write(lines, "t.jsonl")).results["model"].tolist() == ["a"]
    with pytest.raises(LoadError, match="row 1 holds inf"):
        load(write(json.dumps([row | {"score": float("inf")}]), "t.json"))
    with pytest.raises(LoadError, match="cut off"):
        load(write('[{"score": NaN,', "t.json"))


@pytest.mark.parametrize("name", ["b.xlsx", "b.ods"])
def test_a_spreadsheet_is_to_be_saved_as_csv(write, name):
    with pytest.raises(LoadError, match=r"is a spreadsheet.*save it as CSV"):
        load(write("PK", name))


@pytest.mark.parametrize(
    ("field", "value"), [("model", {"n": 1}), ("filter", ["x"]), ("family", ["x"]), ("score", [1])]
)
def test_lists_where_one_value_stands_are_refused(write, field, value):
    row = {"model": "a", "task": "t", "metric": "acc", "score": 0.1} | {field: value}
    with pytest.raises(LoadError, match=f"'{field}' must be .*row 1 holds"):
        load(write(json.dumps([row]), "t.json"))


def test_parquet_keeps_its_index_and_gives_up_categories(tmp_path):
    table = pd.DataFrame(
        {
            "model": ["a", "b"],
            "task": "t",
            "metric": "acc",
            "score": [0.1, 0.4],
            "day": "2020-01-01",
        }
    )
    table["day"] = pd.to_datetime(table["day"])
    table["family"] = pd.Categorical(["f", None], categories=["f", "unused"])
    table.astype({"task": "category", "score": "category"}).set_index(["model", "task"]).to_parquet(
        tmp_path / "p.parquet"
    )
    tables = load(tmp_path / "p.parquet")
    assert tables.results["score"].tolist() == [0.1, 0.4]
    assert tables.results["model"].tolist() == ["a", "b"]
    assert tables.results["day"].dt.year.tolist() == [2020, 2020]
    assert tables.models["family"].dropna().tolist() == ["f"]


def test_truth_values_in_columns_of_the_user_stay_so(write):
    results = load(write("model,task,metric,score,used,code\na,t,acc,.1,True,007\n")).results
    assert results["used"].tolist() == [True]
    assert results["used"].dtype == bool
    assert results["code"].tolist() == ["007"]
    path = write('[{"model": "a", "task": "t", "metric": "acc", "score": true}]', "t.json")
    with pytest.raises(LoadError, match="'score' must be a number, but row 1 holds True"):
        load(path)


def test_a_table_without_any_score_says_so(write):
    with pytest.raises(LoadError, match="no row has a score"):
        load(write(HEADER + "a,t,acc,\n"))


ROW = '"model": "a", "task": "t", "metric": "acc", "score": 0.1'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", f'[{{{ROW}, "score ": 0.9}}]'),
        ("t.json", f'[{{{ROW}, "score": 0.9}}]'),
        ("t.json", f'[{{{ROW}}}, {{"model": "b", "task": "t", "metric": "acc", " score": 0.9}}]'),
        ("t.jsonl", f'{{{ROW}}}\n{{"model": "b", "task": "t", "metric": "acc", " score": 0.9}}'),
        ("t.jsonl", f'{{{ROW}, "score": 0.9}}'),
        ("t.json", '{"model": ["a"], "task": ["t"], "score": [0.1], "score ": [0.9]}'),
        ("t.json", '{"model": ["a"], "task": ["t"], "score": [0.1], "score": [0.9]}'),
        ("t.json", '{"columns": ["model", "score", "score"], "data": [["a", 0.1, 0.9]]}'),
        ("t.json", '{"columns": ["model", "score", " score"], "data": [["a", 0.1, 0.9]]}'),
    ],
)
def test_two_columns_of_one_name_in_json_are_refused(write, name, text):
    with pytest.raises(LoadError, match=rf"{name}: two columns are named 'score' \('.*; rename or"):
        load(write(text, name))


def test_names_inside_a_value_may_be_those_of_columns(write):
    text = f'[{{{ROW}, "extra": {{"score": 1, "score ": 2}}}}]'
    assert load(write(text, "t.json")).results["score"].tolist() == [0.1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "git lfs pull"),
        ("t.parquet", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (
            "t.csv",
            gzip.compress(b"model,task\n", mtime=0),
            "packed with gzip: give its name the suffix",
        ),
        ("t.json", b"PAR1\x15\x04\x15", "is parquet: give its name the suffix .parquet"),
        ("t.csv", b"PK\x03\x04rest", "is a spreadsheet or a zip archive: save it as CSV"),
        ("t.csv", b"\x28\xb5\x2f\xfdrest", "packed with zstd: give its name"),
        ("t.jsonl", b"\xfd7zXZ\x00", "packed with xz: unpack it"),
        ("t.csv", b"BZh91AY&SY", "packed with bzip2"),
        ("t.csv", b"\n<!DOCTYPE html><html>404", "a web page, not the table on it"),
        ("t.csv", HEADER.encode("utf-16-le"), "line 1 holds a zero byte, which no text does"),
        ("t.csv", f"{HEADER}a,t\0,acc,.1\n".encode(), "line 2 holds a zero byte"),
        ("t.csv", b"\xef\xbb\xbf", "the file is empty"),
        ("t.csv", f"# ours\n{HEADER}a,t,acc,.1\n".encode(), "'# ours' is no header, so drop what"),
        ("t.csv", f"sep=,\n{HEADER}".encode(), "'sep=' is no header"),
        ("t.json", b'{"model": "a"}\n{"model": "b"}\n', "its name should end in .jsonl"),
        ("t.jsonl", b'[{"model": "a"}]\n', "one list of rows; its name should end in .json"),
        ("t.json", b"[]", "the file has no rows"),
    ],
)
def test_files_that_are_something_else_than_their_name_says_are_named(
    write, name, content, message
):
    with pytest.raises(LoadError, match=message):
        load(write(content, name))


def test_a_column_named_like_the_start_of_a_file_is_a_column(write):
    for first in ("par1", "PAR1", "bzh", "#"):
        results = load(write(f"{first},{HEADER}1,a,t,acc,.1\n")).results
        assert results["score"].tolist() == [0.1]


def test_lines_of_json_have_two_suffixes(write):
    row = json.dumps({"model": "a", "task": "t", "metric": "acc", "score": 0.1})
    assert load(write(row, "t.ndjson")).results["score"].tolist() == [0.1]


def test_text_that_parquet_calls_bytes_is_text(tmp_path):
    table = pa.table(
        {
            "model": pa.array([b"a"]),
            "task": pa.array(["t"]).cast(pa.large_binary()),
            "metric": ["acc"],
            "score": [0.1],
            "picture": pa.array([b"\xff\xfe"]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    results = load(tmp_path / "t.parquet").results
    assert results[["model", "task"]].iloc[0].tolist() == ["a", "t"]
    assert results["picture"].tolist() == [b"\xff\xfe"]


def test_two_columns_of_one_name_in_parquet_are_refused(tmp_path):
    columns = [["a"], ["t"], ["acc"], [0.1], [0.2]]
    table = pa.table(columns, names=["model", "task", "metric", "score", "score"])
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(LoadError, match="two columns are named 'score'"):
        load(tmp_path / "t.parquet")


@pytest.mark.parametrize("noted", [b"{}", b"{", b'{"index_columns": [{"kind": "range"}]}', b"\xff"])
def test_what_pandas_noted_of_a_parquet_file_may_be_damaged(tmp_path, noted):
    table = pa.table({"model": ["a"], "task": ["t"], "metric": ["acc"], "score": [0.1]})
    pq.write_table(table.replace_schema_metadata({b"pandas": noted}), tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet").results["score"].tolist() == [0.1]
