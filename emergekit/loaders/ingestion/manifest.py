"""What was made of which file: one entry a source, with checksums, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

from emergekit.errors import LoadError
from emergekit.files import INGESTED

__all__ = ["Entry", "Manifest", "Part", "checksum", "locked", "source_id", "written_whole"]


@dataclass(frozen=True)
class Part:
    """A parquet file: its place in the folder, its rows, its bytes and their SHA-256.

    `evaluation` tells which evaluation its rows are of, empty where they name their run or none.
    """

    file: str
    n_rows: int
    size: int
    sha256: str
    evaluation: str = ""


@dataclass(frozen=True)
class Entry:
    """One source, and what was made of it.

    Parameters
    ----------
    source : str
        The file that was read.
    size, modified, sha256 : int, int, str
        Its bytes, when it was changed (nanoseconds since 1970), and its checksum.
    reader, options : str
        Who read it, and how it was asked to.
    token : str
        Name of the attempt; the parts of this one alone are put in place.
    parts : tuple of Part
        What was made of it.
    stale : tuple of str
        What was made of it before, and is no more.
    models : list of mappings
        What it says of its models.
    notes : list
        What was odd: severity, file, field and message.
    scored : list
        What tells whether its results are there again: model (as its folder is named), evaluation
        and a number for the keys of each score.
    copy_of : str
        The source that holds the same and was taken in its place, empty if there is none.
    """

    source: str
    size: int
    modified: int
    sha256: str
    reader: str
    options: str
    token: str
    parts: tuple[Part, ...] = ()
    stale: tuple[str, ...] = ()
    models: list[dict[str, Any]] = field(default_factory=list)
    notes: list[list[str]] = field(default_factory=list)
    scored: list[tuple[str, str, list[int]]] = field(default_factory=list)
    copy_of: str = ""

    @property
    def n_samples(self) -> int:
        """How many samples it holds."""
        return sum(part.n_rows for part in self.parts)


class Manifest:
    """The entries of a folder, each a file of its own.

    Parameters
    ----------
    folder : Path
        Where the parquet stands; the entries are inside, hidden.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hidden = folder / INGESTED
        self.staging = self.hidden / "staging"
        self._entries = self.hidden / "manifest"

    def get(self, name: str) -> Entry | None:
        """Return the entry of a source, None where there is none or it cannot be read."""
        try:
            content = json.loads((self._entries / f"{name}.json").read_text(encoding="utf-8"))
            parts = tuple(Part(**part) for part in content.pop("parts"))
            return Entry(parts=parts, stale=tuple(content.pop("stale")), **content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def put(self, name: str, entry: Entry) -> None:
        """Write the entry of a source."""
        self._entries.mkdir(parents=True, exist_ok=True)
        content = json.dumps(asdict(entry), indent=1, default=str)
        with written_whole(self._entries / f"{name}.json") as part:
            part.write_text(content, encoding="utf-8")

    def drop(self, name: str) -> None:
        """Forget a source; its parts stay."""
        (self._entries / f"{name}.json").unlink(missing_ok=True)

    def all(self) -> Iterator[Entry]:
        """Yield the entry of each source, by its path."""
        yield from sorted(self.by_name().values(), key=attrgetter("source"))

    def by_name(self) -> dict[str, Entry]:
        """Return the entry of each source by the source's name."""
        entries = {file.stem: self.get(file.stem) for file in self._entries.glob("*.json")}
        return {name: entry for name, entry in entries.items() if entry is not None}


def source_id(path: Path) -> str:
    """Return the name of a source: the same for the same file, however it is reached."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    LoadError
        If it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise LoadError(f"{file}: cannot be read ({error.strerror}).") from None


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes the file once all is on disk."""
    part = file.with_name(f".{file.name}.part")
    yield part
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(file)


@contextmanager
def locked(manifest: Manifest) -> Iterator[None]:
    """Keep other processes from writing into the folder; the lock ends with the process.

    Raises
    ------
    LoadError
        If another process writes there now, or nothing can be written there.
    """
    try:
        manifest.hidden.mkdir(parents=True, exist_ok=True)
        file = (manifest.hidden / "lock").open("w")
    except OSError as error:
        raise LoadError(f"{manifest.folder}: cannot be written ({error.strerror}).") from None
    with file:
        try:
            import fcntl
        except ModuleNotFoundError:  # Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LoadError(
                f"{manifest.folder}: another process ingests into it now; wait for it to end."
            ) from None
        yield
