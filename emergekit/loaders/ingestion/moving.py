"""Sources that are there twice: one that was moved keeps what was made of it, a copy adds nothing.

The same bytes need not be the same answers: what they lack, such as the model, is told by the files
and folders around them. So a source is another's copy where the same was made of it as well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from emergekit.loaders.ingestion.manifest import Entry, Manifest

__all__ = ["Known", "is_gone"]


class Known:
    """The entries of a manifest, by the checksum of their source.

    Parameters
    ----------
    manifest : Manifest
        Looked at once; what is committed later must be added.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._names = dict[str, dict[str, None]]()
        for name, entry in manifest.by_name().items():
            self.add(name, entry)

    def add(self, name: str, entry: Entry) -> None:
        """Take note of the entry of a source, unless it is itself a copy."""
        if not entry.copy_of:
            self._names.setdefault(entry.sha256, {})[name] = None

    def twin(self, name: str, made: Entry) -> tuple[str, Entry] | None:
        """Return another source of which the same was made, with its name; None if none was."""
        for other in self._names.get(made.sha256, {}):
            entry = self._manifest.get(other) if other != name else None
            if entry is not None and _identity(entry) == _identity(made):
                return other, entry
        return None

    def original(self, copy: Entry) -> Entry | None:
        """Return the entry of which that one is a copy, None if it is no longer the same."""
        for other in self._names.get(copy.sha256, {}):
            entry = self._manifest.get(other)
            if entry is not None and (entry.source, entry.sha256) == (copy.copy_of, copy.sha256):
                return entry
        return None

    def move(self, to: str, made: Entry, twin: tuple[str, Entry]) -> Entry:
        """Hand the parts of a source that is gone over to the one that it has become.

        Stopped between the two steps, both entries name the same parts, which count once.
        """
        name, old = twin
        entry = replace(made, token=old.token, parts=old.parts, stale=old.stale)
        self._manifest.put(to, entry)
        self._manifest.drop(name)
        self.add(to, entry)
        return entry


def is_gone(entry: Entry) -> bool:
    """Return whether the source of an entry is no longer there."""
    return not Path(entry.source).exists()


def _identity(entry: Entry) -> tuple[object, ...]:
    """Return what was read and what was made of it, wherever both lie."""
    parts = [
        (PurePosixPath(part.file).parts[:2], part.evaluation, part.sha256) for part in entry.parts
    ]
    return entry.sha256, entry.copy_of, parts, entry.models
