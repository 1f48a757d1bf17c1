"""The three tables that every stage speaks: models, samples, results.

Plain long-form DataFrames. A `Schema` names the columns, their units and keys, and what must hold;
columns it does not know travel through untouched. Absent is NaN or None, never 0, -1 or "".
"""

from __future__ import annotations

from emergekit.tables.joining import join_models
from emergekit.tables.schemas import (
    MODELS,
    RESULTS,
    SAMPLES,
    Column,
    Schema,
    Tables,
    notes_table,
)
from emergekit.tables.validation import validate

__all__ = [
    "MODELS",
    "RESULTS",
    "SAMPLES",
    "Column",
    "Schema",
    "Tables",
    "join_models",
    "notes_table",
    "validate",
]
