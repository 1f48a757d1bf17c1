"""JSON as harnesses write it: strict where it can be, lenient where Python itself is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from emergekit.errors import LoadError
from emergekit.loaders.documents.fields import Place, as_mapping
from emergekit.loaders.documents.opening import MAX_DOCUMENT, MAX_LINE, lines_of, read_bytes

__all__ = ["parse", "read_json", "read_lines"]

_MAX_DEPTH = 900  # below the depth at which Python's own functions give up


def read_json(path: Path, limit: int = MAX_DOCUMENT) -> Any:
    """Return what a JSON file holds.

    Parameters
    ----------
    path : Path
        The file, plain or packed with gzip or zstd.
    limit : int
        Most bytes, once unpacked.

    Raises
    ------
    LoadError
        If the file is absent, empty, damaged, cut off, no UTF-8, or nested too deep, naming the
        line.
    """
    return parse(read_bytes(path, limit), Place(path))


def read_lines(path: Path, limit: int = MAX_LINE) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line of a file with one JSON object a line, and its number from 1.

    Held in memory is one line at a time.

    Raises
    ------
    LoadError
        At the first line that is broken or no object, naming it; or if there is no line.
    """
    is_empty = True
    for number, line in lines_of(path, limit):
        is_empty = False
        place = Place(path, number)
        yield number, as_mapping(parse(line, place), place)
    if is_empty:
        raise LoadError(f"{path}: the file is empty; write it again.")


def parse(raw: bytes, place: Place) -> Any:
    """Return what JSON holds: as the standard has it, and else as Python writes it.

    NaN and Infinity are numbers, as is 1e999, which is infinite; half of a surrogate pair, which a
    model's answer ends in when it is cut inside a character, becomes U+FFFD.

    Examples
    --------
    >>> parse(b'{"acc": NaN}', Place(Path("a.json")))
    {'acc': nan}
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):
            raise _too_deep(place) from None
        broken = error
    text = _decoded(raw, place)
    try:
        return _mended(json.loads(text, parse_int=_integer), place)
    except RecursionError:
        raise _too_deep(place) from None
    except ValueError as error:
        if isinstance(error, LoadError):
            raise
    raise _broken(broken, place)


def _integer(digits: str) -> int | float:
    """Return a whole number, or what is nearest to it beyond 64 bits, as the strict parser does."""
    return int(digits) if len(digits) < 19 else float(digits)


def _broken(error: orjson.JSONDecodeError, place: Place) -> LoadError:
    if place.line is not None:
        return place.error(
            f"column {error.colno}: the JSON is cut off or broken ({error.msg}); mend or drop that "
            f"line."
        )
    remedy = "write the file again"
    if "unexpected content after document" in error.msg:
        remedy = "if it holds one object a line, its name should end in .jsonl"
    return place.error(
        f"line {error.lineno}, column {error.colno}: the JSON is cut off or broken "
        f"({error.msg}); {remedy}."
    )


def _too_deep(place: Place) -> LoadError:
    return place.error("the JSON is nested too deep to be what a harness wrote; mend the file.")


def _decoded(raw: bytes, place: Place) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        number = raw[: error.start].count(b"\n") + 1
        line = "" if place.line is not None else f"line {number} "
        raise place.error(
            f"{line}holds byte 0x{raw[error.start]:02x}, which is not UTF-8; save the file as "
            f"UTF-8."
        ) from None


def _mended(value: Any, place: Place, depth: int = 0) -> Any:
    """Return the value with whole characters only, none of it too deep."""
    if isinstance(value, str):
        return value if value.isascii() else _whole(value)
    if depth > _MAX_DEPTH:
        raise _too_deep(place)
    if isinstance(value, list):
        return [_mended(item, place, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _mended(item, place, depth + 1) for key, item in value.items()}
    return value


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
