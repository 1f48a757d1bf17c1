"""Accuracy and Brier scores of open models."""

from __future__ import annotations

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.tables import Tables

__all__ = ["load_open_models"]

_ORIGIN = Origin(
    "github.com/tony10101105/ExpEmergence, commit 288b731d68fbc0328de28d394af108da71a09d36",
    "MIT",
    "numbers of the repository; model sizes from Ruan et al. 2024 (ObsScaling)",
)


def load_open_models() -> Tables:
    """Return accuracy and Brier scores of 69 open models on nine multiple-choice tasks.

    Returns
    -------
    Tables
        `models` with `n_params`, `n_tokens`, `flops` (unknown for some); `results` with the metrics
        ``acc``, ``target_brier`` (mean of (1 - p)^2, p renormalised over the choices; also by third
        of difficulty in `subtask`) and ``choice_probability_mass``.

    Examples
    --------
    >>> load_open_models().results["task"].nunique()
    9
    """
    return Tables(
        models=read_table("open_models", "models.csv", _ORIGIN),
        results=read_table("open_models", "results.csv.gz", _ORIGIN),
        notes=notes_on(
            "open_models",
            ("n_params", "open_llama_7b_v2 has 13e9 in the source; its name says 7e9"),
        ),
    )
