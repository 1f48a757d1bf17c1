"""Loaders: whatever a harness wrote, as models, samples and results.

`load` finds the files (`finding`), asks each reader how sure it is of them (`readers`,
`detection`), reads what it can and puts it together (`loading`, `merging`). `explain` says who
reads what; `reconcile` holds samples against the scores beside them.
`ingest` makes parquet of samples that are too many to be held (`ingestion`).

Where a new format goes: one thin module with ``NAME``, ``ABOUT``, ``can_read`` and ``read`` (the
contract stands in `readers`), in

- ``lm_eval/`` for what lm-evaluation-harness wrote, early and late, results and samples;
- ``harnesses/`` for what another harness wrote, one module (or package) a harness;
- ``leaderboards/`` for what a leaderboard or a hub publishes;
- this folder itself for what is also written (Every Eval Ever), and for training logs;

and one line in ``readers._MODULES``. Its file is opened through `documents`, which meets damage
with one sentence, and its rows become tables through `assembling.assembled`.
"""

from __future__ import annotations

from emergekit.loaders.every_eval_ever import write_every_eval_ever
from emergekit.loaders.explaining import explain
from emergekit.loaders.ingestion import ingest
from emergekit.loaders.loading import load
from emergekit.loaders.reconciliation import reconcile

__all__ = ["explain", "ingest", "load", "reconcile", "write_every_eval_ever"]
