"""Rows of JSON: a list of objects, an object a line, or an object of columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from emergekit.errors import LoadError

__all__ = ["frame_of", "read_json", "read_json_lines"]

_NOT_JSON = re.compile(r"\bNaN\b|\bInfinity\b")

# Fields that only one tool writes together, surest first.
_TOOLS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Every Eval Ever", frozenset({"schema_version", "evaluation_id"})),
    ("Inspect", frozenset({"eval", "plan", "results"})),
    ("lighteval", frozenset({"config_general", "results"})),
    ("HELM", frozenset({"adapter_spec", "request_states"})),
    ("HELM", frozenset({"adapter_spec", "scenario_spec"})),
    ("HELM", frozenset({"name", "description", "definition_path"})),
    ("HELM", frozenset({"instance_id", "train_trial_index", "stats"})),
    ("HELM", frozenset({"name", "count", "sum_squared"})),
    ("BIG-bench", frozenset({"bigbench_version"})),
    ("BIG-bench", frozenset({"score_dict", "preferred_score"})),
    ("DCLM", frozenset({"eval_metrics", "model_uuid"})),
    ("OLMES", frozenset({"doc_id", "native_id", "metrics"})),
    ("lm-evaluation-harness", frozenset({"doc_id", "doc", "target"})),
    ("lm-evaluation-harness", frozenset({"results", "versions"})),
    ("lm-evaluation-harness", frozenset({"results", "config"})),
    ("lm-evaluation-harness", frozenset({"results", "configs"})),
    ("OpenAI Evals", frozenset({"spec"})),
    ("OpenAI Evals", frozenset({"run_id", "event_id"})),
)


def read_json(path: Path, text: str) -> pd.DataFrame:
    """Return the rows of a JSON file: a list of objects, or an object of columns.

    Raises
    ------
    LoadError
        If the JSON is broken or holds something else, naming the tool that writes its like.
    """
    try:
        content = _parsed(text)
    except orjson.JSONDecodeError as error:
        remedy = "write the file again"
        if "unexpected content after document" in error.msg:
            remedy = "if it holds one object a line, its name should end in .jsonl"
        raise LoadError(
            f"{path}: line {error.lineno}, column {error.colno}: the JSON is cut off or broken "
            f"({error.msg}); {remedy}."
        ) from None
    _check_first_object(path, text)
    if isinstance(content, Mapping):
        return _columns(path, content)
    if not isinstance(content, list):
        raise LoadError(f"{path}: a table in JSON is a list of rows, but this is {content!s:.80}.")
    return frame_of(path, dict(enumerate(content, start=1)), "row")


def read_json_lines(path: Path, text: str) -> pd.DataFrame:
    """Return the rows of a file with one JSON object a line; the index is the line.

    Raises
    ------
    LoadError
        If a line is broken or is no object, naming it.
    """
    rows = {}
    # Only "\n" ends a line: U+2028 and its like may stand inside the text of an answer.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows[number] = _parsed(line)
            except orjson.JSONDecodeError as error:
                raise LoadError(
                    f"{path}: line {number}, column {error.colno}: the JSON is cut off or broken "
                    f"({error.msg}); mend or drop that line."
                ) from None
    if len(rows) == 1 and isinstance(next(iter(rows.values())), list):
        raise LoadError(f"{path}: holds one list of rows; its name should end in .json.")
    _check_first_object(path, text)
    return frame_of(path, rows, "line")


def _check_first_object(path: Path, text: str) -> None:
    """Refuse a name that one object has twice: the parser keeps the last and says nothing.

    Only the first object is looked at: a program that writes a name twice does so in all of them.
    """
    try:
        pairs, _ = _PAIRS.raw_decode(text, max(text.find("{"), 0))
    except (ValueError, RecursionError):
        return
    if isinstance(pairs, tuple):  # arrays come out as lists
        _check_unique(path, [name for name, _ in pairs])


_PAIRS = json.JSONDecoder(object_pairs_hook=tuple)


def _check_unique(path: Path, names: Sequence[object]) -> None:
    """Refuse names that are the same once the blanks around them are gone."""
    bare = [str(name).strip() for name in names]
    twice, count = next(iter(Counter(bare).most_common(1)), ("", 0))
    if count > 1:
        written = " and ".join(repr(n) for n, b in zip(names, bare, strict=True) if b == twice)
        raise LoadError(
            f"{path}: two columns are named '{twice}' ({written}); rename or drop one of them."
        )


def _parsed(text: str) -> Any:
    """Return what the JSON holds; the NaN that Python itself writes into JSON is missing."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if not _NOT_JSON.search(text):
            raise
        try:
            return json.loads(text, parse_constant=_CONSTANTS.get)
        except (ValueError, RecursionError):
            pass
        raise


