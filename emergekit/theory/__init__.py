"""The published theories of emergence as pure functions of arrays; no tables here."""

from emergekit.theory import mirage

__all__ = ["mirage"]
