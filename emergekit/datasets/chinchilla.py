"""The training runs of the Chinchilla paper."""

from __future__ import annotations

import pandas as pd

from emergekit.datasets.folder import Origin, read_table

__all__ = ["load_chinchilla"]

_ORIGIN = Origin(
    "github.com/epoch-research/analyzing-chinchilla, commit 9225883",
    "none stated; numbers as facts with attribution",
    "Hoffmann et al. 2022, figure 4, digitised by Besiroglu et al. 2024",
)


def load_chinchilla() -> pd.DataFrame:
    """Return the 245 training runs of Hoffmann et al. 2022, as a models table.

    Returns
    -------
    DataFrame, 245 rows
        `MODELS` columns (`n_params`, `n_tokens`, `flops`, `loss` in nats per token) and
        `used_in_fit`, True for the 240 runs of the published fits. Runs have no published names;
        theirs here are ``chinchilla-001`` and on.

    References
    ----------
    Hoffmann et al. 2022, figure 4; digitised by Besiroglu et al. 2024.

    Examples
    --------
    >>> runs = load_chinchilla()
    >>> int(runs["used_in_fit"].sum())
    240
    """
    return read_table("chinchilla", "runs.csv", _ORIGIN)
