"""The command that writes samples of any size as parquet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from emergekit.cli.arguments import Columns, Constants, Format, Json, Place, reading_options
from emergekit.cli.printing import note_in_words

__all__ = ["ingest"]


def ingest(
    path: Place,
    to: Annotated[Path, typer.Option(help="Folder to write; 'rescore' takes it.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare checksums of what is there already.")
    ] = False,
    format: Format = None,
    column: Columns = None,
    constant: Constants = None,
    as_json: Json = False,
) -> None:
    """Write the samples of logs of any size as parquet, once; called again, it goes on."""
    from emergekit.loaders import ingest as ingest_logs

    options = reading_options(format, column, constant, None, None, None, None)
    done = ingest_logs(path, to, verify=verify, **options)
    if as_json:
        print(done.to_json(orient="records"))
    else:
        for file, message in done.loc[done["message"].ne(""), ["file", "message"]].to_numpy():
            print(f"emergekit: {note_in_words(file, '', message)}", file=sys.stderr)
        counts = done["state"].value_counts()
        said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
        print(f"{to}: {done['n_samples'].sum():,} samples of {len(done):,} files ({said})")
    if done["state"].isin(["failed", "passed over"]).all():
        raise typer.Exit(1)
