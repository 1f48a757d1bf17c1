"""The contract of readers, ours and those of others."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from emergekit import load
from emergekit.errors import LoadError
from emergekit.loaders import explain
from emergekit.loaders.assembling import assembled
from emergekit.loaders.readers import READERS, known_readers


def can_read(path):
    return 0.9 if path.suffix == ".score" else 0.0


def read(path, *, unit=1.0):
    score = float(path.read_text()) / unit
    row = {"model": path.stem, "task": "t", "metric": "acc", "score": score}
    return assembled(path, models=[{"model": path.stem}], results=[row])


def beside(path):
    return path.parent.glob(f"{path.stem}.extra.csv")


def plug_in(**parts):
    given = {"NAME": "scores", "ABOUT": "files ending in .score", "can_read": can_read}
    return SimpleNamespace(**(given | {"read": read, "beside": beside} | parts))


@dataclass
class Entry:
    """An entry point as an installed package has it."""

    found: object
    name: str = "scores"
    value: str = "other:module"
    dist: object = None

    def load(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def installed(monkeypatch):
    """Return a function that installs plug-ins."""

    def install(*found):
        entries = [Entry(one) for one in found]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries)

    return install


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.score").write_text("0.5")
    (tmp_path / "a.extra.csv").write_text("model,task,metric,score\nz,t,acc,.1\n")
    (tmp_path / "b.csv").write_text("model,task,metric,score\nb,t,acc,.1\n")
    return tmp_path


def test_every_reader_of_ours_keeps_the_contract():
    for name, reader in READERS.items():
        assert reader.name == name
        assert reader.about
        assert reader.score(Path("no/such/file")) == 0.0, name


def test_a_plug_in_reads_its_files_and_those_beside_them(folder, installed):
    installed(plug_in())
    tables = load(folder)
    assert tables.results[["model", "score"]].values.tolist() == [["a", 0.5], ["b", 0.1]]
    said = tables.notes.set_index("severity")["message"]
    assert said["info"] == "1 file read as 'scores': files ending in .score"
    assert load(folder, unit=5).results["score"].tolist() == [0.1, 0.1]
    assert load(folder, format="scores").results["model"].tolist() == ["a"]
    assert load(folder / "a.score", unit=2).results["score"].tolist() == [0.25]


def test_it_is_explained_who_reads_what(folder, installed):
    installed(plug_in())
    rows = explain(folder).assign(file=lambda t: [Path(f).name for f in t["file"]])
    rows = rows.set_index("file")
    assert rows["format"].fillna("").to_dict() == {
        "a.extra.csv": "", "a.score": "scores", "b.csv": "table"
    }  # fmt: skip
    assert rows.loc["a.extra.csv", "about"] == "read with another file"
    assert rows.loc["a.score", "score"] == 0.9


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ImportError("no torch"), r"'scores' was left out \(ImportError: no torch\)"),
        (SimpleNamespace(NAME="x"), r"was left out \(AttributeError"),
        (plug_in(NAME=3), "NAME must be text"),
        (plug_in(read="read"), "can_read and read functions"),
        (plug_in(NAME="table"), "there is a reader 'table'"),
    ],
)
def test_a_broken_plug_in_is_a_warning(folder, installed, found, said):
    installed(found)
    with pytest.warns(UserWarning, match=said):
        assert set(known_readers()) == set(READERS)
    with pytest.warns(UserWarning, match=said):
        assert "b" in set(load(folder).results["model"])


def breaking(path, **options):
    raise KeyError("inside")


def test_a_plug_in_that_breaks_over_a_file_leaves_the_others(folder, installed):
    installed(plug_in(can_read=breaking))
    with pytest.warns(UserWarning, match=r"could not look at .*KeyError"):
        assert load(folder / "b.csv").results["model"].tolist() == ["b"]
    installed(plug_in(read=breaking, beside=None))
    with pytest.warns(UserWarning, match="could not look beside"):
        tables = load(folder)
    assert set(tables.results["model"]) == {"b", "z"}
    error = tables.notes.set_index("severity").loc["error", "message"]
    assert "the reader 'scores' of other:module broke (KeyError: 'inside')" in error
    installed(plug_in(read=can_read))
    with pytest.raises(LoadError, match="gave float, not Tables"):
        load(folder / "a.score")


def test_options_go_to_the_readers_that_take_them(folder, installed):
    installed(plug_in())
    with pytest.raises(LoadError, match="is read as 'table', which takes no unit="):
        load(folder / "b.csv", unit=2)
    with pytest.raises(LoadError, match="is read as 'scores', which takes no columns="):
        load(folder / "a.score", columns={"a": "b"})
    assert load(folder, percent=False, unit=1).results["model"].tolist() == ["a", "b"]
    (folder / "a.score").unlink()
    with pytest.raises(LoadError, match=r"holds 2 \.csv.*and no file of format 'scores'"):
        load(folder, format="scores")


def test_a_json_schema_is_no_table(write):
    schema = '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}'
    file = write(schema, "in/eval.schema.json")
    write("model,task,metric,score\na,t,acc,0.5\n", "in/table.csv")
    tables = load(file.parent)
    assert tables.notes["severity"].tolist() == ["info"]
    assert "a JSON schema, which describes files and holds no scores" in tables.notes["message"][0]
    with pytest.raises(LoadError, match=r"eval\.schema\.json"):
        load(file)


def test_the_schemas_beside_real_records_are_passed_over(formats):
    notes = load(formats / "every_eval_ever").notes
    assert not notes["severity"].isin(["error", "warning"]).any()
