"""BIG-bench tasks at the sizes of BIG-G."""

from __future__ import annotations

from typing import Literal

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.errors import unknown
from emergekit.tables import Tables

__all__ = ["load_bigg"]

_ORIGIN = Origin(
    "github.com/wschella/lass, commit 67fefca6ce045b43222bed41d78df83ef7a599ab",
    "none stated; numbers as facts with attribution (logs of BIG-bench, Apache-2.0)",
    "Srivastava et al. 2022",
)
_FILES = {"shared_split": "results.csv.gz", "own_split": "results_own_split.csv.gz"}


def load_bigg(sample: Literal["shared_split", "own_split"] = "shared_split") -> Tables:
    """Return 85 BIG-bench tasks at the 12 sizes of BIG-G, 3-shot.

    Parameters
    ----------
    sample : {"shared_split", "own_split"}
        "shared_split" has the same examples at all sizes: the curves. "own_split" is the largest
        model alone on another draw of examples, which `subtask` names.

    Returns
    -------
    Tables
        `models` with exact `n_params`; `results` with the metrics ``multiple_choice_grade`` or
        ``exact_match`` (by `query`), and ``confidence_brier`` with its three parts, which is the
        Brier score of the top choice's confidence and not BIG-bench's multi-class one. Extra
        columns: `query`, `preferred_metric`, `sample`.

    References
    ----------
    Srivastava et al. 2022 (BIG-bench).

    Examples
    --------
    >>> load_bigg().results["task"].nunique()
    85
    """
    if sample not in _FILES:
        raise ValueError(unknown("sample", sample, _FILES))
    chosen = read_table("bigg", _FILES[sample], _ORIGIN)
    models = read_table("bigg", "models.csv", _ORIGIN)
    return Tables(
        models=models[models["model"].isin(chosen["model"])].reset_index(drop=True),
        results=chosen,
        notes=notes_on(
            "bigg",
            ("task", "only tasks where the largest model beats chance are here: a selection"),
            ("confidence_brier", "scores the top choice's confidence, not every choice"),
        ),
    )
