"""Load a file, a folder or a pattern of files as one set of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders import table
from emergekit.loaders.finding import Found, found_in
from emergekit.loaders.merging import agreed, folded_keys
from emergekit.loaders.options import check_options, check_taken
from emergekit.loaders.readers import known_readers
from emergekit.loaders.reruns import with_runs
from emergekit.loaders.tabular.percentages import check_percent
from emergekit.loaders.tabular.sizes import with_sizes
from emergekit.tables import MODELS, RESULTS, SAMPLES, Schema, Tables, notes_table
from emergekit.tables.keys import as_text

__all__ = ["load"]

Part = tuple[Path, Tables]


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
        A file; a folder, searched to its bottom but for what is hidden and reports of ours; or a
        pattern such as ``"runs/*.csv"``.
    format : str, optional
        Name of the reader; the surest one if None. Now: "table" (CSV, TSV, JSON, JSONL, parquet;
        long, or wide with one column per model, per task or per metric).
    columns : mapping, optional
        Names in the file to names in our schemas, such as ``{"Accuracy": "score"}``. Of a folder,
        they are renamed in the files that have them. A unit in a header of counts, such as
        "Params (M)", is multiplied in.
    **options
        More for the reader. "table" takes `constants` (columns that results or samples lack and
        their value), `delimiter`, `decimal` ("." or ","), and `percent`: whether scores of shares
        are percentages, or the names of the metrics that are, such as ``["bleu"]``. Left out, each
        metric is looked at: one with a score above 1 is in percent. BLEU is stated from 0 to 1 by
        some harnesses and from 0 to 100 by others; it goes by its largest score in the file.

    Returns
    -------
    Tables
        Of a folder or a pattern, all that could be read; a file that could not is a row of
        `notes`, with severity "error", and one of a kind that no reader takes is a "warning"
        (prose, pictures and code excepted). Models whose size no file states take it from their
        name, where it says one plainly (``pythia-70m``), with a note of severity "warning".

    Raises
    ------
    LoadError
        If nothing could be read, files contradict each other, or an option is unknown: file,
        line, field and remedy are named.

    Examples
    --------
    >>> from emergekit.datasets import data_folder
    >>> load(data_folder() / "chinchilla" / "runs.csv")
    Tables
    models         245 rows (1 family)
    samples          0 rows
    results          0 rows
    notes            0 rows
    """
    readers = known_readers()
    check_options(format, columns, options, readers)
    if columns is not None:
        options["columns"] = columns
    found = found_in(path, format, readers)
    check_taken(found.where, options, {reader.name: reader for _, reader in found.choices})
    failures = list[Note]()
    if found.is_single:
        file, reader = found.choices[0]
        tables = reader.tables(file, options)
    else:
        parts, failures = _read_all(found, options)
        if not parts:
            raise LoadError(_reasons(found.where, failures))
        tables = _combined(parts, [*found.notes, *failures], found.where)
    if not failures:
        check_percent(options.get("percent"), tables.results["metric"])
    return _noted(_sized(tables, found.where), found)


def _read_all(found: Found, options: Mapping[str, Any]) -> tuple[list[Part], list[Note]]:
    """Return what could be read, and why the rest could not."""
    parts, failures, renamed = list[Part](), list[Note](), set[str]()
    for file, reader in found.choices:
        try:
            parts.append((file, reader.tables(file, {"found": renamed, **options})))
        except TableError as error:
            failures.append(("error", str(file), "", str(error)))
    for theirs in options.get("columns") or {}:
        if theirs not in renamed:
            raise LoadError(
                f"columns= names '{theirs}', which none of the {len(found.choices)} files has; "
                f"write it as their header does."
            )
    return parts, failures


def _reasons(where: Path, failures: Sequence[Note]) -> str:
    if len(failures) == 1:
        return failures[0][3]
    reasons = "; ".join(message.rstrip(".") for *_, message in failures[:3])
    more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    return f"{where}: none of the {len(failures)} files could be read: {reasons}{more}."


