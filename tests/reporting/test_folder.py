from emergekit import report
from emergekit.files import MARKER
from emergekit.reporting.folder import write_files


def test_a_report_can_be_written_twice(toy, tmp_path):
    assert report(toy(), tmp_path).path == report(toy(), tmp_path).path


def test_nothing_stale_is_left_of_the_report_before(toy, tmp_path):
    write_files(tmp_path, {"index.html": "", "old.csv": "", "notes.csv": ""})
    (tmp_path / "mine.csv").write_text("kept")
    report(toy(), tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    ours = {"index.html", "curves.csv", "emergence_table.csv", "notes.csv"}
    assert names == {*ours, "mine.csv", MARKER}


def test_notes_belong_to_the_latest_report(toy, tmp_path):
    report(toy(model=["a", "b", "zebra"]), tmp_path)
    assert "zebra" in (tmp_path / "notes.csv").read_text()
    report(toy(), tmp_path)
    assert (tmp_path / "notes.csv").read_text().splitlines() == ["severity,file,field,message"]


def test_a_marker_reaches_no_other_folder_and_no_other_kind_of_file(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious.csv").write_text("")
    (out / "code.py").write_text("")
    (out / MARKER).write_text(f"../precious.csv\n{tmp_path / 'precious.csv'}\ncode.py\n..\n\n")
    write_files(out, {"index.html": "new"})
    assert (tmp_path / "precious.csv").exists()
    assert (out / "code.py").exists()
    assert (out / "index.html").read_text() == "new"
