import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from emergekit import Tables, datasets, load, report
from emergekit.errors import LoadError, TableError

ATTACK = "<script>alert(1)</script>"


class Outline(HTMLParser):
    """Collect the elements of a page and check that they close."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.links, self.text = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    return report(out=tmp_path_factory.mktemp("bundled"))


def toy(**columns):
    sizes = [1e7, 1e8, 1e9]
    table = pd.DataFrame(
        {"model": ["a", "b", "c"], "task": "t", "metric": "acc", "score": [0.1, 0.2, 0.8]} | columns
    )
    models = pd.DataFrame({"model": ["a", "b", "c"], "n_params": sizes})
    return Tables(models=models, results=table)


def test_the_bundled_report_is_one_page_with_its_tables(bundled):
    outline = Outline(bundled.read_text())
    assert outline.open == []
    assert outline.seen.count("figure") == 4
    text = " ".join(outline.text)
    for part in ("63/67 = 94.0%", "E 1.8172, alpha 0.3473, beta 0.3672", "4 of 53", "word_sorting"):
        assert part in text
    for link in outline.links:
        if not link.startswith(("data:", "#")):
            assert (bundled.parent / link).is_file()


def test_the_page_asks_for_nothing_from_elsewhere(bundled):
    assert not re.search(r"""(src|href)=["'](?!data:image|#|[\w-]+\.csv)""", bundled.read_text())


def test_the_tables_hold_every_row(bundled):
    curves = pd.read_csv(bundled.parent / "bigg-curves.csv")
    assert len(curves) == 86
    assert np.isinf(curves["emergence_score"].iloc[0])


def test_names_are_shown_as_text(tmp_path):
    page = report(toy(task=ATTACK, metric=f"acc{ATTACK}"), tmp_path)
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert ATTACK in " ".join(Outline(text).text)


@pytest.mark.parametrize(
    "name", ["$x$ and $", "多模态 🎉", "a\nb", "x" * 500, "../../etc", "%s{0}{{x}}"]
)
def test_odd_names_are_drawn_and_written(tmp_path, name):
    page = report(toy(task=name), tmp_path)
    assert page.read_text().count("<figure>") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "curves.csv",
        "index.html",
        "metrics.csv",
    ]


def test_a_table_of_runs_is_fitted(tmp_path):
    runs = datasets.load_chinchilla().head(60)
    page = report(Tables(models=runs), tmp_path)
    assert "Law chinchilla on 60 models" in page.read_text()
    assert pd.read_csv(tmp_path / "fit-chinchilla.csv")["term"].tolist() == [
        "E",
        "A",
        "B",
        "alpha",
        "beta",
    ]


def test_what_cannot_be_used_is_a_note(tmp_path):
    tables = toy(model=["a", "b", "zebra"])
    page = report(tables, tmp_path)
    notes = pd.read_csv(tmp_path / "notes.csv")["message"].tolist()
    assert "not in the models table: zebra" in notes
    assert "1 of 3 scores have no n_params and are in no curve" in notes
    assert "zebra" in page.read_text()


def test_files_that_could_not_be_read_are_in_the_notes(tmp_path):
    (tmp_path / "good.csv").write_text("task,toy-1m,toy-1b\nadd,0.1,0.9\n")
    (tmp_path / "bad.json").write_text("[{")
    page = report(load(tmp_path, constants={"metric": "acc"}), tmp_path / "out")
    assert "cut off" in page.read_text()


def test_tables_with_nothing_to_say_are_refused(tmp_path):
    with pytest.raises(TableError, match=r"Nothing to report: .*no two scores have a scale"):
        report(Tables(results=toy().results), tmp_path)
    with pytest.raises(TableError, match="Nothing to report: the tables are empty"):
        report(Tables(), tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="file: the report cannot be written there"):
        report(toy(), tmp_path / "file")


def test_a_report_can_be_written_twice(tmp_path):
    assert report(toy(), tmp_path) == report(toy(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_opens_in_a_browser(bundled, tmp_path, width):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on this machine")
    picture = tmp_path / "page.png"
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    subprocess.run(
        [
            browser,
            *options.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},1000",
            f"--screenshot={picture}",
            bundled.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert picture.stat().st_size > 10_000
