"""ZIP archives: members by name, with limits, nothing ever written to disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import pyarrow as pa

from emergekit.errors import LoadError, nearest

__all__ = [
    "MAX_MEMBER",
    "MAX_MEMBERS",
    "MAX_TOTAL",
    "check_members",
    "member_names",
    "read_member",
    "read_members",
]

MAX_MEMBER = 256 << 20
"""Bytes of one member once unpacked, 256 MiB."""

MAX_MEMBERS = 1_000_000
"""Members of one archive."""

MAX_TOTAL = 8 << 30
"""Bytes of all members of an archive that are read, once unpacked, 8 GiB."""

_MAX_GROWTH = 1000  # deflate reaches 1,032 on zeros; logs of answers stay below 50
_GROWTH_FROM = 16 << 20  # bytes below which nobody minds
# Together members may grow less: many small ones, or ones that overlap, are a bomb as well.
_MAX_TOTAL_GROWTH = 200
_TOTAL_GROWTH_FROM = 256 << 20
_ZSTD = 93  # in the ZIP format; the standard library knows it from Python 3.14 on


def member_names(path: Path) -> list[str]:
    """Return the names of the members of a ZIP archive, folders left out.

    Raises
    ------
    LoadError
        If the file is no whole archive, or a member's name leads out of it (``../``, or absolute).
    """
    with _opened(path) as archive:
        return _names(archive, path)


def check_members(path: Path, limit: int = MAX_MEMBER, total: int = MAX_TOTAL) -> None:
    """Refuse an archive that another program is to unpack, for what `read_members` refuses.

    Raises
    ------
    LoadError
        If the archive is damaged, a name leads out of it, a member states more than `limit`, or
        all of them together more than `total`.
    """
    with _opened(path) as archive:
        _names(archive, path)
        for entry in archive.infolist():
            _check_size(entry, path, limit)
        _check_total(archive.infolist(), path, total)


def read_member(path: Path, name: str, limit: int = MAX_MEMBER) -> bytes:
    """Return one member of a ZIP archive, unpacked.

    Raises
    ------
    LoadError
        If the archive or the member is damaged, absent, encrypted, packed in an unknown way, or
        larger than `limit` in bytes, whatever size the archive states.
    """
    return next(content for _, content in read_members(path, [name], limit))


def read_members(
    path: Path, names: Iterable[str], limit: int = MAX_MEMBER, total: int = MAX_TOTAL
) -> Iterator[tuple[str, bytes]]:
    """Yield members of a ZIP archive with their names, one at a time, opening it once.

    Raises
    ------
    LoadError
        As `read_member` does; or if the members together are larger than `total` in bytes, or
        grow more than logs do, which is told before any is unpacked.
    """
    with _opened(path) as archive:
        known = dict.fromkeys(_names(archive, path))
        asked = list(names)
        there = [archive.getinfo(name) for name in asked if name in known]
        _check_total(there, path, total)
        for name in asked:
            if name not in known:
                match = nearest(name, known)
                hint = f"; did you mean '{match}'?" if match else "; write the archive again."
                raise LoadError(f"{path}: has no member '{name}'{hint}")
            yield name, _unpacked(archive, archive.getinfo(name), path, limit)


_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    # The library raises NotImplementedError over a ZIP version that it does not know.
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise LoadError(f"{path}: the archive is damaged ({error}); copy it again.") from None
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _names(archive: zipfile.ZipFile, path: Path) -> list[str]:
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise LoadError(f"{path}: has {len(entries):,} members, more than any log has; split it.")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or entry.filename[1:2] == ":":
            raise LoadError(
                f"{path}: member '{entry.filename[:60]}' leads out of the archive; such a file is "
                f"not read."
            )
    return [entry.filename for entry in entries if not entry.is_dir()]


def _check_size(entry: zipfile.ZipInfo, path: Path, limit: int) -> None:
    size, packed = entry.file_size, max(entry.compress_size, 1)
    if size > limit or (size > _GROWTH_FROM and size > _MAX_GROWTH * packed):
        raise LoadError(
            f"{_place(entry, path)} unpacks to {size:,} bytes from {packed:,}, which is more than "
            f"is read ({limit:,}); unpack it yourself if you trust it."
        )


def _check_total(entries: Sequence[zipfile.ZipInfo], path: Path, total: int) -> None:
    size = sum(entry.file_size for entry in entries)
    # Members that overlap state more packed bytes than the archive has.
    packed = max(min(sum(entry.compress_size for entry in entries), path.stat().st_size), 1)
    if size > total or (size > _TOTAL_GROWTH_FROM and size > _MAX_TOTAL_GROWTH * packed):
        raise LoadError(
            f"{path}: its {len(entries):,} members unpack to {size:,} bytes from {packed:,}, which "
            f"is more than is read ({total:,}, or {_MAX_TOTAL_GROWTH} times what is packed); "
            f"unpack it yourself if you trust it."
        )


def _place(entry: zipfile.ZipInfo, path: Path) -> str:
    return f"{path}: member '{entry.filename[:60]}'"


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limit: int) -> bytes:
    _check_size(entry, path, limit)
    where = _place(entry, path)
    try:
        if entry.compress_type == _ZSTD:
            content = _unpacked_zstd(archive, entry)
        else:
            with archive.open(entry) as stream:
                content = stream.read(limit + 1)
    except NotImplementedError as error:  # how the library says that it cannot unpack this
        raise LoadError(f"{where} cannot be unpacked ({error}); pack it with deflate.") from None
    except (*_DAMAGE, pa.ArrowException) as error:
        raise LoadError(f"{where} is damaged or encrypted ({error}); copy it again.") from None
    if len(content) > entry.file_size:
        raise LoadError(f"{where} is larger than it says; such a file is not read.")
    return content


def _unpacked_zstd(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return a member that is packed with zstd, one byte more if it is larger than it says."""
    if archive.fp is None or entry.flag_bits & 1:
        raise zipfile.BadZipFile("encrypted")
    archive.fp.seek(entry.header_offset)
    header = archive.fp.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no header")
    archive.fp.seek(sum(struct.unpack("<HH", header[26:])), 1)  # its name, and an extra field
    packed = pa.BufferReader(archive.fp.read(entry.compress_size))
    content = bytes(pa.CompressedInputStream(packed, "zstd").read(entry.file_size + 1))
    if len(content) < entry.file_size or zlib.crc32(content[: entry.file_size]) != entry.CRC:
        raise zipfile.BadZipFile("bad check sum")
    return content
