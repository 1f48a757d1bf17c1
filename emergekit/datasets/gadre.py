"""Models trained past compute-optimal, with losses and accuracies."""

from __future__ import annotations

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.tables import Tables

__all__ = ["load_gadre"]

_ORIGIN = Origin(
    "github.com/mlfoundations/scaling, commit a003c49",
    "MIT",
    "Gadre et al. 2024",
)


def load_gadre() -> Tables:
    """Return 104 models of three corpora, 5 to 640 tokens per parameter, and 46 accuracies of each.

    Returns
    -------
    Tables
        `models` with `n_params`, `n_tokens`, `flops` (6 `n_params` `n_tokens`), `loss` on C4's
        validation split, and all eight losses as ``loss_<dataset>``, such as ``loss_c4_val`` and
        ``loss_paloma_redpajama``, in nats per token. Extra columns: `train_dataset` (C4,
        RedPajama, RefinedWeb), `architecture`, `n_params_non_embedding`, `chinchilla_multiplier`
        (`n_tokens` / 20 `n_params`) and hyper-parameters. `results` with the metric ``acc``.

    References
    ----------
    Gadre et al. 2024, "Language models scale reliably with over-training and on downstream tasks".

    Examples
    --------
    >>> load_gadre()
    Tables
    models         104 rows (3 families)
    samples          0 rows
    results      4,784 rows (104 models x 46 tasks x 1 metric)
    notes            2 rows (2 info)
    """
    return Tables(
        models=read_table("gadre", "models.csv", _ORIGIN),
        results=read_table("gadre", "results.csv.gz", _ORIGIN),
        notes=notes_on(
            "gadre",
            ("batch_size", "the source states 1 for the models of 7 billion parameters"),
            ("score", "tasks scored by exact match are called acc as well, as in the source"),
        ),
    )
