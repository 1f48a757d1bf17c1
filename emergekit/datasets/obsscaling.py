"""Open models on standard benchmarks and on emergent tasks."""

from __future__ import annotations

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.tables import Tables

__all__ = ["load_obsscaling"]

_ORIGIN = Origin(
    "github.com/ryoungj/ObsScaling, commit 4d6e1e43",
    "Apache-2.0",
    "Ruan, Maddison & Hashimoto 2024",
)


def load_obsscaling() -> Tables:
    """Return scores of 148 open models on eight benchmarks, of 84 on eight emergent tasks as well.

    Returns
    -------
    Tables
        `models` with `n_params`, `n_tokens`, `flops` (6 `n_params` `n_tokens`; absent for 25),
        and the extra columns `is_preregistered` (released after the paper's forecasts) and
        `is_evaluated_family`. `results` with the metric ``benchmark`` for the eight benchmarks
        (MMLU, ARC-C, HellaSwag, Winograd, TruthfulQA, GSM8K, XWinograd, HumanEval), and ``acc``,
        ``exact_match`` and ``bleu`` for the emergent tasks, two-shot, from 0 to 1.

    References
    ----------
    Ruan, Maddison & Hashimoto 2024, sections 3 and 4.

    Examples
    --------
    >>> load_obsscaling()
    Tables
    models         148 rows (47 families)
    samples          0 rows
    results      1,757 rows (148 models x 15 tasks x 4 metrics)
    notes            2 rows (2 info)
    """
    return Tables(
        models=read_table("obsscaling", "models.csv", _ORIGIN),
        results=read_table("obsscaling", "results.csv", _ORIGIN).assign(higher_is_better=True),
        notes=notes_on(
            "obsscaling",
            ("n_tokens", "of btlm-3b-8k-base is read as 627 billion; the source says trillion"),
            ("flops", "are 6 n_params n_tokens; they do not order models of different families"),
        ),
    )
