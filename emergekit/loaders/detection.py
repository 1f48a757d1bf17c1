"""Find the reader for each file, and say which it is and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emergekit.errors import LoadError, unknown
from emergekit.loaders.readers import Reader

__all__ = ["Choice", "choose_reader", "chosen_readers"]

Choice = tuple[Path, Reader]
_SURE = 0.5
"""From here on a reader takes files of a folder unasked."""


def choose_reader(path: Path, format: str | None, readers: Mapping[str, Reader]) -> Reader:
    """Return the reader of that format, or the one that is surest of the file.

    Raises
    ------
    LoadError
        If the format is unknown, or no reader takes the file.
    """
    if format is not None:
        if format not in readers:
            raise LoadError(unknown("format", format, readers))
        return readers[format]
    score, name = surest(path, readers)
    if score <= 0:
        raise LoadError(
            f"{path}: no reader knows this kind of file; known formats: {', '.join(readers)} "
            f"(table: CSV, TSV, JSON, JSONL, parquet)."
        )
    return readers[name]


def surest(path: Path, readers: Mapping[str, Reader]) -> tuple[float, str]:
    """Return how sure the surest reader is of a file, and its name; the first of equals."""
    scores = {name: reader.score(path) for name, reader in readers.items()}
    name = max(scores, key=lambda name: scores[name])
    return scores[name], name


def chosen_readers(
    files: Sequence[Path], format: str | None, readers: Mapping[str, Reader]
) -> tuple[list[Choice], set[Path]]:
    """Return which of the files of a folder are read by whom, and those that go with others.

    Parameters
    ----------
    files : sequence of Path
        The files.
    format : str, optional
        Reader of those files that it takes; the others are left.
    readers : mapping
        Readers by name.

    Returns
    -------
    list of (Path, Reader)
        Each file that is read by itself.
    set of Path
        The files that readers take in beside one of those.

    Raises
    ------
    LoadError
        If the format is unknown.
    """
    if format is not None and format not in readers:
        raise LoadError(unknown("format", format, readers))
    some = {format: readers[format]} if format is not None else readers
    chosen = list[Choice]()
    for file in files:
        score, name = surest(file, some)
        if score >= _SURE:
            chosen.append((file, readers[name]))
    beside = set[Path]()
    for file, reader in chosen:
        if file not in beside:
            beside.update(other for other in reader.files_beside(file) if other != file)
    there = beside.intersection(files)
    return [(file, reader) for file, reader in chosen if file not in there], there
