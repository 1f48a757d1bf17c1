"""The rule list: from the numbers of a curve to a verdict, its evidence and a reason.

The first rule that applies decides. q is the p-value of the break after Benjamini-Hochberg over all
tasks of a call.

== ====================================================================== ==========================
#  condition                                                              verdict / evidence, reason
== ====================================================================== ==========================
1  fewer than 5 scales; n unknown; range too short; dips, falls, or       undecided
   does not rise
2  continuous metric breaks (q <= alpha, p_rev > alpha), 8 scales or more genuine / continuous
3  no plateau and no break in sight, and a hinge excluded or no floor     smooth; else undecided /
                                                                          plateau_above_chance
4  continuous metric does not break, is linked, q_mirage <= alpha         mirage / continuous
5  multiple choice alone breaks (q <= alpha, p_rev > alpha), 8 scales     genuine / implied
6  counts agree with a smooth curve, and no broken link                   resolution_limited
7  counts exclude a hinge (p_rev <= alpha < p_break)                      smooth / hinge_rejected
8  anything else                                                          undecided
== ====================================================================== ==========================

"genuine" and "mirage" are backed by a rejection. "smooth" describes. "resolution_limited" is no
evidence for a mirage: so few items cannot exclude a smooth curve. "implied" has no continuous
metric behind it: a smooth margin cannot put a kink into an accuracy over unequal items, but a bias
to one letter that all items share can hide smooth progress. Exact match alone is never genuine: p^K
with an unknown K is as sharp as one likes.

The list was settled while looking at the worlds of `emergekit.emergence.simulation.rates` and
at the real curves that the tests judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from emergekit.emergence.questions.curve_pairs import LEAST_SCALES
from emergekit.emergence.questions.plateaus import PLATEAU_SPAN

__all__ = ["ENOUGH_SCALES", "VERDICTS", "Verdict", "can_be_genuine", "judge"]

VERDICTS = ("genuine", "mirage", "smooth", "resolution_limited", "undecided")
ENOUGH_SCALES = 8
"""Scales from which "genuine" may be said: three before a break and two after it leave power."""


class Verdict(NamedTuple):
    """What a curve is, what stands behind it, and why not more."""

    verdict: str
    evidence: str
    reason: str


def can_be_genuine(row: Mapping[str, Any]) -> bool:
    """Return whether a curve could be called genuine, whatever its scores: by design alone."""
    return bool(row["m"] >= ENOUGH_SCALES and (row["has_z"] or row["kind"] == "mc"))


def judge(row: Mapping[str, Any], q_break: float, q_mirage: float, alpha: float) -> Verdict:
    """Return the verdict on the numbers of one curve.

    Parameters
    ----------
    row : mapping
        As `curve_evidence` returns it.
    q_break, q_mirage : float
        Its p_break and p_mirage after Benjamini-Hochberg; NaN where it cannot be asked.
    alpha : float
        Level.
    """
    unasked = _cannot_say(row)
    if unasked:
        return Verdict("undecided", "none", unasked)
    broken = q_break <= alpha < row["p_rev"]
    if row["has_z"] and can_be_genuine(row) and broken:
        return Verdict("genuine", "continuous", "break")
    if not row["looks_emergent"]:
        if row["above_span"] < PLATEAU_SPAN or row["p_rev_sharp"] <= alpha:
            return Verdict("smooth", "sharp", "no_plateau")
        return Verdict("undecided", "none", "plateau_above_chance")
    if row["has_z"] and row["p_break"] > alpha and row["linked"] and q_mirage <= alpha:
        return Verdict("mirage", "continuous", "no_break_and_linked")
    if not row["has_z"] and can_be_genuine(row) and broken:
        return Verdict("genuine", "implied", "break_in_accuracy")
    weak = "low_power" if row["has_z"] else "no_continuous"
    if row["p_smooth_sharp"] > alpha and not (row["has_z"] and not row["linked"]):
        return Verdict("resolution_limited", "sharp", weak)
    if row["p_rev_sharp"] <= alpha < row["p_break_sharp"]:
        return Verdict("smooth", "sharp", "hinge_rejected")
    unlinked = row["has_z"] and not row["linked"]
    return Verdict("undecided", "none", "not_mediated" if unlinked else weak)


def _cannot_say(row: Mapping[str, Any]) -> str:
    """Return why a curve cannot be judged, or nothing."""
    if row["m"] == 0:
        return "no_sharp_metric"
    if row["m"] < LEAST_SCALES:
        return "crowded_checkpoints" if row.get("is_crowded") else "few_scales"
    if row["p_break"] != row["p_break"] and row["n_items"] == row["n_items"]:
        return "range_too_short"
    if row["n_items"] != row["n_items"]:
        return "n_unknown"
    if row.get("dip"):
        return "not_monotone"
    if row["fall"]:
        return "inverse_scaling"
    return "" if row["rise"] else "no_rise"
