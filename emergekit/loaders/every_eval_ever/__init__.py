"""Every Eval Ever, the community's standard for results: read leniently, written strictly.

One ``<uuid>.json`` holds the results of one model (`results`), ``<uuid>_samples.jsonl`` beside it
its answers (`samples`). What the standard has no field for (log-probabilities, sizes, tokens,
losses, runs and steps) stands in its details, which are text, and comes back from there
(`details`). Files written to versions 0.2 and 0.3 are read; what is written is 0.3.0 (`writing`).
"""

from __future__ import annotations

from emergekit.loaders.every_eval_ever.writing import write_every_eval_ever

__all__ = ["write_every_eval_ever"]
