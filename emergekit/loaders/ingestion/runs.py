"""Several evaluations of one model in one folder: kept apart as runs, as `load` keeps them.

Whether a model was evaluated again is known only once all sources are in place, and may change with
the next one. So the run is stated by a folder, ``run=<evaluation>``: parts are moved, never made
again.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emergekit.errors import LoadError
from emergekit.loaders.ingestion.committing import commit, staged
from emergekit.loaders.ingestion.manifest import Entry, Manifest, Part
from emergekit.loaders.ingestion.writing import evaluations, folder_of
from emergekit.tables import RESULTS, SAMPLES
from emergekit.tables.keys import as_text

__all__ = ["keep_runs_apart", "scores_of"]

_IN_FOLDERS = ("model", "task", "run")
_KEYS = tuple(name for name in SAMPLES.keys if name not in _IN_FOLDERS)
_SCORE_KEYS = tuple(name for name in RESULTS.keys if name not in ("model", "run"))


def keep_runs_apart(manifest: Manifest) -> frozenset[str]:
    """Put the parts of models that were evaluated again into folders of their runs.

    As in `load`, a model was evaluated again where two samples, or two scores, agree in all keys
    and differ in their evaluation; then all of its samples that have no run are named by theirs.

    Returns
    -------
    frozenset of str
        Names of the sources of which samples are named so.

    Raises
    ------
    LoadError
        If a part cannot be read or moved.
    """
    entries = manifest.by_name()
    again = _scored_again(entries.values())
    again |= _answered_again(manifest, entries.values(), again)
    for name, entry in entries.items():
        parts = tuple(
            replace(part, file=_place(part, _model(part) in again)) for part in entry.parts
        )
        if parts != entry.parts:
            _move(manifest, name, entry, parts)
    return frozenset(
        name
        for name, entry in entries.items()
        if any(part.evaluation and _model(part) in again for part in entry.parts)
    )


def _model(part: Part) -> str:
    return PurePosixPath(part.file).parts[0]


def _place(part: Part, is_again: bool) -> str:
    model, task, *_, file = PurePosixPath(part.file).parts
    run = [folder_of("run", part.evaluation)] if is_again and part.evaluation else []
    return PurePosixPath(model, task, *run, file).as_posix()


def _move(manifest: Manifest, name: str, entry: Entry, parts: tuple[Part, ...]) -> None:
    """Commit the parts at their new places; stopped before that, the old ones stand."""
    token = secrets.token_hex(4)
    folder = staged(manifest, name, token)
    try:
        folder.mkdir(parents=True)
        for number, (old, new) in enumerate(zip(entry.parts, parts, strict=True)):
            if old.file != new.file and (manifest.folder / old.file).exists():
                _link(manifest.folder / old.file, folder / f"{number}.parquet")
        kept = {part.file for part in parts}
        stale = tuple(part.file for part in entry.parts if part.file not in kept)
        commit(manifest, name, replace(entry, token=token, parts=parts, stale=stale))
    except OSError as error:
        raise LoadError(f"{error.filename}: cannot be moved ({error.strerror}).") from None


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without links
        shutil.copyfile(file, to)


def scores_of(results: pd.DataFrame) -> list[tuple[str, str, list[int]]]:
    """Return model, evaluation and a number for the keys of each score, for the manifest."""
    if results.empty:
        return []
    named = evaluations(results)
    dated = results[named.ne("")]
    keys = pd.Series(_hashed(dated, _SCORE_KEYS), dated.index)
    return [
        (folder_of("model", str(model)), str(evaluation), [int(key) for key in own])
        for (model, evaluation), own in keys.groupby([dated["model"], named[dated.index]])
    ]


def _scored_again(entries: Iterable[Entry]) -> set[str]:
    """Return the models (their folders) of which scores share their key over evaluations."""
    seen = dict[tuple[str, int], str]()
    found = set[str]()
    for entry in entries:
        for model, evaluation, keys in entry.scored:
            if any(seen.setdefault((model, key), evaluation) != evaluation for key in keys):
                found.add(model)
    return found


def _answered_again(
    manifest: Manifest, entries: Iterable[Entry], known: AbstractSet[str]
) -> set[str]:
    """Return the models, those that are known aside, of which samples share their key."""
    tasks = dict[tuple[str, str], dict[str, list[Path]]]()
    for entry in entries:
        for part in entry.parts:
            model, task, *_ = PurePosixPath(part.file).parts
            if part.evaluation:
                files = tasks.setdefault((model, task), {}).setdefault(part.evaluation, [])
                files.append(manifest.folder / part.file)
    found = set[str]()
    for (model, _), dated in tasks.items():
        is_open = len(dated) > 1 and model not in known and model not in found
        if is_open and _share_keys(dated.values()):
            found.add(model)
    return found


def _share_keys(dated: Iterable[list[Path]]) -> bool:
    seen = np.empty(0, dtype=np.uint64)
    for files in dated:
        keys = [key for file in files for key in _hashed_keys(file)]
        own = np.unique(np.concatenate(keys)) if keys else seen[:0]
        if np.isin(own, seen, assume_unique=True).any():
            return True
        seen = np.concatenate([seen, own])
    return False


def _hashed_keys(file: Path) -> Iterator[np.ndarray]:
    """Yield a number for the keys of each sample: eight bytes each, however long the keys are."""
    if not file.exists():  # it is made again by the next call
        return
    try:
        parquet = pq.ParquetFile(file)
        names = [name for name in _KEYS if name in parquet.schema_arrow.names]
        for batch in parquet.iter_batches(columns=names):
            rows = batch.to_pandas()
            yield _hashed(rows, _KEYS)
    except (pa.ArrowException, OSError) as error:
        raise LoadError(f"{file}: is damaged ({error!s:.80}); ingest with verify=True.") from None


def _hashed(rows: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    text = pd.DataFrame(
        {n: as_text(rows[n]).fillna("") if n in rows else "" for n in keys}, index=rows.index
    )
    return pd.util.hash_pandas_object(text.astype(object), index=False).to_numpy()
