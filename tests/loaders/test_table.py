import gzip
import json

import pandas as pd
import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders.tabular.sizes import size_in_name

LONG = "model,task,metric,score,n_params\na,t,exact_match,0.1,1e6\nb,t,exact_match,0.2,2e6\n"


def write(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_long_table_becomes_results_and_models(tmp_path):
    tables = load(write(tmp_path, LONG))
    assert tables.results["score"].tolist() == [0.1, 0.2]
    assert tables.models["n_params"].tolist() == [1e6, 2e6]
    assert "n_params" not in tables.results
    assert tables.results["source"].tolist() == ["table.csv"] * 2
    assert tables.notes.empty


@pytest.mark.parametrize("kind", ["tsv", "parquet", "json", "jsonl", "csv.gz"])
def test_every_kind_of_file_gives_the_same_table(tmp_path, kind):
    path, csv = tmp_path / f"table.{kind}", write(tmp_path, LONG)
    table = pd.read_csv(csv)
    rows = table.to_dict("records")
    match kind:
        case "tsv":
            table.to_csv(path, sep="\t", index=False)
        case "parquet":
            table.to_parquet(path)
        case "json":
            path.write_text(json.dumps(rows))
        case "jsonl":
            path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
        case _:
            path.write_bytes(gzip.compress(LONG.encode()))
    expected, found = load(csv), load(path)
    pd.testing.assert_frame_equal(
        found.results.drop(columns="source"),
        expected.results.drop(columns="source"),
        check_dtype=False,
    )
    pd.testing.assert_frame_equal(found.models, expected.models, check_dtype=False)


def test_a_wide_table_has_one_column_a_model(tmp_path):
    text = "task,category,toy-10m,toy-1.5b\nadd,maths,0.1,0.5\nread,words,0.2,\n"
    tables = load(write(tmp_path, text), constants={"metric": "exact_match"})
    assert len(tables.results) == 3
    assert tables.results["category"].tolist() == ["maths", "words", "maths"]
    assert dict(zip(tables.models["model"], tables.models["n_params"], strict=True)) == {
        "toy-10m": 1e7,
        "toy-1.5b": 1.5e9,
    }
    notes = " ".join(tables.notes["message"])
    assert "1 row without a score left out" in notes
    assert "read from the names" in notes


def test_columns_are_renamed_and_known_ones_found_in_any_case(tmp_path):
    path = write(tmp_path, "Model,Task,Accuracy\na,t,0.4\n")
    tables = load(path, columns={"Accuracy": "score"}, constants={"metric": "accuracy"})
    assert tables.results[["model", "task", "metric", "score"]].iloc[0].tolist() == [
        "a",
        "t",
        "accuracy",
        0.4,
    ]


def test_a_table_of_runs_is_a_models_table(tmp_path):
    tables = load(write(tmp_path, "model,n_params,n_tokens,loss,note\na,1e6,2e7,3.2,x\n"))
    assert tables.results.empty
    assert tables.models["loss"].tolist() == [3.2]
    assert tables.models["note"].tolist() == ["x"]  # columns of the user travel through


def test_a_table_of_answers_is_a_samples_table(tmp_path):
    rows = [{"model": "a", "task": "t", "example_id": 1, "choice_logprobs": [-1, -2], "gold": 0}]
    tables = load(write(tmp_path, json.dumps(rows), "s.json"))
    assert tables.samples["choice_logprobs"].iloc[0] == [-1, -2]


def test_percentages_become_fractions_with_a_note(tmp_path):
    text = "model,task,metric,score,stderr\na,t,accuracy,45,2\nb,t,accuracy,0,0\na,t,elo,1200,9\n"
    tables = load(write(tmp_path, text))
    assert tables.results["score"].tolist() == [0.45, 0.0, 1200]
    assert tables.results["stderr"].tolist() == [0.02, 0.0, 9]
    assert "'accuracy' was in percent; divided by 100" in tables.notes["message"].tolist()
    signs = load(write(tmp_path, "model,task,metric,score\na,t,accuracy,45%\n"))
    assert signs.results["score"].tolist() == [0.45]


def test_percentages_below_one_are_believed_when_the_user_says_so(tmp_path):
    path = write(tmp_path, "model,task,metric,score\na,t,accuracy,0.7\nb,t,accuracy,45\n")
    with pytest.raises(
        LoadError, match=r"mixes percentages and fractions: line 3 holds 45 and line 2 .* 0.7"
    ):
        load(path)
    assert load(path, percent=True).results["score"].tolist() == pytest.approx([0.007, 0.45])
    with pytest.raises(LoadError, match="between 0 and 1, but line 3 holds 45"):
        load(path, percent=False)


HEADER = "model,task,metric,score\n"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "t.csv", "t.csv: the file is empty"),
        (" \n\n", "t.csv", "the file is empty"),
        (HEADER, "t.csv", "a header but no rows"),
        (
            "model;task;metric;score\na;t;acc;0,5\n",
            "t.csv",
            r"looks split at ';', so pass delimiter=';'",
        ),
        ("modle,task,metric,score\na,t,acc,.1\n", "t.csv", "'model' is absent.*'modle': 'model'"),
        ("model,task,accuracy\na,t,.1\n", "t.csv", "'accuracy': 'score'.*--constant metric"),
        (
            HEADER + "a,t,acc,.1\nb,t,acc,oops\n",
            "t.csv",
            "'score' must be a number, but line 3 holds 'oops'",
        ),
        (HEADER + "a,t,acc,.1\na,t,acc,.2\n", "t.csv", "lines 2 and 3 have the same key"),
        (HEADER + "a,t,acc\n", "t.csv", "line 2 has 3 fields, but the header has 4"),
        (HEADER + '"a,t,acc,.1\n', "t.csv", "line 2 breaks the quoting"),
        (HEADER + ",t,acc,.1\n", "t.csv", "'model' must be a name, but line 2 holds ''"),
        (
            "model,task,metric,score,score\na,t,acc,.1,.2\n",
            "t.csv",
            "two columns are named 'score'",
        ),
        (
            LONG + "a,u,exact_match,.3,9e6\n",
            "t.csv",
            "model 'a' has n_params 1000000 in line 2 and 9000000 in line 4; .*'run' or 'step'",
        ),
        (LONG + "a,u,exact_match,1e400,1e6\n", "t.csv", "line 4 holds inf"),
        ('[{"model": "a",\n"task": "t', "t.json", r"line 2, column \d+: the JSON is cut off"),
        ('{"model": "a"}\n{"mod', "t.jsonl", r"line 2, column \d+: the JSON is cut off"),
        (
            '{"results": {}, "config": 1}',
            "t.json",
            "looks like a file of lm-evaluation-harness",
        ),
        ("[1, 2]", "t.json", "row 1 is 1, not an object"),
        (b"\xff\xfem\x00", "t.csv", "line 1 holds byte 0xff, which is not UTF-8"),
        (b"not parquet", "t.parquet", "not a readable parquet file"),
        (b"\x1f\x8b\x08\x00cut", "t.csv.gz", "the gzip file is damaged"),
        (
            HEADER + "a,t,acc,-0.5\n",
            "t.csv",
            "'acc' is a share, between 0 and 1, but line 2 holds -0.5",
        ),
    ],
)
def test_bad_files_end_in_one_sentence(tmp_path, text, name, message):
    with pytest.raises(LoadError, match=message) as caught:
        load(write(tmp_path, text, name))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_columns_that_the_file_lacks_are_answered_with_the_nearest(tmp_path):
    path = write(tmp_path, LONG)
    with pytest.raises(LoadError, match="'socre', which the file lacks; did you mean 'score'"):
        load(path, columns={"socre": "score"})
    with pytest.raises(
        LoadError, match="'n_parms', which is no column of ours; did you mean 'n_params'"
    ):
        load(path, columns={"n_params": "n_parms"})


