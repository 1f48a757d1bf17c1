"""Put finished parts in place, and tidy up after what was stopped.

Parts are written out of sight. Writing the entry is the point from which they count: before it
nothing of the source is to be seen, and after it whatever is left to do is done by the next call.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from emergekit.errors import LoadError
from emergekit.loaders.ingestion.manifest import Entry, Manifest, checksum

__all__ = ["commit", "is_in_place", "recover", "staged"]


def staged(manifest: Manifest, name: str, token: str) -> Path:
    """Return the folder in which an attempt writes its parts."""
    return manifest.staging / f"{name}-{token}"


def commit(manifest: Manifest, name: str, entry: Entry) -> None:
    """Make what was staged for a source count, in place of what was made of it before."""
    manifest.put(name, entry)
    _put_in_place(manifest, staged(manifest, name, entry.token), entry)


def recover(manifest: Manifest) -> None:
    """Finish what was committed when its process was stopped, and drop what was not.

    Raises
    ------
    LoadError
        If a file cannot be moved or removed.
    """
    try:
        for folder in sorted(manifest.staging.glob("*-*")):
            name, _, token = folder.name.rpartition("-")
            entry = manifest.get(name)
            if entry is not None and entry.token == token:
                _put_in_place(manifest, folder, entry)
            else:
                shutil.rmtree(folder)
        for half in manifest.hidden.glob("**/.*.part"):
            half.unlink()
    except OSError as error:
        raise LoadError(f"{error.filename}: cannot be tidied up ({error.strerror}).") from None


def _put_in_place(manifest: Manifest, folder: Path, entry: Entry) -> None:
    for number, part in enumerate(entry.parts):
        written, file = folder / f"{number}.parquet", manifest.folder / part.file
        if written.exists():  # else it was moved before the process was stopped
            file.parent.mkdir(parents=True, exist_ok=True)
            written.replace(file)
    for stale in entry.stale:
        file = manifest.folder / stale
        file.unlink(missing_ok=True)
        above = file.parent
        while above != manifest.folder and above.is_dir() and not any(above.iterdir()):
            above.rmdir()
            above = above.parent
    shutil.rmtree(folder, ignore_errors=True)


def is_in_place(manifest: Manifest, entry: Entry, *, verify: bool) -> bool:
    """Return whether all parts of an entry are where they belong, and are what they were."""
    for part in entry.parts:
        file = manifest.folder / part.file
        try:
            if file.stat().st_size != part.size:
                return False
        except OSError:
            return False
        if verify and checksum(file) != part.sha256:
            return False
    return True
