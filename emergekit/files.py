"""Which files a folder or a pattern means, and what in it is passed over."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = [
    "INGESTED",
    "MARKER",
    "Note",
    "files_inside",
    "files_matching",
    "fixed_folder",
    "is_beside_data",
]

MARKER = ".emergekit-report"
"""A folder that holds a file of this name is a report of ours; it lists the files of the report."""

INGESTED = ".emergekit-ingest"
"""A folder of parquet that was made of logs keeps its manifest in a folder of this name."""

Note = tuple[str, str, str, str]
"""Severity, file, field and message: a row of the table of notes."""

_RESULTS_OF_MODELS = ".eval_results"  # a folder of results in model repositories, not hidden by dot
_UNPACKED_BY_MACS = "__MACOSX"  # copies of every file in an archive, without their content
_NO_DATA = (
    "md rst html css js pdf tex bib cff png jpg jpeg gif svg py r sh ipynb "
    "readme license licence makefile changelog"  # suffixes, and names without one
)
_BESIDE_DATA = frozenset(_NO_DATA.split())


def files_inside(folder: Path) -> tuple[list[Path], list[Note]]:
    """Return the files of a folder to its bottom, and a note on each thing passed over.

    Passed over are reports of ours, what is hidden (a name that starts with a dot, such as
    ``.ipynb_checkpoints``; but not ``.eval_results``), ``__MACOSX``, links to folders, links to
    files that are there themselves, and what cannot be opened.
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
        reasons = {name: _why_not(Path(here) / name) for name in (*folders, *names)}
        reasons |= dict.fromkeys(_of_report(Path(here)) & {*names}, ("info", "of a report of ours"))
        for name, reason in sorted(reasons.items()):
            if reason and name not in (MARKER, INGESTED):
                severity, why = reason
                notes.append((severity, str(Path(here) / name), "", f"{why}; passed over"))
        folders[:] = [name for name in folders if not reasons[name]]
        files += [Path(here) / name for name in names if not reasons[name]]
    files, again = _once(sorted(files))
    return files, [*notes, *again]


def files_matching(pattern: Path) -> tuple[list[Path], list[Note]]:
    """Return the files that match a pattern, and a note on each thing passed over.

    Files inside reports of ours are left out, as are those that ``**`` reaches through a link to a
    folder. A hidden file matches where the pattern itself has the dot.
    """
    fixed = fixed_folder(pattern)
    matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))
    return _once([file for file in matches if file.is_file() and not _is_aside(file, fixed)])


def _once(files: Sequence[Path]) -> tuple[list[Path], list[Note]]:
    """Return each file once, whatever links lead to it, and notes on those links."""
    own = {os.path.realpath(file): file for file in files if not file.is_symlink()}
    kept, notes = list[Path](), list[Note]()
    for file in files:
        first = own.setdefault(os.path.realpath(file), file)
        if first == file:
            kept.append(file)
        else:
            notes.append(("info", str(file), "", f"a link to {first}, which is read; passed over"))
    return kept, notes


def _why_not(path: Path) -> tuple[str, str] | None:
    """Return how severe it is that something in a folder is not read, and why; None if it is."""
    is_hidden = path.name.startswith(".") and path.name != _RESULTS_OF_MODELS
    if is_hidden or path.name == _UNPACKED_BY_MACS:
        return "info", "hidden"
    if path.is_dir():
        return ("warning", "a link to a folder") if path.is_symlink() else None
    return None if path.is_file() else ("warning", "no file to read, such as a broken link")


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


def _is_aside(file: Path, root: Path) -> bool:
    return any(
        (folder / MARKER).exists() or folder.name == _UNPACKED_BY_MACS or folder.is_symlink()
        for folder in _between(file, root)
    ) or file.name in _of_report(file.parent)


def _of_report(folder: Path) -> set[str]:
    """Return the names of the files that a report wrote into a folder, which may hold others."""
    marker = folder / MARKER
    if not marker.is_file():
        return set()
    return set(marker.read_text(encoding="utf-8", errors="replace").splitlines())


def _between(file: Path, root: Path) -> Iterator[Path]:
    for folder in file.parents:
        if folder == root:
            return
        yield folder
