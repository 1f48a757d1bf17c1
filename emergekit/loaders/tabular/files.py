"""Read the rows of a file as they stand, each still knowing its line."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from emergekit.errors import LoadError
from emergekit.loaders.tabular.delimited import read_delimited
from emergekit.loaders.tabular.records import read_json, read_json_lines

__all__ = ["SPREADSHEETS", "SUFFIXES", "file_kind", "is_typed", "read_rows"]

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".json": "json", ".jsonl": "jsonl"}
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods")
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def file_kind(path: Path) -> str | None:
    """Return the kind of file that the name tells: csv, tsv, parquet, json, jsonl, or None."""
    bare = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return SUFFIXES.get(bare.suffix.lower())


def is_typed(path: Path) -> bool:
    """Return whether the file tells text from numbers: JSON and parquet do, CSV does not."""
    return file_kind(path) not in _DELIMITERS


def read_rows(path: Path, delimiter: str | None = None) -> pd.DataFrame:
    """Return the rows of a file; CSV gives text, and the index is the line (or the row).

    Raises
    ------
    LoadError
        If the file is absent, empty, cut off, not UTF-8, or not of the kind its name tells.
    """
    kind = file_kind(path)
    if path.suffix.lower() in SPREADSHEETS:
        raise LoadError(f"{path}: is a spreadsheet, which no reader takes; save it as CSV.")
    if kind is None:
        raise LoadError(
            f"{path}: a table is one of {', '.join(SUFFIXES)} (or that with .gz), and this is not."
        )
    content = _content(path)
    if kind == "parquet":
        return _parquet(path, content)
    text = _text(path, content)
    if kind == "json":
        return read_json(path, text)
    if kind == "jsonl":
        return read_json_lines(path, text)
    return read_delimited(path, text, delimiter or _DELIMITERS[kind])


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LoadError(f"{path}: the gzip file is damaged ({error}); copy it again.") from None
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror}).") from None
    if not raw.strip():
        raise LoadError(f"{path}: the file is empty; write it again.")
    return raw


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise LoadError(
            f"{path}: line {line} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; "
            f"save the file as UTF-8."
        ) from None


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        table: pd.DataFrame = pa.parquet.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise LoadError(
            f"{path}: not a readable parquet file ({reason}); write it again."
        ) from None
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    plain = [
        # Categories travel badly: grouping counts the unused ones, and gaps refuse new values.
        values.astype(object).infer_objects() if _is_categorical(values) else values
        for _, values in table.items()
    ]
    plain = [values.set_axis(range(1, len(table) + 1)) for values in plain]
    joined = pd.concat(plain, axis=1) if plain else table
    return joined.set_axis([str(name).strip() for name in table.columns], axis=1)


def _is_categorical(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)
