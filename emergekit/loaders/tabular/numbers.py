"""Numbers as people write them: 1,000,000, 7B, 45 %, 0,5."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from emergekit.tables.keys import is_nested

__all__ = ["DECIMAL_COMMA", "Numbers", "as_numbers", "is_missing", "looks_numeric"]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_SUFFIXED = re.compile(r"^([+-]?[\d.]+)\s*(k|m|mio|million|b|bn|billion|t|tn|trillion)$", re.I)
_POWERS = MappingProxyType({"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12})
_GROUPED = MappingProxyType(
    {
        ".": re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"),
        ",": re.compile(r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$"),
    }
)
DECIMAL_COMMA = re.compile(r"^\s*[+-]?\d+,\d+\s*%?\s*$")


@dataclass(frozen=True)
class Numbers:
    """What a column holds, as numbers.

    Parameters
    ----------
    numbers : Series of float or int
        NaN where nothing is given or what is given is no number.
    bad : Series of bool
        Where something is given that is no number.
    signed : Series of bool
        Where a percent sign stood; the value is divided by 100 already.
    example : str or None
        A number that was written with a suffix or grouped digits.
    suffixed : Series of bool
        Where a suffix such as B stood.
    """

    numbers: pd.Series
    bad: pd.Series
    signed: pd.Series
    suffixed: pd.Series
    example: str | None = None


def as_numbers(values: pd.Series, *, decimal: str = ".", count: bool = False) -> Numbers:
    """Return the numbers of a column.

    Parameters
    ----------
    values : Series
        Text, numbers, or both.
    decimal : {".", ","}
        Decimal mark.
    count : bool
        Whether grouped digits and suffixes are read: 1,000,000 and 7B. A score or a loss of 3,211
        would be a decimal comma.

    Examples
    --------
    >>> as_numbers(pd.Series(["7B", "1,000,000", "", "x"]), count=True).numbers.tolist()
    [7000000000.0, 1000000.0, nan, nan]
    >>> as_numbers(pd.Series(["0,5", "45%"]), decimal=",").numbers.tolist()
    [0.5, 0.45]
    """
    nowhere = pd.Series(False, index=values.index)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        plain = values
        if pd.api.types.is_extension_array_dtype(values.dtype):
            plain = pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)
        return Numbers(plain, nowhere, nowhere, nowhere)
    gaps = values.map(is_missing).astype(bool)
    text = values.astype(object).where(~gaps, "").map(str).str.strip()
    signed = text.str.endswith("%").astype(bool)
    text = text.str.rstrip("%").str.strip()
    powers = pd.Series(1.0, index=values.index)
    written = text
    if count:
        text, powers = _counted(text, decimal)
    if decimal == ",":
        text = text.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(text.where(~gaps), errors="coerce")
    suffixed = powers != 1
    if suffixed.any():
        numbers = numbers.where(~suffixed, (numbers * powers).round())
    if signed.any():
        numbers = numbers.where(~signed, numbers / 100)
    changed = written[(text != written) & ~gaps & numbers.notna()] if count else written[:0]
    example = str(changed.iloc[0]) if len(changed) else None
    return Numbers(numbers, numbers.isna() & ~gaps, signed, suffixed, example)


def _counted(text: pd.Series, decimal: str) -> tuple[pd.Series, pd.Series]:
    """Return the text without grouping marks and suffixes, and what each suffix stands for."""
    group = "," if decimal == "." else "."
    grouped = text.str.match(_GROUPED[decimal]).astype(bool)
    text = text.where(~grouped, text.str.replace(group, "", regex=False))
    point = text.str.replace(",", ".", regex=False) if decimal == "," else text
    found = point.str.extract(_SUFFIXED)
    powers = found[1].str.lower().str[0].map(_POWERS).fillna(1.0).astype(float)
    return text.where(found[0].isna(), found[0]), powers


def is_missing(value: object) -> bool:
    """Return whether a value says that there is none.

    Examples
    --------
    >>> [is_missing(value) for value in (None, "N/A", " ", 0, [None])]
    [True, True, True, False, False]
    """
    if is_nested(value):
        return False
    if isinstance(value, str):
        return value.strip().lower() in _MISSING
    return bool(pd.isna(value))  # type: ignore[call-overload]  # any scalar is good


def looks_numeric(values: pd.Series) -> bool:
    """Return whether at least half of what is given are numbers, with either decimal mark.

    Examples
    --------
    >>> looks_numeric(pd.Series(["0,5", "12%", ""])), looks_numeric(pd.Series(["a", "b", "1"]))
    (True, False)
    """
    if pd.api.types.is_bool_dtype(values):
        return False
    given = [v for v in values if not is_missing(v)]
    plain = [v for v in given if not is_nested(v) and not isinstance(v, bool | np.bool_)]
    text = pd.Series(plain, dtype=object).map(str).str.strip().str.rstrip("%").str.strip()
    numbers = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce")
    return len(given) > 0 and int(numbers.notna().sum()) * 2 >= len(given)
