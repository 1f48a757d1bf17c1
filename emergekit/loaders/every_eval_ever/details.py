"""What the standard has no field for: values of any kind as the text that its details take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from emergekit.loaders.documents import Place, as_text, parse
from emergekit.tables.keys import is_nested, plain

__all__ = ["as_details", "from_details", "is_given", "is_ours", "left_over"]

_OURS = "emergekit."


def as_details(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as JSON under names that say whose they are.

    Examples
    --------
    >>> as_details({"n_params": 7e7, "family": "pythia"})
    {'emergekit.n_params': '70000000.0', 'emergekit.family': '"pythia"'}
    """
    return {
        f"{_OURS}{name}": json.dumps(plain(value) if is_given(value) else None, default=str)
        for name, value in values.items()
    }


def from_details(details: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return the values that `as_details` wrote, None where it says that there is none.

    Raises
    ------
    LoadError
        If one of them is not the JSON that was written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from_details({"emergekit.step": "3000", "subject": "law"}, Place(Path("a.json")))
    {'step': 3000}
    """
    return {
        name.removeprefix(_OURS): parse(as_text(text, place.at(name)).encode(), place.at(name))
        for name, text in details.items()
        if is_ours(name)
    }


def is_ours(name: str) -> bool:
    """Return whether `as_details` wrote what stands under a name."""
    return name.startswith(_OURS)


def left_over(row: Mapping[str, Any], read_back: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must stand in the details so that the row comes back as it was.

    Parameters
    ----------
    row : mapping
        What is written.
    read_back : mapping
        What the reader would make of the standard's own fields.

    Examples
    --------
    >>> left_over({"score": 0.5, "n_shots": 5}, {"score": 0.5, "higher_is_better": True})
    {'n_shots': 5, 'higher_is_better': None}
    """
    lost = {
        name: value
        for name, value in row.items()
        if is_given(value) and not _is_same(value, read_back.get(name))
    }
    invented = [name for name, value in read_back.items() if is_given(value)]
    return lost | {name: None for name in invented if not is_given(row.get(name))}


def is_given(value: Any) -> bool:
    """Return whether a value of a table is there."""
    return is_nested(value) or not bool(pd.isna(value))


def _is_same(value: object, other: object) -> bool:
    one, two = plain(value), plain(other)
    alike = all(isinstance(one, kind) == isinstance(two, kind) for kind in (str, bool, list))
    return alike and bool(one == two)
