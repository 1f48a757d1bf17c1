"""Keys as they are compared: as text, whatever type a file or a program gave them."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["as_text", "is_nested"]


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
