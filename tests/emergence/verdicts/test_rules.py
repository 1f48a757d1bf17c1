import numpy as np
import pytest

from emergekit.emergence.questions.plateaus import describe_sharp, plateau_length
from emergekit.emergence.verdicts.families import adjusted, combined, family_verdict, voters
from emergekit.emergence.verdicts.rules import VERDICTS, can_be_genuine, judge

# A mirage by the book; each case below changes what it is about.
ROW = {
    "m": 12,
    "has_z": True,
    "kind": "em",
    "n_items": 200.0,
    "rise": True,
    "fall": False,
    "looks_emergent": True,
    "above_span": 0.5,
    "linked": True,
    "p_break": 0.5,
    "p_rev": 0.005,
    "p_mirage": 0.01,
    "p_smooth_sharp": 0.5,
    "p_break_sharp": 0.5,
    "p_rev_sharp": 0.5,
}
ALONE = {"has_z": False, "linked": False, "p_mirage": np.nan}
BROKEN = {"p_break": 0.005, "p_rev": 0.4}
CASES = [
    ({}, "mirage", "no_break_and_linked"),
    ({"m": 0}, "undecided", "no_sharp_metric"),
    ({"m": 4}, "undecided", "few_scales"),
    ({"n_items": np.nan}, "undecided", "n_unknown"),
    ({"p_break": np.nan}, "undecided", "range_too_short"),
    ({"rise": False}, "undecided", "no_rise"),
    ({"rise": False, "fall": True}, "undecided", "inverse_scaling"),
    (BROKEN, "genuine", "break"),
    (BROKEN | {"m": 7}, "resolution_limited", "low_power"),
    (BROKEN | {"p_rev": 0.01}, "resolution_limited", "low_power"),
    ({"looks_emergent": False, "above_span": 0.1}, "smooth", "no_plateau"),
    ({"looks_emergent": False, "p_rev_sharp": 0.01}, "smooth", "no_plateau"),
    ({"looks_emergent": False}, "undecided", "plateau_above_chance"),
    ({"linked": False}, "undecided", "not_mediated"),
    ({"linked": False, "p_rev_sharp": 0.01}, "smooth", "hinge_rejected"),
    ({"p_mirage": 0.2}, "resolution_limited", "low_power"),
    ({"p_mirage": 0.2, "p_smooth_sharp": 0.01}, "undecided", "low_power"),
    (ALONE, "resolution_limited", "no_continuous"),
    (ALONE | {"p_smooth_sharp": 0.01}, "undecided", "no_continuous"),
    (ALONE | BROKEN | {"kind": "mc"}, "genuine", "break_in_accuracy"),
    # Exact match alone is never genuine: p^K with an unknown K is as sharp as one likes.
    (ALONE | BROKEN, "resolution_limited", "no_continuous"),
]


def said(row, alpha=0.05):
    q_break = row["p_break"] if can_be_genuine(row) else np.nan
    return judge(row, q_break, row["p_mirage"], alpha)


@pytest.mark.parametrize(("change", "verdict", "reason"), CASES)
def test_the_rule_list_says_what_it_says(change, verdict, reason):
    found = said(ROW | change)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.verdict in VERDICTS


def test_implied_is_told_apart_from_continuous():
    assert said(ROW | BROKEN).evidence == "continuous"
    assert said(ROW | ALONE | BROKEN | {"kind": "mc"}).evidence == "implied"


def test_benjamini_hochberg_over_many_tasks_takes_back_a_lone_break():
    p = np.full(60, 0.5)
    p[0] = 0.005
    q = adjusted(p, "bh")
    assert q[0] == pytest.approx(0.3)
    assert judge(ROW | BROKEN, q[0], 0.01, 0.05).verdict != "genuine"
    assert adjusted(p, None)[0] == 0.005


def run(**change):
    keys = ("eta", "eta_lower", "eta_upper", "n_boot", "p_pre", "p_link")
    return dict.fromkeys(keys, 1.0) | ROW | {"poor_fit": False, "link": None} | change


def test_a_family_has_the_label_that_most_of_its_runs_share_and_fishers_p_value():
    runs = [run(**BROKEN, eta=2.6), run(**BROKEN, eta=2.8), run(eta=2.7)]
    row = combined(runs)
    assert (row["eta_lower"], row["eta"], row["eta_upper"]) == (2.6, 2.7, 2.8)
    # Fisher by hand: chi2 with 6 degrees of freedom of -2 sum(log p).
    half = -np.log([0.005, 0.005, 0.5]).sum()
    assert row["p_break"] == pytest.approx(np.exp(-half) * (1 + half + half**2 / 2))
    label, n = family_verdict(runs, 0.001, 0.001, 0.05)
    assert (label.verdict, n) == ("genuine", 2)
    assert family_verdict(runs[1:], 0.001, 0.001, 0.05)[0].reason == "runs_disagree"


def test_no_run_is_surer_than_its_family_after_the_correction():
    assert family_verdict([run(**BROKEN)] * 3, 0.2, 1.0, 0.05)[0].verdict != "genuine"


def test_runs_with_too_few_scales_have_no_vote_beside_others():
    assert voters({"a": {"m": 1}, "b": {"m": 9}}) == [{"m": 9}]
    assert voters({"a": {"m": 1}}) == [{"m": 1}]


def test_the_plateau_of_the_worked_example_has_eight_scales():
    right = np.array([0, 0, 0, 0, 0, 0, 2, 7, 19, 32, 54, 77.0])
    n = np.full(12, 200.0)
    found = describe_sharp(np.linspace(0, 1, 12), right, n, 0.0, 0.05)
    assert (found.plateau, found.rise, found.fall) == (8, True, False)
    assert found.plateau_span == pytest.approx(7 / 11)


def test_a_curve_that_falls_is_inverse_scaling_and_noise_is_neither():
    t, n = np.linspace(0, 1, 10), np.full(10, 200.0)
    falling = describe_sharp(t, np.linspace(120, 20, 10).round(), n, 0.1, 0.05)
    assert falling.fall
    assert not falling.rise
    noise = describe_sharp(t, np.full(10, 50.0), n, 0.25, 0.05)
    assert not noise.rise
    assert not noise.fall
    assert plateau_length(np.full(10, 50.0), n, 0.27, 0.05) == 10
