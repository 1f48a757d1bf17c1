"""Values of a document by name and type: a wrong one is a sentence, never a traceback."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from emergekit.errors import LoadError, nearest, shown

__all__ = [
    "Place",
    "as_count",
    "as_list",
    "as_mapping",
    "as_number",
    "as_text",
    "field",
    "given",
]

Kind = TypeVar("Kind", dict[str, Any], list[Any], str, int, float, bool)
_CALLED = MappingProxyType(
    {
        dict: "an object with named fields",
        list: "a list",
        str: "text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file a value stands, for messages.

    Parameters
    ----------
    path : Path
        The file.
    line : int, optional
        Line, in files with a record a line.
    trail : str
        Names of the fields on the way to it, with dots between them.

    Examples
    --------
    >>> print(Place(Path("a.jsonl"), 3).at("metrics").at("acc"))
    a.jsonl: line 3: 'metrics.acc'
    """

    path: Path
    line: int | None = None
    trail: str = ""

    def at(self, name: object) -> Place:
        """Return the place of a field (or of an entry of a list) inside this one."""
        trail = f"{self.trail}.{name}" if self.trail else str(name)
        return Place(self.path, self.line, trail)

    def __str__(self) -> str:
        line = f": line {self.line}" if self.line is not None else ""
        return f"{self.path}{line}" + (f": '{self.trail}'" if self.trail else "")

    def error(self, message: str) -> LoadError:
        """Return the error that says `message` of this place."""
        return LoadError(f"{self} {message}" if self.trail else f"{self}: {message}")


def field(record: Mapping[str, Any], name: str, kind: type[Kind], place: Place) -> Kind:
    """Return the field of a record, which must be there and of that kind.

    Parameters
    ----------
    record : mapping
        An object of a document.
    name : str
        Name of the field.
    kind : {dict, list, str, int, float, bool}
        What it must be; whole numbers are numbers, and truth values are none.
    place : Place
        Where the record stands.

    Raises
    ------
    LoadError
        If the field is absent, null, or something else.

    Examples
    --------
    >>> field({"acc": 1}, "acc", float, Place(Path("a.json")))
    1.0
    """
    if name not in record or record[name] is None:
        match = nearest(name, record) if name not in record else None
        hint = f"; did you mean '{match}'?" if match else "; write the file again."
        what = "is null" if name in record else "is absent"
        raise place.at(name).error(f"{what}, and must be {_CALLED[kind]}{hint}")
    return _as(record[name], kind, place.at(name))


def given(record: Mapping[str, Any], name: str, kind: type[Kind], place: Place) -> Kind | None:
    """Return the field of a record if it is there and not null, else None.

    Raises
    ------
    LoadError
        If the field is there and of another kind.

    Examples
    --------
    >>> given({"limit": None}, "limit", float, Place(Path("a.json"))) is None
    True
    """
    value = record.get(name)
    return None if value is None else _as(value, kind, place.at(name))


def as_mapping(value: object, place: Place) -> dict[str, Any]:
    """Return the value, which must be an object with named fields."""
    return _as(value, dict, place)


def as_list(value: object, place: Place) -> list[Any]:
    """Return the value, which must be a list."""
    return _as(value, list, place)


def as_text(value: object, place: Place) -> str:
    """Return the value, which must be text."""
    return _as(value, str, place)


def as_count(value: object, place: Place) -> int:
    """Return the value, which must be a whole number from 0 on."""
    number = _as(value, int, place)
    if number < 0:
        raise place.error(f"must be a whole number from 0 on, but holds {number}; mend the file.")
    return number


def as_number(value: object, place: Place) -> float:
    """Return the value as a number; NaN where it is null, infinite where the file says so.

    Text that is a number is one: some harnesses write log-probabilities as text.

    Examples
    --------
    >>> as_number("-25.625", Place(Path("a.json"))), as_number(None, Place(Path("a.json")))
    (-25.625, nan)
    """
    if value is None:
        return math.nan
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise _wrong(value, float, place) from None
    return _as(value, float, place)


def _as(value: object, kind: type[Kind], place: Place) -> Kind:
    alike = _alike(value, kind, place)
    if not isinstance(alike, kind) or (isinstance(alike, bool) and kind is not bool):
        raise _wrong(value, kind, place)
    return alike


def _alike(value: object, kind: type[Any], place: Place) -> object:
    """Return a number as the kind that is asked for: whole numbers may be written either way."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise place.error("is too large for a number; mend the file.") from None
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _wrong(value: object, kind: type[Any], place: Place) -> LoadError:
    said = "null" if value is None else shown(value)[:80]
    return place.error(f"must be {_CALLED[kind]}, but holds {said}; mend the file.")
