"""The section of verdicts: how many abilities, which verdicts, and what the open ones lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emergekit.emergence.questions.curve_pairs import LEAST_SCALES
from emergekit.emergence.verdicts.rules import ENOUGH_SCALES, VERDICTS
from emergekit.plots.axes import panels
from emergekit.plots.verdicts import plot_verdict
from emergekit.reporting.section import Note, Section, Sheet
from emergekit.reporting.words import counted, in_words, span

__all__ = ["abilities", "ranked_verdicts", "refusal_notes", "verdicts_section"]

_SHOWN = (
    *("task", "metric", "verdict", "run", "n_scales", "n_items", "q_break", "q_mirage"),
    *("p_smooth_sharp", "eta", "threshold_loss", "threshold_n_params", "needs", "in_words"),
    *("family", "subtask", "n_shots", "filter", "n_target_tokens", "seed", "note"),
)
"""Columns of the table that the page shows: what a narrow screen has room for comes first."""

_TERMS = (
    (
        "genuine",
        "The continuous metric itself has a threshold that no smooth curve matches, or accuracy "
        "alone has one (evidence: implied). Said from 8 scales on.",
    ),
    (
        "mirage",
        "The continuous metric rises without a break, some of it while the sharp one sat at "
        "chance, and the sharp metric follows from it.",
    ),
    ("smooth", "Scores rise from the start, or their counts exclude a threshold."),
    (
        "resolution_limited",
        "So few items cannot tell a smooth curve from a step. No evidence for a mirage.",
    ),
    ("undecided", "None of these can be said; the last column says what could change that."),
    (
        "q_break, q_mirage",
        "Chance of such a break, or of such progress, where there is none, after the correction "
        "for all tasks of the table (Benjamini-Hochberg).",
    ),
    ("p_smooth_sharp", "How well the counts agree with a smooth curve: small says they do not."),
    ("eta", "Where the threshold of a genuine curve lies, in units of the scale."),
    (
        "threshold_loss, threshold_n_params",
        "The loss from which scores rise, where a form with a threshold is clearly best, and the "
        "model size that a law of the family's loss gives for it.",
    ),
)
_PANELS = 6
_COLUMNS = 2
_TITLE = 52  # characters in a line


def verdicts_section(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    name: str = "verdicts",
    title: str = "Is it emergent?",
    sheet: str = "emergence_table",
    line: str = "verdicts",
    more: Sequence[str] = (),
    first: Sequence[str] = (),
    draw: bool = True,
) -> Section:
    """Return the section on the verdicts of a table.

    Parameters
    ----------
    table : DataFrame
        What `emergence_table` returns.
    scores : DataFrame
        The scores behind it.
    name, title, sheet, line : str
        Name and heading of the section, name of the file of its table, and of its main line.
    more : sequence of str
        Paragraphs to add.
    first : sequence of str
        Tasks to draw before others.
    draw : bool
        Whether to draw curves at all.
    """
    ranked = ranked_verdicts(table)
    judged = abilities(ranked)
    figure, caption = _figure(ranked, scores, first) if draw else (None, "")
    x = str(table["x"].iloc[0])
    over = scores[x] if x in scores else pd.Series(dtype=float)
    said = f"{_counts(judged['ability'])}."
    words = (f"{_n_abilities(len(judged))} over {span(x, over)}: {said}", *more)
    open_ones = judged[judged["ability"].isin(["undecided", "resolution_limited"])]
    return Section(
        name,
        title,
        words,
        (Sheet(sheet, ranked, _SHOWN),),
        figure,
        caption,
        _TERMS,
        ((line, f"{_n_abilities(len(judged))}: {_counts(judged['ability'])}"),),
        tuple(_lacking(open_ones)),
    )


def ranked_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the strongest verdicts first, curves that are not judged last."""
    rank = table["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    decided = table[["q_break", "q_mirage"]].min(axis=1)
    order = pd.DataFrame({"rank": rank.fillna(len(VERDICTS)), "decided": decided})
    return table.loc[order.sort_values(["rank", "decided"], kind="stable").index].reset_index(
        drop=True
    )


def abilities(table: pd.DataFrame) -> pd.DataFrame:
    """Return one judged row for each ability, with the verdict that most of its runs share.

    The verdict is in the column ability; it is undecided where no verdict has a majority.
    """
    judged = table[table["verdict"].notna()]
    names = ("task", "family", "subtask", "n_shots", "filter", "n_target_tokens")
    keys = [name for name in names if name in judged]
    # The row of the largest share stands for its ability.
    share = judged["n_agree"].fillna(1) / judged["n_votes"].fillna(1)
    best = judged.assign(share=share).sort_values("share", ascending=False, kind="stable")
    chosen = best.groupby(keys, dropna=False, sort=False).head(1).sort_index()
    one = chosen["share"] > 0.5
    reason = chosen["reason"].where(one, "runs_disagree")
    return chosen.assign(ability=chosen["verdict"].where(one, "undecided"), reason=reason)


def refusal_notes(table: pd.DataFrame) -> list[Note]:
    """Return a note on each ability that was described, but refused by the test of verdicts."""
    refused = table[table["reason"].eq("bad_input") & table["shape_reason"].eq("")]
    return [("error", "", "verdict", said) for said in dict.fromkeys(refused["note"].astype(str))]


def _n_abilities(n: int) -> str:
    return f"{n:,} {'ability' if n == 1 else 'abilities'}"


def _counts(verdicts: pd.Series) -> str:
    counts = verdicts.value_counts()
    said = [f"{counts[name]} {name.replace('_', ' ')}" for name in VERDICTS if name in counts]
    return ", ".join(said) or "none could be judged"


def _lacking(rows: pd.DataFrame) -> Iterable[str]:
    """Yield what the open verdicts lack, one sentence a reason, most frequent first."""
    for reason in rows["reason"].value_counts().index:
        mine = rows[rows["reason"] == reason]
        n = len(mine)
        if reason == "few_scales":
            fewest, most = (int(mine["m"].agg(end)) for end in ("min", "max"))
            have = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            yield (
                f"{n} with {have} scales: a verdict needs {LEAST_SCALES} different ones, a "
                f"threshold {ENOUGH_SCALES}."
            )
        elif reason in ("low_power", "no_continuous"):
            yield from _unresolved(mine, str(reason))
        else:
            yield f"{n} {_OPEN.get(str(reason), str(reason).replace('_', ' '))}"


_OPEN = {
    "no_rise": "whose scores do not rise above chance: larger models could, or more items show it.",
    "not_monotone": "whose scores fall and rise again: neither a smooth rise nor a threshold.",
    "crowded_checkpoints": "whose checkpoints lie in a few stretches of the range, far from the "
    "others: leave out those far away, such as step 0.",
    "inverse_scaling": "whose scores fall with scale: inverse scaling.",
    "plateau_above_chance": "that sit still above chance: smaller models, or the score of guessing "
    "in a column 'chance', would tell why.",
    "not_mediated": "whose sharp metric does not follow from the continuous one: pair it with what "
    "it is made of, such as the loss of the same answers.",
    "n_unknown": "without a number of test items: give n_examples.",
    "no_sharp_metric": "without a metric of right answers: name it with sharp=.",
    "range_too_short": "over a range shorter than what counts as smooth: take models further "
    "apart.",
    "runs_disagree": "whose runs disagree: more runs would decide.",
    "bad_input": "whose scores were refused: the notes say why.",
}


def _unresolved(rows: pd.DataFrame, reason: str) -> Iterable[str]:
    """Yield what curves lack whose counts fit both a smooth curve and a step, or neither."""
    said = "whose counts do not tell a smooth curve from a step"
    if reason == "no_continuous":
        said += ": a continuous metric of the same answers (their loss, the probability of the "
        said += "right choice) is what helps most"
    items = rows["items_needed"].astype(float)
    more = rows["items_needed"].gt(rows["n_items"]) & np.isfinite(items)
    if more.any():
        low, high = (in_words(float(items[more].agg(end))) for end in ("min", "max"))
        ends = low if low == high else f"{low} to {high}"
        said += f"; {int(more.sum())} would need {ends} items to show any progress above chance"
    few = int(rows["m"].lt(ENOUGH_SCALES).sum())
    if few:
        said += f"; {few} have fewer than {ENOUGH_SCALES} scales"
    yield f"{len(rows)} {said}."


def _as_first_met(tasks: pd.Series) -> pd.Series:
    return pd.Series(pd.factorize(tasks)[0], index=tasks.index)


def _figure(
    ranked: pd.DataFrame, scores: pd.DataFrame, first: Sequence[str]
) -> tuple[Figure | None, str]:
    """Return the curves of the strongest verdicts, every task first, and their words."""
    drawable = ranked[ranked["p_smooth_sharp"].notna()]
    if drawable.empty:
        return None, ""
    asked = {task: place for place, task in enumerate(first)}
    rank = drawable["task"].map(asked).fillna(len(asked)).rename("rank")
    again = drawable.duplicated(["task", "verdict"]).rename("again")
    by = pd.concat([again, rank], axis=1).sort_values(["again", "rank"], kind="stable")
    drawn = (
        drawable.loc[by.index].head(_PANELS).sort_values("task", key=_as_first_met, kind="stable")
    )
    n_columns = min(_COLUMNS, len(drawn))
    n_rows = int(np.ceil(len(drawn) / n_columns))
    figure, axes = panels(n_rows, n_columns, width=4.7, height=3.1)
    for ax, (_, row) in zip(axes, drawn.iterrows(), strict=False):
        plot_verdict(scores, row, ax=ax, wrap=_TITLE)
    for ax in axes[len(drawn) :]:
        ax.set_axis_off()
    which = (
        f"{len(drawn)} of {counted(len(drawable), 'curve')}" if len(drawn) < len(drawable) else ""
    )
    order = "" if first else ", the strongest verdicts first"
    words = (f"{row['task']}: {row['in_words']}" for _, row in drawn.iterrows())
    told = "; ".join(dict.fromkeys(words))
    return figure, (
        f"{f'Showing {which}{order}. ' if which else ''}Dots: the sharp "
        "metric with 95 % intervals, left axis; squares: the continuous one, right axis, up is "
        f"better. Grey: score of guessing, and the scales that sit at it. {told}."
    )
