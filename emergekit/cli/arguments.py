"""What commands take: paths, how to read a file, and where to write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "Columns",
    "Constants",
    "Decimal",
    "Delimiter",
    "Format",
    "Json",
    "OptionalPath",
    "Percent",
    "PercentOf",
    "Place",
    "check_target",
    "reading_options",
]

Place = Annotated[str, typer.Argument(help="File, folder or pattern such as 'runs/*.csv'.")]
OptionalPath = Annotated[
    str | None, typer.Argument(help="File, folder or pattern; the bundled tables if left out.")
]
Format = Annotated[str | None, typer.Option(help="Reader to use; the surest one if left out.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Rename a column, THEIRS=OURS, such as Accuracy=score."),
]
Constants = Annotated[
    list[str] | None,
    typer.Option("--constant", help="Add a column, NAME=VALUE, such as metric=exact_match."),
]
Delimiter = Annotated[
    str | None, typer.Option(help="What separates fields: one character, or 'tab'.")
]
Decimal = Annotated[str | None, typer.Option(help="Decimal mark, '.' or ','.")]
Percent = Annotated[
    bool | None,
    typer.Option("--percent/--fraction", help="What scores of shares are; looked at if left out."),
]
PercentOf = Annotated[
    list[str] | None,
    typer.Option("--percent-of", help="Metric whose scores are in percent; more than once."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def reading_options(
    format: str | None,
    column: list[str] | None,
    constant: list[str] | None,
    delimiter: str | None,
    decimal: str | None,
    percent: bool | None,
    percent_of: list[str] | None,
) -> dict[str, Any]:
    """Return what the options of a command say to `load`."""
    if percent is not None and percent_of:
        raise typer.BadParameter("--percent-of goes without --percent and --fraction.")
    options: dict[str, Any] = {
        "format": format,
        "columns": _pairs(column, "--column"),
        "constants": _pairs(constant, "--constant"),
        "delimiter": delimiter,
        "decimal": decimal,
        "percent": percent_of or percent,
    }
    return {name: value for name, value in options.items() if value is not None}


def _pairs(given: list[str] | None, option: str) -> dict[str, str] | None:
    if not given:
        return None
    for pair in given:
        if "=" not in pair:
            raise typer.BadParameter(f"{option} takes NAME=VALUE, not '{pair}'.")
    return dict(pair.split("=", 1) for pair in given)


def check_target(to: Path | None, table: str | None, path: str) -> None:
    """Refuse what cannot be written before anything is read."""
    from emergekit.loaders.writing import TABLES
    from emergekit.loaders.writing import check_target as check_writable

    if table is not None and table not in TABLES:
        raise typer.BadParameter(f"--table is one of {', '.join(TABLES)}, not '{table}'.")
    if table is not None and to is None:
        raise typer.BadParameter("--table says what to write, but --to does not say where.")
    if to is not None:
        check_writable(to, path)
