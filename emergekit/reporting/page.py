"""Write a report: one HTML page that holds everything, and its tables beside it."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

import emergekit
from emergekit.errors import LoadError
from emergekit.reporting.sections import Section, analyse, bundled
from emergekit.tables import Tables

__all__ = ["report", "write_page"]

_SHOWN = 25
_LONG = 40


def report(tables: Tables | None = None, out: str | Path = "report") -> Path:
    """Write a report and return where its page is.

    Parameters
    ----------
    tables : Tables, optional
        What to report on; the bundled tables if None.
    out : str or Path
        Folder for ``index.html`` and one CSV file a table; made if it is not there. Files of the
        same names are replaced.

    Returns
    -------
    Path
        The page: one file, figures inside, everything from the tables escaped.

    Raises
    ------
    TableError
        If there is neither a curve to describe nor a law to fit.
    LoadError
        If the folder cannot be written.
    """
    sections = bundled() if tables is None else analyse(tables)
    title = "Emergent abilities: the bundled tables" if tables is None else "Emergent abilities"
    return write_page(sections, Path(out), title)


def write_page(sections: list[Section], out: Path, title: str) -> Path:
    """Write the sections as ``index.html``, their tables as CSV, and return the page."""
    page = out / "index.html"
    text = (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            subtitle=f"{len(sections)} sections; every table is a CSV file beside this page.",
            lines=[line for section in sections for line in section.lines],
            sections=[_shown(section) for section in sections],
            version=emergekit.__version__,
        )
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for section in sections:
            if section.table is not None:
                section.table.to_csv(out / f"{section.name}.csv", index=False)
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LoadError(f"{out}: the report cannot be written there ({error.strerror}).") from None
    return page


def _environment() -> Environment:
    return Environment(loader=PackageLoader("emergekit.reporting", "."), autoescape=True)


def _shown(section: Section) -> dict[str, Any]:
    """Return what the template prints of a section: text only, which it escapes."""
    shown: dict[str, Any] = {"name": section.name, "title": section.title, "words": section.words}
    if section.figure is not None:
        shown["image"] = _image(section.figure)
    if section.table is not None:
        names = [name for name in section.show or section.table if name in section.table]
        table = section.table[names].dropna(axis="columns", how="all")
        kinds = {name: _kind(table[name]) for name in table}
        shown["header"] = [(name, kind.split()[0]) for name, kind in kinds.items()]
        shown["rows"] = [
            [(_cell(value), kinds[name]) for name, value in zip(table, row, strict=True)]
            for row in table.head(_SHOWN).itertuples(index=False)
        ]
        shown["file"] = f"{section.name}.csv"
        shown["shown"] = f"{min(len(table), _SHOWN)} of {len(table)} rows; all of them:"
    return shown


def _image(figure: Figure) -> str:
    """Return the figure as a data URI. In an image element, an SVG runs no script."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return "number"
    return "text long" if column.astype(str).str.len().max() > _LONG else "text"


def _cell(value: object) -> str:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return _number(float(value))
    return "" if value is None or value is pd.NA else str(value)


def _number(value: float) -> str:
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.4g}"
