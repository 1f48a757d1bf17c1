"""Wide tables, one column per model, task or metric, as one row a score."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from emergekit.loaders.tabular.naming import OURS, folded, known_word
from emergekit.loaders.tabular.numbers import looks_numeric
from emergekit.loaders.tabular.shares import is_named_metric
from emergekit.loaders.tabular.source import Source

__all__ = ["long", "value_columns"]

# Numbers that describe a row and are no score of it.
_WORDS = (
    "id index idx row rank order number no year date day month time version average avg mean "
    "median total sum weight likes downloads layers heads depth width vocab context length lr "
    "epochs epoch seed batch warmup duration price cost latency"
)
_ABOUT = frozenset(_WORDS.split()) | {
    "d model",
    "vocab size",
    "context length",
    "batch size",
    "learning rate",
    "num layers",
}
_COUNT = re.compile(r"(n|num|no|loss|idx|id)_|(hub|unnamed|#)\b|.*_(id|index|idx|stderr)$", re.I)


def long(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Return a wide table as one row a score; a long table as it is.

    One column per model (the table has `task`), one per task (it has `model`), or one per metric
    (it has both): what is absent, `model`, `task` or `metric`, is what the columns are. A note
    lists which columns were taken and which numbers were not. Columns of metrics are taken if
    there are two or more, by names that are known; their standard errors may stand beside them as
    ``<metric>_stderr``.
    """
    if "score" in table:
        return table
    absent = [name for name in ("model", "task", "metric") if name not in table]
    values = value_columns(table)
    if absent == ["metric"]:
        columns = [
            str(name) for name in table if is_named_metric(name) and looks_numeric(table[name])
        ]
        columns = columns if len(columns) > 1 else []
    elif absent in (["model"], ["task"]):
        columns = [name for name in values if not is_named_metric(name)]
    elif absent == ["model", "metric"]:
        columns = [name for name in values if not is_named_metric(name)]
        absent = ["model"]  # the metric is asked for next
    else:
        return table
    if not columns or _is_long(table, absent[0], columns):
        return table
    _tell(table, columns, absent[0], source)
    return _melted(table, columns, absent[0])


def _is_long(table: pd.DataFrame, absent: str, columns: Sequence[str]) -> bool:
    """Return whether a column goes by another word for what is absent, so that rows have it.

    A table with many columns of numbers may still be wide: of models, "Dataset" is what they were
    trained on.
    """
    words = [name for name in table if name not in OURS and name not in columns]
    named = any(known_word(name) == absent for name in words)
    return named and (absent == "model" or len(columns) <= 2)


def value_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that no schema knows and that may hold scores: numbers, and not counts."""
    return [
        str(name)
        for name in table
        if name not in OURS and not _is_about(name) and looks_numeric(table[name])
    ]


def _is_about(name: object) -> bool:
    word = folded(name)
    known = bool(known_word(name)) and not is_named_metric(name)
    return word in _ABOUT or not word or known or bool(_COUNT.match(str(name)))


def _tell(table: pd.DataFrame, columns: Sequence[str], kind: str, source: Source) -> None:
    source.note(kind, f"columns read as {kind}s: {_listed(columns)}")
    beside = {f"{name}_stderr" for name in columns} if kind == "metric" else set()
    rest = [
        str(name)
        for name in table
        if name not in columns and name not in OURS and name not in beside
    ]
    numeric = [name for name in rest if looks_numeric(table[name])]
    if numeric:
        source.note(kind, f"columns of numbers not read as {kind}s: {_listed(numeric)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(map(str, names[:20])) + more


def _melted(table: pd.DataFrame, columns: Sequence[str], kind: str) -> pd.DataFrame:
    """Return one row for each row and column; the index is the line in the file again."""
    errors = {name: f"{name}_stderr" for name in columns if kind == "metric"}
    errors = {name: error for name, error in errors.items() if error in table}
    keep = [name for name in table if name not in columns and name not in errors.values()]
    parts = []
    for name in columns:
        part = table[keep].copy()
        part[kind], part["score"] = name, table[name].astype(object)
        if name in errors:
            part["stderr"] = table[errors[name]]
        parts.append(part)
    return pd.concat(parts)
