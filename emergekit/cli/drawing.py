"""The command that draws figures of papers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emergekit.cli.printing import print_lines, quiet_figures
from emergekit.errors import LoadError

__all__ = ["figure"]


def figure(
    name: Annotated[str, typer.Argument(help="Name of the figure; 'list' prints them.")],
    out: Annotated[Path | None, typer.Option(help="File to write; NAME.png if left out.")] = None,
) -> None:
    """Draw a figure of a paper, and write the table behind it beside it."""
    quiet_figures()
    from emergekit import figures

    if name == "list":
        print_lines(list(figures.describe().items()))
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
