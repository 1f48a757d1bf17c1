"""Bytes of files, unpacked on the way: a little of them, a line at a time, or all."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from emergekit.errors import LoadError

__all__ = ["MAX_DOCUMENT", "MAX_LINE", "disguise", "head", "lines_of", "read_bytes"]

MAX_DOCUMENT = 1 << 30
"""Bytes of a document that is held whole, 1 GiB: a packed file can grow a thousandfold."""

MAX_LINE = 256 << 20
"""Bytes of one line, 256 MiB."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
# How files begin that often lie under the name of something else.
_BEGINNINGS = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file: fetch it with git lfs pull"),
    (b"\xfd7zXZ", "packed with xz: unpack it, or pack it with gzip"),
    (b"BZh91AY&SY", "packed with bzip2: unpack it, or pack it with gzip"),
    (b"<!doctype html", "a web page, not the file on it: download the raw file"),
    (b"<html", "a web page, not the file on it: download the raw file"),
    (b"\xff\xfe", "UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16: save it as UTF-8"),
)


def disguise(start: bytes) -> str | None:
    """Return what a file is that begins like this and is no document, else None.

    Examples
    --------
    >>> disguise(b"<!DOCTYPE html><html>")
    'a web page, not the file on it: download the raw file'
    """
    bare = start[:100].lstrip().lower()
    return next((what for begins, what in _BEGINNINGS if bare.startswith(begins.lower())), None)


def head(path: Path, n_bytes: int = 1 << 16) -> bytes:
    """Return the first bytes of a file, unpacked and without byte order mark, for a look at it.

    Parameters
    ----------
    path : Path
        The file.
    n_bytes : int
        How many bytes at most.

    Returns
    -------
    bytes
        Nothing for a file that cannot be opened: its reader says why.
    """
    parts, left = list[bytes](), n_bytes + len(codecs.BOM_UTF8)
    try:
        for chunk in _chunks(path, min(left, _CHUNK)):
            parts.append(chunk)
            left -= len(chunk)
            if left <= 0:
                break
    except LoadError:
        pass
    return b"".join(parts).removeprefix(codecs.BOM_UTF8)[:n_bytes]


def read_bytes(path: Path, limit: int = MAX_DOCUMENT) -> bytes:
    """Return all of a file, unpacked and without byte order mark.

    Raises
    ------
    LoadError
        If the file cannot be read, is damaged, is empty, or is larger than the limit in bytes.
    """
    parts, size = list[bytes](), 0
    for chunk in _chunks(path):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise LoadError(
                f"{path}: holds more than {_sized(limit)} once unpacked; split it, or write it as "
                f"one record a line."
            )
    raw = b"".join(parts).removeprefix(codecs.BOM_UTF8)
    if not raw.strip():
        raise LoadError(f"{path}: the file is empty; write it again.")
    _check_kind(path, raw)
    return raw


def lines_of(path: Path, limit: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    r"""Yield the lines of a file that are not blank, with their numbers from 1.

    Only ``\n`` ends a line (and takes a ``\r`` before it): U+2028 and its like may stand inside the
    text of an answer.

    Raises
    ------
    LoadError
        If the file cannot be read, is damaged, or has a line longer than the limit in bytes.
    """
    number, parts, size = 1, list[bytes](), 0
    is_start = True
    for chunk in _chunks(path):
        if is_start:
            chunk, is_start = chunk.removeprefix(codecs.BOM_UTF8), False
            _check_kind(path, chunk)
        first, *others = chunk.split(b"\n")
        parts.append(first)
        size += len(first)
        for other in others:
            yield from _filled(number, parts)
            number, parts, size = number + 1, [other], len(other)
        if size > limit:
            raise LoadError(
                f"{path}: line {number} is longer than {_sized(limit)}; write one record a line."
            )
    yield from _filled(number, parts)


def _filled(number: int, parts: list[bytes]) -> Iterator[tuple[int, bytes]]:
    line = b"".join(parts).strip()
    if line:
        yield number, line


def _check_kind(path: Path, raw: bytes) -> None:
    what = disguise(raw)
    if what:
        raise LoadError(f"{path}: is {what}.")


def _chunks(path: Path, size: int = _CHUNK) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked if its first bytes say that it is packed."""
    with _reported(path), path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        yield from _pieces(_unpacked(file, start), size)


def _unpacked(file: IO[bytes], start: bytes) -> Any:
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if start == _ZSTD:
        return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    return file


def _pieces(stream: Any, size: int) -> Iterator[bytes]:
    while chunk := stream.read(size):
        yield chunk


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turn what reading raises into one sentence."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error, pa.ArrowException) as error:
        raise LoadError(f"{path}: the packed file is damaged ({error}); copy it again.") from None
    except OSError as error:
        if error.strerror is None:  # Arrow says so of damage
            raise LoadError(
                f"{path}: the packed file is damaged ({error!s:.80}); copy it again."
            ) from None
        raise LoadError(f"{path}: cannot be read ({error.strerror}).") from None


def _sized(n_bytes: int) -> str:
    return f"{n_bytes >> 20} MiB" if n_bytes >= 1 << 20 else f"{n_bytes} bytes"
