"""The command that scores saved outputs again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emergekit.cli.arguments import Json, Place, check_target
from emergekit.cli.printing import note_in_words, print_lines
from emergekit.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rescore"]


def rescore(
    path: Place,
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
    as_json: Json = False,
) -> None:
    """Score saved outputs again, under other metrics.

    Parquet is read piece by piece; a folder that holds samples in other files too is loaded.
    """
    from emergekit import metrics

    if not metric or "list" in metric:
        table = metrics.describe()
        print_lines(list(zip(table["metric"], table["meaning"], strict=True)))
        return
    check_target(to, None, path)
    samples, notes = _samples(path)
    results = metrics.rescore(samples, metric, by=by or None, compat=compat, cluster=cluster)
    more = [(note["file"], "", note["message"]) for note in results.attrs["notes"]]
    for note in (*notes, *more):
        print(f"emergekit: {note_in_words(*note)}", file=sys.stderr)
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