def _combined(parts: Sequence[Part], notes: Sequence[Note], where: Path) -> Tables:
    own = [part.notes for _, part in parts if len(part.notes)]
    stacked = Tables(
        models=_merged_models(parts),
        samples=_stacked(parts, SAMPLES),
        results=_stacked(parts, RESULTS),
        notes=pd.concat([*own, notes_table()], ignore_index=True),
    )
    kept = with_runs(stacked, where)
    again = [
        *_repeated(kept.results, _origins(parts, RESULTS), RESULTS),
        *_repeated(kept.samples, _origins(parts, SAMPLES), SAMPLES),
    ]
    said = pd.concat([kept.notes, notes_table([*again, *notes])], ignore_index=True)
    return replace(kept, notes=said)


def _of(parts: Sequence[Part], schema: Schema) -> Iterator[tuple[Path, pd.DataFrame]]:
    for file, part in parts:
        table: pd.DataFrame = getattr(part, schema.name)
        if len(table):
            yield file, table


def _stacked(parts: Sequence[Part], schema: Schema) -> pd.DataFrame:
    tables = [table for _, table in _of(parts, schema)]
    empty: pd.DataFrame = getattr(Tables(), schema.name)
    return pd.concat(tables, ignore_index=True) if tables else empty


def _origins(parts: Sequence[Part], schema: Schema) -> list[str]:
    """Return the file that each row of the stacked table comes from."""
    return [str(file) for file, table in _of(parts, schema) for _ in range(len(table))]


def _repeated(table: pd.DataFrame, files: Sequence[str], schema: Schema) -> Iterator[Note]:
    """Yield a note if two files hold rows of the same key."""
    keys = [name for name in schema.keys if name in table]
    again = table.duplicated(keys, keep=False)
    if not again.any():
        return
    text = table.loc[again, keys].apply(as_text).fillna("")
    rows = text.index[text.eq(text.iloc[0]).all(axis=1)][:2]
    names = " and ".join(f"'{text[key].iloc[0]}'" for key in ("model", "task"))
    what = "scores of the same model, task and metric" if schema is RESULTS else "answers"
    said = (
        f"{int(again.sum())} {what} come from several files: {names} stand in "
        f"{files[rows[0]]} and {files[rows[1]]}; load one of them"
    )
    yield ("warning", files[rows[1]], "score" if schema is RESULTS else "example_id", said)


def _merged_models(parts: Sequence[Part]) -> pd.DataFrame:
    """Return one row per model, filled from every file that knows it.

    A models file and a results file of one folder often know different things of a model. What
    they both say must agree.
    """
    stacked = _stacked(parts, MODELS)
    if stacked.empty:
        return stacked
    try:
        return folded_keys(agreed(stacked, _origins(parts, MODELS)))
    except TableError as error:
        raise LoadError(str(error)) from None


def _sized(tables: Tables, where: Path) -> Tables:
    """Return the tables with the sizes that names state, for models that no file sizes."""
    models, guessed = with_sizes(tables.models)
    if not guessed:
        return tables
    names = ", ".join(guessed[:5]) + (f" and {len(guessed) - 5} more" if len(guessed) > 5 else "")
    said = notes_table([("warning", str(where), "n_params", f"read from the names of {names}")])
    return replace(tables, models=models, notes=pd.concat([tables.notes, said], ignore_index=True))


def _noted(tables: Tables, found: Found) -> Tables:
    """Return the tables with a note on each reader that was chosen, plain tables aside."""
    counts = Counter(reader for _, reader in found.choices if reader.name != table.NAME)
    notes = [
        ("info", str(found.where), "", f"{_files(count)} read as '{reader.name}': {reader.about}")
        for reader, count in counts.items()
    ]
    if not notes:
        return tables
    said = pd.concat([tables.notes, notes_table(notes)], ignore_index=True)
    return replace(tables, notes=said)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"
