"""The report on a user's tables: what their columns allow."""

from __future__ import annotations

import pandas as pd

from emergekit.emergence import curve_shapes
from emergekit.errors import TableError
from emergekit.reporting.curves import curves_section, metrics_section
from emergekit.reporting.fits import law_sections
from emergekit.reporting.notes import CURVE, errors_in_words
from emergekit.reporting.section import Note, Section
from emergekit.reporting.shapes import (
    NO_SCALE,
    best_scale,
    direction_notes,
    scores_with_models,
    sound_curves,
)
from emergekit.reporting.sizes import Bridge
from emergekit.reporting.summary import OPTIONS, summarised
from emergekit.reporting.verdicts import refusal_notes, verdicts_section
from emergekit.reporting.words import counted
from emergekit.tables import Tables, notes_table

__all__ = ["analyse"]

_THRESHOLDS = 40  # at a quarter of a second each


def analyse(tables: Tables, n_files: int | None = None) -> tuple[list[Section], pd.DataFrame]:
    """Return the sections on the tables, and all notes: theirs, and what was seen on the way.

    Parameters
    ----------
    tables : Tables
        What to report on.
    n_files : int, optional
        How many files they were to be read from, for messages.

    Raises
    ------
    TableError
        If there is neither a curve to describe nor a law to fit; what is missing is said, and how
        to give it.
    """
    notes = list[Note]()
    sections = _curves(tables, notes) if len(tables.results) else []
    sections += law_sections(tables.models, notes)
    said = pd.concat([tables.notes, notes_table(notes)], ignore_index=True)
    if not sections:
        raise TableError(f"Nothing to report: {_why(tables, said, n_files)}")
    if len(tables.samples):
        more = f"{counted(len(tables.samples), 'answer')} were not scored; use rescore(samples)"
        said = pd.concat([said, notes_table([("info", "", "samples", more)])], ignore_index=True)
    return sections, said


def _curves(tables: Tables, notes: list[Note]) -> list[Section]:
    joined = scores_with_models(tables, notes)
    known, x = best_scale(joined, notes)
    if x is None:
        return []
    scores, refused = sound_curves(known, x, notes)
    if scores.empty:
        return []
    shapes = curve_shapes(scores, x)
    table = summarised(
        scores,
        x,
        OPTIONS,
        Bridge(tables.models if len(tables.models) else scores),
        shapes=shapes,
        refused=refused,
        most_thresholds=_THRESHOLDS,
    )
    notes += direction_notes(scores) + refusal_notes(table)
    sections = [verdicts_section(table, scores), curves_section(scores, shapes, x)]
    return sections + ([metrics_section(shapes)] if shapes["metric"].nunique() > 1 else [])


def _why(tables: Tables, notes: pd.DataFrame, n_files: int | None) -> str:
    """Return why there is nothing to report, and how to mend it."""
    errors = " ".join(errors_in_words(notes, n_files))
    more = f" {errors[:1].upper()}{errors[1:]}" if errors else ""
    return f"{_missing(tables, notes)}.{more}"


def _missing(tables: Tables, notes: pd.DataFrame) -> str:
    if notes["field"].eq(CURVE).any():
        return "no curve could be described"
    if len(tables.results):
        return NO_SCALE
    if len(tables.samples):
        return (
            f"only samples were found ({counted(len(tables.samples), 'answer')}), and no scores; "
            "score them first with rescore(samples), and report on these results with their models"
        )
    if len(tables.models):
        unfitted = notes.loc[notes["message"].str.startswith("not fitted"), "message"]
        if len(unfitted):
            return "; ".join(unfitted).rstrip(".")
        return (
            "only models were found; a law needs n_params, n_tokens and loss of each, and a curve "
            "needs scores"
        )
    return "the tables are empty"
