"""IsoFLOP points of compute-optimal scaling, step by step from Kaplan to Hoffmann."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from emergekit.datasets.folder import Origin, read_table
from emergekit.errors import unknown

__all__ = ["load_porian"]

_ORIGIN = Origin(
    "github.com/formll/resolving-scaling-law-discrepancies, commit 0dc60d9",
    "MIT (its LICENSE names another holder; the card of its models says MIT)",
    "Porian et al. 2024",
)
_FILES = {"points": "points.csv.gz", "optima": "optima.csv.xz", "fits": "fits.csv.xz"}


def load_porian(table: Literal["points", "optima", "fits"] = "points") -> pd.DataFrame:
    """Return 16 networks at up to 12 FLOP budgets in 15 configurations, or what was made of them.

    Each table has `dataset` (RefinedWeb or OpenWebText2) and `setting`, which together name a
    configuration, and what the setting says: `tuned` (the optimiser), `warmup` (long, short),
    `decay` (long_cosine, matched_cosine, none), `flop_count` (kaplan, without the last layer;
    standard, with it; attention, with attention as well) and `loss_split` (train, val). Settings,
    in the paper's order: kaplan, last_layer, short_warmup, matched_decay, tuned; further
    last_layer_attention and so on, and tuned_kaplan.

    Parameters
    ----------
    table : {"points", "optima", "fits"}
        Losses at equal compute, their compute-optimal sizes, or power laws through those.

    Returns
    -------
    DataFrame
        "points", 1,745 rows: `MODELS` columns; `n_params` is counted as `flop_count` says,
        `flops` is the budget and 6 `n_params` `n_tokens`. Points have no published names; theirs
        here are ``porian-0001`` and on. Points of one `run` are checkpoints of one training,
        counted in one way or several. Also `width` and `depth`.

        "optima", 177 rows: `flops`, optimal `n_params`, `n_tokens`, `tokens_per_param` and
        `loss` (NaN where the optimum lies at the edge), `log_n_params_stderr`,
        `log_loss_stderr`.

        "fits", 30 rows, `weighted` and not: ``<quantity>_exponent``, ``_coef``, ``_r2`` of a power
        of `flops` for ``n_params``, ``n_tokens``, ``tokens_per_param``; for weighted ones
        ``n_params_exponent_lower`` and ``_upper`` (95 %, from `n_bootstrap` draws); `A`, `E`,
        `alpha` of the loss, which say nothing where `loss_fit_moved` is False.

    References
    ----------
    Porian et al. 2024, "Resolving Discrepancies in Compute-Optimal Scaling of Language Models".

    Examples
    --------
    >>> fits = load_porian("fits").query("dataset == 'RefinedWeb' and not weighted")
    >>> fits.set_index("setting")["n_params_exponent"].loc[["kaplan", "tuned"]].round(4).to_dict()
    {'kaplan': 0.8338, 'tuned': 0.497}
    """
    if table not in _FILES:
        raise ValueError(unknown("table", table, _FILES))
    return read_table("porian", _FILES[table], _ORIGIN)
