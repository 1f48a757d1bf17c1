"""Shares and percentages: which metrics lie between 0 and 1, and what was written as percent."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from emergekit import metrics
from emergekit.loaders.tabular.conversion import PERCENT_COLUMNS
from emergekit.loaders.tabular.source import Source

__all__ = ["fractions", "is_named_metric", "is_share"]

_NAMES = (
    "acc accuracy acc_norm acc_norm_nosample acc_raw acc_uncond acc_bytes acc_char acc_token "
    "acc_per_char acc_per_token acc_per_byte balanced_accuracy top_1_accuracy top1_accuracy "
    "top_5_accuracy em exact exact_match exact_str_match prefix_exact_match quasi_exact_match "
    "quasi_prefix_exact_match strict_match flexible_extract f1 f1_score macro_f1 micro_f1 f1_macro "
    "f1_micro f1_weighted precision recall squad squad_em squad_f1 bleu sacrebleu rouge rouge1 "
    "rouge2 rougel rougelsum rouge_1 rouge_2 rouge_l rouge_lsum multiple_choice_grade mc1 mc2 "
    "win_rate pass_rate success_rate auc auroc pass_at_k"
)
_SHARES = frozenset(_NAMES.split())
_PASS = re.compile(r"(maj|pass|cons)(@|_at_)\d+")
# What goes by its own range together: an interval, and the bounds of the metric.
_JUDGED = (("stderr",), ("chance",), ("lower", "upper"), ("low", "high"))
_SURE_STDERR = 0.1  # a share's standard error this large takes fewer than 25 examples


@dataclass(frozen=True)
class _Scores:
    """The scores of one metric: the numbers, and which of them had a percent sign."""

    metric: str
    scores: pd.Series
    signed: pd.Series


def is_share(metric: str) -> bool:
    """Return whether scores of this metric lie between 0 and 1, by the registry or by its name.

    Examples
    --------
    >>> [is_share(name) for name in ("acc,none", "pass@10", "grade_level", "bits_per_byte")]
    [True, True, False, False]
    """
    bare = re.split(r"[,(]", str(metric))[0].strip()
    known = metrics.METRICS.get(bare)
    if known:
        return known.bounds == (0.0, 1.0)
    word = re.sub(r"[\s-]+", "_", bare.lower())
    return word in _SHARES or bool(_PASS.fullmatch(word))


def is_named_metric(name: object) -> bool:
    """Return whether a column's name is that of a metric: in the registry, or a share by name."""
    return str(name) in metrics.METRICS or is_share(str(name))


def fractions(
    results: pd.DataFrame,
    source: Source,
    percent: bool | None = None,
    signed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the results with percentages as fractions, and note what was divided by 100.

    Parameters
    ----------
    results : DataFrame
        With numeric `score`; `metric` decides which scores are shares.
    source : Source
        The file; takes the notes.
    percent : bool, optional
        What the scores of shares are; None looks: a share above 1 is in percent. True also takes
        metrics that we do not know and whose scores lie between 0 and 100.
    signed : DataFrame, optional
        Where a column had a percent sign: divided by 100 before.

    Returns
    -------
    DataFrame
        Standard errors, chances, intervals and bounds go by their own range where the score was
        in percent.

    Raises
    ------
    LoadError
        If one metric holds both kinds, or a score that is neither.
    """
    if signed is None:
        signed = pd.DataFrame(False, index=results.index, columns=list(PERCENT_COLUMNS))
    table = results.reset_index(drop=True)
    for name in PERCENT_COLUMNS:
        if name in table:
            table[name] = pd.to_numeric(table[name]).astype(float)
    signed = signed.reset_index(drop=True)
    for metric, rows in table.groupby("metric", sort=False).groups.items():
        values = table.loc[rows, "score"].set_axis(results.index[rows])
        marks = signed.loc[rows, "score"].set_axis(results.index[rows])
        scores = _Scores(str(metric), values, marks)
        whole = _in_percent(scores, source, percent)
        if whole:
            plain = rows[~signed.loc[rows, "score"].to_numpy()]
            table.loc[plain, "score"] /= 100
        if whole or marks.any():
            source.note("score", f"'{metric}' was in percent; divided by 100")
            _divide_the_others(table, signed, rows)
        else:
            _warn_of_percent(scores, source)
    return table.set_axis(results.index)


def _divide_the_others(table: pd.DataFrame, signed: pd.DataFrame, rows: pd.Index) -> None:
    for group in _JUDGED:
        names = [name for name in group if name in table]
        plain = table.loc[rows, names].mask(signed.loc[rows, names])
        if names and float(plain.max().max()) > (_SURE_STDERR if group == ("stderr",) else 1):
            for name in names:
                table.loc[rows, name] /= signed.loc[rows, name].map({True: 1, False: 100})


def _in_percent(scores: _Scores, source: Source, percent: bool | None) -> bool:
    """Return whether the scores without a percent sign are percentages."""
    values = scores.scores
    if not is_share(scores.metric):
        known = re.split(r"[,(]", scores.metric)[0] in metrics.METRICS
        return bool(percent) and not known and bool(values.between(0, 100).all())
    plain = values[~scores.signed]
    high = 100.0 if percent or (percent is None and plain.max() > 1) else 1.0
    tops = scores.signed.map({True: 1.0, False: high})
    outside = (values < 0) | (values > tops)
    if outside.any():
        raise source.error(
            f"'{scores.metric}' is a share, between 0 and {high:g}, but "
            f"{source.at(values[outside])}; mend the file, or name another metric if it is not a "
            f"share."
        )
    small = plain[(plain > 0) & (plain <= 1)]
    if percent is None and high == 100.0 and len(small):
        raise source.error(
            f"'{scores.metric}' mixes percentages and fractions: {source.row} {plain.idxmax()} "
            f"holds {plain.max():g} and {source.row} {small.index[0]} holds {small.iloc[0]:g} "
            f"({len(small)} of {len(plain)} scores are 1 or less); mend the file, or pass "
            f"percent=True (or --percent) if all of them are percentages."
        )
    return high == 100.0 and len(plain) > 0


def _warn_of_percent(scores: _Scores, source: Source) -> None:
    known = re.split(r"[,(]", scores.metric)[0] in metrics.METRICS or is_share(scores.metric)
    if not known and scores.scores.between(0, 100).all() and scores.scores.max() > 1.5:
        said = f"'{scores.metric}' lies between 0 and 100; left as is; use percent=True"
        source.note("score", f"{said} (or --percent) if it is in percent", "warning")
