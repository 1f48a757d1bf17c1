"""The verdict section of the page, and the judgement of abilities from the curves of runs."""

import numpy as np
import pandas as pd
import pytest

from emergekit import Tables, emergence_table, report
from emergekit.emergence import simulate_world
from emergekit.reporting.verdicts import abilities, ranked_verdicts, verdicts_section

ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def scores():
    """Return scores of one mirage, one threshold, and one curve of too few scales."""
    parts = [
        simulate_world("em K=10", n_items=1000),
        simulate_world("em root hinge K=3", n_items=1000),
        simulate_world("em smooth", n_scales=4),
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def table(scores):
    return emergence_table(scores, x="flops")


@pytest.fixture(scope="module")
def section(table, scores):
    return verdicts_section(table, scores)


def test_verdicts_are_counted_in_the_first_words(section):
    assert section.words[0].startswith("3 abilities over training compute (FLOPs) from 1")
    assert section.words[0].endswith(": 1 genuine, 1 mirage, 1 undecided.")
    assert section.lines == (("verdicts", "3 abilities: 1 genuine, 1 mirage, 1 undecided"),)


def test_open_verdicts_say_what_they_lack(section):
    (point,) = section.points
    assert point == "1 with 4 scales: a verdict needs 5 different ones, a threshold 8."


def test_what_counts_lack_is_told_in_items_scales_and_metrics(table, scores):
    open_ones = table.head(2).assign(
        verdict="resolution_limited",
        reason="no_continuous",
        metric=["exact_match", "other"],
        task=["a", "b"],
        n_items=50,
        items_needed=[400, 70_000],
        m=[12, 6],
    )
    (point,) = verdicts_section(open_ones, scores, draw=False).points
    assert point == (
        "2 whose counts do not tell a smooth curve from a step: a continuous metric of the same "
        "answers (their loss, the probability of the right choice) is what helps most; 2 would "
        "need 400 to 70 thousand items to show any progress above chance; 1 have fewer than 8 "
        "scales."
    )


def test_the_strongest_verdicts_come_first_and_unjudged_curves_last(table):
    verdicts = ranked_verdicts(table)["verdict"].tolist()
    assert verdicts[:3] == ["genuine", "mirage", "undecided"]
    assert pd.isna(verdicts[3:]).all()


def test_curves_are_drawn_with_their_verdicts(section):
    titles = [ax.get_title(loc="left") for ax in section.figure.axes]
    assert any("genuine: token_nll itself has a threshold" in title for title in titles)
    assert any("mirage: token_nll rises without a break" in title for title in titles)
    assert "mirage: token_nll rises without a break" in section.caption


def test_curves_of_too_few_scales_are_not_drawn(scores):
    few = scores[scores["task"] == "em smooth 0"]
    assert verdicts_section(emergence_table(few), few).figure is None


def test_runs_of_an_ability_count_once_and_a_majority_decides():
    runs = pd.DataFrame(
        {
            "task": ["a"] * 3 + ["b"] * 2,
            "run": ["1", "2", "3", "1", "2"],
            "verdict": ["genuine", "genuine", "smooth", "smooth", "genuine"],
            "reason": "x",
            "n_votes": [3, 3, 3, 2, 2],
            "n_agree": [2, 2, 1, 1, 1],
        }
    )
    found = abilities(runs).set_index("task")
    assert found["ability"].to_dict() == {"a": "genuine", "b": "undecided"}
    assert found.loc["b", "reason"] == "runs_disagree"


def test_names_in_verdicts_are_shown_as_text(scores, tmp_path):
    odd = scores.assign(task=scores["task"].replace("em K=10 0", f"$x_ {ATTACK}\n"))
    page = report(Tables(results=odd[odd["task"] != "em root hinge K=3 0"]), tmp_path)
    text = page.path.read_text()
    assert "<script" not in text
    assert "mirage: token_nll rises without a break" in text


def test_what_was_refused_is_said_first_and_does_not_cost_the_others(scores, table, tmp_path):
    percent = scores["task"].eq("em K=10 0") & scores["metric"].eq("exact_match")
    wrong = scores.assign(score=scores["score"].where(~percent, 100 * scores["score"]))
    page = report(Tables(results=wrong), tmp_path)
    (error,) = page.errors
    assert "Divide percentages by 100" in error
    assert dict(page.lines)["verdicts"] == "3 abilities: 1 genuine, 2 undecided"
    written = pd.read_csv(tmp_path / "emergence_table.csv")
    assert list(written) == list(table)
    assert np.isfinite(written["emergence_score"]).all()
    assert page.path.read_text().count("<figure>") == 2
