"""Column names: which of ours a file's column is, or may be meant to be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.errors import nearest
from emergekit.loaders.tabular.source import Source
from emergekit.tables import MODELS, RESULTS, SAMPLES

__all__ = [
    "OURS",
    "Named",
    "folded",
    "known_word",
    "meant",
    "named",
    "options",
    "unit_of",
    "useful",
]

OURS = tuple(dict.fromkeys(name for s in (MODELS, SAMPLES, RESULTS) for name in s.names))

_SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "model": ("name", "model name", "model id", "llm", "system"),
        "task": ("benchmark", "dataset", "task name", "eval", "evaluation", "test"),
        "metric": ("metric name", "measure"),
        "score": ("accuracy", "acc", "em", "f1", "exact match", "value", "result", "performance"),
        "n_params": (
            "params",
            "parameters",
            "size",
            "model size",
            "num params",
            "num parameters",
            "parameter count",
            "n parameters",
            "nparams",
        ),
        "n_tokens": ("tokens", "training tokens", "train tokens", "num tokens", "ntokens"),
        "flops": ("compute", "training flops", "train flops", "training compute"),
        "n_shots": ("shots", "shot", "num shots", "n shot", "num fewshot", "fewshot", "k shot"),
        "n_examples": (
            "n",
            "count",
            "num examples",
            "examples",
            "num samples",
            "n samples",
            "items",
            "eval items",
            "questions",
            "n questions",
        ),
        "stderr": ("se", "sem", "std err", "std error", "standard error"),
        "loss": ("val loss", "validation loss", "final loss", "cross entropy"),
        "step": ("steps", "iteration", "training step"),
    }
)
_MEANS = MappingProxyType({word: ours for ours, words in _SYNONYMS.items() for word in words})
_SIZES = ("n_params", "n_tokens", "flops")
# Of these a note says that they could be used; the names a table cannot do without are in errors.
_TOLD = ("n_params", "n_tokens", "flops", "n_shots", "n_examples", "stderr")

_POWERS = MappingProxyType(
    {"k": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9}
    | {"billion": 1e9, "t": 1e12, "tn": 1e12, "trillion": 1e12}
)
_WORD = "(" + "|".join(sorted(_POWERS, key=len, reverse=True)) + ")s?"
_UNIT = re.compile(rf"\s*(?:\(\s*(?:in\s+)?{_WORD}\s*\)|\bin\s+{_WORD}|[ _]{_WORD})\s*$", re.I)
_TEN = re.compile(r"[ _(]+(?:in\s+)?(1e\d+)\s*\)?\s*$", re.I)
_PERCENT = re.compile(r"\s*(?:\(?%\)?|\(?\bin percent\)?|[ _]\(?(?:pct|percent)\)?)\s*$", re.I)


@dataclass(frozen=True)
class Named:
    """A table under our names, and what its headers said of units.

    Parameters
    ----------
    table : DataFrame
        Columns renamed.
    factors : mapping
        Our column to what its values are to be multiplied by.
    percent : bool
        Whether the header of `score` says percent.
    """

    table: pd.DataFrame
    factors: Mapping[str, float] = field(default_factory=dict)
    percent: bool = False


def folded(name: object) -> str:
    """Return a header without case, marks and unit, as synonyms are compared.

    Examples
    --------
    >>> folded("Accuracy (%)"), folded("#Params (B)"), folded("Model_Name")
    ('accuracy', 'params', 'model name')
    """
    bare = re.sub(r"\(.*?\)", " ", _TEN.sub("", _PERCENT.sub("", str(name))))
    words = re.sub(r"[\W_]+", " ", bare).strip().casefold()
    without = _UNIT.sub("", words)
    return without if without in _MEANS else words


def known_word(name: object) -> str | None:
    """Return which of our columns a header is a word for: "Params (M)" for n_params; or None."""
    return _MEANS.get(folded(name))


def unit_of(name: object) -> float:
    """Return what a header says its counts are in: 1e6 for "Params (M)", 1 if it says nothing.

    Examples
    --------
    >>> unit_of("Params (M)"), unit_of("tokens in billions"), unit_of("flops_1e21"), unit_of("size")
    (1000000.0, 1000000000.0, 1e+21, 1.0)
    """
    ten = _TEN.search(str(name))
    if ten:
        return float(ten[1])
    unit = _UNIT.search(str(name))
    word = next((group for group in unit.groups() if group), "") if unit else ""
    return _POWERS.get(word.casefold(), 1.0)


def named(
    table: pd.DataFrame, columns: Mapping[str, str], source: Source, found: set[str] | None
) -> Named:
    """Return the table under our names: those asked for, and ours in another case or with a unit.

    Parameters
    ----------
    table : DataFrame
        As the file has it.
    columns : mapping
        Names in the file to our names.
    source : Source
        The file.
    found : set of str, optional
        Takes the names of `columns` that the file has; a name it lacks is an error if None.

    Raises
    ------
    LoadError
        If a name of `columns` is absent, a new name is nearly one of ours, or two are the same.
    """
    there = {theirs: ours for theirs, ours in columns.items() if theirs in table}
    if found is not None:
        found.update(there)
    _check_asked(table, columns, there if found is not None else columns, source)
    own = {name: _own(name) for name in table.columns if name not in there}
    free = {name: ours for name, ours in own.items() if ours in OURS and ours not in table}
    renames = free | there
    renamed = table.rename(columns=renames)
    twice = renamed.columns[renamed.columns.duplicated()]
    if len(twice):
        raise source.error(f"two columns are named '{twice[0]}'; rename one with columns=.")
    renamed = _without_index(renamed, source)
    _tell_synonyms(renamed, source)
    factors = {ours: unit_of(name) for name, ours in renames.items() if ours in _SIZES}
    percent = any(ours == "score" and _PERCENT.search(str(name)) for name, ours in renames.items())
    return Named(renamed, {ours: by for ours, by in factors.items() if by != 1}, percent)


def _check_asked(
    table: pd.DataFrame, columns: Mapping[str, str], needed: Iterable[str], source: Source
) -> None:
    for theirs in needed:
        if theirs not in table:
            match = nearest(theirs, table.columns)
            hint = f"did you mean '{match}'? " if match else ""
            raise source.error(
                f"columns= names '{theirs}', which the file lacks; {hint}"
                f"The file has {', '.join(map(str, table.columns))}."
            )
    for theirs, ours in columns.items():
        if ours not in OURS and nearest(ours, OURS):
            raise source.error(
                f"columns= renames '{theirs}' to '{ours}', which is no column of ours; "
                f"did you mean '{nearest(ours, OURS)}'?"
            )


def _own(name: object) -> str:
    """Return a header as we would write it: in small letters, without its unit in brackets."""
    bare = _PERCENT.sub("", str(name))
    bare = re.sub(r"\s*\([^)]*\)\s*$", "", bare) if unit_of(bare) != 1 else bare
    return re.sub(r"[\s-]+", "_", bare.strip().lower())


def _without_index(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Drop the row numbers that pandas writes under a blank header."""
    for name in table.columns[:1]:
        blank = name == "" or str(name).startswith("Unnamed: ")
        if blank and pd.to_numeric(table[name], errors="coerce").notna().all():
            source.note(str(name), "row numbers under a blank header were dropped")
            return table.drop(columns=name)
    return table


