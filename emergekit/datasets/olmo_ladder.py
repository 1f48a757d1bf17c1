"""Checkpoints of a ladder of models, with losses and scores of each."""

from __future__ import annotations

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.tables import Tables

__all__ = ["load_olmo_ladder"]

_ORIGIN = Origin(
    "github.com/allenai/OLMo-ladder, commit 67a3f440f787d020da35e3ca8eeae475fae754f5",
    "Apache-2.0",
    "Bhagia et al. 2024",
)


def load_olmo_ladder() -> Tables:
    """Return 3,948 checkpoints of 34 runs, their losses on 11 texts and scores on 10 tasks.

    Returns
    -------
    Tables
        `models`, one row a checkpoint of a `run`: `n_params` (without embeddings), `n_tokens`,
        `flops`, `loss` on C4 and all losses as ``loss_<dataset>``, nats per token. Extra columns:
        `size`, `chinchilla_multiplier`, `learning_rate_peak`, `is_final`. `results`, 5-shot:
        ``<task>_rc`` (answers written out and ranked) with ``acc_norm`` and ``bits_per_byte``,
        ``<task>_mc`` (letters; OLMo 2 only) with ``acc``. ``mmlu_mc`` has its four groups of
        subjects as subtasks, and their plain mean as subtask ``mean``.

    References
    ----------
    Bhagia et al. 2024, "Establishing Task Scaling Laws via Compute-Efficient Model Ladders".

    Examples
    --------
    >>> load_olmo_ladder()
    Tables
    models       3,948 rows (2 families)
    samples          0 rows
    results     81,705 rows (34 models x 20 tasks x 3 metrics)
    notes            3 rows (3 info)
    """
    return Tables(
        models=read_table("olmo_ladder", "models.csv.xz", _ORIGIN),
        results=read_table("olmo_ladder", "results.csv.xz", _ORIGIN),
        notes=notes_on(
            "olmo_ladder",
            ("run", "checkpoints of one run are not independent; runs are the units"),
            ("n_examples", "worked out: the test size at which all scores are whole examples"),
            ("flops", "those of peteish7-medlr are ours, at the FLOPs per token of peteish7"),
        ),
    )
