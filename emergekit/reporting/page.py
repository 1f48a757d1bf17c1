"""Turn sections into one HTML page that holds everything and asks for nothing."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from matplotlib.figure import Figure

import emergekit
from emergekit.reporting.section import Section, Sheet

__all__ = ["rendered"]

_SHOWN = 25
# Lengths, in characters, from which a column of text asks for more room.
_PROSE = 40
_NAME = 24
_HEADING = 8


def rendered(title: str, sections: Sequence[Section], errors: Sequence[str] = ()) -> str:
    """Return the page: figures inside, everything from the tables escaped.

    Parameters
    ----------
    title : str
        Heading of the page.
    sections : sequence of Section
        What it holds.
    errors : sequence of str
        What must be read first, at the top.
    """
    template = _environment().get_template("page.html")
    return template.render(
        title=title,
        subtitle=f"{len(sections)} sections; every table is a CSV file beside this page.",
        errors=errors,
        lines=[line for section in sections for line in section.lines],
        sections=[_section(section) for section in sections],
        version=emergekit.__version__,
    )


def _environment() -> Environment:
    return Environment(loader=PackageLoader("emergekit.reporting", "."), autoescape=True)


def _section(section: Section) -> dict[str, Any]:
    """Return what the template prints of a section: text only, which it escapes."""
    texts = ("name", "title", "words", "points", "caption", "terms")
    shown: dict[str, Any] = {name: getattr(section, name) for name in texts}
    if section.figure is not None:
        shown["image"] = _image(section.figure)
    shown["sheets"] = [_sheet(sheet) for sheet in section.sheets]
    return shown


def _sheet(sheet: Sheet) -> dict[str, Any]:
    names = [name for name in sheet.show or sheet.table if name in sheet.table]
    table = sheet.table[names].dropna(axis="columns", how="all")
    kinds = {name: _kind(table[name]) for name in table}
    return {
        "caption": sheet.caption,
        "file": f"{sheet.name}.csv",
        "header": [(_heading(name), kind.split()[0]) for name, kind in kinds.items()],
        "rows": [
            [(_cell(value), kinds[name]) for name, value in zip(table, row, strict=True)]
            for row in table.head(_SHOWN).itertuples(index=False)
        ],
        "shown": f"{min(len(table), _SHOWN)} of {len(table)} rows"
        + (f", {len(names)} of {sheet.table.shape[1]} columns" if sheet.show else ""),
    }


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
    texts = column.astype(str)
    prose = texts[texts.str.contains(" ", regex=False)]
    if prose.str.len().max() > _PROSE:
        return "text long"
    return "text name" if texts.str.len().max() > _NAME else "text"


def _cell(value: object) -> str:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return _number(float(value))
    return "" if value is None or value is pd.NA or value != value else _breakable(value)


def _heading(name: object) -> str:
    """Return a name, escaped, on several lines: long headings would widen columns of numbers."""
    text = escape(str(name))
    return text if len(text) <= _HEADING else text.replace("_", Markup("_<br>"))


def _breakable(text: object) -> str:
    """Return text, escaped, that may break after an underscore: names are long, screens narrow."""
    return escape(str(text)).replace("_", Markup("_<wbr>"))


def _number(value: float) -> str:
    """Return a number in few digits: four significant ones, and four decimals below 1."""
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{round(value, 4) if 1e-3 <= abs(value) < 1 else value:.4g}"
