"""Columns as our schemas want them: text stays text, numbers become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
import pandas as pd

from emergekit.loaders.tabular.numbers import DECIMAL_COMMA, Numbers, as_numbers, is_missing
from emergekit.loaders.tabular.source import Source
from emergekit.tables import MODELS, RESULTS, SAMPLES
from emergekit.tables.keys import as_text, is_nested

__all__ = ["PERCENT_COLUMNS", "converted"]

KINDS = MappingProxyType({c.name: c.kind for s in (MODELS, SAMPLES, RESULTS) for c in s.columns})
# What a model or a person wrote: "none", "-" and "NA" are names and answers here.
_WRITTEN = frozenset({"model", "task", "metric", "example_id", "prediction", "target"})
_LABELS = frozenset(
    {"run", "family", "filter", "subtask", "source", "n_params_kind", "loss_dataset", "cluster"}
)
_LISTS = frozenset(
    {"choices", "gold", "choice_scores", "choice_logprobs", "choice_logprobs_unconditional"}
    | {"choice_chars", "choice_bytes", "choice_tokens", "token_logprobs"}
)
_COUNTS = frozenset({"flops", *(name for name in KINDS if name.startswith("n_"))})
PERCENT_COLUMNS = ("score", "stderr", "chance", "lower", "upper", "low", "high")


def converted(
    table: pd.DataFrame, source: Source, factors: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table with each column of its kind, and where scores had a percent sign.

    Parameters
    ----------
    table : DataFrame
        Under our names.
    source : Source
        The file; JSON and parquet tell text from numbers themselves, so theirs stays.
    factors : mapping, optional
        Our column to what its values are to be multiplied by.

    Returns
    -------
    table, signed : DataFrame, DataFrame of bool
        `signed` has the columns that scores are stated in, on the index of the table.

    Raises
    ------
    LoadError
        At the first value that is not of its kind.
    """
    signed = pd.DataFrame(False, index=table.index, columns=list(PERCENT_COLUMNS))
    made = {}
    for name in table.columns:
        if KINDS.get(name) in ("number", "positive", "nonnegative", "count"):
            numbers = _numbers(table[name], name, source, (factors or {}).get(name, 1.0))
            made[name] = numbers.numbers
            if name in signed:
                signed[name] = numbers.signed
        else:
            made[name] = _column(table[name], str(name), source)
    return pd.DataFrame(made, index=table.index), signed


def _column(values: pd.Series, name: str, source: Source) -> pd.Series:
    if name in _WRITTEN:
        return _written(values, name, source)
    if name in _LABELS and not values.map(is_nested).any():
        gaps = values.map(_is_blank if source.is_typed else is_missing).astype(bool)
        if name == "filter":  # "none" is the name of a filter
            gaps &= values.map(str).str.strip() != "none"
        return _named(as_text(values.mask(gaps)).astype("str"), name, source)
    if KINDS.get(name) == "flag":
        return _flags(values, name, source)
    if name in _LISTS and not source.is_typed:
        return _lists(values, name, source)
    return _typed(values) if source.is_typed else _free(values, source)


def _is_blank(value: object) -> bool:
    """Return whether nothing stands there: a word that says so is a word in a typed file."""
    return value == "" if isinstance(value, str) else is_missing(value)


def _written(values: pd.Series, name: str, source: Source) -> pd.Series:
    """Return names and answers as text, lists of answers as lists of text."""
    nested = values.map(is_nested).astype(bool)
    if nested.any():
        lists = values.map(_texts)
        return lists if name == "target" else values
    text = as_text(values).astype("str")
    if name in ("model", "task", "metric"):
        return _named(text, name, source)  # with "" where it stands: that is said with its line
    # In CSV an empty answer and none look alike; a model that said nothing is the likelier one.
    keeps_blanks = source.is_typed or (name == "prediction" and (text != "").any())
    return text if keeps_blanks else text.mask(text == "")


def _named(text: pd.Series, name: str, source: Source) -> pd.Series:
    """Return names without blanks around them, and in one spelling: é is one letter or two marks.

    A name that two files, or two rows, write differently would be two models, and say nothing.
    """
    plain = text.str.strip().str.normalize("NFC")
    changed = text[(plain != text) & text.notna()]
    if len(changed):
        said = "names had blanks around them, or letters in two parts; written without"
        source.note(name, f"{said}, such as {str(changed.iloc[0])!r} ({len(changed)} rows)")
    return plain


