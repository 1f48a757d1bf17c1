"""The command line: the verbs of the package, one command each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emergekit import __version__
from emergekit.errors import FitError, LoadError, TableError

if TYPE_CHECKING:
    import pandas as pd

    from emergekit.tables import Tables

__all__ = ["app", "main"]

app = typer.Typer(
    help="Study emergent abilities of language models: load, describe, fit, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Path = Annotated[str, typer.Argument(help="File, folder or pattern such as 'runs/*.csv'.")]
_OptionalPath = Annotated[
    str | None, typer.Argument(help="File, folder or pattern; the bundled tables if left out.")
]
_Format = Annotated[str | None, typer.Option(help="Reader to use; the surest one if left out.")]
_Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Rename a column, THEIRS=OURS, such as Accuracy=score."),
]
_Constants = Annotated[
    list[str] | None,
    typer.Option("--constant", help="Add a column, NAME=VALUE, such as metric=exact_match."),
]
_Delimiter = Annotated[str | None, typer.Option(help="What separates fields.")]
_Percent = Annotated[
    bool | None,
    typer.Option("--percent/--fraction", help="What scores of shares are; looked at if left out."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends in one sentence and exit code 1."""
    try:
        app(arguments)
    except (TableError, FitError) as error:
        print(f"emergekit: {error}", file=sys.stderr)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"emergekit {__version__}")
        raise typer.Exit


@app.command()
def report(
    path: _OptionalPath = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
    format: _Format = None,
    column: _Columns = None,
    constant: _Constants = None,
    delimiter: _Delimiter = None,
    percent: _Percent = None,
    as_json: _Json = False,
) -> None:
    """Describe every curve, fit what the columns allow, and write one page with all of it."""
    _quiet_figures()
    from emergekit.reporting.page import write_page
    from emergekit.reporting.sections import analyse, bundled

    if path is None:
        sections, title = bundled(), "Emergent abilities: the bundled tables"
    else:
        tables = _load(path, format, column, constant, delimiter, percent)
        sections, title = analyse(tables), f"Emergent abilities: {Path(path).name}"
    page = write_page(sections, out, title)
    lines = [line for section in sections for line in section.lines]
    if as_json:
        print(json.dumps({"page": str(page), "lines": dict(lines)}))
        return
    _print_lines(lines)
    print(f"\nReport written to {page}")


@app.command()
def load(
    path: _Path,
    to: Annotated[
        Path | None,
        typer.Option(help="Where to write: FILE.csv or FILE.parquet, or a folder for all tables."),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Which table goes to the file; the fullest if left out.")
    ] = None,
    format: _Format = None,
    column: _Columns = None,
    constant: _Constants = None,
    delimiter: _Delimiter = None,
    percent: _Percent = None,
    as_json: _Json = False,
) -> None:
    """Read whatever PATH holds into our tables, and say what was found."""
    tables = _load(path, format, column, constant, delimiter, percent)
    written = _write(tables, to, table) if to else []
    if as_json:
        sizes = {name: len(getattr(tables, name)) for name in ("models", "samples", "results")}
        notes = tables.notes.to_dict("records")
        print(json.dumps({**sizes, "notes": notes, "written": list(map(str, written))}))
        return
    print(tables)
    for severity, file, field, message in tables.notes.astype(str).to_numpy():
        where = " ".join(filter(None, (file, field)))
        print(f"{severity}: {message if severity == 'error' else f'{where}: {message}'}")
    for path_written in written:
        print(f"wrote {path_written}")


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="Name of the figure; 'list' prints them.")],
    out: Annotated[Path | None, typer.Option(help="File to write; NAME.png if left out.")] = None,
) -> None:
    """Draw a figure of a paper, and write the table behind it beside it."""
    _quiet_figures()
    from emergekit import figures

    if name == "list":
        print("\n".join(figures.FIGURES))
        return
    try:
        draw = figures.get(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    file = out or Path(f"{name}.png")
    drawn, table = draw()
    known = drawn.canvas.get_supported_filetypes()
    if file.suffix[1:] not in known:
        raise LoadError(f"{file}: a figure file ends in one of {', '.join(sorted(known))}.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(file, dpi=200)
        table.to_csv(file.with_suffix(".csv"), index=False)
    except OSError as error:
        raise LoadError(f"{file}: cannot be written ({error.strerror}).") from None
    print(f"wrote {file} and {file.with_suffix('.csv')}")


def _quiet_figures() -> None:
    """Draw into files: a command has no window to draw in."""
    os.environ["MPLBACKEND"] = "agg"


def _load(
    path: str,
    format: str | None,
    column: list[str] | None,
    constant: list[str] | None,
    delimiter: str | None,
    percent: bool | None,
) -> Tables:
    from emergekit.loaders import load as load_tables

    options: dict[str, Any] = {
        "constants": _pairs(constant, "--constant"),
        "delimiter": delimiter,
        "percent": percent,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return load_tables(path, format, _pairs(column, "--column"), **given)


def _pairs(given: list[str] | None, option: str) -> dict[str, str] | None:
    if not given:
        return None
    for pair in given:
        if "=" not in pair:
            raise typer.BadParameter(f"{option} takes NAME=VALUE, not '{pair}'.")
    return dict(pair.split("=", 1) for pair in given)


def _write(tables: Tables, to: Path, table: str | None) -> list[Path]:
    names = ("results", "models", "samples")
    if table is not None and table not in names:
        raise typer.BadParameter(f"--table is one of {', '.join(names)}, not '{table}'.")
    if to.suffix in (".csv", ".parquet"):
        chosen = table or max(names, key=lambda name: len(getattr(tables, name)))
        return [_write_table(getattr(tables, chosen), to)]
    if to.suffix:
        raise LoadError(f"{to}: tables are written as .csv or .parquet, or into a folder.")
    filled = [name for name in names if len(getattr(tables, name))]
    return [_write_table(getattr(tables, name), to / f"{name}.parquet") for name in filled]


def _write_table(table: pd.DataFrame, file: Path) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".csv":
            table.to_csv(file, index=False)
        else:
            table.to_parquet(file, index=False)
    except OSError as error:
        raise LoadError(f"{file}: cannot be written ({error.strerror}).") from None
    return file


def _print_lines(lines: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")
