"""Write a report: analyse, render, write, and say what came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from emergekit.errors import LoadError, TableError
from emergekit.loaders import load
from emergekit.loaders.finding import files_of
from emergekit.reporting.analysis import analyse
from emergekit.reporting.bundled import bundled
from emergekit.reporting.folder import write_files
from emergekit.reporting.notes import errors_in_words, notes_section
from emergekit.reporting.page import rendered
from emergekit.tables import Tables

__all__ = ["Page", "report"]


@dataclass(frozen=True, repr=False)
class Page:
    """A report that was written.

    Parameters
    ----------
    path : Path
        The page; the tables lie beside it.
    title : str
        Its heading.
    lines : tuple of (str, str)
        Its main numbers: a name and a value.
    errors : tuple of str
        What was left out, one sentence each: files that could not be read, curves refused.
    notes : DataFrame
        Everything odd that was seen: severity, file, field, message.
    """

    path: Path
    title: str
    lines: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    notes: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self.lines), default=0)
        lines = [f"{name:<{width}}  {value}" for name, value in self.lines]
        return "\n".join([*lines, "", f"Report written to {self.path}"])


def report(
    tables: Tables | str | Path | None = None,
    out: str | Path = "report",
    *,
    title: str | None = None,
    **options: Any,
) -> Page:
    """Write a report, and return its page with its main numbers.

    Parameters
    ----------
    tables : Tables, str or Path, optional
        What to report on: tables, or a file, folder or pattern, which is loaded; the bundled
        tables if None.
    out : str or Path
        Folder for ``index.html`` and one CSV file a table; made if it is not there. Files of the
        same names are replaced, and those that an earlier report wrote there are removed.
    title : str, optional
        Heading of the page.
    **options
        More for `load`, where `tables` is a path: columns, constants and so on.

    Returns
    -------
    Page
        Where the page is (`path`), its main `lines`, `errors` and `notes`. The page is one file,
        figures inside, everything from the tables escaped.

    Raises
    ------
    TableError
        If there is neither a curve to describe nor a law to fit.
    LoadError
        If a path cannot be read, or the folder cannot be written.
    """
    title = title or _title(tables)
    n_files, read = None, list[Path]()
    if isinstance(tables, str | Path):
        where, inside, _ = files_of(tables)
        read = inside or [where]
        n_files = len(read)
        tables = load(tables, **options)
    elif options:
        raise TableError(
            f"report: {', '.join(options)} says how to read a path, and none is given."
        )
    if not (tables is None or isinstance(tables, Tables)):
        raise TableError(
            f"report: takes Tables or a path, not {type(tables).__name__}; a table of scores goes "
            "in as Tables(results=table)."
        )
    sections, notes = bundled() if tables is None else analyse(tables, n_files)
    errors = errors_in_words(notes, n_files)
    sections = [*sections, notes_section(notes)]
    files = {
        f"{sheet.name}.csv": sheet.table.to_csv(index=False)
        for section in sections
        for sheet in section.sheets
    }
    page = Path(out) / "index.html"
    _check_not_read(page.parent, files, read)
    write_files(page.parent, {page.name: rendered(title, sections, errors), **files})
    lines = tuple(line for section in sections for line in section.lines)
    return Page(page, title, lines, errors, notes)


def _check_not_read(out: Path, names: Iterable[str], read: Iterable[Path]) -> None:
    """Refuse to write a file of the report over one that it reports on."""
    taken = {file.resolve() for file in read}
    over = [name for name in names if (out / name).resolve() in taken]
    if over:
        raise LoadError(
            f"{out}: the report would write {', '.join(over)} over files that it reports on; give "
            f"it a folder of its own with out= (or --out)."
        )


def _title(tables: Tables | str | Path | None) -> str:
    if tables is None:
        return "Emergent abilities: the bundled tables"
    if isinstance(tables, str | Path):
        return f"Emergent abilities: {Path(tables).resolve().name}"
    return "Emergent abilities"
