"""ZIP archives: members by name, with limits, nothing ever written to disk."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from emergekit.errors import LoadError, nearest

__all__ = ["MAX_MEMBER", "MAX_MEMBERS", "member_names", "read_member"]

MAX_MEMBER = 256 << 20
"""Bytes of one member once unpacked, 256 MiB."""

MAX_MEMBERS = 1_000_000
"""Members of one archive."""

_MAX_GROWTH = 1000  # deflate reaches 1,032 on zeros; logs of answers stay below 50
_GROWTH_FROM = 16 << 20  # bytes below which nobody minds


def member_names(path: Path) -> list[str]:
    """Return the names of the members of a ZIP archive, folders left out.

    Raises
    ------
    LoadError
        If the file is no whole archive, or a member's name leads out of it (``../``, or absolute).
    """
    with _opened(path) as archive:
        return _names(archive, path)


def read_member(path: Path, name: str, limit: int = MAX_MEMBER) -> bytes:
    """Return one member of a ZIP archive, unpacked.

    Raises
    ------
    LoadError
        If the archive or the member is damaged, absent, encrypted, packed in a way that Python
        does not know, or larger than `limit` in bytes, whatever size the archive states.
    """
    with _opened(path) as archive:
        names = _names(archive, path)
        if name not in names:
            match = nearest(name, names)
            hint = f"; did you mean '{match}'?" if match else "; write the archive again."
            raise LoadError(f"{path}: has no member '{name}'{hint}")
        return _unpacked(archive, archive.getinfo(name), path, limit)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
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


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limit: int) -> bytes:
    where = f"{path}: member '{entry.filename[:60]}'"
    size, packed = entry.file_size, max(entry.compress_size, 1)
    if size > limit or (size > _GROWTH_FROM and size > _MAX_GROWTH * packed):
        raise LoadError(
            f"{where} unpacks to {size:,} bytes from {packed:,}, which is more than is read "
            f"({limit:,}); unpack it yourself if you trust it."
        )
    try:
        with archive.open(entry) as stream:
            content = stream.read(limit + 1)
    except NotImplementedError as error:
        raise LoadError(f"{where} cannot be unpacked ({error}); pack it with deflate.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise LoadError(f"{where} is damaged or encrypted ({error}); copy it again.") from None
    if len(content) > limit:
        raise LoadError(f"{where} is larger than it says; such a file is not read.")
    return content
