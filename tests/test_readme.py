"""What README says works, word for word."""

import re
import shlex
import warnings
from pathlib import Path

import pytest

import emergekit
from emergekit import load
from emergekit.cli import main
from emergekit.errors import FitWarning
from emergekit.figures.mirage import emergence_scores

README = (Path(__file__).parents[1] / "README.md").read_text()
CI = (Path(__file__).parents[1] / ".ci" / "run").read_text()
COMMANDS = ("pip install . && emergekit report", 'pip install ".[test]" && pytest')
THEIRS = "model,task,Accuracy\ntoy-10m,adding,0.02\ntoy-100m,adding,0.05\ntoy-1b,adding,0.61\n"


@pytest.fixture
def _here(tmp_path, monkeypatch):
    """Work in a folder that holds the file README speaks of."""
    (tmp_path / "results.csv").write_text(THEIRS)
    monkeypatch.chdir(tmp_path)


def run(block, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        exec(block, names)
    return names


def python_blocks():
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_two_commands_stand_in_the_readme_and_in_ci():
    for command in COMMANDS:
        assert f"\n{command}\n" in README
        assert f"\n{command}\n" in CI


def test_the_ten_lines_run():
    block = re.search(r"## Ten lines\n\n```python\n(.*?)```", README, re.DOTALL)[1]
    assert len([line for line in block.splitlines() if line.strip()]) <= 10
    run(block, {})


def test_the_ten_lines_agree_with_the_report():
    shapes = run(python_blocks()[0], {})["shapes"]
    _, drawn = emergence_scores()
    for table in (shapes, drawn):
        steep = table[table["emergence_score"] > 20]
        assert sorted(steep["task"]) == [
            "language_games",
            "modified_arithmetic",
            "word_sorting",
            "word_unscrambling",
        ]


@pytest.mark.usefixtures("_here")
def test_every_block_of_python_runs_after_the_ones_before():
    names = {}
    for block in python_blocks():
        run(block, names)
    assert names["page"].path.is_file()


def test_the_table_of_verdicts_is_printed_as_it_comes_out(capsys):
    block, printed = re.findall(
        r"```python\n([^`]*emergence_table.*?)```\n\n```\n(.*?)```", README, re.S
    )[0]
    run(block, {"ek": emergekit})
    assert capsys.readouterr().out == printed


@pytest.mark.usefixtures("_here")
def test_the_command_on_your_own_results_runs():
    (line,) = re.findall(r"^emergekit (report results.*)$", README, re.MULTILINE)
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(line))
    assert not stopped.value.code
    assert Path("report/index.html").is_file()


def test_the_wide_table_is_read_as_it_stands(tmp_path):
    (table,) = re.findall(r"```\n(task,.*?)```", README, re.DOTALL)
    (tmp_path / "wide.csv").write_text(table)
    tables = load(tmp_path / "wide.csv", constants={"metric": "exact_match"})
    assert len(tables.results) == 6
    assert sorted(tables.models["n_params"]) == [1e7, 1e8, 1e9]
