"""Ingest samples: whatever a reader knows, into parquet that is scored as it lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders.detection import Choice
from emergekit.loaders.finding import Found, found_in
from emergekit.loaders.ingestion.committing import recover
from emergekit.loaders.ingestion.making import Job, made
from emergekit.loaders.ingestion.manifest import Entry, Manifest, locked, source_id
from emergekit.loaders.ingestion.models import write_models
from emergekit.loaders.ingestion.moving import Known
from emergekit.loaders.ingestion.progress import shown
from emergekit.loaders.ingestion.runs import keep_runs_apart
from emergekit.loaders.options import check_options, check_taken
from emergekit.loaders.readers import known_readers

__all__ = ["ingest"]

_COLUMNS = ("file", "state", "format", "n_samples", "n_parts", "message")
_STATES = {"error": "failed", "warning": "passed over"}


def ingest(
    source: str | Path,
    to: str | Path,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    verify: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Write the samples of logs as parquet, parted by model and task, and return what was done.

    The folder is one that `rescore` reads batch by batch, so memory stays flat in the size of the
    logs, here and there. A file is ingested once: called again, the call looks at what is new or
    changed. Stopped at any point, it goes on from the last file that was finished; nothing half
    written is ever to be seen.

    Parameters
    ----------
    source : str or Path
        A file, a folder or a pattern, as `load` takes it.
    to : str or Path
        Folder to write: ``model=a/task=b/<name>.parquet``, and ``models.parquet`` with what the
        logs say of the models. One process at a time writes there. Its manifest, in the hidden
        folder ``.emergekit-ingest``, has the SHA-256 of each source and each part.
    format, columns, **options
        As in `load`.
    verify : bool
        Compare checksums of all that is there, instead of sizes and dates; what differs is made
        again.

    Returns
    -------
    DataFrame
        One row a file: `file`, `state` ("ingested", "unchanged", "moved", "duplicate",
        "no samples", "failed", "passed over"), `format`, `n_samples`, `n_parts` and `message`.

    Raises
    ------
    LoadError
        If nothing can be read, nothing can be written, or another process writes there.

    Notes
    -----
    JSONL of lm-evaluation-harness, of Every Eval Ever and of plain tables is read some lines at a
    time; files of other formats are held one at a time. Models that were evaluated again are kept
    apart by run, as `load` does, in folders ``run=<evaluation>`` inside that of the task. A file is
    known by its path. One with the bytes of another, of which the same is made, is that other,
    moved, if the other is gone; else it is a duplicate, and counts once. Other rows that agree in
    all keys are not looked for across files.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> line = '{"model": "a", "task": "t", "example_id": 1, "prediction": "4", "target": "4"}'
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "log.jsonl").write_text(line)
    ...     done = ingest(Path(folder, "log.jsonl"), Path(folder, "parquet"))
    >>> done[["state", "n_samples"]].values.tolist()
    [['ingested', 1]]
    """
    readers = known_readers()
    check_options(format, columns, options, readers)
    options |= {"columns": columns} if columns is not None else {}
    manifest = Manifest(Path(to))
    found = found_in(source, format, readers)
    check_taken(found.where, options, {reader.name: reader for _, reader in found.choices})
    choices = _outside(found, manifest.folder)
    with locked(manifest):
        recover(manifest)
        rows = list(_each(choices, Job(manifest, Known(manifest), options, verify)))
        named = keep_runs_apart(manifest)
        differ = write_models(manifest)
    rows = [_with_word(row, _words(source_id(Path(row[0])), named, differ)) for row in rows]
    rows += [
        (file, _STATES[severity], "", 0, 0, message)
        for severity, file, _, message in found.notes
        if severity in _STATES
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _outside(found: Found, folder: Path) -> list[Choice]:
    """Return the files that are not what was ingested before."""
    inside = folder.resolve()
    kept = [choice for choice in found.choices if inside not in choice[0].resolve().parents]
    if not kept:
        raise LoadError(
            f"{found.where}: holds nothing but what was ingested; write into another folder."
        )
    return kept


def _each(choices: Sequence[Choice], job: Job) -> Iterator[tuple[Any, ...]]:
    sizes, done = [_size(file) for file, _ in choices], 0
    with shown(sum(sizes)) as show:
        for (file, reader), size in zip(choices, sizes, strict=True):
            show(file.name, done)
            try:
                state, entry = made(file, reader, job, partial(_further, show, file.name, done))
                row = (state, reader.name, entry.n_samples, len(entry.parts), _said(entry))
            except TableError as error:
                row = ("failed", reader.name, 0, 0, str(error))
            yield (str(file), *row)
            done += size


def _words(name: str, runs: frozenset[str], differ: Sequence[Note]) -> Iterator[str]:
    """Yield what all sources together tell of one."""
    if name in runs:
        yield "the model was evaluated again; its evaluations are kept apart as runs"
    for _, file, _, message in differ:
        if source_id(Path(file)) == name:
            yield message


def _with_word(row: tuple[Any, ...], words: Iterable[str]) -> tuple[Any, ...]:
    *told, message = row
    return (*told, "; ".join(filter(None, (message, *words))))


def _further(show: Any, name: str, before: int, here: int) -> None:
    show(name, before + here)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _said(entry: Entry) -> str:
    said = [message for severity, *_, message in entry.notes if severity != "info"]
    if entry.copy_of:
        said.insert(0, f"holds what {entry.copy_of} holds, and counts once")
    return "; ".join(said)
