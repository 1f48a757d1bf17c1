"""Keys as they are compared: as text, whatever type a file or a program gave them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["as_text", "is_nested", "plain"]


def as_text(values: pd.Series) -> pd.Series:
    """Return the values as text, whole numbers without a decimal point; gaps stay gaps.

    Parameters
    ----------
    values : Series
        Text, numbers, truth values or a mixture; nothing nested.

    Returns
    -------
    Series of object
        Texts, and NaN where a value is missing.

    Examples
    --------
    >>> as_text(pd.Series([1.0, None, 12])).tolist(), as_text(pd.Series(["a", 2])).tolist()
    (['1', nan, '12'], ['a', '2'])
    """
    plain = values.astype(object)
    if isinstance(values.dtype, pd.StringDtype):
        return plain
    said = [
        _text(value) if there else np.nan for value, there in zip(plain, plain.notna(), strict=True)
    ]
    return pd.Series(said, index=values.index, dtype=object, name=values.name)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def is_nested(value: object) -> bool:
    """Return whether a value holds others: a list, a mapping, an array.

    Examples
    --------
    >>> is_nested([1]), is_nested("text")
    (True, False)
    """
    return isinstance(value, list | tuple | dict | set | np.ndarray)


def plain(value: Any) -> Any:
    """Return a value of a table as JSON has it: lists, mappings with text for keys, numbers, text.

    Examples
    --------
    >>> plain(np.array([1, 2])), plain(np.float64(0.5)), plain({1: (2,)})
    ([1, 2], 0.5, {'1': [2]})
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if is_nested(value):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
