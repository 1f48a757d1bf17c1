"""Whatever was done to a file of any format: tables, or one sentence that names it.

The files under ``tests/files`` that some reader takes are damaged, whichever they are, so that a
new format is fuzzed as soon as it has a file there.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emergekit import ingest, load
from emergekit.errors import LoadError
from emergekit.loaders.detection import surest
from emergekit.loaders.readers import known_readers
from emergekit.tables import Tables
from tests.loaders.damage import damaged, damages

FILES = Path(__file__).parents[1] / "files"
GOOD = "model,task,metric,score\nwhole,t,acc,0.5\n"
FOLDERS = sorted(folder for folder in FILES.iterdir() if folder.is_dir())
READERS = known_readers()


def is_data(file):
    return file.suffix not in (".md", ".py") or any(r.score(file) for r in READERS.values())


SEEDS = [
    file.relative_to(FILES)
    for folder in FOLDERS
    for file in sorted(folder.rglob("*"))
    if file.is_file() and is_data(file)
]
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

seeds = st.sampled_from(SEEDS)


def test_every_reader_has_a_file_to_be_damaged():
    found = {surest(FILES / seed, READERS)[1] for seed in SEEDS}
    ours = {name for name, reader in READERS.items() if reader.package is None}
    assert ours - found <= {"lighteval_details"}  # parquet, made by its own tests


@pytest.fixture
def copies(tmp_path):
    shutil.copytree(FILES, tmp_path / "files")
    for folder in (tmp_path / "files").iterdir():
        if folder.is_dir():
            (folder / "good.csv").write_text(GOOD)
    return tmp_path / "files"


def written(copies, seed, what):
    raw = (FILES / seed).read_bytes()
    for damage in what:
        raw = damaged(raw, damage)
    (copies / seed).write_bytes(raw)
    return copies / seed


def one_sentence(said, folder, word=""):
    assert str(folder) in said, said
    assert word in said, said
    assert "\n" not in said, said
    assert said.endswith((".", "?")), said


def check_single(copies, seed, what):
    """A damaged file alone is tables, or a sentence that names it or one read with it."""
    file = written(copies, seed, what)
    try:
        assert isinstance(load(file), Tables)
    except LoadError as error:
        one_sentence(str(error), copies)
    finally:
        shutil.copyfile(FILES / seed, file)


def check_beside_others(copies, seed, what):
    """Of a folder with a damaged file, the good ones are loaded; notes say which one is not."""
    file = written(copies, seed, what)
    folder = copies / seed.parts[0]
    try:
        tables = load(folder)
        assert "whole" in set(tables.results["model"])
        for message in tables.notes.loc[tables.notes["severity"].eq("error"), "message"]:
            one_sentence(message, folder)
    except LoadError as error:  # what two files say of one model cannot both be true
        one_sentence(str(error), folder, " and ")
    finally:
        shutil.copyfile(FILES / seed, file)


@settings(max_examples=420, suppress_health_check=QUIET)
@given(seed=seeds, what=damages)
def test_a_damaged_file_is_tables_or_one_sentence(copies, seed, what):
    check_single(copies, seed, what)


@settings(max_examples=80, suppress_health_check=QUIET)
@given(seed=seeds, what=damages)
def test_good_files_beside_a_damaged_one_are_loaded(copies, seed, what):
    check_beside_others(copies, seed, what)


@pytest.mark.nightly
@settings(max_examples=8_000, suppress_health_check=QUIET)
@given(seed=seeds, what=damages)
def test_ten_thousand_damaged_files_alone(copies, seed, what):
    check_single(copies, seed, what)


@pytest.mark.nightly
@settings(max_examples=2_000, suppress_health_check=QUIET)
@given(seed=seeds, what=damages)
def test_ten_thousand_damaged_files_beside_others(copies, seed, what):
    check_beside_others(copies, seed, what)


@pytest.mark.nightly
@settings(max_examples=1_000, suppress_health_check=QUIET)
@given(seed=seeds, what=damages)
def test_damaged_files_are_ingested_or_named(copies, tmp_path, seed, what):
    file = written(copies, seed, what)
    try:
        done = ingest(file, tmp_path / "parquet")
        assert done["state"].isin(["ingested", "no samples", "failed"]).all()
        for message in done.loc[done["state"].eq("failed"), "message"]:
            one_sentence(message, copies)
    except LoadError as error:
        one_sentence(str(error), tmp_path)
    finally:
        shutil.copyfile(FILES / seed, file)
        shutil.rmtree(tmp_path / "parquet", ignore_errors=True)
