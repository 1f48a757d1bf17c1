"""Epoch AI's benchmarking hub: one CSV a benchmark, and its table of models.

The column of scores has another name in each file. Where several may be meant the reader refuses to
guess, and `score_column` names the one. The benchmark is the file's name unless a column `task`
says it. Parameters are those that the table of models states. Not verified against a real file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, unknown
from emergekit.files import Note
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import outline
from emergekit.loaders.tabular.exports import named_once, numbers_in
from emergekit.loaders.tabular.files import read_rows
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "epoch_hub"
ABOUT = "benchmarks and models of Epoch AI's hub, by columns such as Model version"

_MODEL = ("Model version", "model", "Model", "Model name")
_FLOPS, _PARAMS = "Training compute (FLOP)", "Parameters"
_SCORES = frozenset(
    {"mean_score", "best score (across scorers)", "percent correct", "accuracy", "accuracy mean"}
    | {"average", "average score", "average progress", "average (%)", "global average", "score"}
    | {"score (avg@5)", "pass@1 score", "challenge score", "em", "overall accuracy", "eci score"}
    | {"overall pass (%)", "overall (no subtitles)", "win rate (%)", "% score", "% resolved"}
    | {"unguided % solved", "correct", "time horizon", "arena score", "120k token score"}
    | {"main score", "binary accuracy", "pass@1", "overall score"}
)
_STDERRS = ("stderr", "standard error", "std err")
_SETTINGS = ("agent", "scaffold", "harness", "prompt", "reasoning effort")
_SHARES = ("accuracy", "percent", "%", "pass@", "correct", "win rate")
_OF_MODELS = MappingProxyType(
    {
        "Organization": "organisation",
        "Release date": "release_date",
        "Publication date": "release_date",
        "Country": "country",
        "Model accessibility": "accessibility",
        "Domain": "domain",
        "Training dataset size (datapoints)": "n_datapoints",
    }
)
_MARKS = frozenset({"Model version", "Release date", "Organization", _FLOPS, "Model accessibility"})

Row = dict[str, Any]


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    if seen.shape != "text" or path.suffix.lower() not in (".csv", ".gz"):
        return 0.0
    header = {name.strip('"\r ') for name in seen.first_line.split(",")}
    has_model = bool(header.intersection(_MODEL))
    return 0.9 if has_model and len(_MARKS & header) >= 2 else 0.0


def read(path: Path, *, score_column: str | Sequence[str] | None = None) -> Tables:
    """Return the tables of one benchmark, or of the table of models.

    Parameters
    ----------
    path : Path
        The file.
    score_column : str or sequence of str, optional
        The column of scores; of several, the first that the file has.

    Raises
    ------
    LoadError
        Naming file, line, column and remedy; or if several columns may be the score.
    """
    rows, notes = named_once(read_rows(path, ","), path), list[Note]()
    model = next((name for name in _MODEL if name in rows), None)
    if model is None:
        raise LoadError(f"{path}: has no column '{_MODEL[0]}'; is it a file of the hub?")
    named = rows[model].fillna("").astype(str).str.strip()
    if (named == "").any():
        said = f"{int((named == '').sum())} rows without a model left out"
        notes.append(("info", str(path), "model", said))
    rows, named = rows[named != ""], named[named != ""]
    if rows.empty:
        raise LoadError(f"{path}: no row names a model; is it a file of the hub?")
    models = _models(rows, list(named), path)
    column = _score_column(rows, score_column, path, notes)
    if column is None:
        return assembled(path, models=models, notes=notes)
    results = _results(rows, list(named), column, path, notes)
    return assembled(path, models=models, results=results, notes=notes)


def _score_column(
    rows: pd.DataFrame, wanted: str | Sequence[str] | None, path: Path, notes: list[Note]
) -> str | None:
    """Return the column of scores, None in a table of models."""
    names = [wanted] if isinstance(wanted, str) else list(wanted or ())
    for name in names:
        if name in rows:
            return name
    found = [str(name) for name in rows if str(name).lower() in _SCORES]
    if len(found) > 1:
        raise LoadError(
            f"{path}: several columns may be the score: {', '.join(found)}; name one, such as "
            f"score_column={found[0]!r}."
        )
    if found and names:
        said = f"there is no column {names[0]!r} in it; '{found[0]}' was taken"
        notes.append(("warning", str(path), "score_column", said))
    if found or _is_of_models(rows):
        return found[0] if found else None
    if names:
        raise LoadError(f"{path}: {unknown('column', names[0], rows.columns)}")
    raise LoadError(
        f"{path}: no column is known to be the score; name one of {', '.join(map(str, rows))} "
        f"with score_column=."
    )


def _is_of_models(rows: pd.DataFrame) -> bool:
    return _PARAMS in rows or (_FLOPS in rows and "Model version" not in rows)


def _models(rows: pd.DataFrame, named: list[str], path: Path) -> list[Row]:
    numbers = {
        ours: numbers_in(rows, theirs, path)
        for ours, theirs in (("flops", _FLOPS), ("n_params", _PARAMS))
        if theirs in rows
    }
    texts = {ours: list(rows[theirs]) for theirs, ours in _OF_MODELS.items() if theirs in rows}
    columns = texts | numbers
    found = [
        {"model": name} | {column: values[place] for column, values in columns.items()}
        for place, name in enumerate(named)
    ]
    for row in found:
        if pd.notna(row.get("n_params")):
            row["n_params_source"] = "reported"
    return found


def _results(
    rows: pd.DataFrame, named: list[str], column: str, path: Path, notes: list[Note]
) -> list[Row]:
    scores = numbers_in(rows, column, path)
    divisor = _divisor(column, scores, path, notes)
    lower = {str(name).lower(): str(name) for name in rows}
    stderr = next((lower[name] for name in _STDERRS if name in lower), None)
    stderrs = numbers_in(rows, stderr, path) if stderr else [float("nan")] * len(rows)
    settings = [lower[name] for name in _SETTINGS if name in lower]
    shots = numbers_in(rows, lower["shots"], path) if "shots" in lower else None
    if "task" not in lower:
        said = f"the file names no benchmark; '{_task(path)}' is its own name"
        notes.append(("info", str(path), "task", said))
    found = list[Row]()
    for place, row in enumerate(rows.to_dict("records")):
        filters = [str(row[name]) for name in settings if isinstance(row[name], str) and row[name]]
        task = row.get(lower.get("task", ""))
        found.append(
            {
                "model": named[place],
                "task": task if isinstance(task, str) and task else _task(path),
                "metric": column,
                "n_shots": shots[place] if shots else None,
                "filter": ", ".join(filters) or None,
                "score": scores[place] / divisor,
                "stderr": stderrs[place] / divisor,
            }
        )
    return _told_apart(found, rows, path, notes)


def _divisor(column: str, scores: list[float], path: Path, notes: list[Note]) -> float:
    """Return 100 where shares are percentages: by the column's name, or one of them above 1."""
    name, largest = column.lower(), max((s for s in scores if s == s), default=0.0)
    is_percent = "%" in name or "percent" in name
    is_share = name == "em" or any(word in name for word in _SHARES)
    if is_percent or (is_share and 1 < largest <= 100):
        notes.append(("info", str(path), "score", f"in percent, divided by 100: {column}"))
        return 100.0
    if largest > 1:
        said = f"'{column}' goes up to {largest:g} on a scale that nobody states; left as it is"
        notes.append(("warning", str(path), "score", said))
    return 1.0


def _task(path: Path) -> str:
    return path.name.split(".")[0].removesuffix("_external")


def _told_apart(found: list[Row], rows: pd.DataFrame, path: Path, notes: list[Note]) -> list[Row]:
    """Return the rows, those of one model that are there several times as runs."""
    keys = [(row["model"], row["task"], row["filter"], row["n_shots"]) for row in found]
    again = pd.Series(keys).duplicated(keep=False)
    if not again.any():
        return found
    said = "models that are there several times are told apart by their line"
    notes.append(("warning", str(path), "run", said))
    lines = [f"line {line}" for line in rows.index]
    return [row | {"run": lines[place]} if again[place] else row for place, row in enumerate(found)]
