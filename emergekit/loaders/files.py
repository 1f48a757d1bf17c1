"""Read the rows of a file as they stand, each still knowing its line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from emergekit.errors import LoadError

__all__ = ["SUFFIXES", "file_kind", "read_rows"]

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".json": "json", ".jsonl": "jsonl"}
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_OTHER_DELIMITERS = (";", "\t", "|", ",")


def file_kind(path: Path) -> str | None:
    """Return the kind of file that the name tells: csv, tsv, parquet, json, jsonl, or None."""
    bare = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return SUFFIXES.get(bare.suffix.lower())


def read_rows(path: Path, delimiter: str | None = None) -> pd.DataFrame:
    """Return the rows of a file; text files give text, and their index is the line in the file.

    Raises
    ------
    LoadError
        If the file is absent, empty, cut off, not UTF-8, or not of the kind its name tells.
    """
    kind = file_kind(path)
    if kind is None:
        raise LoadError(
            f"{path}: a table is one of {', '.join(SUFFIXES)} (or that with .gz), and this is not."
        )
    if kind == "parquet":
        return _parquet(path)
    text = _text(path)
    if kind in ("json", "jsonl"):
        return _records(path, _json(path, text) if kind == "json" else _json_lines(path, text))
    return _delimited(path, text, delimiter or _DELIMITERS[kind], given=delimiter is not None)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LoadError(f"{path}: the gzip file is damaged ({error}); copy it again.") from None
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror}).") from None
    if not raw.strip():
        raise LoadError(f"{path}: the file is empty; write it again.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise LoadError(
            f"{path}: line {line} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; "
            f"save the file as UTF-8."
        ) from None


def _delimited(path: Path, text: str, delimiter: str, *, given: bool) -> pd.DataFrame:
    import csv

    lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows, numbers = [], []
    try:
        header = [name.strip() for name in next(lines)]
        before = lines.line_num
        for row in lines:
            if row:
                rows.append(row)
                numbers.append(before + 1)
            before = lines.line_num
    except csv.Error as error:
        raise LoadError(
            f"{path}: line {lines.line_num} breaks the quoting ({error}); close its quotes."
        ) from None
    _check_delimiter(path, header, delimiter)
    for row, number in zip(rows, numbers, strict=True):
        if len(row) != len(header):
            raise LoadError(
                f"{path}: line {number} has {len(row)} fields, but the header has {len(header)}; "
                f"mend that line, or put quotation marks around fields that hold '{delimiter}'."
            )
    return pd.DataFrame(rows, columns=header, index=numbers, dtype=object)


def _check_delimiter(path: Path, header: list[str], delimiter: str) -> None:
    if len(header) > 1:
        return
    other = next(
        (mark for mark in _OTHER_DELIMITERS if mark != delimiter and mark in header[0]), None
    )
    if other:
        raise LoadError(
            f"{path}: the header '{header[0][:60]}' is one field when split at {delimiter!r}; "
            f"it looks split at {other!r}, so pass delimiter={other!r} (or --delimiter {other!r})."
        )


def _json(path: Path, text: str) -> list[Any]:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise LoadError(
            f"{path}: line {error.lineno}, column {error.colno}: the JSON is cut off or broken "
            f"({error.msg}); write the file again."
        ) from None
    if not isinstance(content, list):
        found = (
            f"an object with {', '.join(list(content)[:5])}"
            if isinstance(content, dict)
            else content
        )
        raise LoadError(f"{path}: a table in JSON is a list of rows, but this is {found!s:.80}.")
    return content


def _json_lines(path: Path, text: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise LoadError(
                    f"{path}: line {number}, column {error.colno}: the JSON is cut off or broken "
                    f"({error.msg}); mend or drop that line."
                ) from None
    return rows


def _records(path: Path, rows: list[Any]) -> pd.DataFrame:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise LoadError(
                f"{path}: row {number} is {row!s:.40}, not an object with named fields."
            )
    return pd.DataFrame(rows, index=range(1, len(rows) + 1), dtype=object)


def _parquet(path: Path) -> pd.DataFrame:
    if not path.stat().st_size:
        raise LoadError(f"{path}: the file is empty; write it again.")
    try:
        table = pa.parquet.read_table(path).to_pandas()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise LoadError(
            f"{path}: not a readable parquet file ({reason}); write it again."
        ) from None
    table.index = pd.RangeIndex(1, len(table) + 1)
    return pd.DataFrame(table)
