"""The command that writes a report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from emergekit.cli.arguments import (
    Columns,
    Constants,
    Decimal,
    Delimiter,
    Format,
    Json,
    OptionalPath,
    Percent,
    PercentOf,
    reading_options,
)
from emergekit.cli.printing import quiet_figures

__all__ = ["report"]


def report(
    path: OptionalPath = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
    format: Format = None,
    column: Columns = None,
    constant: Constants = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    percent: Percent = None,
    percent_of: PercentOf = None,
    as_json: Json = False,
) -> None:
    """Describe and judge every curve, fit what the columns allow, and write it all on one page.

    Every table of the page lies beside it; emergence_table.csv has one row a curve.
    """
    quiet_figures()
    from emergekit.reporting import report as write_report

    if path is None:
        _refuse_without_path(
            format=format,
            column=column,
            constant=constant,
            delimiter=delimiter,
            decimal=decimal,
            percent=percent,
            percent_of=percent_of,
        )
        page = write_report(out=out)
    else:
        options = reading_options(format, column, constant, delimiter, decimal, percent, percent_of)
        page = write_report(path, out, **options)
    for error in page.errors:
        print(f"emergekit: {error}", file=sys.stderr)
    if as_json:
        notes = page.notes.astype(str).to_dict("records")
        print(json.dumps({"page": str(page.path), "lines": dict(page.lines), "notes": notes}))
        return
    print(page)


def _refuse_without_path(**options: object) -> None:
    """Refuse options on how to read a file where no file is named."""
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise typer.BadParameter(f"{flags} says how to read PATH, but no PATH is given.")
