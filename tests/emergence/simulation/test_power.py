import numpy as np
import pandas as pd
import pytest

from emergekit.emergence import confusion_matrix, power_table


def test_a_design_is_told_what_it_could_find_with_errors():
    table = power_table([5, 12], 200, worlds="em hinge K=5", n_tasks=8)
    assert table["verdict"].tolist() == ["genuine", "genuine"]
    few, many = table.to_dict("records")
    assert (few["rate"], few["never"]) == (0, "fewer than 8 scales")
    assert many["rate"] >= 0.5
    assert many["never"] == ""
    assert table["lower"].le(table["rate"]).all()
    assert table["upper"].ge(table["rate"]).all()
    assert few["upper"] == pytest.approx(1 - 0.025 ** (1 / 8), abs=1e-6)  # Clopper-Pearson at 0
    rate = table["rate"]
    assert table["stderr"].to_numpy() == pytest.approx(np.sqrt(rate * (1 - rate) / 8))


def test_shares_are_those_of_the_confusion_matrix():
    options = {"n_tasks": 4, "seed": 3}
    cells = confusion_matrix(["em K=10", "mc flat"], [8], [50], [0.05], **options)
    table = power_table(8, 50, 0.05, worlds=["em K=10", "mc flat"], **options)
    assert table["verdict"].tolist() == ["mirage", "undecided"]
    assert (table["mirage"] * 4).tolist() == cells["mirage"].tolist()
    assert table["rate"].tolist() == [table["mirage"].iloc[0], table["undecided"].iloc[1]]


def test_exact_match_alone_is_never_genuine():
    table = power_table(12, 500, worlds="em hinge K=5", sharp_only=True, n_tasks=3)
    assert table["never"].tolist() == ["exact match alone"]
    assert table["genuine"].tolist() == [0.0]


def test_a_wider_bound_finds_what_a_narrow_one_calls_smooth():
    rates = [
        power_table(12, 500, width=width, worlds="mc narrow sigmoid", verdict="genuine", n_tasks=6)
        for width in (0.1, 0.8)
    ]
    table = pd.concat(rates)
    assert table["rate"].iloc[0] == 0
    assert table["rate"].iloc[1] > 0.5


def test_unknown_worlds_and_verdicts_are_refused():
    with pytest.raises(ValueError, match="Unknown world 'em K=11'"):
        power_table(8, 50, worlds="em K=11")
    with pytest.raises(ValueError, match="Unknown verdict 'real'"):
        power_table(8, 50, verdict="real")
