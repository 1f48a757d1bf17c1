import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from emergekit import Tables, datasets, load, report
from emergekit.cli import main
from emergekit.errors import LoadError, TableError
from emergekit.figures import FIGURES
from emergekit.reporting import fits

WIDE = "task,toy-1m,toy-10m,toy-1b\nadd,0.1,0.2,0.9\n"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with one good file and four that cannot be read."""
    place = tmp_path / "runs"
    place.mkdir()
    (place / "good.csv").write_text(WIDE)
    for n in range(4):
        (place / f"bad{n}.json").write_text("[{")
    return place


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


def test_a_report_returns_its_page_and_its_numbers(toy, tmp_path):
    page = report(toy(), tmp_path / "out")
    assert page.path == tmp_path / "out" / "index.html"
    assert dict(page.lines)["curves"].startswith("1 over n_params")
    assert repr(page).endswith(f"Report written to {page.path}")
    assert Path(page).read_text() == page.path.read_text()


def test_a_path_is_loaded_and_names_the_page(tmp_path, monkeypatch):
    (tmp_path / "good.csv").write_text("model,task,metric,score\ntoy-1m,t,acc,0\ntoy-1b,t,acc,1\n")
    monkeypatch.chdir(tmp_path)
    assert report("good.csv", "out").title == "Emergent abilities: good.csv"
    assert report(tmp_path / "good.csv", "out", title="Mine").title == "Mine"
    # the name of the folder, not the dot
    (tmp_path / "out").rename(tmp_path.parent / "elsewhere")
    assert report(".", tmp_path.parent / "r").title == f"Emergent abilities: {tmp_path.name}"


def test_a_bare_table_is_refused_with_the_remedy(toy, tmp_path):
    with pytest.raises(TableError, match=r"not DataFrame; .* Tables\(results=table\)"):
        report(toy().results, tmp_path)


@pytest.mark.slow
def test_the_chinchilla_law_is_fitted_once(tmp_path, monkeypatch):
    calls = []
    real = fits.fit
    monkeypatch.setattr(fits, "fit", lambda *given: calls.append(given) or real(*given))
    scaling = sys.modules["emergekit.figures.scaling"]
    monkeypatch.setattr(scaling, "fit", lambda *given: calls.append(given) or real(*given))
    report(out=tmp_path)
    assert len(calls) == 1


def test_a_table_of_runs_is_fitted_and_predicts_round_sizes(tmp_path):
    runs = datasets.load_chinchilla().head(60)
    page = report(Tables(models=runs), tmp_path)
    text = page.path.read_text()
    assert "Law chinchilla on 60 models" in text
    terms = pd.read_csv(tmp_path / "fit-chinchilla.csv")["term"].tolist()
    assert terms == ["E", "A", "B", "alpha", "beta"]
    predictions = pd.read_csv(tmp_path / "fit-chinchilla-predictions.csv")
    assert (predictions["n_tokens"] == 20 * predictions["n_params"]).all()
    assert predictions["predicted"].between(predictions["lower"], predictions["upper"]).all()
    assert set(predictions["within_rows"]) == {"yes", "no"}


def test_what_cannot_be_used_is_a_note(toy, tmp_path):
    page = report(toy(model=["a", "b", "zebra"]), tmp_path)
    notes = pd.read_csv(tmp_path / "notes.csv")["message"].tolist()
    assert "not in the models table: zebra" in notes
    assert "1 of 3 scores have no n_params and are in no curve" in notes
    assert page.notes["message"].tolist() == notes
    assert "zebra" in page.path.read_text()


def test_files_that_could_not_be_read_are_said_first(folder, tmp_path):
    page = report(folder, tmp_path / "out", constants={"metric": "acc"})
    (error,) = page.errors
    assert error.startswith("4 of 5 files could not be read: ")
    assert "bad0.json" in error
    assert error.endswith("and 1 more in the notes.")
    text = page.path.read_text()
    assert text.index("4 of 5 files could not be read") < text.index("<main>")
    assert pd.read_csv(tmp_path / "out" / "notes.csv")["severity"].eq("error").sum() == 4


def test_the_command_line_says_what_was_left_out(capsys, folder, tmp_path):
    arguments = ["report", folder, "--constant", "metric=acc", "--out", tmp_path / "out"]
    code, out, err = command(capsys, *arguments)
    assert code == 0
    assert err.startswith("emergekit: 4 of 5 files could not be read: ")
    assert err.count("\n") == 1
    assert "1 over n_params" in out
    code, out, _ = command(capsys, *arguments, "--json")
    notes = json.loads(out)["notes"]
    assert [note["severity"] for note in notes].count("error") == 4


def test_options_on_reading_need_a_path(capsys):
    for option in (["--column", "A=score"], ["--delimiter", ";"], ["--percent"]):
        code, out, err = command(capsys, "report", *option)
        assert (code, out) == (2, "")
        assert option[0] in err


def test_figures_are_listed_with_what_they_show(capsys):
    _, out, _ = command(capsys, "figure", "list")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    assert all(len(line.split()) > 5 for line in lines)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (Tables(), "the tables are empty"),
        (
            Tables(samples=pd.DataFrame({"model": ["a"], "task": "t", "example_id": 1})),
            r"only samples were found \(1 answer\).*rescore",
        ),
        (Tables(models=pd.DataFrame({"model": ["a"]})), "only models were found.*n_tokens"),
        (
            Tables(
                results=pd.DataFrame(
                    {"model": ["a", "b"], "task": "t", "metric": "acc", "score": [0.1, 0.2]}
                )
            ),
            "no two scores of one curve differ in a scale.*--column Size=n_params",
        ),
    ],
)
def test_tables_with_nothing_to_say_are_refused(tables, message, tmp_path):
    with pytest.raises(TableError, match=f"^Nothing to report: {message}"):
        report(tables, tmp_path)


def test_nothing_to_report_names_the_files_that_failed(folder, tmp_path):
    (folder / "good.csv").write_text("model,task,metric,score\na,t,acc,0.5\n")
    with pytest.raises(TableError, match=r"Nothing to report: no two .* 4 files could not be read"):
        report(load(folder), tmp_path)
    with pytest.raises(TableError, match=r"4 of 5 files could not be read"):
        report(folder, tmp_path)


def test_options_on_reading_are_refused_without_a_path(toy, tmp_path):
    with pytest.raises(TableError, match="constants says how to read a path"):
        report(toy(), tmp_path, constants={"metric": "acc"})


def test_a_folder_that_cannot_be_written_is_named(toy, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="file: the report cannot be written there"):
        report(toy(), tmp_path / "file")
