"""Evaluations of the Pythia models over training, and their arithmetic."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from emergekit.datasets.folder import Origin, notes_on, read_table
from emergekit.errors import unknown
from emergekit.tables import Tables

__all__ = ["load_pythia", "load_pythia_arithmetic"]

_ORIGIN = Origin(
    "github.com/EleutherAI/pythia, commit a19eecb807ec2c79a39ebf18108816e6ffffc1d5",
    "Apache-2.0",
    "Biderman et al. 2023",
)
_ONE_RUN = ("run", "one run a size and version; what differs between sizes may be that run's luck")
_LEVELS = ("task", "operand")
_TOKENS_PER_STEP = 2_097_152


def load_pythia() -> Tables:
    """Return scores of Pythia's checkpoints, and of the last ones of OPT and BLOOM.

    Returns
    -------
    Tables
        `models`, one row a checkpoint of a `run`: `n_params` (without embeddings), `n_tokens`,
        `flops` (6 `n_params` `n_tokens`) and, for five sizes of v0, `wikitext_bits_per_byte`, a
        loss in bits per byte. Extra columns: `size`, `version`, `deduped`, `variant`. `results`
        with ``acc``, ``acc_norm``, ``ppl`` (LAMBADA), ``bits_per_byte`` (WikiText) and others,
        zero-shot and five-shot as the files' own configuration says.

    References
    ----------
    Biderman et al. 2023, "Pythia: A Suite for Analyzing Large Language Models".

    Examples
    --------
    >>> load_pythia()
    Tables
    models         889 rows (12 families)
    samples          0 rows
    results    198,524 rows (59 models x 155 tasks x 8 metrics)
    notes            3 rows (3 info)
    """
    return Tables(
        models=read_table("pythia", "models.csv.xz", _ORIGIN),
        results=_divided(read_table("pythia", "results.csv.xz", _ORIGIN)),
        notes=notes_on(
            "pythia",
            _ONE_RUN,
            ("step", "of v0 160m, 410m and 1.4b counts batches twice as large; use n_tokens"),
            ("n_shots", "11,790 rows called five-shot that are zero-shot are left out"),
        ),
    )


def load_pythia_arithmetic(by: Literal["task", "operand"] = "task") -> Tables:
    """Return few-shot addition and multiplication of seven Pythia models at six checkpoints.

    Parameters
    ----------
    by : {"task", "operand"}
        One score a task, over all questions; or one an operand, 0 to 99, which `subtask` names.

    Returns
    -------
    Tables
        `models` as in `load_pythia`; `results` with the metric ``acc``, 0, 2, 4, 8 and 16 shots.

    References
    ----------
    Biderman et al. 2023, section 4.3: frequency of terms and few-shot arithmetic.

    Examples
    --------
    >>> scores = load_pythia_arithmetic().results
    >>> last = scores[scores["model"].eq("pythia-12b-deduped-v0") & scores["step"].eq(143000)]
    >>> last.loc[last["n_shots"] == 16, ["task", "score"]].round(3).to_dict("split")["data"]
    [['arithmetic_addition', 0.874], ['arithmetic_multiplication', 0.448]]
    """
    if by not in _LEVELS:
        raise ValueError(unknown("value of by", by, _LEVELS))
    rows = read_table("pythia", "arithmetic.csv.xz", _ORIGIN)
    rows, origin = rows.rename(columns={"operand": "subtask"}), rows.attrs
    if by == "task":
        keys = ["model", "step", "task", "n_shots"]
        counts = ["n_correct", "n_examples"]
        rows = rows.groupby(keys, sort=False, as_index=False)[counts].sum()
        rows.attrs.update(origin)
    results = rows.assign(
        metric="acc", score=rows["n_correct"] / rows["n_examples"], higher_is_better=True
    )
    return Tables(
        models=_of_arithmetic(results),
        results=results.drop(columns="n_correct"),
        notes=notes_on(
            "pythia",
            _ONE_RUN,
            ("n_examples", "50 questions share an operand, so they are not independent"),
            ("step", "counts batches of 2,097,152 tokens for every model here"),
        ),
    )


def _of_arithmetic(results: pd.DataFrame) -> pd.DataFrame:
    """Return the checkpoints of the arithmetic study, whose steps count one size of batch."""
    models = read_table("pythia", "models.csv.xz", _ORIGIN)
    about = models.drop_duplicates("model").set_index("model")
    places = results[["model", "step"]].drop_duplicates(ignore_index=True)
    table = places.join(about.drop(columns=["step", "wikitext_bits_per_byte"]), on="model")
    n_tokens = table["step"] * _TOKENS_PER_STEP
    table = table.assign(n_tokens=n_tokens, flops=6.0 * table["n_params"] * n_tokens)
    table.attrs.update(models.attrs)
    return table[[name for name in models if name in table]]


def _divided(results: pd.DataFrame) -> pd.DataFrame:
    """Return the table with counts made scores, and the standard errors that go with them."""
    n = results["n_examples"]
    share = results["n_correct"] / n
    stderr = (share * (1 - share) / (n - 1)) ** 0.5
    filled = results.assign(
        score=results["score"].fillna(share), stderr=results["stderr"].fillna(stderr)
    )
    return filled.drop(columns="n_correct")
