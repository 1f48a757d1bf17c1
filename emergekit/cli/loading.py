"""The command that reads what other programs wrote."""

from __future__ import annotations

import json
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
    Percent,
    PercentOf,
    Place,
    check_target,
    reading_options,
)
from emergekit.cli.printing import note_in_words

__all__ = ["load"]


def load(
    path: Place,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Where to write: FILE.csv or FILE.parquet takes the fullest table, with what is "
            "known of its models; a folder takes all tables."
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Write this table alone: results, models or samples.")
    ] = None,
    every_eval_ever: Annotated[
        bool,
        typer.Option("--every-eval-ever", help="Write in the community's format; --to is a folder"),
    ] = False,
    format: Format = None,
    column: Columns = None,
    constant: Constants = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    percent: Percent = None,
    percent_of: PercentOf = None,
    as_json: Json = False,
) -> None:
    """Read whatever PATH holds into our tables, and say what was found."""
    from emergekit.loaders import load as load_tables
    from emergekit.loaders import write_every_eval_ever
    from emergekit.loaders.writing import write_tables

    options = reading_options(format, column, constant, delimiter, decimal, percent, percent_of)
    if every_eval_ever and (to is None or to.suffix or table is not None):
        raise typer.BadParameter("--every-eval-ever goes with --to FOLDER, and takes all tables.")
    check_target(to, table, path)
    tables = load_tables(path, **options)
    if to and every_eval_ever:
        written = [(file, "Every Eval Ever 0.3.0") for file in write_every_eval_ever(tables, to)]
    else:
        written = write_tables(tables, to, table) if to else []
    files = [str(file) for file, _ in written]
    if as_json:
        sizes = {name: len(getattr(tables, name)) for name in ("models", "samples", "results")}
        notes = tables.notes.to_dict("records")
        print(json.dumps({**sizes, "notes": notes, "written": files}))
        return
    print(tables)
    for severity, *note in tables.notes.astype(str).to_numpy():
        print(f"{severity}: {note_in_words(*note)}")
    for file, what in written:
        print(f"wrote {file}: {what}")
