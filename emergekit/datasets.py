"""The tidy tables that come with the package, one loader a source.

Every loader returns tables in our schemas, with ``attrs["source"]``, ``attrs["licence"]`` and
``attrs["reference"]``; the README of each folder under ``data/`` says how it was made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from emergekit.errors import unknown
from emergekit.tables import Tables, notes_table

__all__ = ["data_folder", "load_bigg", "load_chinchilla", "load_open_models", "load_wei_classes"]

_SOURCES = {
    "chinchilla": (
        "github.com/epoch-research/analyzing-chinchilla, commit 9225883",
        "none stated; numbers as facts with attribution",
        "Hoffmann et al. 2022, figure 4, digitised by Besiroglu et al. 2024",
    ),
    "bigg": (
        "github.com/wschella/lass, commit 67fefca6ce045b43222bed41d78df83ef7a599ab",
        "none stated; numbers as facts with attribution (logs of BIG-bench, Apache-2.0)",
        "Srivastava et al. 2022",
    ),
    "open_models": (
        "github.com/tony10101105/ExpEmergence, commit 288b731d68fbc0328de28d394af108da71a09d36",
        "MIT",
        "numbers of the repository; model sizes from Ruan et al. 2024 (ObsScaling)",
    ),
    "wei_classes": (
        "arXiv 2206.07682, appendix E; preferred metrics from github.com/wschella/lass, commit "
        "67fefca6ce045b43222bed41d78df83ef7a599ab",
        "lists of names, as facts with attribution",
        "Wei et al. 2022, appendix E",
    ),
}
_BIGG = {"shared_split": "results.csv.gz", "own_split": "results_own_split.csv.gz"}


def data_folder() -> Path:
    """Return the folder of the bundled tables, in the installed package or in a checkout."""
    installed = Path(__file__).parent / "_data"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "data"


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
    return _read("chinchilla", "runs.csv")


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
    if sample not in _BIGG:
        raise ValueError(unknown("sample", sample, _BIGG))
    chosen = _read("bigg", _BIGG[sample])
    models = _read("bigg", "models.csv")
    return Tables(
        models=models[models["model"].isin(chosen["model"])].reset_index(drop=True),
        results=chosen,
        notes=_notes(
            "bigg",
            ("task", "only tasks where the largest model beats chance are here: a selection"),
            ("confidence_brier", "scores the top choice's confidence, not every choice"),
        ),
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
        models=_read("open_models", "models.csv"),
        results=_read("open_models", "results.csv.gz"),
        notes=_notes(
            "open_models",
            ("n_params", "open_llama_7b_v2 has 13e9 in the source; its name says 7e9"),
        ),
    )


def load_wei_classes() -> pd.DataFrame:
    """Return how 197 BIG-bench tasks scale, as Wei et al. 2022 classed them by hand.

    Returns
    -------
    DataFrame, 197 rows
        `task`, `scaling_class` (smoothly_increasing, emergent, flat, other),
        `first_emergent_model`, `preferred_metric` (NaN where BIG-G logs do not say), `section`.

    References
    ----------
    Wei et al. 2022, appendix E.

    Examples
    --------
    >>> int((load_wei_classes()["scaling_class"] == "emergent").sum())
    67
    """
    return _read("wei_classes", "classes.csv")


def _read(folder: str, file: str) -> pd.DataFrame:
    table = pd.read_csv(data_folder() / folder / file)
    table.attrs = dict(zip(("source", "licence", "reference"), _SOURCES[folder], strict=True))
    return table


def _notes(folder: str, *said: tuple[str, str]) -> pd.DataFrame:
    return notes_table(("info", f"data/{folder}", field, message) for field, message in said)
