"""The document of an Inspect AI log: through inspect-ai where it is installed, else by ourselves.

An ``.eval`` file is a ZIP archive of ``header.json`` and one file a sample, packed with zstd by
newer versions. inspect-ai knows every version of its logs; what it refuses we read ourselves, so
that damage is told in the same words with and without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emergekit.errors import LoadError
from emergekit.loaders.documents import (
    Place,
    as_list,
    as_mapping,
    check_members,
    given,
    member_names,
    outline,
    parse,
    read_json,
    read_member,
    read_members,
)

__all__ = ["document", "is_archive"]

_VERSION = 2
_HEADER, _START = "header.json", "_journal/start.json"
_SUMMARIES, _SAMPLES = "summaries.json", "samples/"


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive that holds a log, damaged or not."""
    seen = outline(path)
    is_named = path.suffix.lower() == ".eval"
    return seen.shape == "zip" and (is_named or seen.has(_HEADER) or seen.has(_START))


def document(path: Path) -> tuple[dict[str, Any], Iterable[Any]]:
    """Return the log, and its samples; those of an archive are unpacked one at a time.

    A sample with the transcript of an agent is large, and what is kept of it small.

    Raises
    ------
    LoadError
        If the file is damaged, naming the member of the archive, or of a version that only
        inspect-ai reads.
    """
    if is_archive(path):
        check_members(path)  # before another program unpacks it
    theirs = _through_inspect_ai(path)
    if theirs is not None:
        return theirs, _listed(theirs, path)
    own: dict[str, Any]
    if is_archive(path):
        own, samples = _archived(path)
    else:
        own = as_mapping(read_json(path), Place(path))
        samples = _listed(own, path)
    version = own.get("version", _VERSION)
    if version != _VERSION:
        raise LoadError(
            f"{path}: is a log of version {version!r:.20}, and without inspect-ai version "
            f"{_VERSION} is read; pip install 'emergekit[inspect]'."
        )
    return own, samples


def _listed(log: Mapping[str, Any], path: Path) -> list[Any]:
    return given(log, "samples", list, Place(path)) or []


def _through_inspect_ai(path: Path) -> dict[str, Any] | None:
    """Return the log as inspect-ai reads it; None where it is not installed, or refuses."""
    try:
        log = importlib.import_module("inspect_ai.log").read_eval_log(str(path))
        read: dict[str, Any] = log.model_dump(mode="json", exclude_none=True)
    except Exception:  # whatever it raises over a damaged file, our own reader says what is wrong
        return None
    return read


def _archived(path: Path) -> tuple[dict[str, Any], Iterable[Any]]:
    names = member_names(path)
    start = _HEADER if _HEADER in names else _START  # of an evaluation that did not end
    place = Place(path, trail=start)
    log = as_mapping(parse(read_member(path, start), place), place)
    kept = [name for name in names if name.startswith(_SAMPLES) and name.endswith(".json")]
    if kept:
        return log, _parsed(path, kept)
    if _SUMMARIES in names:  # shortened: no output, no log-probabilities
        place = Place(path, trail=_SUMMARIES)
        return log, as_list(parse(read_member(path, _SUMMARIES), place), place)
    return log, ()


def _parsed(path: Path, names: Sequence[str]) -> Iterator[Any]:
    for name, content in read_members(path, names):
        yield parse(content, Place(path, trail=name))