def _tell_synonyms(table: pd.DataFrame, source: Source) -> None:
    for name, ours in useful(table).items():
        said = options("columns", {name: ours})
        source.note(
            name, f"column '{name}' looks like {ours}, and is not used as such; {said} does"
        )


def useful(table: pd.DataFrame) -> dict[str, str]:
    """Return which columns could be used as one of ours that a table can do without.

    Examples
    --------
    >>> useful(pd.DataFrame(columns=["model", "Params (M)", "shots"]))
    {'Params (M)': 'n_params', 'shots': 'n_shots'}
    """
    free = {name: folded(name) for name in map(str, table.columns) if name not in OURS}
    pairs = dict[str, str]()
    for ours in (name for name in _TOLD if name not in table):
        words = [ours.replace("_", " "), *_SYNONYMS[ours]]
        alike = sorted((n for n in free if free[n] in words), key=lambda n: words.index(free[n]))
        pairs |= {name: ours for name in alike[:1]}
    return pairs


def meant(absent: Sequence[str], free: Sequence[str]) -> dict[str, str]:
    """Return which free column each absent one may be: by synonym first, then by likeness.

    Examples
    --------
    >>> meant(["task", "score"], ["Benchmark", "Accuracy (%)", "Scores"])
    {'Benchmark': 'task', 'Accuracy (%)': 'score'}
    """
    pairs = dict[str, str]()
    for name in absent:
        alike = (other for other in free if known_word(other) == name)
        match = next(alike, None)
        if match is not None and match not in pairs:
            pairs[match] = name
    for name in absent:
        if name not in pairs.values():
            match = nearest(name, [other for other in free if other not in pairs])
            if match is not None:
                pairs[match] = name
    return pairs


def options(name: str, pairs: Mapping[str, Any]) -> str:
    """Return an option of `load` as it is written in Python and on the command line.

    Examples
    --------
    >>> print(options("columns", {"Model Name": "model"}))
    columns={'Model Name': 'model'} (or --column 'Model Name=model')
    """
    flags = " ".join(
        f"--{name[:-1]} {shlex.quote(f'{left}={right}')}" for left, right in pairs.items()
    )
    return f"{name}={dict(pairs)} (or {flags})"
