"""Read what can be read of an evaluation that spreads over several files."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any, TypeVar

from emergekit.errors import LoadError
from emergekit.files import Note
from emergekit.loaders.documents import Place, read_json

__all__ = ["attempted", "check_something"]

Made = TypeVar("Made")


def attempted(path: Path, make: Callable[[Any, Place], Made], notes: list[Note]) -> Made | None:
    """Return what is made of a JSON file; None if there is none, or with a note if it is damaged.

    Parameters
    ----------
    path : Path
        The file.
    make : function
        What it holds, and its place, to anything.
    notes : list
        Takes a note of severity "error" if the file is damaged, or `make` refuses it.
    """
    if not path.is_file():
        return None
    try:
        return make(read_json(path), Place(path))
    except LoadError as error:
        notes.append(("error", str(path), "", str(error)))
        return None


def check_something(notes: Sequence[Note], *found: Sized) -> None:
    """Raise the first error of the notes if nothing was found.

    Raises
    ------
    LoadError
        What the note says.
    """
    broken = [message for severity, _, _, message in notes if severity == "error"]
    if broken and not any(found):
        raise LoadError(broken[0])
