"""Loss on four-digit addition against the number of training examples: one sharp fall."""

from __future__ import annotations

import pandas as pd

from emergekit.datasets.folder import Origin, read_table

__all__ = ["load_bnsl_addition"]

_ORIGIN = Origin(
    "github.com/ethancaballero/broken_neural_scaling_laws, commit ffa608f",
    "none stated; numbers as facts with attribution",
    "Caballero et al. 2022, figure 4, left",
)


def load_bnsl_addition() -> pd.DataFrame:
    """Return the loss on four-digit addition at 17 sizes of the training set.

    Returns
    -------
    DataFrame, 17 rows
        `model` (``addition-01`` and on: points have no published names), `x` (training examples),
        `loss` (test cross-entropy), `is_fit` (True for the 14 points of the published fit).

    References
    ----------
    Caballero et al. 2022, "Broken Neural Scaling Laws", figure 4, left.

    Examples
    --------
    >>> points = load_bnsl_addition()
    >>> len(points), int(points["is_fit"].sum())
    (17, 14)
    """
    return read_table("bnsl_addition", "runs.csv", _ORIGIN)