@pytest.mark.parametrize("columns", [{"score": None}, {1: "score"}])
def test_columns_map_names_to_names(tmp_path, columns):
    with pytest.raises(LoadError, match="columns= maps a name in the file to one of ours, not"):
        load(write(tmp_path, LONG), columns=columns)


def test_lines_are_counted_past_quoted_line_ends(tmp_path):
    text = 'model,task,metric,score\n"a\nb",t,acc,.1\nc,t,acc,x\n'
    with pytest.raises(LoadError, match="line 4 holds 'x'"):
        load(write(tmp_path, text))


def test_missing_values_are_absent_not_text(tmp_path):
    tables = load(write(tmp_path, "model,task,metric,score,stderr\na,t,acc,.1,N/A\n"))
    assert tables.results["stderr"].isna().all()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("pythia-70m", 7e7),
        ("GPT-3 175B", 175e9),
        ("BIG-G-128b", 128e9),
        ("llama-2-7b-hf", 7e9),
        ("gpt2-large", None),
        ("mixtral-8x7b", None),
        ("qwen-7b-1m", None),
        ("opt-6.7b", 6.7e9),
        ("phi-3-mini-128k", None),
        ("yarn-llama-32K", None),
        ("ours-step-100k", None),
        ("opt-125m-32k", 125e6),
        ("baseline-0b", None),
        ("m-" + "9" * 400 + "b", None),
    ],
)
def test_sizes_are_read_from_plain_names_only(name, size):
    found = size_in_name(name)
    assert found == size if size else found != found


