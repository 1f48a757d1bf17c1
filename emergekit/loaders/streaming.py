"""Rows of a file that is too large to be held, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["bundles"]

_ROWS = 8192
_BYTES = 8 << 20

Row = Mapping[str, Any]


def bundles(
    rows: Iterable[tuple[int, Row]], n_rows: int = _ROWS, n_bytes: int = _BYTES
) -> Iterator[tuple[list[int], list[Row]]]:
    """Yield lines and rows, so many at a time as fit into memory without being felt.

    Parameters
    ----------
    rows : iterable of (int, mapping)
        Line and row of each sample.
    n_rows, n_bytes : int
        How many rows, and about how much text, go together at most.

    Examples
    --------
    >>> list(bundles([(1, {"a": 1}), (2, {"a": 2}), (3, {"a": 3})], n_rows=2))
    [([1, 2], [{'a': 1}, {'a': 2}]), ([3], [{'a': 3}])]
    """
    lines, held, size = list[int](), list[Row](), 0
    for line, row in rows:
        lines.append(line)
        held.append(row)
        size += sum(_weight(value) for value in row.values())
        if len(held) >= n_rows or size >= n_bytes:
            yield lines, held
            lines, held, size = [], [], 0
    if held:
        yield lines, held


def _weight(value: object) -> int:
    """Return about how many bytes a value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        listed = value.values() if isinstance(value, dict) else value
        return sum(_weight(item) for item in listed)
    return 8