def _texts(value: Any) -> Any:
    if not is_nested(value) or isinstance(value, dict):
        return value if is_nested(value) or pd.isna(value) else as_text(pd.Series([value])).iloc[0]
    return as_text(pd.Series(list(value), dtype=object)).tolist()


def _numbers(values: pd.Series, name: str, source: Source, factor: float) -> Numbers:
    numbers = as_numbers(values, decimal=source.decimal, count=name in _COUNTS)
    if numbers.bad.any():
        bad = values[numbers.bad]
        commas = source.decimal == "." and bool(DECIMAL_COMMA.match(str(bad.iloc[0])))
        remedy = (
            "if that is a decimal comma, pass decimal=',' (or --decimal ,)"
            if commas
            else "mend or drop that line"
        )
        raise source.error(
            f"'{name}' must be a number, but {source.at(bad)} "
            f"({len(bad)} of {len(values)} rows are bad); {remedy}."
        )
    if numbers.example:
        source.note(name, f"numbers such as '{numbers.example}' were written out")
    made = numbers.numbers if KINDS[name] == "count" else numbers.numbers.astype(float)
    if factor != 1:
        made = made.where(numbers.suffixed, (made * factor).round())
        source.note(name, f"multiplied by {factor:g}, the unit in its header")
    return Numbers(made, numbers.bad, numbers.signed, numbers.suffixed, numbers.example)


def _flags(values: pd.Series, name: str, source: Source) -> pd.Series:
    gaps = values.map(is_missing).astype(bool)
    text = values.astype(object).where(~gaps, "").map(str).str.strip().str.lower()
    # Whole numbers of a column with gaps come out of parquet as 1.0 and 0.0.
    words = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    truth = text.map(words)
    bad = truth.isna() & ~gaps
    if bad.any():
        raise source.error(
            f"'{name}' must be true or false, but {source.at(values[bad])}; mend that line."
        )
    return truth.astype(object).where(~gaps, np.nan) if gaps.any() else truth.astype(bool)


def _lists(values: pd.Series, name: str, source: Source) -> pd.Series:
    """Return the lists that CSV holds as JSON text; a plain index stays a number."""
    text = values.map(str).str.strip()
    listed = text.str.startswith("[").astype(bool)
    if not listed.any():
        return _free(values, source)
    parsed = [_list(item) if is_list else item for item, is_list in zip(text, listed, strict=True)]
    bad = pd.Series([item is None for item in parsed], index=values.index)
    if bad.any():
        raise source.error(
            f"'{name}' must be lists in JSON, such as [0.5, -1], but {source.at(values[bad])}."
        )
    plain = _free(values[~listed], source) if (~listed).any() else values[~listed]
    made = pd.Series(parsed, index=values.index, dtype=object)
    made[~listed] = plain
    return made


def _list(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _typed(values: pd.Series) -> pd.Series:
    """Return a column of JSON or parquet in the plainest type that holds it as it is."""
    if values.dtype != object:
        return values
    given = values[values.notna()]
    kinds = {type(value) for value in given}
    if kinds and kinds <= {int, float}:
        return pd.to_numeric(values)
    if kinds == {bool} and len(given) == len(values):
        return values.astype(bool)
    return values.astype("str") if kinds == {str} else values


def _free(values: pd.Series, source: Source) -> pd.Series:
    """Return a column of CSV that no schema knows: numbers or truth values if all of it is."""
    gaps = values.map(is_missing).astype(bool)
    given = values[~gaps].map(str).str.strip()
    if len(given) and given.str.lower().isin(["true", "false"]).all():
        truth = values.map(str).str.strip().str.lower().map({"true": True, "false": False})
        return truth.astype(object).where(~gaps, np.nan) if gaps.any() else truth.astype(bool)
    if given.str.match(r"^[+-]?0\d").any():  # 007 is a name
        return values.where(~gaps).astype("str")
    numbers = as_numbers(values, decimal=source.decimal)
    if numbers.bad.any() or numbers.signed.any():
        return values.where(~gaps).astype("str")
    return numbers.numbers
