"""Samples of any size as parquet, parted by model and task: once, whatever stops it.

`ingesting` goes through the files, `writing` makes their parquet out of sight, `manifest` remembers
what was made of which file, `moving` knows it again elsewhere, `committing` puts
it in place, and `runs` keeps evaluations apart.
"""

from __future__ import annotations

from emergekit.loaders.ingestion.ingesting import ingest

__all__ = ["ingest"]
