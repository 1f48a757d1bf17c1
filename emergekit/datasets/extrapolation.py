"""Learning curves of vision and language, split into a part to fit and a part to predict."""

from __future__ import annotations

import pandas as pd

from emergekit.datasets.folder import Origin, read_table

__all__ = ["load_extrapolation_benchmark"]

_ORIGIN = Origin(
    "github.com/google-research/google-research, commit 9853680, revisiting_neural_scaling_laws; "
    "by way of github.com/IBM/ColPret, commit 16f23bb",
    "Apache-2.0 (ColPret: MIT)",
    "Alabdulmohsin, Neyshabur & Zhai 2022",
)


def load_extrapolation_benchmark() -> pd.DataFrame:
    """Return 92 learning curves, each with points to fit and later points to predict.

    A curve is the rows that agree in `domain`, `task` and `model`. The exact duplicates of the
    source (every LM row stands there four times) are dropped.

    Returns
    -------
    DataFrame, 19,595 rows
        `domain` (IC image classification, NMT translation, LM language modelling, BB BIG-bench),
        `task`, `model` (an architecture, or a size), `n_shots` (NaN for NMT and LM), `x` (seen
        examples or tokens), `loss` (an error rate, or a loss rescaled to below 1), `is_fit` (True
        for points to fit).

    References
    ----------
    Alabdulmohsin, Neyshabur & Zhai 2022, "Revisiting Neural Scaling Laws in Language and Vision".

    Examples
    --------
    >>> curves = load_extrapolation_benchmark().drop_duplicates(["domain", "task", "model"])
    >>> curves["domain"].value_counts().to_dict()
    {'IC': 72, 'BB': 10, 'NMT': 5, 'LM': 5}
    """
    return read_table("extrapolation_benchmark", "curves.csv.xz", _ORIGIN)
