"""Check what `load` is asked for before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from emergekit.errors import LoadError, nearest, unknown
from emergekit.loaders.readers import Reader
from emergekit.loaders.tabular.naming import OURS

__all__ = ["check_options", "check_taken"]

# What other programs call our options.
_ELSEWHERE = MappingProxyType(
    {"sep": "delimiter", "separator": "delimiter", "dec": "decimal", "rename": "columns"}
)
_OURS_ONLY = ("path", "found")


def check_options(
    format: str | None, columns: object, options: Mapping[str, Any], readers: Mapping[str, Reader]
) -> None:
    """Refuse options that no reader takes, with the nearest that one does.

    Raises
    ------
    LoadError
        If the format or an option is unknown, or has a value of the wrong kind.
    """
    if format is not None and format not in readers:
        raise LoadError(unknown("format", format, readers))
    meant = [readers[format]] if format else list(readers.values())
    taken = sorted({name for reader in meant for name in reader.options}.difference(_OURS_ONLY))
    for name, value in options.items():
        if name not in taken:
            raise LoadError(_unknown_option(name, value, taken))
    for name, pairs in (("columns", columns), ("constants", options.get("constants"))):
        if pairs is not None and not isinstance(pairs, Mapping):
            raise LoadError(f"{name}= is a mapping of names, not {type(pairs).__name__}.")
    for theirs, ours in columns.items() if isinstance(columns, Mapping) else ():
        if not isinstance(theirs, str) or not isinstance(ours, str):
            raise LoadError(
                f"columns= maps a name in the file to one of ours, not {theirs!r} to {ours!r}."
            )
    for name, value in (options.get("constants") or {}).items():
        if value is not None and not isinstance(value, str | int | float | bool):
            raise LoadError(
                f"constants= gives '{name}' {type(value).__name__}; it takes one text or number."
            )


def check_taken(where: object, options: Mapping[str, Any], readers: Mapping[str, Reader]) -> None:
    """Refuse options that none of the readers takes which read something.

    Raises
    ------
    LoadError
        Naming the option and who read instead.
    """
    taken = {name for reader in readers.values() for name in reader.options}
    for name in options:
        if name not in taken and name not in _OURS_ONLY:
            names = " and ".join(f"'{reader}'" for reader in readers)
            raise LoadError(
                f"{where}: is read as {names}, which takes no {name}=; leave it out, or name "
                f"another format."
            )


def _unknown_option(name: str, value: object, known: list[str]) -> str:
    if name in OURS:
        return f"Unknown option '{name}' of load; did you mean constants={{{name!r}: {value!r}}}?"
    match = _ELSEWHERE.get(name) or nearest(name, known)
    hint = f"; did you mean '{match}'?" if match else "."
    return f"Unknown option '{name}' of load{hint} Known: {', '.join(known)}."
