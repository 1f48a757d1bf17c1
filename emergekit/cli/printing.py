"""How commands say things: names with their meanings, notes in a line, figures without a window."""

from __future__ import annotations

import os

__all__ = ["note_in_words", "print_lines", "quiet_figures"]


def print_lines(lines: list[tuple[str, str]]) -> None:
    """Print names with what they mean, in two columns."""
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def note_in_words(file: str, field: str, message: str) -> str:
    """Return a note in one line; an error names its file itself."""
    if message.startswith(file):
        return message
    return f"{' '.join(filter(None, (file, field)))}: {message}"


def quiet_figures() -> None:
    """Draw into files: a command has no window to draw in."""
    os.environ["MPLBACKEND"] = "agg"
