"""Several evaluations of one model: kept apart as runs, never averaged, never one over another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from emergekit.tables import RESULTS, SAMPLES, Schema, Tables, notes_table
from emergekit.tables.keys import as_text

__all__ = ["EVALUATION", "with_runs"]

EVALUATION = "evaluation"
"""Column in which a reader puts what tells one evaluation from another, such as its date."""


def with_runs(tables: Tables, where: Path) -> Tables:
    """Return the tables, with the evaluation as the run of models that were evaluated again.

    A model was evaluated again where two rows agree in all keys and differ in `evaluation`. Then
    all of its results and samples that have no run are named by theirs, and a note says so.

    Parameters
    ----------
    tables : Tables
        What several files hold.
    where : Path
        What the note is about.
    """
    counts = {
        model: n
        for table, schema in ((tables.results, RESULTS), (tables.samples, SAMPLES))
        for model, n in _evaluated_again(table, schema).items()
    }
    if not counts:
        return tables
    most = max(counts, key=lambda name: counts[name])
    several = f" and {len(counts) - 1} more" if len(counts) > 1 else ""
    said = f"{counts[most]} evaluations of '{most}'{several} are kept apart as runs, by their date"
    note = notes_table([("warning", str(where), "run", said)])
    return replace(
        tables,
        results=_named(tables.results, counts),
        samples=_named(tables.samples, counts),
        notes=pd.concat([tables.notes, note], ignore_index=True),
    )


def _evaluated_again(table: pd.DataFrame, schema: Schema) -> dict[str, int]:
    """Return the models of which rows share their key, and how many evaluations they have."""
    if EVALUATION not in table or table[EVALUATION].nunique() < 2:
        return {}
    keys = [name for name in schema.keys if name in table]
    dated = table[table[EVALUATION].notna()]
    once = dated.drop_duplicates([*keys, EVALUATION])
    again = once[once.duplicated(keys, keep=False)]
    models = set(again["model"])
    return dict(dated[dated["model"].isin(models)].groupby("model")[EVALUATION].nunique())


def _named(table: pd.DataFrame, models: dict[str, int]) -> pd.DataFrame:
    if EVALUATION not in table:
        return table
    run = table["run"].astype(object) if "run" in table else pd.Series(None, table.index, object)
    own = table["model"].isin(models) & run.isna()
    return table.assign(run=run.mask(own, as_text(table[EVALUATION])))
