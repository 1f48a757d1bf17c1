import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from emergekit import Tables, report

ATTACK = "<script>alert(1)</script>"


class Outline(HTMLParser):
    """Collect the elements of a page and check that they close."""

    VOID = ("meta", "img", "br", "link", "wbr")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.links, self.alts, self.text = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        self.alts += [value for name, value in attrs if name == "alt"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def said(self):
        return "".join(self.text)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    return report(out=tmp_path_factory.mktemp("bundled")).path


def written(tables, folder):
    return Outline(report(tables, folder).path.read_text())


def test_the_bundled_report_is_one_page_with_its_tables(bundled):
    outline = Outline(bundled.read_text())
    assert outline.open == []
    assert outline.seen.count("figure") == 6
    for part in ("63/67 = 94.0%", "E 1.8172, alpha 0.3473, beta 0.3672", "4 of 53", "word_sorting"):
        assert part in outline.said()
    for link in outline.links:
        if not link.startswith(("data:", "#")):
            assert (bundled.parent / link).is_file()


def test_figures_say_in_words_what_they_show(bundled):
    alts = Outline(bundled.read_text()).alts
    assert len(alts) == 6
    assert all(len(alt) > 80 for alt in alts)


def test_a_fit_says_how_good_it_is_and_what_its_warning_means(bundled):
    said = Outline(bundled.read_text()).said()
    assert "RMSE 0.0218 nats per token" in said
    assert "the search converged" in said
    assert "Quote intervals of A and alpha, and of B and beta together" in said


def test_the_measures_are_explained(bundled):
    outline = Outline(bundled.read_text())
    assert "details" in outline.seen
    assert "infinite where more than half of the steps are exactly zero" in outline.said()


def test_the_page_asks_for_nothing_from_elsewhere(bundled):
    assert not re.search(r"""(src|href)=["'](?!data:image|#|[\w-]+\.csv)""", bundled.read_text())


def test_the_tables_hold_every_row(bundled):
    curves = pd.read_csv(bundled.parent / "bigg-curves.csv")
    assert len(curves) == 86
    assert np.isinf(curves["emergence_score"].iloc[0])


def test_what_matters_most_comes_first_and_nothing_twice(toy, tmp_path):
    outline = written(toy(n_examples=50), tmp_path)
    text = outline.said()
    section = (tmp_path / "index.html").read_text().partition('<section id="curves">')[2]
    names = re.findall(r'scope="col">(.*?)</th>', section)
    names = [name.replace("<br>", "") for name in names]
    assert names[:7] == [
        "task",
        "metric",
        "emergence_score",
        "score_first",
        "score_last",
        "n_scales",
        "n_examples",
    ]
    assert "breakthroughness" not in text
    assert "breakthroughness" in pd.read_csv(tmp_path / "curves.csv")


def test_the_range_of_scale_is_said_in_words(toy, tmp_path):
    said = written(toy(), tmp_path).said()
    assert "model size (parameters) from 10 million to 1 billion" in said


def test_steep_curves_on_few_examples_are_counted(grid, tmp_path):
    table = grid(n_examples=10).assign(score=[0.0, 0.0, 0.0, 0.5])
    said = written(Tables(results=table), tmp_path).said()
    assert "1 of 1 have an emergence score above 20, 1 of them on fewer than 30 examples" in said


def test_metrics_are_compared_where_there_are_several(toy, grid, tmp_path):
    report(toy(), tmp_path / "one")
    assert not (tmp_path / "one" / "metrics.csv").exists()
    table = grid(metrics=["acc", "brier_mean"])
    said = written(Tables(results=table), tmp_path / "two").said()
    assert "The same abilities under each metric" in said
    assert len(pd.read_csv(tmp_path / "two" / "metrics.csv")) == 2


def test_names_are_shown_as_text(toy, tmp_path):
    page = report(toy(task=ATTACK, metric=f"acc{ATTACK}"), tmp_path, title=ATTACK)
    text = page.path.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert ATTACK in Outline(text).said()


@pytest.mark.parametrize(
    "name", ["$x$ and $", "多模态 🎉", "a\nb", "x" * 500, "../../etc", "%s{0}{{x}}"]
)
def test_odd_names_are_drawn_and_written(toy, tmp_path, name):
    page = report(toy(task=name), tmp_path)
    assert page.path.read_text().count("<figure>") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        ".emergekit-report",
        "curves.csv",
        "emergence_table.csv",
        "index.html",
        "notes.csv",
    ]


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
