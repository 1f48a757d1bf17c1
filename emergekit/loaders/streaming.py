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
        size += _weight(row)
        if len(held) >= n_rows or size >= n_bytes:
            yield lines, held
            lines, held, size = [], [], 0
    if held:
        yield lines, held


def _weight(row: Row) -> int:
    """Return about how many bytes a row takes: of a list, the first entry stands for all."""
    size = 16 * len(row)
    for value in row.values():
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, list) and value:
            first = value[0]
            size += len(value) * (16 + (len(first) if isinstance(first, str) else 0))
    return size
