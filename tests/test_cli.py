import json
import shlex
import subprocess
import sys

import pandas as pd
import pytest

from emergekit import __version__, load
from emergekit.cli import main
from emergekit.metrics import get

GOOD = "model,task,metric,score\ntoy-1m,t,acc,0.1\ntoy-10m,t,acc,0.2\ntoy-1b,t,acc,0.8\n"


def run(capsys, *arguments):
    """Return exit code, output and errors of the command line."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.csv"
    path.write_text(GOOD)
    return path


@pytest.mark.slow
def test_the_bundled_report_prints_where_it_is_and_its_numbers(tmp_path):
    command = [sys.executable, "-m", "emergekit", "report", "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "63/67 = 94.0%" in done.stdout
    assert "E 1.8172, alpha 0.3473, beta 0.3672" in done.stdout
    assert done.stdout.rstrip().endswith("index.html")
    assert (tmp_path / "out" / "index.html").is_file()
    assert done.stderr == ""


def test_a_report_beside_its_table_can_be_written_again(capsys, good, tmp_path):
    for _ in range(2):
        code, out, err = run(capsys, "report", tmp_path, "--out", tmp_path)
        assert (code, err) == (0, "")
        assert "1 over n_params" in out


def test_a_report_is_not_written_over_what_it_reports_on(capsys, tmp_path):
    (tmp_path / "curves.csv").write_text(GOOD)
    for path in (tmp_path, tmp_path / "curves.csv"):
        code, _, err = run(capsys, "report", path, "--out", tmp_path)
        assert code == 1
        assert "would write curves.csv over files that it reports on" in err
    assert (tmp_path / "curves.csv").read_text() == GOOD
    assert not (tmp_path / "index.html").exists()


def test_a_report_on_a_users_table(capsys, good, tmp_path):
    code, out, err = run(capsys, "report", good, "--out", tmp_path / "r")
    assert (code, err) == (0, "")
    assert "1 over n_params" in out
    code, out, _ = run(capsys, "report", good, "--out", tmp_path / "r", "--json")
    assert json.loads(out)["page"] == str(tmp_path / "r" / "index.html")


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_load_writes_what_it_read(capsys, good, tmp_path, name):
    code, out, _ = run(capsys, "load", good, "--to", tmp_path / name)
    assert code == 0
    assert "results          3 rows" in out
    assert f"warning: {good} n_params: read from the names of toy-1m, toy-10m, toy-1b" in out
    read = pd.read_csv if name.endswith("csv") else pd.read_parquet
    assert read(tmp_path / name)["score"].tolist() == [0.1, 0.2, 0.8]


def test_load_writes_all_tables_into_a_folder(capsys, good, tmp_path):
    code, out, _ = run(capsys, "load", good, "--to", tmp_path / "all", "--json")
    assert code == 0
    assert json.loads(out)["results"] == 3
    assert sorted(file.name for file in (tmp_path / "all").iterdir()) == [
        "models.parquet",
        "results.parquet",
    ]


def test_load_writes_the_format_of_the_community(capsys, good, tmp_path):
    folder = tmp_path / "shared"
    code, out, _ = run(capsys, "load", good, "--to", folder, "--every-eval-ever")
    assert code == 0
    assert out.count("Every Eval Ever 0.3.0") == 3
    assert sorted(load(folder).results["score"]) == [0.1, 0.2, 0.8]
    code, _, err = run(capsys, "load", good, "--every-eval-ever")
    assert code == 2
    assert "--every-eval-ever goes with --to FOLDER" in err


def test_load_takes_the_options_of_the_reader(capsys, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("task;A;B\nt;10;90\n")
    options = ["--delimiter", ";", "--constant", "metric=acc", "--percent"]
    code, out, _ = run(capsys, "load", path, *options)
    assert code == 0
    assert "divided by 100" in out
    code, out, _ = run(
        capsys, "load", path, *options[:-1], "--column", "A=score", "--constant", "model=A"
    )
    assert code == 0


def test_metrics_in_percent_are_named(capsys, tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text("model,task,metric,score\na,t,acc,0.5\na,t,bleu,45\n")
    code, _, err = run(capsys, "load", path, "--percent")
    assert code == 1
    assert "(or --percent-of bleu)" in err
    code, _, _ = run(capsys, "load", path, "--percent-of", "bleu", "--to", tmp_path / "o.csv")
    assert code == 0
    assert pd.read_csv(tmp_path / "o.csv")["score"].tolist() == [0.5, 0.45]
    assert run(capsys, "load", path, "--percent-of", "bleu", "--percent")[0] == 2
    assert run(capsys, "report", "--percent-of", "bleu")[0] == 2


def test_figures_are_listed_and_written_with_their_table(capsys, tmp_path):
    code, out, _ = run(capsys, "figure", "list")
    assert "chinchilla" in out.split()
    code, out, _ = run(capsys, "figure", "mirage-annotated-metrics", "--out", tmp_path / "f.svg")
    assert code == 0
    assert (tmp_path / "f.svg").read_text().startswith("<?xml")
    assert len(pd.read_csv(tmp_path / "f.csv")) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        ("", "the file is empty"),
        (GOOD.replace(",", ";"), "--delimiter ';'"),
        (GOOD.replace("score", "scores"), "(or --column scores=score)"),
        (GOOD.replace("0.8", "lots"), "line 4 holds 'lots'"),
        ("model,task,metric,score\n", "no rows"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_one(capsys, tmp_path, content, message):
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_text(content)
    for command in ("load", "report"):
        code, out, err = run(capsys, command, path)
        assert code == 1
        assert out == ""
        assert err.startswith(f"emergekit: {path}: ")
        assert message in err
        assert err.count("\n") == 1
        assert "Traceback" not in err


def test_wrong_use_is_exit_code_two(capsys, good, tmp_path):
    assert run(capsys, "figure", "chinchila")[0] == 2
    assert run(capsys, "reprot")[0] == 2
    assert run(capsys, "load", good, "--column", "score")[0] == 2
    assert run(capsys, "load", good, "--to", tmp_path / "x.csv", "--table", "scores")[0] == 2


def test_files_that_cannot_be_written_are_exit_code_one(capsys, good, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run(capsys, "load", good, "--to", tmp_path / "file" / "x.csv")
    assert code == 1
    assert "cannot be written" in err
    code, _, err = run(capsys, "figure", "chinchilla", "--out", tmp_path / "x.doc")
    assert code == 1
    assert "a figure file ends in one of" in err
    code, _, err = run(capsys, "load", good, "--to", tmp_path / "x.xlsx")
    assert code == 1


def test_what_is_read_is_not_written_over(capsys, good, answers, tmp_path):
    for command in (("load", good), ("load", tmp_path), ("load", tmp_path / "*.csv")):
        code, out, err = run(capsys, *command, "--to", good)
        assert (code, out) == (1, "")
        assert (
            err == f"emergekit: {good}: is one of the files that are read; write somewhere else.\n"
        )
    assert good.read_text() == GOOD
    code, _, _ = run(capsys, "load", good, "--to", tmp_path / "f")
    code, _, err = run(capsys, "load", tmp_path / "f", "--to", tmp_path / "f")
    assert code == 1
    assert "results.parquet: is one of the files that are read" in err
    pd.read_json(answers, lines=True).to_parquet(tmp_path / "a.parquet")
    before = (tmp_path / "a.parquet").read_bytes()
    path = tmp_path / "a.parquet"
    code, _, err = run(capsys, "rescore", path, "--metric", "exact_match", "--to", path)
    assert code == 1
    assert path.read_bytes() == before


def test_one_table_alone_goes_into_a_folder_too(capsys, good, tmp_path):
    code, _, _ = run(capsys, "load", good, "--to", tmp_path / "f", "--table", "models")
    assert code == 0
    assert [file.name for file in (tmp_path / "f").iterdir()] == ["models.parquet"]
    for to in ("g", "g.csv"):
        code, _, err = run(capsys, "load", good, "--to", tmp_path / to, "--table", "samples")
        assert code == 1
        assert "not written, since there are no samples" in err
        assert not (tmp_path / to).exists()
    assert run(capsys, "load", good, "--table", "models")[0] == 2


def test_tables_of_an_earlier_load_are_not_mixed_in(capsys, good, answers, tmp_path):
    for path in (tmp_path, tmp_path, good):
        code, _, err = run(capsys, "load", path, "--to", tmp_path / ".earlier")
    assert code == 1
    assert "holds samples.parquet from before" in err
    assert len(load(tmp_path / ".earlier").samples) == 3


def test_scores_are_written_as_a_kind_that_is_read_again(capsys, answers, tmp_path):
    wanted = ("rescore", answers, "--metric", "exact_match", "--to")
    code, _, err = run(capsys, *wanted, tmp_path / "r.txt")
    assert code == 1
    assert "written as .csv or .parquet" in err
    code, _, _ = run(capsys, *wanted, tmp_path / "scores")
    assert code == 0
    assert len(load(tmp_path / "scores").results) == 1


def test_models_without_sizes_are_read_again(capsys, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("model,step,task,metric,score\na,1,t,acc,.1\na,2,t,acc,.2\n")
    code, _, _ = run(capsys, "load", path, "--to", tmp_path / "f")
    tables = load(tmp_path / "f")
    assert code == 0
    assert tables.notes.empty
    assert tables.models["step"].tolist() == [1, 2]


def test_version_and_help(capsys):
    assert run(capsys, "--version")[1].strip() == f"emergekit {__version__}"
    for command in ((), ("report",), ("load",), ("figure",)):
        code, out, _ = run(capsys, *command, "--help")
        assert code == 0
        assert "Usage" in out


def test_a_single_file_keeps_what_is_known_of_the_models(capsys, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("model,task,metric,score,n_params\na,t,acc,.1,1e6\nb,t,acc,.4,1e7\n")
    code, out, _ = run(capsys, "load", path, "--to", tmp_path / "long.parquet")
    assert code == 0
    assert "the results with what is known of their models" in out
    again = load(tmp_path / "long.parquet")
    assert again.models["n_params"].tolist() == [1e6, 1e7]
    code, out, _ = run(capsys, "load", path, "--to", tmp_path / "r.csv", "--table", "results")
    assert "n_params" not in pd.read_csv(tmp_path / "r.csv")


@pytest.mark.parametrize("name", ["s.parquet", "s.csv"])
def test_answers_with_one_or_several_right_choices_are_written(capsys, tmp_path, name):
    rows = [
        {"model": "a", "task": "t", "example_id": i, "choice_logprobs": [-1, -2]} for i in (1, 2)
    ]
    rows[0]["gold"], rows[1]["gold"] = 0, [0, 1]
    (tmp_path / "s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    code, _, err = run(capsys, "load", tmp_path / "s.jsonl", "--to", tmp_path / name)
    assert (code, err) == (0, "")
    samples = load(tmp_path / name).samples
    assert list(samples["choice_logprobs"].iloc[0]) == [-1, -2]
    assert list(samples["gold"].iloc[1]) == [0, 1]


def test_what_parquet_cannot_hold_is_named(capsys, tmp_path):
    rows = [{"model": "a", "task": "t", "metric": "acc", "score": 0.1, "extra": {"a": 1}}]
    rows += [rows[0] | {"model": "b", "extra": "text"}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    code, _, err = run(capsys, "load", tmp_path / "t.json", "--to", tmp_path / "t.parquet")
    assert code == 1
    assert "cannot be written as parquet" in err
    assert err.count("\n") == 1


def test_decimal_commas_are_an_option(capsys, tmp_path):
    path = tmp_path / "german.csv"
    path.write_text("model;task;metric;score\na;t;acc;0,5\n")
    code, _, err = run(capsys, "load", path, "--delimiter", ";")
    assert "(or --decimal ,)" in err
    code, out, _ = run(capsys, "load", path, "--delimiter", ";", "--decimal", ",")
    assert code == 0
    assert "1 row (1 model x 1 task x 1 metric)" in out


def test_the_hint_can_be_pasted(capsys, tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text("Model Name,Benchmark,Accuracy (%)\nlab-1B,t,45\n")
    _, _, err = run(capsys, "load", path)
    hint = err[err.index("(or ") + 4 : err.index(") renames")]
    code, _, _ = run(capsys, "load", path, *shlex.split(hint), "--constant", "metric=acc")
    assert code == 0


def test_errors_of_ours_are_sentences_and_bugs_are_not_hidden(capsys, good, monkeypatch):
    def ours(*args, **options):
        get("no_such_metric")

    def foreign(*args, **options):
        int("x")

    monkeypatch.setattr("emergekit.loaders.load", ours)
    code, _, err = run(capsys, "load", good)
    assert code == 1
    assert err.startswith("emergekit: Unknown metric 'no_such_metric'")
    monkeypatch.setattr("emergekit.loaders.load", foreign)
    with pytest.raises(ValueError, match="invalid literal"):
        main(["load", str(good)])


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.jsonl"
    rows = [
        {"model": "m", "task": "t", "example_id": i, "prediction": p, "target": "1 2"}
        for i, p in enumerate(["1 2", "1 3", None])
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_saved_answers_are_scored_again(capsys, answers, tmp_path):
    wanted = ["--metric", "exact_match", "--metric", "token_edit_distance"]
    code, out, err = run(capsys, "rescore", answers, *wanted)
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["m", "t", "exact_match", "0.5"]
    assert "1 samples without the inputs of exact_match were not scored" in err
    code, out, _ = run(capsys, "rescore", answers, *wanted, "--to", tmp_path / "r.csv")
    assert len(pd.read_csv(tmp_path / "r.csv")) == 2
    code, out, _ = run(capsys, "rescore", answers, *wanted, "--json")
    assert json.loads(out)[1]["score"] == 0.5


def test_parquet_is_scored_without_being_loaded_whole(capsys, answers, tmp_path):
    pd.read_json(answers, lines=True).to_parquet(tmp_path / "a.parquet")
    code, out, _ = run(capsys, "rescore", tmp_path / "a.parquet", "--metric", "exact_match")
    assert code == 0
    assert "exact_match" in out


def test_metrics_are_listed_and_unknown_ones_refused(capsys, answers, good):
    code, out, _ = run(capsys, "rescore", answers, "--metric", "list")
    assert "token_edit_distance" in out
    code, _, err = run(capsys, "rescore", answers, "--metric", "exact_mach")
    assert code == 1
    assert "did you mean 'exact_match'" in err
    code, _, err = run(capsys, "rescore", good, "--metric", "exact_match")
    assert code == 1
    assert "holds no samples" in err


def test_a_folder_of_several_kinds_is_scored_whole(capsys, answers, tmp_path):
    table = pd.read_json(answers, lines=True)
    table.assign(model="p").to_parquet(tmp_path / "p.parquet")
    table.assign(model="c").to_csv(tmp_path / "c.csv", index=False)
    (tmp_path / "r.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text("")
    for path in (tmp_path, tmp_path / "*"):
        code, out, err = run(capsys, "rescore", path, "--metric", "exact_match", "--json")
        assert code == 0
        assert sorted(row["model"] for row in json.loads(out)) == ["c", "m", "p"]
        assert f"emergekit: {tmp_path / 'bad.csv'}: the file is empty; write it again.\n" in err
        assert f"emergekit: {path}: 3 rows are results, and were not scored\n" in err


def test_parquet_beside_tables_of_another_kind_is_scored_piece_by_piece(capsys, answers, tmp_path):
    folder = tmp_path / "runs" / "model=m"  # which only the reader of pieces knows
    folder.mkdir(parents=True)
    pd.read_json(answers, lines=True).drop(columns="model").to_parquet(folder / "0.parquet")
    (tmp_path / "runs" / "summary.csv").write_text(GOOD)
    (tmp_path / "runs" / "broken.json").write_text("{")
    code, out, err = run(capsys, "rescore", tmp_path / "runs", "--metric", "exact_match", "--json")
    assert code == 0
    assert [(row["model"], row["score"]) for row in json.loads(out)] == [("m", 0.5)]
    for name in ("summary.csv", "broken.json"):
        assert f"emergekit: {tmp_path / 'runs' / name}: not parquet; passed over" in err


def test_what_load_wrote_into_a_folder_is_scored(capsys, answers, good, tmp_path):
    folder = tmp_path / "written"
    code, _, _ = run(capsys, "load", tmp_path, "--to", folder)
    assert sorted(file.stem for file in folder.iterdir()) == ["models", "results", "samples"]
    for path in (folder, folder / "*.parquet"):
        code, out, err = run(capsys, "rescore", path, "--metric", "exact_match", "--json")
        assert code == 0
        assert [(row["model"], row["score"]) for row in json.loads(out)] == [("m", 0.5)]
        said = "holds no samples, with example_id, prediction or target; passed over\n"
        for name in ("models", "results"):
            assert f"emergekit: {folder / name}.parquet: {said}" in err


def test_a_folder_without_samples_says_what_could_not_be_read(capsys, good, tmp_path):
    (tmp_path / "samples.jsonl").write_text('{"model": ')
    code, _, err = run(capsys, "rescore", tmp_path, "--metric", "exact_match")
    assert code == 1
    assert f"1 files could not be read: {tmp_path / 'samples.jsonl'}: line 1" in err


def test_a_pattern_is_scored_piece_by_piece(capsys, answers, tmp_path):
    for name in ("a", "b"):
        table = pd.read_json(answers, lines=True).assign(model=name)
        (tmp_path / "f").mkdir(exist_ok=True)
        table.to_parquet(tmp_path / "f" / f"{name}.parquet")
    code, out, _ = run(
        capsys, "rescore", tmp_path / "f" / "*.parquet", "--metric", "exact_match", "--json"
    )
    assert [row["model"] for row in json.loads(out)] == ["a", "b"]
    code, _, err = run(capsys, "rescore", tmp_path / "g*.parquet", "--metric", "exact_match")
    assert code == 1
    assert "no file matches this pattern" in err
