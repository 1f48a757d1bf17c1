"""Load a file, a folder or a pattern of files as one set of tables."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError, nearest
from emergekit.loaders.detection import choose_reader, readable
from emergekit.tables import MODELS, RESULTS, SAMPLES, Schema, Tables, notes_table

__all__ = ["load"]


def load(
    path: str | Path,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Tables:
    """Return what a file, a folder or a pattern of files holds, as models, samples and results.

    Parameters
    ----------
    path : str or Path
        A file; a folder, searched to its bottom; or a pattern such as ``"runs/*.csv"``.
    format : str, optional
        Name of the reader; the surest one if None. Now: "table" (CSV, TSV, JSON, JSONL, parquet;
        long, or wide with one column per model).
    columns : mapping, optional
        Names in the file to names in our schemas, such as ``{"Accuracy": "score"}``.
    **options
        More for the reader. "table" takes `constants` (columns that the file lacks and their
        value), `delimiter`, and `percent` (whether scores of shares are percentages).

    Returns
    -------
    Tables
        Of a folder or a pattern, all that could be read; a file that could not is a row of
        `notes`, with severity "error".

    Raises
    ------
    LoadError
        If nothing could be read: file, line, field and remedy are named.

    Examples
    --------
    >>> from emergekit.datasets import data_folder
    >>> load(data_folder() / "chinchilla" / "runs.csv")
    Tables
    models         245 rows (1 families)
    samples          0 rows
    results          0 rows
    notes            0 rows
    """
    if columns is not None:
        options["columns"] = columns
    files = _files(Path(path))
    if files is None:
        return choose_reader(Path(path), format)(Path(path), **options)
    parts, failures = list[Tables](), list[tuple[str, str, str, str]]()
    for file in files:
        try:
            parts.append(choose_reader(file, format)(file, **options))
        except TableError as error:
            failures.append(("error", str(file), "", str(error)))
    if not parts:
        more = f" ({len(failures) - 1} more files failed)" if len(failures) > 1 else ""
        raise LoadError(f"{failures[0][3]}{more}")
    return _combined(parts, failures)


def _files(path: Path) -> list[Path] | None:
    """Return the files of a folder or a pattern; None for a single file."""
    if path.is_file():
        return None
    if path.is_dir():
        inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
        files = [entry for entry in inside if readable(entry)]
        if not files:
            raise LoadError(f"{path}: the folder holds {_contents(inside)}, and no table to read.")
        return files
    files = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
    files = [file for file in files if file.is_file()]
    if not files:
        raise LoadError(f"{path}: {_absent(path)}")
    return files


def _contents(files: Sequence[Path]) -> str:
    kinds = Counter(file.suffix or "without a suffix" for file in files)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5)) or "nothing"


def _absent(path: Path) -> str:
    if glob.has_magic(str(path)):
        return "no file matches this pattern."
    if not path.parent.is_dir():
        return f"there is no such file, and no folder '{path.parent}'."
    match = nearest(path.name, (entry.name for entry in path.parent.iterdir()))
    return f"there is no such file; did you mean '{match}'?" if match else "there is no such file."


def _combined(parts: Sequence[Tables], failures: Sequence[tuple[str, str, str, str]]) -> Tables:
    results = _stacked([part.results for part in parts if len(part.results)], RESULTS)
    notes = [part.notes for part in parts if len(part.notes)]
    again = results.duplicated([name for name in RESULTS.keys if name in results], keep=False)
    if again.any():
        said = (
            f"{int(again.sum())} scores of the same model, task and metric come from several files"
        )
        notes.append(notes_table([("warning", "", "score", said)]))
    return Tables(
        models=_merged_models([part.models for part in parts if len(part.models)]),
        samples=_stacked([part.samples for part in parts if len(part.samples)], SAMPLES),
        results=results,
        notes=pd.concat([*notes, notes_table(failures)], ignore_index=True),
    )


def _stacked(tables: Sequence[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    if not tables:
        empty: pd.DataFrame = getattr(Tables(), schema.name)
        return empty
    return pd.concat(tables, ignore_index=True)


def _merged_models(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row per model, filled from every table that knows it.

    A models file and a results file of one folder often know different things of a model. What
    they both say must agree.
    """
    stacked = _stacked(tables, MODELS)
    if stacked.empty:
        return stacked
    keys = [name for name in MODELS.keys if name in stacked]
    groups = stacked.groupby(keys, dropna=False, sort=False)
    spread = groups.nunique()
    clash = spread.columns[(spread > 1).any()]
    if len(clash):
        model = spread.index[spread[clash[0]] > 1][0]
        name = model[0] if isinstance(model, tuple) else model
        values = stacked.loc[stacked["model"] == name, clash[0]].dropna().unique()[:2]
        raise LoadError(
            f"model '{name}' has {clash[0]} {values[0]} in one file and {values[1]} in another; "
            f"mend one of them, or rename one."
        )
    return groups.first().reset_index()[list(stacked.columns)]