_CONSTANTS: Mapping[str, float | None] = {
    "NaN": None,
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def frame_of(path: Path, rows: Mapping[int, Any], word: str) -> pd.DataFrame:
    """Return records as a table, the number of each as its index.

    Parameters
    ----------
    path : Path
        The file, for messages.
    rows : mapping
        Records by the number of their line or row.
    word : {"line", "row"}
        What the numbers count.

    Raises
    ------
    LoadError
        If one is no object, a name is there twice, or another tool wrote them.
    """
    for number, row in rows.items():
        if not isinstance(row, Mapping):
            raise LoadError(
                f"{path}: {word} {number} is {row!s:.40}, not an object with named fields."
            )
    first: Mapping[str, Any] = next(iter(rows.values()), {})
    if "model" not in first:
        _check_tool(path, first)
    names = dict.fromkeys(name for row in rows.values() for name in row)
    _check_unique(path, list(names))
    columns = {name: [row.get(name) for row in rows.values()] for name in names}
    return _frame({name.strip(): values for name, values in columns.items()}, list(rows))


def _columns(path: Path, content: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of an object of columns, as pandas writes them: lists, mappings or split."""
    if {"columns", "data"} <= set(content) <= {"columns", "index", "data"}:
        return _split(path, content["columns"], content["data"])
    values = list(content.values())
    if values and all(isinstance(column, Mapping) for column in values):
        labels = {tuple(column) for column in values}
        if len(labels) == 1:
            values = [list(column.values()) for column in values]
    for part in (content, *(column[0] for column in values if isinstance(column, list) and column)):
        if isinstance(part, Mapping):
            _check_tool(path, part)
    if not values or not all(isinstance(column, list) for column in values):
        raise LoadError(
            f"{path}: a table in JSON is a list of rows or an object of columns, but this is an "
            f"object with {', '.join(list(content)[:5]) or 'nothing in it'}; write its scores as "
            f"rows with model, task, metric and score."
        )
    lengths = {name: len(column) for name, column in zip(content, values, strict=True)}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"'{name}' {length}" for name, length in list(lengths.items())[:5])
        raise LoadError(f"{path}: the columns have different lengths ({said}); mend the file.")
    _check_unique(path, list(content))
    columns = {str(name).strip(): column for name, column in zip(content, values, strict=True)}
    return _frame(columns, list(range(1, next(iter(lengths.values())) + 1)))


def _split(path: Path, names: Any, data: Any) -> pd.DataFrame:
    if not isinstance(names, list) or not isinstance(data, list):
        raise LoadError(f"{path}: 'columns' and 'data' must be lists; write the file again.")
    _check_unique(path, names)
    for number, row in enumerate(data, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise LoadError(
                f"{path}: row {number} is {row!s:.40}, not a list of {len(names)} values."
            )
    rows = {
        number: dict(zip(map(str, names), row, strict=True))
        for number, row in enumerate(data, start=1)
    }
    return frame_of(path, rows, "row")


def _frame(columns: Mapping[str, list[Any]], index: list[int]) -> pd.DataFrame:
    made = {name: pd.Series(values, index, dtype=object) for name, values in columns.items()}
    return pd.DataFrame(made, index=index)


def _check_tool(path: Path, content: Mapping[str, Any]) -> None:
    tool = next((name for name, fields in _TOOLS if fields <= set(content)), None)
    if tool:
        raise LoadError(
            f"{path}: this looks like a file of {tool}, which the table reader does not read; "
            f"write its scores as a table with model, task, metric and score."
        )
