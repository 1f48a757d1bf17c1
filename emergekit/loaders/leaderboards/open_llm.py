"""The Open LLM Leaderboard of Hugging Face, v1 and v2, exported as CSV.

Scores are percentages. v2 has two of each task: "Raw", the metric itself from 0 to 1, and one with
chance taken off, the metric ``rescaled_<metric>`` here. Metrics and shots are those that the
leaderboard ran, which the export does not repeat.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, unknown
from emergekit.files import Note
from emergekit.loaders.assembling import Gathered, tables_of
from emergekit.loaders.documents import outline
from emergekit.loaders.tabular.exports import named_once, numbers_in
from emergekit.loaders.tabular.files import read_rows
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "gather", "read"]

NAME = "open_llm_leaderboard"
ABOUT = "exports of the Open LLM Leaderboard, v1 and v2, by their header"

# Task: metric, shots.
_V1 = MappingProxyType(
    {
        "ARC": ("acc_norm", 25),
        "HellaSwag": ("acc_norm", 10),
        "MMLU": ("acc", 5),
        "TruthfulQA": ("mc2", 0),
        "Winogrande": ("acc", 5),
        "GSM8K": ("acc", 5),
    }
)
_V2 = MappingProxyType(
    {
        "IFEval": ("strict_acc", 0),
        "BBH": ("acc_norm", 3),
        "MATH Lvl 5": ("exact_match", 4),
        "GPQA": ("acc_norm", 0),
        "MUSR": ("acc_norm", 0),
        "MMLU-PRO": ("acc", 5),
    }
)
_ABOUT_MODELS = MappingProxyType(
    {
        "Type": "type",
        "Architecture": "architecture",
        "Precision": "precision",
        "Model sha": "sha",
        "Merged": "merged",
        "Not_Merged": "not_merged",
        "Flagged": "flagged",
        "MoE": "moe",
        "date": "date",
        "Submission Date": "date",
    }
)
_SIZE = "#Params (B)"
_TAG = re.compile(r"<[^>]*>")


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    header = seen.first_line if seen.shape == "text" else ""
    is_either = all(f"{name}," in header for name in _V1) or all(f"{n}," in header for n in _V2)
    return 0.9 if is_either and _SIZE in header and "Model," in header else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a file.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    return tables_of([gather(path)])


def gather(path: Path) -> Gathered:
    """Return the rows of an export.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    rows = read_rows(path, ",")
    rows.columns = [re.sub(r"[^\x00-\x7f]+", "", str(name)) for name in rows]
    rows = named_once(rows, path)
    if "Model" not in rows:
        raise LoadError(f"{path}: {unknown('column', 'Model', rows.columns)}")
    notes: list[Note] = [
        ("info", str(path), "score", "percentages were divided by 100"),
        ("info", str(path), "metric", "metrics and shots are those of the leaderboard's tasks"),
    ]
    once = rows[~rows.duplicated()]
    if len(once) < len(rows):
        said = f"{len(rows) - len(once)} rows that are there twice left out"
        notes.append(("info", str(path), "model", said))
    names = [_TAG.sub("", str(name)).strip() for name in once["Model"]]
    runs = _runs(names, once)
    if any(runs):
        said = "models that were submitted several times are told apart by precision and commit"
        notes.append(("warning", str(path), "run", said))
    sizes = numbers_in(once, _SIZE, path)
    models, results = list[dict[str, Any]](), list[dict[str, Any]]()
    scores = _scores(once, path)
    for place, row in enumerate(once.to_dict("records")):
        keys = {"model": names[place], "run": runs[place]}
        models.append(keys | _model(row, sizes[place]))
        results += [keys | told | {"score": values[place]} for told, values in scores]
    return Gathered(path, models=models, results=results, notes=notes)


def _runs(names: list[str], rows: pd.DataFrame) -> list[str | None]:
    """Return what tells submissions of one model apart, None for a model that is there once."""
    times, seen = Counter(names), Counter[str]()
    runs = list[str | None]()
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        run = f"{row.get('Precision', '')} {str(row.get('Model sha', ''))[:7]}".strip()
        seen[f"{name} {run}"] += 1
        again = seen[f"{name} {run}"]
        runs.append((f"{run} {again}" if again > 1 else run) if times[name] > 1 else None)
    return runs


def _model(row: Mapping[Any, Any], size: float) -> dict[str, Any]:
    known = size > 0
    about = {ours: row.get(theirs) for theirs, ours in _ABOUT_MODELS.items() if theirs in row}
    return {
        "n_params": round(size * 1e9) if known else None,
        "n_params_source": "reported" if known else None,
        **about,
    }


def _scores(rows: pd.DataFrame, path: Path) -> list[tuple[dict[str, Any], list[float]]]:
    """Return what each column of scores is, and its values as fractions."""
    is_second = "IFEval" in rows
    found = list(_columns(_V2 if is_second else _V1, is_second))
    there = [(name, told, factor) for name, told, factor in found if name in rows]
    return [
        (told, [value / factor for value in numbers_in(rows, name, path)])
        for name, told, factor in there
    ]


def _columns(
    tasks: Mapping[str, tuple[str, int]], is_second: bool
) -> Iterator[tuple[str, dict[str, Any], float]]:
    shared = {"harness": "Open LLM Leaderboard", "higher_is_better": True, "high": 1.0}
    for task, (metric, n_shots) in tasks.items():
        told = shared | {"task": task, "n_shots": n_shots, "is_group": False}
        if is_second:
            yield task, told | {"metric": f"rescaled_{metric}"}, 100.0
            yield f"{task} Raw", told | {"metric": metric, "low": 0.0}, 1.0
        else:
            yield task, told | {"metric": metric, "low": 0.0}, 100.0
    yield "Average", shared | {"task": "Average", "metric": "mean", "is_group": True}, 100.0
