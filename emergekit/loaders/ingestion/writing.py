"""Samples into parquet, parted by model and task, a row group at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emergekit.errors import LoadError
from emergekit.loaders.ingestion.manifest import Part, checksum
from emergekit.loaders.reruns import EVALUATION
from emergekit.loaders.writing import of_one_type
from emergekit.tables.keys import as_text

__all__ = ["Parting", "evaluations", "folder_of"]

_HELD = 32 << 20  # bytes of samples that wait for their row group
_OPEN = 64  # files that are written at once
_LONGEST = 200  # bytes of a folder's name; file systems take 255

Key = tuple[str, str, str]  # model, task and evaluation

# Every file has what metrics read, be it empty: tasks of several kinds are then scored together.
_TEXT, _NUMBERS = pa.large_string(), pa.list_(pa.float64())
_READ_BY_METRICS = pa.schema(
    [
        ("target", _TEXT),
        ("prediction", _TEXT),
        ("choices", pa.list_(_TEXT)),
        ("gold", pa.int64()),
        ("choice_scores", _NUMBERS),
        ("choice_logprobs", _NUMBERS),
        ("choice_logprobs_unconditional", _NUMBERS),
        ("choice_chars", pa.list_(pa.int64())),
        ("choice_bytes", pa.list_(pa.int64())),
        ("choice_tokens", pa.list_(pa.int64())),
        ("token_logprobs", _NUMBERS),
        ("logprob", pa.float64()),
        ("n_words", pa.int64()),
        ("n_bytes", pa.int64()),
        ("n_target_tokens", pa.int64()),
    ]
)


class Parting:
    """Writes samples of one source into one file for each model and task, and kind of columns.

    Parameters
    ----------
    folder : Path
        Where the files are written, numbered.
    name : str
        How the files are called once they are in place.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._waiting: dict[Key, list[pa.Table]] = {}
        self._size = 0
        self._open: OrderedDict[tuple[Key, int], pq.ParquetWriter] = OrderedDict()
        self._parts: list[tuple[Key, int]] = []

    def add(self, samples: pd.DataFrame) -> None:
        """Take more samples.

        Raises
        ------
        LoadError
            If parquet has no type for a column, or a file cannot be written.
        """
        keys = [samples["model"], samples["task"], evaluations(samples)]
        for (model, task, evaluation), rows in samples.groupby(keys, sort=False):
            own = rows.drop(columns=["model", "task"])
            if evaluation:
                own = own.drop(columns="run", errors="ignore")  # its folder may come to state it
            key = (str(model), str(task), str(evaluation))
            self._waiting.setdefault(key, []).append(self._as_arrow(own))
            self._size += self._waiting[key][-1].nbytes
        if self._size >= _HELD:
            self._flush()

    def close(self) -> list[Part]:
        """Write what waits, and return all parts."""
        self._flush()
        while self._open:
            self._open.popitem()[1].close()
        return [self._part(number) for number in range(len(self._parts))]

    def _as_arrow(self, rows: pd.DataFrame) -> pa.Table:
        try:
            table = pa.Table.from_pandas(rows.apply(of_one_type), preserve_index=False)
        except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise LoadError(f"a column holds values of several kinds ({reason})") from None
        return table.replace_schema_metadata()

    def _flush(self) -> None:
        for key, tables in self._waiting.items():
            for table in _alike(tables):
                self._write(key, table)
        self._waiting, self._size = {}, 0

    def _write(self, key: Key, table: pa.Table) -> None:
        place = self._place_for(key, table.schema)
        writer = self._open[place]
        self._open.move_to_end(place)
        empty = writer.schema.empty_table()
        writer.write_table(pa.concat_tables([empty, table], promote_options="permissive"))

    def _place_for(self, key: Key, schema: pa.Schema) -> tuple[Key, int]:
        """Return a file of that model and task that takes such columns; a new one if none does."""
        for place, writer in self._open.items():
            if place[0] == key and _unified(writer.schema, schema) == writer.schema:
                return place
        if len(self._open) >= _OPEN:
            self._open.popitem(last=False)[1].close()
        place = (key, len(self._parts))
        self._parts.append(place)
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{place[1]}.parquet"
        self._open[place] = pq.ParquetWriter(file, _storable(schema), compression="zstd")
        return place

    def _part(self, number: int) -> Part:
        (model, task, evaluation), _ = self._parts[number]
        file = self._folder / f"{number}.parquet"
        place = Path(
            folder_of("model", model), folder_of("task", task), f"{self._name}-{number}.parquet"
        )
        n_rows, size = pq.read_metadata(file).num_rows, file.stat().st_size
        return Part(place.as_posix(), n_rows, size, checksum(file), evaluation)


def evaluations(rows: pd.DataFrame) -> pd.Series:
    """Return the evaluation of each row, empty where it has none or names its own run."""
    if EVALUATION not in rows:
        return pd.Series("", index=rows.index)
    found = as_text(rows[EVALUATION]).fillna("").astype(object)
    return found.where(rows["run"].isna(), "") if "run" in rows else found


def folder_of(column: str, value: str) -> str:
    """Return the name of the folder that states a column, such as ``model=a``."""
    name = f"{column}={quote(value, safe=' ')}"
    if len(name) > _LONGEST:
        raise LoadError(f"{column} '{value[:40]}...' is too long for the name of a folder; cut it")
    return name


def _alike(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Yield the tables put together, as far as their columns are of the same kinds."""
    while tables:
        schema, rest = tables[0].schema, list[pa.Table]()
        together = list[pa.Table]()
        for table in tables:
            unified = _unified(schema, table.schema)
            if unified is None:
                rest.append(table)
            else:
                schema = unified
                together.append(table)
        yield pa.concat_tables(together, promote_options="permissive")
        tables = rest


def _unified(one: pa.Schema, other: pa.Schema) -> pa.Schema | None:
    try:
        return pa.unify_schemas([one, other], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None


def _storable(schema: pa.Schema) -> pa.Schema:
    """Return the schema with a type for what is empty, and the columns that metrics read."""
    usual = {known.name: known.type for known in _READ_BY_METRICS}
    fields = [
        known.with_type(usual.get(known.name, _TEXT)) if pa.types.is_null(known.type) else known
        for known in schema
    ]
    absent = [known for known in _READ_BY_METRICS if known.name not in schema.names]
    return pa.schema([*fields, *absent])
