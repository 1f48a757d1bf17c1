"""Find the files that a path, a folder or a pattern means."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emergekit.errors import LoadError, kind_of, nearest
from emergekit.files import Note, files_inside, files_matching, is_beside_data
from emergekit.loaders.detection import Choice, choose_reader, chosen_readers
from emergekit.loaders.documents import outline
from emergekit.loaders.readers import Reader, known_readers
from emergekit.loaders.tabular.files import SPREADSHEETS

__all__ = ["Found", "files_of", "found_in"]

_PACKED = frozenset({".xz", ".bz2", ".lz4", ".zip", ".7z", ".tar", ".tgz"})


@dataclass(frozen=True)
class Found:
    """What a path means.

    Parameters
    ----------
    where : Path
        The path.
    choices : list of (Path, Reader)
        Each file that is read by itself, and who reads it.
    is_single : bool
        Whether the path is one file, and no folder or pattern.
    beside : frozenset of Path
        Files that are read with one of those.
    notes : list of (severity, file, field, message)
        What was passed over.
    """

    where: Path
    choices: list[Choice]
    is_single: bool = False
    beside: frozenset[Path] = frozenset()
    notes: list[Note] = field(default_factory=list)


def files_of(path: str | Path) -> tuple[Path, list[Path] | None, list[Note]]:
    """Return the path, its files (None for a single file), and notes on what was passed over.

    Raises
    ------
    LoadError
        If there is no such file, no file matches, or nothing in the folder can be read.
    """
    found = found_in(path, None, known_readers(), single_is_read=False)
    files = [*(file for file, _ in found.choices), *sorted(found.beside)]
    return found.where, None if found.is_single else sorted(files), found.notes


def found_in(
    path: str | Path,
    format: str | None,
    readers: Mapping[str, Reader],
    single_is_read: bool = True,
) -> Found:
    """Return the files that a path means, each with the reader that is surest of it.

    Parameters
    ----------
    path : str or Path
        A file, a folder or a pattern.
    format : str, optional
        The one reader that is meant; the surest if None.
    readers : mapping
        Readers by name.
    single_is_read : bool
        Whether a single file must have a reader.

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
        where = where.expanduser() if str(path).startswith("~") else where
        if where.is_file():
            readers_of_it = [choose_reader(where, format, readers)] if single_is_read else []
            return Found(where, [(where, reader) for reader in readers_of_it], is_single=True)
        return _found_inside(where, format, readers)
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, LoadError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{str(path)[:120]}: cannot be looked up ({reason}).") from None


def _found_inside(path: Path, format: str | None, readers: Mapping[str, Reader]) -> Found:
    is_folder = path.is_dir()
    files, skipped = files_inside(path) if is_folder else files_matching(path)
    if not files and is_folder:
        raise LoadError(
            f"{path}: the folder is empty, or holds nothing but hidden files and reports of ours."
        )
    if not files:
        raise LoadError(f"{path}: {_absent(path)}")
    choices, beside = chosen_readers(files, format, readers)
    if not choices:
        what = "the folder holds" if is_folder else "the pattern matches"
        raise LoadError(f"{path}: {what} {_contents(files, format)}.")
    read = {*(file for file, _ in choices), *beside}
    notes = [*skipped, *_unread(files, read, format)]
    return Found(path, choices, beside=frozenset(beside), notes=notes)


def _unread(files: Sequence[Path], read: Collection[Path], format: str | None) -> Iterator[Note]:
    """Yield a note on each file that no reader takes and that may hold data."""
    for file in files:
        if file not in read and not is_beside_data(file):
            why = f"no file of format '{format}'" if format else _why_unread(file)
            severity = "info" if _is_schema(file) else "warning"
            yield (severity, str(file), "", f"{why}; passed over")


def _why_unread(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix in SPREADSHEETS:
        return "a spreadsheet, which no reader takes: save it as CSV"
    if suffix in _PACKED:
        return f"packed as {suffix}, which no reader unpacks: unpack it, or pack it as .gz"
    if _is_schema(file):
        return "a JSON schema, which describes files and holds no scores"
    if not suffix:
        return "its name ends in no suffix that tells what it is"
    if suffix in (".gz", ".zst"):  # a packed file is of the kind that it holds
        suffix = "".join(file.suffixes[-2:]).lower()
    return f"no reader takes a {suffix} file"


def _is_schema(file: Path) -> bool:
    return file.suffix.lower() == ".json" and outline(file).has("$schema")


def _contents(files: Sequence[Path], format: str | None) -> str:
    """Return what there is, none of which can be read, and how to mend the likeliest."""
    kinds = Counter(file.suffix or "without a suffix" for file in files)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    data = (file for file in files if file.suffix.lower() in (*SPREADSHEETS, *_PACKED))
    file = next(data, None)
    if format:
        return f"{said}, and no file of format '{format}'; leave format= out, or name another"
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
