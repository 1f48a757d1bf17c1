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

__all__ = ["app", "main"]

app = typer.Typer(
    help="Study emergent abilities of language models: load, re-score, describe, fit, report.",
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
_Delimiter = Annotated[
    str | None, typer.Option(help="What separates fields: one character, or 'tab'.")
]
_Decimal = Annotated[str | None, typer.Option(help="Decimal mark, '.' or ','.")]
_Percent = Annotated[
    bool | None,
    typer.Option("--percent/--fraction", help="What scores of shares are; looked at if left out."),
]
_PercentOf = Annotated[
    list[str] | None,
    typer.Option("--percent-of", help="Metric whose scores are in percent; more than once."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends in one sentence and exit code 1."""
    try:
        app(arguments)
    except ValueError as error:
        if not _is_ours(error):
            raise
        print(f"emergekit: {error}", file=sys.stderr)
        sys.exit(1)


def _is_ours(error: ValueError) -> bool:
    """Return whether the package said so itself: errors of ours are sentences, others are bugs."""
    if isinstance(error, TableError | FitError):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return str(name).startswith("emergekit.")


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
    decimal: _Decimal = None,
    percent: _Percent = None,
    percent_of: _PercentOf = None,
    as_json: _Json = False,
) -> None:
    """Describe every curve, fit what the columns allow, and write one page with all of it."""
    _quiet_figures()
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
        options = _options(format, column, constant, delimiter, decimal, percent, percent_of)
        page = write_report(path, out, **options)
    for error in page.errors:
        print(f"emergekit: {error}", file=sys.stderr)
    if as_json:
        notes = page.notes.astype(str).to_dict("records")
        print(json.dumps({"page": str(page.path), "lines": dict(page.lines), "notes": notes}))
        return
    print(page)


@app.command()
def load(
    path: _Path,
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
    format: _Format = None,
    column: _Columns = None,
    constant: _Constants = None,
    delimiter: _Delimiter = None,
    decimal: _Decimal = None,
    percent: _Percent = None,
    percent_of: _PercentOf = None,
    as_json: _Json = False,
) -> None:
    """Read whatever PATH holds into our tables, and say what was found."""
    from emergekit.loaders import load as load_tables
    from emergekit.loaders import write_every_eval_ever
    from emergekit.loaders.writing import write_tables

    options = _options(format, column, constant, delimiter, decimal, percent, percent_of)
    if every_eval_ever and (to is None or to.suffix or table is not None):
        raise typer.BadParameter("--every-eval-ever goes with --to FOLDER, and takes all tables.")
    _check_target(to, table, path)
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
        print(f"{severity}: {_in_words(*note)}")
    for file, what in written:
        print(f"wrote {file}: {what}")


@app.command()
def ingest(
    path: _Path,
    to: Annotated[Path, typer.Option(help="Folder to write; 'rescore' takes it.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare checksums of what is there already.")
    ] = False,
    format: _Format = None,
    column: _Columns = None,
    constant: _Constants = None,
    as_json: _Json = False,
) -> None:
    """Write the samples of logs of any size as parquet, once; called again, it goes on."""
    from emergekit.loaders import ingest as ingest_logs

    options = _options(format, column, constant, None, None, None, None)
    done = ingest_logs(path, to, verify=verify, **options)
    if as_json:
        print(done.to_json(orient="records"))
    else:
        for file, message in done.loc[done["message"].ne(""), ["file", "message"]].to_numpy():
            print(f"emergekit: {_in_words(file, '', message)}", file=sys.stderr)
        counts = done["state"].value_counts()
        said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
        print(f"{to}: {done['n_samples'].sum():,} samples of {len(done):,} files ({said})")
    if done["state"].isin(["failed", "passed over"]).all():
        raise typer.Exit(1)


@app.command()
def rescore(
    path: _Path,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Registry name; more than once for more. 'list' names all."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Column that parts the samples; all keys if left out."),
    ] = None,
    compat: Annotated[
        str | None, typer.Option(help="Reproduce a harness: bigbench or lm-eval.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column of examples that belong together.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="FILE.csv, FILE.parquet, or a folder for results.parquet.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Score saved outputs again, under other metrics.

    Parquet is read piece by piece; a folder that holds samples in other files too is loaded.
    """
    from emergekit import metrics

    if not metric or "list" in metric:
        table = metrics.describe()
        _print_lines(list(zip(table["metric"], table["meaning"], strict=True)))
        return
    _check_target(to, None, path)
    samples, notes = _samples(path)
    results = metrics.rescore(samples, metric, by=by or None, compat=compat, cluster=cluster)
    more = [(note["file"], "", note["message"]) for note in results.attrs["notes"]]
    for note in (*notes, *more):
        print(f"emergekit: {_in_words(*note)}", file=sys.stderr)
    if to is not None:
        from emergekit.loaders.writing import write_table

        file = to if to.suffix else to / "results.parquet"
        print(f"wrote {write_table(results, file)}: {len(results)} results")
    elif as_json:
        print(results.to_json(orient="records"))
    else:
        shown = results.drop(columns=["low", "high", "higher_is_better", "resolution"])
        print(shown.to_string(index=False, float_format="{:.4g}".format, na_rep="-"))


def _samples(path: str) -> tuple[pd.DataFrame | Path, list[tuple[str, str, str]]]:
    """Return samples to score again: parquet where it lies, else a table with notes on the rest."""
    from emergekit.loaders import load as load_tables
    from emergekit.loaders.finding import files_of

    place, files, _ = files_of(path)
    others = [file for file in files or [place] if file.suffix.lower() != ".parquet"]
    if len(others) < len(files or [place]) and not any(map(_holds_samples, others)):
        return place, []
    tables = load_tables(path)
    if tables.samples.empty:
        errors = tables.notes.loc[tables.notes["severity"].eq("error"), "message"]
        more = f" {len(errors)} files could not be read: {errors.iloc[0]}" if len(errors) else ""
        raise TableError(
            f"{path}: holds no samples; a samples table has a column 'example_id'.{more}"
        )
    told = tables.notes["field"].eq("") | tables.notes["severity"].ne("info")
    notes = [tuple(note) for note in tables.notes.loc[told].astype(str).to_numpy()[:, 1:]]
    if len(tables.results):
        notes.append((path, "", f"{len(tables.results):,} rows are results, and were not scored"))
    return tables.samples, notes


def _holds_samples(file: Path) -> bool:
    from emergekit.loaders import load as load_tables

    try:
        return len(load_tables(file).samples) > 0
    except TableError:
        return False


def _in_words(file: str, field: str, message: str) -> str:
    """Return a note in one line; an error names its file itself."""
    if message.startswith(file):
        return message
    return f"{' '.join(filter(None, (file, field)))}: {message}"


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="Name of the figure; 'list' prints them.")],
    out: Annotated[Path | None, typer.Option(help="File to write; NAME.png if left out.")] = None,
) -> None:
    """Draw a figure of a paper, and write the table behind it beside it."""
    _quiet_figures()
    from emergekit import figures

    if name == "list":
        _print_lines(list(figures.describe().items()))
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


def _refuse_without_path(**options: object) -> None:
    """Refuse options on how to read a file where no file is named."""
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise typer.BadParameter(f"{flags} says how to read PATH, but no PATH is given.")


def _quiet_figures() -> None:
    """Draw into files: a command has no window to draw in."""
    os.environ["MPLBACKEND"] = "agg"


def _options(
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


def _check_target(to: Path | None, table: str | None, path: str) -> None:
    """Refuse what cannot be written before anything is read."""
    from emergekit.loaders.writing import TABLES, check_target

    if table is not None and table not in TABLES:
        raise typer.BadParameter(f"--table is one of {', '.join(TABLES)}, not '{table}'.")
    if table is not None and to is None:
        raise typer.BadParameter("--table says what to write, but --to does not say where.")
    if to is not None:
        check_target(to, path)


def _print_lines(lines: list[tuple[str, str]]) -> None:
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")
