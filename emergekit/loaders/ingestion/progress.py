"""How far the work is, on standard error, at a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emergekit.loaders.documents import head

__all__ = ["bytes_a_line", "shown"]

_LOOK = 1 << 20


@contextmanager
def shown(total: int) -> Iterator[Callable[[str, int], None]]:
    """Yield a function that shows the file at hand, and how many bytes are done.

    Parameters
    ----------
    total : int
        Bytes of all files.
    """
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(said: str, done: int) -> None:
            bar.update(task, description=said[-40:], completed=done)

        yield show


def _silent(said: str, done: int) -> None:
    return None


def bytes_a_line(path: Path, size: int) -> float:
    """Return about how many bytes of the file, packed or not, stand for one line.

    The first of them tell; what is packed counts by what it grows to.
    """
    with path.open("rb") as file:
        raw = file.read(_LOOK)
    unpacked = head(path, _LOOK)
    lines = unpacked.count(b"\n") or 1
    if unpacked[:100] == raw[:100] or len(unpacked) < _LOOK:
        return min(len(raw), size) / lines
    return len(unpacked) / lines / 4  # logs pack to about a quarter
