"""A verdict beside every curve, or the reason why it has none of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from emergekit.emergence import mirage_test, verdict_in_words
from emergekit.emergence.questions.curve_pairs import LEAST_SCALES
from emergekit.emergence.verdicts.pairing import require_metric
from emergekit.errors import TableError
from emergekit.metrics import METRICS

__all__ = ["NUMBERS", "Curve", "curve_verdicts", "group_of", "run_of"]

Curve: TypeAlias = "tuple[dict[str, Any], pd.DataFrame]"
"""Its key, and its rows."""
Group: TypeAlias = tuple[str | None, ...]

_GROUP = ("family", "task", "n_shots", "subtask", "filter", "n_target_tokens")
NUMBERS = (
    *("p_break", "q_break", "p_rev", "p_mirage", "q_mirage", "p_link", "p_smooth_sharp"),
    *("p_break_sharp", "p_rev_sharp", "pre_share", "plateau", "plateau_end", "chance"),
    *("eta", "eta_lower", "eta_upper", "n_items", "items_needed"),
)
"""What a verdict stands on, under the names that `mirage_test` gives them."""


def curve_verdicts(
    scores: pd.DataFrame, curves: Sequence[Curve], x: str, options: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one row a curve: its verdict with the numbers behind it, or why it has none.

    Parameters
    ----------
    scores : DataFrame
        The rows of all curves.
    curves : sequence of (dict, DataFrame)
        What `split_curves` makes of them.
    x : str
        Column of scale.
    options : mapping
        What `mirage_test` takes.

    Returns
    -------
    DataFrame
        verdict, evidence, reason, `NUMBERS`, scope, m, n_votes, n_agree, continuous, kind,
        in_words, note; in the order of `curves`.
    """
    for name in ("sharp", "continuous"):
        require_metric(options.get(name), list(map(str, scores["metric"].unique())), name)
    judged, refused = _judged(scores, x, options)
    verdicts = {(group_of(row), row["metric"], row["run"]): row for row in judged}
    groups = {group_of(row): row for row in judged}
    runs = _runs_of_groups(judged)
    rows = []
    for key, mine in curves:
        group = group_of(key)
        if group in refused:
            rows.append(_unjudged("undecided", "bad_input", refused[group]))
            continue
        row = verdicts.get((group, str(key["metric"]), run_of(key, mine)))
        if row is not None:
            rows.append(_told(row, runs[group]))
        elif _text(groups[group]["metric"]) is None:
            rows.append(_told(groups[group], runs[group]))
        else:
            rows.append(_unjudged(None, _why_not(key, groups[group]), ""))
    return pd.DataFrame(rows)


def group_of(key: Mapping[str, Any] | pd.Series) -> Group:
    """Return what the metrics and the runs of one ability share, as text."""
    return tuple(_text(key.get(name)) for name in _GROUP)


def run_of(key: Mapping[str, Any], rows: pd.DataFrame) -> str | None:
    """Return the name that a verdict gives the run of a curve, None where runs are its points."""
    names = [name for name in ("model", "run", "seed") if name in key]
    return " ".join(rows[names].iloc[0].dropna().astype(str)) if names else None


def _text(value: object) -> str | None:
    if value is None or value is pd.NA or value != value:
        return None
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _judged(
    scores: pd.DataFrame, x: str, options: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[Group, str]]:
    """Return the verdicts on all groups that can be asked, and the error of each other one.

    All that can be asked are asked in one call, since the correction is for many tasks.
    """
    try:
        return _verdicts(scores, x, options), {}
    except TableError:
        pass
    sound, refused = list[pd.DataFrame](), dict[Group, str]()
    keys = [name for name in _GROUP if name in scores]
    cheap = dict(options) | {"n_boot": int(np.ceil(1 / options["alpha"])), "engine": "serial"}
    for _, rows in scores.groupby(keys, dropna=False, sort=False):
        try:
            mirage_test(rows, x, **(cheap | _asked(rows, options)))
            sound.append(rows)
        except TableError as error:
            refused[group_of(rows.iloc[0])] = str(error)
    return (_verdicts(pd.concat(sound), x, options) if sound else []), refused


def _verdicts(scores: pd.DataFrame, x: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    table = mirage_test(scores, x, by_run=True, **(dict(options) | _asked(scores, options)))
    rows = ({str(name): value for name, value in row.items()} for row in table.to_dict("records"))
    return [row | {"run": _text(row["run"])} for row in rows]


def _asked(scores: pd.DataFrame, options: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the metrics that were asked for, as far as they are there."""
    there = set(map(str, scores["metric"]))
    named = {name: options.get(name) for name in ("sharp", "continuous")}
    return {name: metric if metric in there else None for name, metric in named.items()}


def _runs_of_groups(judged: Sequence[Mapping[str, Any]]) -> dict[Group, Counter[str]]:
    """Return the verdicts of the runs of each group; runs with too few scales have no vote."""
    runs: dict[Group, list[Mapping[str, Any]]] = {}
    for row in judged:
        runs.setdefault(group_of(row), []).append(row)
    return {
        group: Counter(
            str(row["verdict"])
            for row in ([row for row in rows if row["m"] >= LEAST_SCALES] or rows)
        )
        for group, rows in runs.items()
    }


def _told(row: Mapping[str, Any], runs: Counter[str]) -> dict[str, Any]:
    names = ("verdict", "evidence", "reason", *NUMBERS, "scope", "m", "continuous", "kind", "note")
    told = {name: row[name] for name in names}
    if row["verdict"] != "genuine":
        # The best threshold of a curve that has none says nothing.
        told |= dict.fromkeys(("eta", "eta_lower", "eta_upper"), np.nan)
    return told | {
        "n_votes": runs.total(),
        "n_agree": runs[str(row["verdict"])],
        "in_words": verdict_in_words(row),
    }


def _unjudged(verdict: str | None, reason: str, note: str) -> dict[str, Any]:
    said = f"{verdict}: the scores were refused" if verdict else f"not judged: {reason}"
    return {
        "verdict": verdict,
        "evidence": "none" if verdict else None,
        "reason": reason,
        **dict.fromkeys((*NUMBERS, "scope", "m", "n_votes", "n_agree"), np.nan),
        **dict.fromkeys(("scope", "continuous", "kind")),
        "in_words": said,
        "note": note,
    }


def _why_not(key: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return why a curve is not judged itself, where another metric of its task is."""
    if key["metric"] == row["continuous"]:
        return f"stands behind {row['metric']}"
    metric = METRICS.get(str(key["metric"]).partition("(")[0])
    if metric is not None and metric.continuous:
        return f"not paired with {row['metric']}; continuous= would"
    return f"{row['metric']} is judged instead"
