"""The command line: the verbs of the package, one command each."""

from __future__ import annotations

from emergekit.cli.commands import app, main

__all__ = ["app", "main"]
