"""Points of emergence predicted by finetuning, as printed."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from emergekit.datasets.folder import Origin, read_table
from emergekit.errors import unknown

__all__ = ["load_snell_tables"]

_ORIGIN = Origin(
    "arXiv 2411.16035v1, tables 2 and 3, as transcribed in "
    "github.com/deep-diver/ai-paper-reviewer, commit aa9c6646",
    "facts, with attribution",
    "Snell et al. 2024, tables 2 and 3",
)
_TABLES = ("ablations", "elbows")


def load_snell_tables(table: Literal["ablations", "elbows"] = "elbows") -> pd.DataFrame:
    """Return what Snell et al. print of how well finetuning predicts emergence.

    Parameters
    ----------
    table : {"ablations", "elbows"}
        Table 2, errors when data are left out; or table 3, predictions with their uncertainty.

    Returns
    -------
    DataFrame
        "ablations", 76 rows: `setting`, `task`, `error`, `error_p5`, `error_p95` (nats),
        `is_success` (within 0.1 nats). "elbows", 14 rows: `task`, `method` (mcmc or bootstrap),
        `p5` to `p95`, `mle` and `ground_truth`, all in nats; NaN where there is no truth yet.

    References
    ----------
    Snell et al. 2024, tables 2 and 3.

    Examples
    --------
    >>> elbows = load_snell_tables()
    >>> elbows.loc[elbows["method"] == "mcmc", ["task", "mle", "ground_truth"]].head(2)
        task    mle  ground_truth
    0  GSM8K  2.006         1.984
    2   MMLU  1.855         1.814
    """
    if table not in _TABLES:
        raise ValueError(unknown("table", table, _TABLES))
    return read_table("snell", f"{table}.csv.xz", _ORIGIN)
