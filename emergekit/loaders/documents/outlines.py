"""What a file looks like at a glance: its kind, and the names of its fields.

Every reader asks for it to tell whether a file is its own; the last few are remembered, so that
twenty readers look at a file once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet

from emergekit.errors import LoadError
from emergekit.loaders.documents.archives import member_names
from emergekit.loaders.documents.fields import Place
from emergekit.loaders.documents.opening import MAX_LINE, head
from emergekit.loaders.documents.parsing import parse

__all__ = ["Outline", "outline"]

Shape = Literal["object", "list", "lines", "zip", "parquet", "text", "nothing"]
_WHOLE = 16 << 20  # bytes up to which a document is parsed for the look at it
_PART = 1 << 20  # bytes that are scanned of a larger one
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Outline:
    """What a file looks like.

    Parameters
    ----------
    shape : {"object", "list", "lines", "zip", "parquet", "text", "nothing"}
        JSON that is an object, a list, or an object a line; a ZIP archive; parquet; any other
        text; or nothing that can be read.
    fields : mapping
        Names of the fields of the object (of the first one, in a list or in lines) and what they
        hold: "object", "list", "text", "number", "flag" or "null". Columns of parquet and members
        of an archive hold "column" and "member".
    inner : mapping
        Of each field that holds an object, the names inside it.
    first_line : str
        First line of any other text, such as the header of CSV.
    """

    shape: Shape
    fields: Mapping[str, str] = field(default_factory=dict)
    inner: Mapping[str, frozenset[str]] = field(default_factory=dict)
    first_line: str = ""

    def has(self, *names: str) -> bool:
        """Return whether all these fields are there."""
        return all(name in self.fields for name in names)


def outline(path: Path) -> Outline:
    """Return what a file looks like, whatever it is: a damaged file looks like nothing much.

    Examples
    --------
    >>> from emergekit.datasets import data_folder
    >>> outline(data_folder() / "chinchilla" / "runs.csv").first_line[:9]
    'model,run'
    """
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return Outline("nothing")
    return _outline(os.fspath(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _outline(name: str, size: int, changed: int) -> Outline:
    path = Path(name)
    start = head(path, _PART)
    if start.startswith(b"PK\x03\x04"):
        return _of_names(path, "zip")
    if start.startswith(b"PAR1"):
        return _of_names(path, "parquet")
    bare = start.lstrip()
    if not bare:
        return Outline("nothing")
    if bare[:1] not in b"{[":
        return Outline("text", first_line=_first_line(bare).decode("utf-8", "replace"))
    if _is_lines(path):
        if b"\n" not in bare and len(start) == _PART:  # its fields may stand behind a long text
            start = head(path, MAX_LINE)
        return _of_line(start)
    if len(start) == _PART:
        start = head(path, _WHOLE)
    if len(start) == _WHOLE:
        return _scanned(start[:_PART])
    return _of_document(path, start)


def _is_lines(path: Path) -> bool:
    return any(suffix.lower() in _LINES for suffix in path.suffixes[-2:])


def _first_line(raw: bytes) -> bytes:
    return raw.split(b"\n", 1)[0].strip()


def _of_names(path: Path, shape: Literal["zip", "parquet"]) -> Outline:
    try:
        if shape == "zip":
            return Outline(shape, dict.fromkeys(member_names(path), "member"))
        names = pa.parquet.read_schema(path).names
        return Outline(shape, dict.fromkeys(names, "column"))
    except (LoadError, pa.ArrowException, OSError, ValueError):
        return Outline(shape)


def _of_document(path: Path, raw: bytes) -> Outline:
    try:
        content = parse(raw, Place(path))
    except LoadError:
        line = _first_line(raw.lstrip())
        found = _of_line(raw) if line.endswith(b"}") else _scanned(raw[:_PART])
        return found if found.fields else _scanned(raw[:_PART])
    if isinstance(content, list):
        return _of_object(next(iter(content), None), "list")
    return _of_object(content, "object")


def _of_line(raw: bytes) -> Outline:
    line = _first_line(raw.lstrip())
    try:
        return _of_object(orjson.loads(line), "lines")
    except orjson.JSONDecodeError:  # longer than what was looked at, or with NaN in it
        return Outline("lines", *_names_in(line))


def _of_object(content: Any, shape: Shape) -> Outline:
    if not isinstance(content, dict):
        return Outline(shape)
    return Outline(
        shape,
        MappingProxyType({name: _kind(value) for name, value in content.items()}),
        MappingProxyType({n: frozenset(v) for n, v in content.items() if isinstance(v, dict)}),
    )


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {dict: "object", list: "list", str: "text", bool: "flag"}
    return kinds.get(type(value), "number")


def _scanned(raw: bytes) -> Outline:
    """Return the outline of a document of which only the start is at hand."""
    bare = raw.lstrip()
    return Outline("list" if bare[:1] == b"[" else "object", *_names_in(bare.lstrip(b"[ \n\r\t")))


# Text that is cut off ends with the bytes, so that no quote inside it is tried again.
_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)(\s*:\s*(.))?|[{}\[\]]', re.DOTALL)
_BY_FIRST = MappingProxyType(
    {b"{": "object", b"[": "list", b'"': "text", b"t": "flag", b"f": "flag", b"n": "null"}
)


def _names_in(raw: bytes) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Return the names of the first object in JSON that may be cut off, and of those inside it."""
    kinds, inner, last = dict[str, str](), dict[str, set[str]](), ""
    for depth, name, value in _keys(raw):
        if depth == 1:
            last = name
            kinds[name] = _BY_FIRST.get(value, "number")
        elif depth == 2 and kinds.get(last) == "object":
            inner.setdefault(last, set()).add(name)
    return kinds, {name: frozenset(names) for name, names in inner.items()}


def _keys(raw: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Yield depth, name and first character of the value of each key, to the end of the object."""
    depth, place = 0, 0
    while token := _TOKEN.search(raw, place):
        place = token.end()
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                return
        elif token[2]:
            place -= 1  # the first character of the value is looked at again
            yield depth, token[1].decode("utf-8", "replace"), token[3]
