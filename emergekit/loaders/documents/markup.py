"""YAML, safely: no objects are made, and what is written once is read once."""

from __future__ import annotations

from typing import Any

import yaml

from emergekit.errors import LoadError
from emergekit.loaders.documents.fields import Place

__all__ = ["parse_yaml"]

_LIMIT = 4 << 20  # bytes: the parser does about 1 MB in a second
_MAX_NODES = 1_000_000  # of values, once aliases are written out


def parse_yaml(raw: bytes, place: Place) -> Any:
    """Return what YAML holds: numbers, text, dates, lists and mappings, and never objects.

    Raises
    ------
    LoadError
        If it is broken, too large or too deep, names objects to be made, or holds aliases that
        stand for more than a million values (or for themselves), naming the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> parse_yaml(b"value: 0.5", Place(Path("a.yaml")))
    {'value': 0.5}
    """
    if len(raw) > _LIMIT:
        raise place.error(f"holds {len(raw):,} bytes of YAML, more than is read ({_LIMIT:,}).")
    text = _text(raw, place)
    try:
        return _loaded(text, place)
    except RecursionError:
        raise place.error("the YAML is nested too deep; mend the file.") from None
    except yaml.YAMLError as error:
        raise _broken(error, place) from None
    except (ValueError, OverflowError, TypeError) as error:
        if isinstance(error, LoadError):
            raise
        raise place.error(f"holds a value that is none ({error!s:.80}); mend it.") from None


def _loaded(text: str, place: Place) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, place) > _MAX_NODES:
            raise place.error("holds aliases that stand for more than a million values; mend it.")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _text(raw: bytes, place: Place) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise place.error(
            f"line {line} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; save the file "
            f"as UTF-8."
        ) from None


def _size(node: yaml.Node, known: dict[int, int | None], place: Place) -> int:
    """Return how many values a node stands for, its aliases written out."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise place.error("holds an alias that stands for itself; mend it.")
        return size
    known[id(node)] = None
    total = 1
    if isinstance(node, yaml.SequenceNode):
        total += sum(_size(one, known, place) for one in node.value)
    elif isinstance(node, yaml.MappingNode):
        total += sum(_size(one, known, place) for pair in node.value for one in pair)
    known[id(node)] = total
    return total


def _broken(error: yaml.YAMLError, place: Place) -> LoadError:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    problem = getattr(error, "problem", None) or str(error)
    return place.error(
        f"{where}the YAML is broken ({' '.join(str(problem).split())[:120]}); mend it."
    )
