"""Where the bundled tables lie, and how one is read with its origin attached."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from emergekit.tables import notes_table

__all__ = ["Origin", "data_folder", "notes_on", "read_table"]


@dataclass(frozen=True)
class Origin:
    """Where the tables of a folder come from.

    Parameters
    ----------
    source : str
        Repository and commit, or publication.
    licence : str
        Licence of the source.
    reference : str
        What to cite.
    """

    source: str
    licence: str
    reference: str


def data_folder() -> Path:
    """Return the folder of the bundled tables, in the installed package or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def read_table(folder: str, file: str, origin: Origin) -> pd.DataFrame:
    """Return a bundled table, with its origin in `attrs`."""
    # In one piece: by chunks, a column of names that are mostly numbers would hold both.
    table = pd.read_csv(data_folder() / folder / file, low_memory=False)
    table.attrs.update(asdict(origin))
    return table


def notes_on(folder: str, *said: tuple[str, str]) -> pd.DataFrame:
    """Return the notes of a folder, from pairs of field and message."""
    return notes_table(("info", f"data/{folder}", field, message) for field, message in said)
