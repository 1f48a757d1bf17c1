"""Columns of numbers in the CSV that leaderboards and hubs export."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from emergekit.errors import LoadError, unknown

__all__ = ["named_once", "numbers_in"]


def named_once(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rows, blanks around the names of their columns gone.

    Raises
    ------
    LoadError
        If two columns have the same name.
    """
    named = rows.set_axis([str(name).strip() for name in rows], axis=1)
    twice = named.columns[named.columns.duplicated()]
    if len(twice):
        raise LoadError(f"{path}: two columns are named '{twice[0]}'; rename or drop one of them.")
    return named


def numbers_in(rows: pd.DataFrame, name: str, path: Path) -> list[float]:
    """Return a column of text as numbers, NaN for gaps.

    Parameters
    ----------
    rows : DataFrame
        What `read_rows` gives: text, indexed by line.
    name : str
        The column.
    path : Path
        The file, for messages.

    Raises
    ------
    LoadError
        If the column is absent, or holds something else.
    """
    if name not in rows:
        raise LoadError(f"{path}: {unknown('column', name, rows.columns)}")
    texts = rows[name].fillna("").astype(str).str.strip()
    found = pd.to_numeric(texts.where(texts != ""), errors="coerce")
    bad = found.isna() & (texts != "") & ~texts.str.lower().isin(["nan", "none", "null"])
    if bad.any():
        line, text = next(iter(texts[bad].items()))
        raise LoadError(
            f"{path}: line {line}: '{name}' must be a number, but holds '{text[:40]}'; mend the "
            f"file."
        )
    return [float(value) for value in found]
