"""Scaling and emergence laws: formulas with named parameters, for `ek.fit`."""

from __future__ import annotations

from emergekit.laws.chinchilla import CHINCHILLA
from emergekit.laws.law import Law, Parameter

__all__ = ["CHINCHILLA", "LAWS", "Law", "Parameter"]

LAWS = (CHINCHILLA,)
