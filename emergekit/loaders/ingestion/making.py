"""Make the parquet of one source, unless it is there."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError
from emergekit.loaders.ingestion.committing import commit, is_in_place, staged
from emergekit.loaders.ingestion.manifest import Entry, Manifest, checksum, source_id
from emergekit.loaders.ingestion.models import model_rows
from emergekit.loaders.ingestion.moving import Known, is_gone
from emergekit.loaders.ingestion.progress import bytes_a_line
from emergekit.loaders.ingestion.runs import scores_of
from emergekit.loaders.ingestion.writing import Parting
from emergekit.loaders.readers import Reader
from emergekit.tables.keys import plain

__all__ = ["Job", "made"]

Show = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What is asked for: where to, how to read, and whether checksums are compared."""

    manifest: Manifest
    known: Known
    options: Mapping[str, Any]
    verify: bool = False


def made(file: Path, reader: Reader, job: Job, show: Show) -> tuple[str, Entry]:
    """Return what became of a source, and its entry in the manifest.

    Parameters
    ----------
    file : Path
        The source.
    reader : Reader
        Who reads it.
    job : Job
        What is asked for.
    show : function
        Takes how many bytes of the file are done.

    Returns
    -------
    str
        "ingested", "unchanged", "moved", "duplicate" or "no samples".
    Entry
        What was made of it.

    Raises
    ------
    LoadError
        If the file cannot be read, or changes meanwhile; what was made of it before stands.
    """
    name = source_id(file)
    before, fresh = job.manifest.get(name), _described(file, reader, job)
    if before is not None and _is_same(before, fresh, file, job):
        return _standing(before), before
    folder = staged(job.manifest, name, fresh.token)
    try:
        entry = _written(file, reader, replace(fresh, sha256=checksum(file)), job, show)
        if (entry.size, entry.modified) != _size_and_date(file):
            raise LoadError(f"{file}: was written to while it was read; wait for it to end.")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    twin = job.known.twin(name, entry)
    if twin is not None and is_gone(twin[1]) and not (before and before.parts):
        shutil.rmtree(folder, ignore_errors=True)
        return "moved" if entry.parts else "no samples", job.known.move(name, entry, twin)
    if twin is not None and entry.parts and not is_gone(twin[1]):
        entry = replace(entry, parts=(), models=[], copy_of=twin[1].source)
        shutil.rmtree(folder, ignore_errors=True)
    parts = {part.file for part in entry.parts}
    stale = [part.file for part in before.parts if part.file not in parts] if before else []
    commit(job.manifest, name, replace(entry, stale=tuple(stale)))
    job.known.add(name, entry)
    return "ingested" if entry.parts else _standing(entry), entry


def _standing(entry: Entry) -> str:
    """Return what there is to say of a source that was looked at before."""
    return "duplicate" if entry.copy_of else "unchanged" if entry.parts else "no samples"


def _described(file: Path, reader: Reader, job: Job) -> Entry:
    size, modified = _size_and_date(file)
    return Entry(
        source=str(file.resolve()),
        size=size,
        modified=modified,
        sha256="",
        reader=reader.name,
        options=json.dumps(plain(dict(job.options)), sort_keys=True, default=str),
        token=secrets.token_hex(4),
    )


def _size_and_date(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError as error:
        raise LoadError(f"{file}: cannot be read ({error.strerror}).") from None
    return stat.st_size, stat.st_mtime_ns


def _is_same(before: Entry, now: Entry, file: Path, job: Job) -> bool:
    """Return whether a source was ingested as it is now, and all of that is still there."""
    if (before.reader, before.options) != (now.reader, now.options):
        return False
    if not is_in_place(job.manifest, before, verify=job.verify):
        return False
    if before.copy_of and job.known.original(before) is None:
        return False
    untouched = (before.size, before.modified) == (now.size, now.modified)
    return (untouched and not job.verify) or before.sha256 == checksum(file)


def _written(file: Path, reader: Reader, entry: Entry, job: Job, show: Show) -> Entry:
    """Write the parts of a source out of sight, and return the entry that tells of them."""
    name = source_id(file)
    folder = staged(job.manifest, name, entry.token)
    parting = Parting(folder, f"{_stem(file)}-{name[:8]}")
    a_line, n_rows = bytes_a_line(file, entry.size), 0
    models, notes = list[pd.DataFrame](), dict[tuple[str, ...], None]()
    scored = list[tuple[str, str, list[int]]]()
    try:
        for tables in reader.parts(file, job.options):
            if len(tables.samples):
                parting.add(tables.samples)
                n_rows += len(tables.samples)
                show(min(int(n_rows * a_line), entry.size))
            models.append(tables.models)
            scored += scores_of(tables.results)
            notes |= dict.fromkeys(tuple(note) for note in tables.notes.astype(str).to_numpy())
        parts = parting.close()
    except OSError as error:
        raise LoadError(f"{folder}: cannot be written ({error.strerror}).") from None
    except LoadError as error:
        said = str(error)
        raise LoadError(said if str(file) in said else f"{file}: {said}.") from None
    return replace(
        entry,
        parts=tuple(parts),
        models=model_rows(models),
        notes=[list(note) for note in notes],
        scored=scored,
    )


def _stem(file: Path) -> str:
    """Return the name of a file without its endings, in letters that every file system takes."""
    bare = file.name.split(".jsonl")[0].split(".json")[0]
    plain_name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in bare)
    return plain_name[:80].strip(".") or "log"