def test_a_name_that_says_zero_states_no_size_to_check(tmp_path):
    path = tmp_path / "results.csv"
    for name in ("m-0k", "m-0b"):
        path.write_text(f"model,task,metric,score,n_params\n{name},t,acc,.1,1000\n")
        assert load(path).models["n_params"].tolist() == [1000]


def test_sizes_from_names_are_a_warning(tmp_path):
    path = write(tmp_path, "model,task,metric,score\nm-1b,t,acc,.1\nm-128k,t,acc,.2\n")
    tables = load(path)
    assert tables.models["n_params"].fillna(-1).tolist() == [1e9, -1]
    [[severity, message]] = tables.notes[["severity", "message"]].to_numpy().tolist()
    assert (severity, message) == ("warning", "read from the names of m-1b")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_names_are_compared_without_blanks_and_in_one_spelling(tmp_path, kind):
    names = ["a ", " a", "e\u0301", "\u00e9"]
    tasks = ["t", "u", "t", "u"]
    rows = [
        {"model": model, "task": f" {task}", "metric": "acc", "score": 0.1, "family": "f "}
        for model, task in zip(names, tasks, strict=True)
    ]
    table = pd.DataFrame(rows)
    text = table.to_csv(index=False) if kind == "csv" else json.dumps(rows)
    tables = load(write(tmp_path, text, f"t.{kind}"))
    assert tables.results["model"].tolist() == ["a", "a", "\u00e9", "\u00e9"]
    assert tables.results["task"].tolist() == tasks
    assert tables.models["family"].tolist() == ["f", "f"]
    assert tables.notes["field"].tolist() == ["model", "task", "family"]
    assert "such as 'a ' (3 rows)" in tables.notes["message"].iloc[0]


def test_rows_that_blanks_told_apart_are_the_same(tmp_path):
    text = "model,task,metric,score\na,t,acc,.1\na ,t,acc,.2\n"
    with pytest.raises(LoadError, match="lines 2 and 3 have the same key"):
        load(write(tmp_path, text))


def test_answers_keep_their_blanks(tmp_path):
    text = "model,task,example_id,prediction,target\na,t,1, x, x\n"
    samples = load(write(tmp_path, text)).samples
    assert samples[["prediction", "target"]].iloc[0].tolist() == [" x", " x"]
