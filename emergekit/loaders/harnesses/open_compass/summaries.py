"""OpenCompass's ``summary/summary_<time>.csv``: a row for each dataset and metric.

Each model is a column. Scores are rounded to two decimals there; where the results themselves lie
beside it, they are read instead. Not verified against a real file.
"""

from __future__ import annotations

from pathlib import Path

from emergekit.errors import LoadError
from emergekit.loaders.assembling import assembled
from emergekit.loaders.documents import outline
from emergekit.loaders.harnesses.open_compass.scales import HARNESS, divisor, notes_on_scales
from emergekit.loaders.tabular.exports import named_once, numbers_in
from emergekit.loaders.tabular.files import read_rows
from emergekit.tables import Tables

__all__ = ["ABOUT", "NAME", "can_read", "read"]

NAME = "open_compass_summary"
ABOUT = "summaries of OpenCompass, by a header that starts dataset,version,metric,mode"

_KEYS = ("dataset", "version", "metric", "mode")
_NONE = "-"


def can_read(path: Path) -> float:
    """Return how sure this reader is of a file."""
    seen = outline(path)
    is_ours = seen.shape == "text" and seen.first_line.startswith(",".join(_KEYS) + ",")
    return 0.95 if is_ours else 0.0


def read(path: Path) -> Tables:
    """Return the tables of a summary.

    Raises
    ------
    LoadError
        Naming file, line, field and remedy.
    """
    rows = named_once(read_rows(path, ","), path)
    models = [str(name) for name in rows.columns if name not in _KEYS]
    absent = [name for name in _KEYS if name not in rows]
    if absent or not models:
        what = f"no column {absent[0]!r}" if absent else "no column of a model"
        raise LoadError(f"{path}: has {what}; write the summary again.")
    rows = rows.replace(_NONE, None)
    is_in_run = path.parent.name == "summary"
    results = []
    for model in models:
        scores = numbers_in(rows, model, path)
        for score, row in zip(scores, rows[list(_KEYS)].to_dict("records"), strict=True):
            metric = row["metric"]
            if isinstance(metric, str) and metric not in ("", _NONE):
                results.append(
                    {
                        "model": model,
                        "task": row["dataset"],
                        "metric": metric,
                        "filter": row["mode"] if isinstance(row["mode"], str) else None,
                        "score": score / divisor(metric),
                        "task_version": row["version"],
                        "harness": HARNESS,
                        "evaluation": path.parent.parent.name if is_in_run else None,
                    }
                )
    notes = notes_on_scales((row["metric"] for row in results), path)
    return assembled(path, models=[{"model": m} for m in models], results=results, notes=notes)
