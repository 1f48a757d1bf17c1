"""Find the files that a path, a folder or a pattern means."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from emergekit.errors import LoadError, kind_of, nearest
from emergekit.files import Note, files_inside, files_matching, is_beside_data
from emergekit.loaders.detection import readable
from emergekit.loaders.tabular.files import SPREADSHEETS

__all__ = ["files_of"]

_PACKED = frozenset({".xz", ".bz2", ".zst", ".lz4", ".zip", ".7z", ".tar", ".tgz"})


def files_of(path: str | Path) -> tuple[Path, list[Path] | None, list[Note]]:
    """Return the path, its files (None for a single file), and notes on what was passed over.

    Raises
    ------
    LoadError
        If there is no such file, no file matches, or nothing in the folder can be read.
    """
    if not isinstance(path, str | os.PathLike):
        more = " (a table in memory is used as it is)" if hasattr(path, "columns") else ""
        raise LoadError(f"load takes a file, a folder or a pattern, not {kind_of(path)}{more}.")
    if not os.fspath(path):
        raise LoadError("the path is empty; name a file, a folder ('.' is this one) or a pattern.")
    where = Path(path)
    try:
        return _files_of(where.expanduser() if str(path).startswith("~") else where)
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, LoadError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{str(path)[:120]}: cannot be looked up ({reason}).") from None


def _files_of(path: Path) -> tuple[Path, list[Path] | None, list[Note]]:
    if path.is_file():
        return path, None, []
    if path.is_dir():
        inside, skipped = files_inside(path)
        files = [entry for entry in inside if readable(entry)]
        if not inside:
            raise LoadError(
                f"{path}: the folder is empty, or holds nothing but hidden files and reports of "
                f"ours."
            )
        if not files:
            raise LoadError(f"{path}: the folder holds {_contents(inside)}.")
        return path, files, [*skipped, *_unread(inside, files)]
    files, skipped = files_matching(path)
    if not files:
        raise LoadError(f"{path}: {_absent(path)}")
    tables = [file for file in files if readable(file)]
    if not tables:
        raise LoadError(f"{path}: the pattern matches {_contents(files)}.")
    return path, tables, [*skipped, *_unread(files, tables)]


def _unread(files: Sequence[Path], tables: Collection[Path]) -> Iterator[Note]:
    """Yield a note on each file that no reader takes and that may hold data."""
    read = set(tables)
    for file in files:
        if file not in read and not is_beside_data(file):
            yield ("warning", str(file), "", f"{_why_unread(file)}; passed over")


def _why_unread(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix in SPREADSHEETS:
        return "a spreadsheet, which no reader takes: save it as CSV"
    if suffix in _PACKED:
        return f"packed as {suffix}, which no reader unpacks: unpack it, or pack it as .gz"
    if not suffix:
        return "its name ends in no suffix that tells what it is"
    if suffix == ".gz":  # a packed file is of the kind that it holds
        suffix = "".join(file.suffixes[-2:]).lower()
    return f"no reader takes a {suffix} file"


def _contents(files: Sequence[Path]) -> str:
    """Return what there is, none of which can be read, and how to mend the likeliest."""
    kinds = Counter(file.suffix or "without a suffix" for file in files)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    data = (file for file in files if file.suffix.lower() in (*SPREADSHEETS, *_PACKED))
    file = next(data, None)
    more = f" ({file.name} is {_why_unread(file)})" if file else ""
    return f"{said}, and no table to read{more}"


def _absent(path: Path) -> str:
    if path.exists():
        return "is no file that holds a table, but a pipe or a device; write it into a file first."
    if re.match(r"[a-z0-9]+:/", str(path)):
        return "is an address, and nothing is fetched; download the file first."
    if glob.has_magic(str(path)):
        return "no file matches this pattern."
    if not path.parent.is_dir():
        return f"there is no such file, and no folder '{path.parent}'."
    match = nearest(path.name, (entry.name for entry in path.parent.iterdir()))
    return f"there is no such file; did you mean '{match}'?" if match else "there is no such file."
