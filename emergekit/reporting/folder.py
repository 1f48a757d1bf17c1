"""Write the files of a report into a folder, and take away those of the report before it.

A marker file in the folder lists what a report wrote: the next one leaves nothing stale behind, and
loaders pass the folder over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emergekit.errors import LoadError
from emergekit.files import MARKER

__all__ = ["write_files"]


def write_files(out: Path, files: Mapping[str, str]) -> None:
    """Write files by name; files that an earlier report wrote there, and this one not, go.

    Raises
    ------
    LoadError
        If the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in _written_before(out) - set(files):
            (out / name).unlink(missing_ok=True)
        (out / MARKER).write_text("\n".join(files) + "\n", encoding="utf-8")
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise LoadError(f"{out}: the report cannot be written there ({error.strerror}).") from None


def _written_before(out: Path) -> set[str]:
    """Return the files of the earlier report; a marker reaches no other folder."""
    marker = out / MARKER
    if not marker.is_file():
        return set()
    names = marker.read_text(encoding="utf-8", errors="replace").splitlines()
    return {
        name
        for name in names
        if Path(name).name == name and name.endswith((".csv", ".html")) and (out / name).is_file()
    }
