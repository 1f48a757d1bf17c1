"""The tidy tables that come with the package, one loader a source.

Every loader returns tables in our schemas, or one tidy table of its own columns, with
``attrs["source"]``, ``attrs["licence"]`` and ``attrs["reference"]``; the README of each folder
under ``data/`` says how it was made.
"""

from __future__ import annotations

from emergekit.datasets.bigg import load_bigg
from emergekit.datasets.bnsl_addition import load_bnsl_addition
from emergekit.datasets.chinchilla import load_chinchilla
from emergekit.datasets.extrapolation import load_extrapolation_benchmark
from emergekit.datasets.folder import data_folder
from emergekit.datasets.gadre import load_gadre
from emergekit.datasets.obsscaling import load_obsscaling
from emergekit.datasets.olmo_ladder import load_olmo_ladder
from emergekit.datasets.open_models import load_open_models
from emergekit.datasets.porian import load_porian
from emergekit.datasets.pythia import load_pythia, load_pythia_arithmetic
from emergekit.datasets.snell import load_snell_tables
from emergekit.datasets.wei_classes import load_wei_classes

__all__ = [
    "data_folder",
    "load_bigg",
    "load_bnsl_addition",
    "load_chinchilla",
    "load_extrapolation_benchmark",
    "load_gadre",
    "load_obsscaling",
    "load_olmo_ladder",
    "load_open_models",
    "load_porian",
    "load_pythia",
    "load_pythia_arithmetic",
    "load_snell_tables",
    "load_wei_classes",
]
