"""The program: its commands, its version, and how it ends on bad input."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from emergekit import __version__
from emergekit.cli.drawing import figure
from emergekit.cli.ingesting import ingest
from emergekit.cli.loading import load
from emergekit.cli.pages import report
from emergekit.cli.scoring import rescore
from emergekit.errors import FitError, TableError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Study emergent abilities of language models: load, re-score, judge, fit, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (report, load, ingest, rescore, figure):
    app.command()(_command)


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
