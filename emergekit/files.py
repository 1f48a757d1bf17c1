"""Which files a folder or a pattern means, and what in it is passed over."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MARKER", "Note", "files_inside", "files_matching", "fixed_folder", "is_beside_data"]

MARKER = ".emergekit-report"
"""A folder that holds a file of this name is a report of ours, and nothing to read."""

Note = tuple[str, str, str, str]
"""Severity, file, field and message: a row of the table of notes."""

_UNPACKED_BY_MACS = "__MACOSX"  # copies of every file in an archive, without their content
_NO_DATA = (
    "md rst html css js pdf tex bib cff png jpg jpeg gif svg py r sh ipynb "
    "readme license licence makefile changelog"  # suffixes, and names without one
)
_BESIDE_DATA = frozenset(_NO_DATA.split())


def files_inside(folder: Path) -> tuple[list[Path], list[Note]]:
    """Return the files of a folder to its bottom, and a note on each thing passed over.

    Passed over are reports of ours, what is hidden (a name that starts with a dot, such as
    ``.ipynb_checkpoints``), ``__MACOSX``, and what cannot be looked into.
    """
    files, notes = list[Path](), list[Note]()

    def cannot(error: OSError) -> None:
        said = f"{error.filename}: the folder cannot be looked into ({error.strerror})"
        notes.append(("error", str(error.filename), "", said))

    for here, folders, names in os.walk(folder, onerror=cannot):
        if MARKER in names and Path(here) != folder:
            notes.append(("info", here, "", "a report of ours; passed over"))
            folders.clear()
            continue
        for name in sorted((*folders, *names)):
            if _is_hidden(name) and name != MARKER:
                notes.append(("info", str(Path(here) / name), "", "hidden; passed over"))
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for file in (Path(here) / name for name in names if not _is_hidden(name)):
            if file.is_file():
                files.append(file)
            else:
                said = "no file that can be opened, such as a broken link; passed over"
                notes.append(("warning", str(file), "", said))
    return sorted(files), notes


def files_matching(pattern: Path) -> list[Path]:
    """Return the files that match a pattern, without those inside reports of ours.

    A hidden file matches where the pattern itself has the dot.
    """
    fixed = fixed_folder(pattern)
    matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))
    return [file for file in matches if file.is_file() and not _is_passed_over(file, fixed)]


def fixed_folder(pattern: Path) -> Path:
    """Return the folder that a pattern starts from."""
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def is_beside_data(file: Path) -> bool:
    """Return whether a file is prose, a picture or code, in which nobody looks for scores.

    Examples
    --------
    >>> [is_beside_data(Path(name)) for name in ("README.md", "LICENSE", "scores.xlsx", "a.eval")]
    [True, True, False, False]
    """
    return (file.suffix[1:] or file.name).lower() in _BESIDE_DATA


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == _UNPACKED_BY_MACS


def _is_passed_over(file: Path, root: Path) -> bool:
    return any(
        (folder / MARKER).exists() or folder.name == _UNPACKED_BY_MACS
        for folder in _between(file, root)
    )


def _between(file: Path, root: Path) -> Iterator[Path]:
    for folder in file.parents:
        if folder == root:
            return
        yield folder
