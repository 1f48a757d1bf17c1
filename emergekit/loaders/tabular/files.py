"""Read the rows of a file as they stand, each still knowing its line."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from emergekit.errors import LoadError
from emergekit.loaders.documents import read_bytes
from emergekit.loaders.tabular.delimited import read_delimited
from emergekit.loaders.tabular.records import read_json, read_json_lines
from emergekit.tables import SAMPLES

__all__ = ["SPREADSHEETS", "SUFFIXES", "file_kind", "is_typed", "read_rows"]

SUFFIXES = MappingProxyType(
    {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".json": "json", ".jsonl": "jsonl"}
    | {".ndjson": "jsonl"}
)
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods")
# How files begin that often lie under the name of a table.
_BEGINNINGS = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file: fetch it with git lfs pull"),
    (b"\x1f\x8b", "packed with gzip: give its name the suffix .gz"),
    (b"PAR1\x15", "parquet: give its name the suffix .parquet"),
    (b"PK\x03\x04", "a spreadsheet or a zip archive: save it as CSV, or unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: give its name the suffix .zst"),
    (b"\xfd7zXZ", "packed with xz: unpack it, or pack it with gzip"),
    (b"BZh91AY&SY", "packed with bzip2: unpack it, or pack it with gzip"),
    (b"<!doctype html", "a web page, not the table on it: download the raw file"),
    (b"<html", "a web page, not the table on it: download the raw file"),
)
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_PACKED = (".gz", ".zst")


def file_kind(path: Path) -> str | None:
    """Return the kind of file that the name tells: csv, tsv, parquet, json, jsonl, or None."""
    bare = path.with_suffix("") if path.suffix.lower() in _PACKED else path
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
            f"{path}: a table is one of {', '.join(SUFFIXES)} (or that with .gz or .zst), and this "
            f"is not."
        )
    content = _content(path)
    _check_beginning(path, content, kind)
    if kind == "parquet":
        return _with_folders(_parquet(path, content), path)
    text = _text(path, content)
    if kind == "json":
        return read_json(path, text)
    if kind == "jsonl":
        return read_json_lines(path, text)
    return read_delimited(path, text, delimiter or _DELIMITERS[kind])


def _content(path: Path) -> bytes:
    if path.suffix.lower() == ".zst":
        return read_bytes(path)
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LoadError(f"{path}: the gzip file is damaged ({error}); copy it again.") from None
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror}).") from None
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise LoadError(f"{path}: the file is empty; write it again.")
    return raw


def _check_beginning(path: Path, raw: bytes, kind: str) -> None:
    """Refuse files whose first bytes say that they are something else than their name does."""
    start = raw[:100].lstrip()
    for beginning, what in _BEGINNINGS:
        alike = start.startswith(beginning) or start.lower().startswith(beginning)
        if alike and not (kind == "parquet" and beginning.startswith(b"PAR1")):
            raise LoadError(f"{path}: is {what}.")


def _text(path: Path, raw: bytes) -> str:
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise LoadError(
            f"{path}: line {line} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; "
            f"save the file as UTF-8."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise LoadError(
            f"{path}: line {line} holds a zero byte, which no text does; save the file as UTF-8 if "
            f"it is UTF-16."
        )
    return text


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        table = _as_frame(_with_text(pa.parquet.ParquetFile(pa.BufferReader(content)).read()))
    except (pa.ArrowException, OSError, ValueError) as error:
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


def _with_folders(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rows with the keys that folders state, as in ``model=a/task=b``, before them."""
    for part in reversed(path.parent.parts):
        name, mark, value = part.partition("=")
        if not mark:
            break
        name = unquote(name)
        if name in SAMPLES.keys and name not in table:
            table.insert(0, name, unquote(value))
    return table


def _as_frame(table: pa.Table) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = table.to_pandas()
    except (KeyError, TypeError, ValueError):  # damage in what pandas noted of its index and types
        frame = table.replace_schema_metadata().to_pandas()
    return frame


def _with_text(table: pa.Table) -> pa.Table:
    """Return the table with bytes as the text they are: older writers tell one from the other not.

    Columns of bytes that are no text stay bytes.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            try:
                text = table.column(place).cast(pa.large_string())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(place, field.name, text)
    return table


def _is_categorical(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)
