"""Percentages as fractions: which scores were written as percent, and what goes with them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from emergekit.errors import LoadError, unknown
from emergekit.loaders.tabular.conversion import PERCENT_COLUMNS
from emergekit.loaders.tabular.shares import (
    bare_name,
    is_of_either_scale,
    is_registered,
    is_share,
)
from emergekit.loaders.tabular.source import Source

__all__ = ["Percent", "as_percent", "check_percent", "fractions"]

Percent: TypeAlias = "bool | str | Collection[str] | None"

# What goes by its own range together: an interval, and the bounds of the metric.
_JUDGED = (("stderr",), ("chance",), ("lower", "upper"), ("low", "high"))
_SURE_STDERR = 0.1  # a share's standard error this large takes fewer than 25 examples


@dataclass(frozen=True)
class _Scores:
    """The scores of one metric: the numbers, and which of them had a percent sign."""

    metric: str
    scores: pd.Series
    signed: pd.Series

    @property
    def plain(self) -> pd.Series:
        """The scores without a percent sign."""
        return self.scores[~self.signed]

    def is_named(self, names: Collection[str]) -> bool:
        """Return whether this metric is among the names, with or without its filter."""
        return self.metric in names or bare_name(self.metric) in names

    @property
    def may_be_percent(self) -> bool:
        """Whether these could be percentages, by what the metric is and by their range."""
        if is_share(self.metric) or is_of_either_scale(self.metric):
            return True
        return not is_registered(self.metric) and bool(self.scores.between(0, 100).all())


def as_percent(percent: object) -> bool | frozenset[str] | None:
    """Return what `percent` says: of all shares, of these metrics, or nothing.

    Raises
    ------
    LoadError
        If it is something else.

    Examples
    --------
    >>> as_percent(True), as_percent("bleu")
    (True, frozenset({'bleu'}))
    """
    if percent is None or isinstance(percent, bool):
        return percent
    names = [percent] if isinstance(percent, str) else percent
    if isinstance(names, Iterable) and not isinstance(names, Mapping):
        listed = list(names)
        if listed and all(isinstance(name, str) for name in listed):
            return frozenset(listed)
    raise LoadError(f"percent={percent!r} is not True, False, or names of metrics in percent.")


def check_percent(percent: Percent, metrics: Iterable[str]) -> None:
    """Refuse names of metrics that nothing read has.

    Raises
    ------
    LoadError
        With the nearest of the metrics that were read.
    """
    named = as_percent(percent)
    known = list(dict.fromkeys(metrics))
    there = {*known, *map(bare_name, known)}
    for name in sorted(named) if isinstance(named, frozenset) else ():
        if known and name not in there:
            raise LoadError(f"percent= names no metric here: {unknown('metric', name, known)}")


def fractions(
    results: pd.DataFrame,
    source: Source,
    percent: Percent = None,
    signed: pd.DataFrame | None = None,
    *,
    headed: bool = False,
) -> pd.DataFrame:
    """Return the results with percentages as fractions, and note what was divided by 100.

    Parameters
    ----------
    results : DataFrame
        With numeric `score`; `metric` decides which scores are shares.
    source : Source
        The file; takes the notes.
    percent : bool, str or collection of str, optional
        Whether the scores of shares are percentages, or the metrics of which they are. None looks
        at each metric: a share above 1 is in percent. True also takes metrics that we do not know
        and whose scores lie between 0 and 100.
    signed : DataFrame, optional
        Where a column had a percent sign: divided by 100 before.
    headed : bool
        Whether the header of the scores says percent, which then holds for all of them.

    Returns
    -------
    DataFrame
        Standard errors, chances, intervals and bounds go by their own range where the score was
        in percent.

    Raises
    ------
    LoadError
        If one metric holds both kinds, or a score that is neither; or if `percent` is True and the
        scores of some metrics say otherwise.
    """
    if signed is None:
        signed = pd.DataFrame(False, index=results.index, columns=list(PERCENT_COLUMNS))
    table = results.reset_index(drop=True)
    for name in PERCENT_COLUMNS:
        if name in table:
            table[name] = pd.to_numeric(table[name]).astype(float)
    signed = signed.reset_index(drop=True)
    groups = table.groupby("metric", sort=False).groups
    judged = {
        metric: _Scores(
            str(metric),
            table.loc[rows, "score"].set_axis(results.index[rows]),
            signed.loc[rows, "score"].set_axis(results.index[rows]),
        )
        for metric, rows in groups.items()
    }
    said = as_percent(percent)
    if said is True and not headed:
        _check_all_alike(judged.values(), source)
    said = True if headed and said is None else said
    # Every metric is judged before any is changed.
    whole = {metric: _in_percent(scores, source, said) for metric, scores in judged.items()}
    for metric, rows in groups.items():
        if whole[metric]:
            plain = rows[~signed.loc[rows, "score"].to_numpy()]
            table.loc[plain, "score"] /= 100
        if whole[metric] or judged[metric].signed.any():
            source.note("score", *_divided(judged[metric], told=headed or _names(said)))
            _divide_the_others(table, signed, rows)
        else:
            _warn_of_percent(judged[metric], source)
            if is_of_either_scale(str(metric)) and said is None and "high" not in table:
                _tell_scale(judged[metric], source)
    return table.set_axis(results.index)


def _check_all_alike(judged: Iterable[_Scores], source: Source) -> None:
    """Refuse to divide all metrics where some look like fractions beside others in percent."""
    tops = {s.metric: float(s.plain.max()) for s in judged if s.may_be_percent and len(s.plain)}
    large = [metric for metric, top in tops.items() if top > 1]
    small = [metric for metric, top in tops.items() if 0 < top <= 1]
    if large and small:
        lows = ", ".join(f"'{metric}' (at most {tops[metric]:g})" for metric in small[:5])
        highs = ", ".join(f"'{metric}' (up to {tops[metric]:g})" for metric in large[:5])
        raise source.error(
            f"percent=True says that all scores are percentages, but {lows} look like fractions "
            f"beside {highs}; {_option(large)} names those that are in percent."
        )


def _option(names: list[str]) -> str:
    """Return the option that names metrics in percent, in Python and on the command line."""
    flags = " ".join(f"--percent-of {shlex.quote(name)}" for name in names)
    return f"percent={names} (or {flags})"


def _in_percent(scores: _Scores, source: Source, said: bool | frozenset[str] | None) -> bool:
    """Return whether the scores without a percent sign are percentages."""
    if isinstance(said, frozenset):
        named = scores.is_named(said)
        if named and is_registered(scores.metric) and not is_share(scores.metric):
            raise source.error(
                f"percent= names '{scores.metric}', which is no share: it has no percentages."
            )
        said = True if named else None
        if named and not is_registered(scores.metric) and not scores.may_be_percent:
            return True
    if not (is_share(scores.metric) or is_of_either_scale(scores.metric)):
        return bool(said) and scores.may_be_percent
    plain = scores.plain
    high = 100.0 if said or (said is None and plain.max() > 1) else 1.0
    _check_range(scores, high, source)
    if said is None and high == 100.0 and not is_of_either_scale(scores.metric):
        _check_one_scale(scores.metric, plain, source)
    return high == 100.0 and len(plain) > 0


def _check_range(scores: _Scores, high: float, source: Source) -> None:
    values = scores.scores
    tops = scores.signed.map({True: 1.0, False: high})
    outside = (values < 0) | (values > tops)
    if outside.any():
        remedy = "mend the file, or name another metric if it is not a share"
        if high == 1 and values.between(0, 100).all():
            remedy = f"{_option([scores.metric])} says that it is in percent"
        raise source.error(
            f"'{scores.metric}' is a share, between 0 and {high:g}, but "
            f"{source.at(values[outside])}; {remedy}."
        )


def _check_one_scale(metric: str, plain: pd.Series, source: Source) -> None:
    small = plain[(plain > 0) & (plain <= 1)]
    if len(small):
        raise source.error(
            f"'{metric}' mixes percentages and fractions: {source.row} {plain.idxmax()} "
            f"holds {plain.max():g} and {source.row} {small.index[0]} holds {small.iloc[0]:g} "
            f"({len(small)} of {len(plain)} scores are 1 or less); mend the file, or pass "
            f"percent=True (or --percent) if all of them are percentages."
        )


def _names(said: bool | frozenset[str] | None) -> bool:
    return isinstance(said, frozenset)


def _divided(scores: _Scores, *, told: bool) -> tuple[str, str]:
    """Return what is noted of a metric that was divided, and how severe it is."""
    message = f"'{scores.metric}' was in percent; divided by 100"
    plain = scores.plain
    if told or not len(plain):
        return message, "info"
    if 0 < plain.max() <= 1:
        return f"{message}, though no score is above 1", "warning"
    n_small = int(((plain > 0) & (plain <= 1)).sum())
    if n_small and is_of_either_scale(scores.metric):
        some = f"{n_small} of {len(plain)}"
        return f"{message}, scores of 1 or less among them ({some})", "warning"
    return message, "info"


def _divide_the_others(table: pd.DataFrame, signed: pd.DataFrame, rows: pd.Index) -> None:
    for group in _JUDGED:
        names = [name for name in group if name in table]
        plain = table.loc[rows, names].mask(signed.loc[rows, names])
        if names and float(plain.max().max()) > (_SURE_STDERR if group == ("stderr",) else 1):
            for name in names:
                table.loc[rows, name] /= signed.loc[rows, name].map({True: 1, False: 100})


def _warn_of_percent(scores: _Scores, source: Source) -> None:
    values = scores.scores
    known = is_registered(scores.metric) or is_share(scores.metric)
    if not known and values.between(0, 100).all() and values.max() > 1.5:
        said = f"'{scores.metric}' lies between 0 and 100; left as is; use percent=True"
        source.note("score", f"{said} (or --percent) if it is in percent", "warning")


def _tell_scale(scores: _Scores, source: Source) -> None:
    if 0 < scores.plain.max() <= 1:
        said = f"'{scores.metric}' has no score above 1 and was read as fractions"
        source.note("score", f"{said}; {_option([scores.metric])} if it is in percent")
