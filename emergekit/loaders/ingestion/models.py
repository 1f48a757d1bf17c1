"""What the sources say of their models, as one table beside the samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from emergekit.errors import LoadError, TableError
from emergekit.files import Note
from emergekit.loaders.ingestion.manifest import Manifest, written_whole
from emergekit.loaders.merging import agreed, folded_keys
from emergekit.loaders.writing import of_one_type
from emergekit.tables.keys import is_nested, plain

__all__ = ["FILE", "model_rows", "write_models"]

FILE = "models.parquet"


def model_rows(tables: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return each row that the parts of a file say of its models, once, without gaps."""
    found = dict[str, dict[str, Any]]()
    for table in tables:
        for record in table.to_dict("records"):
            row = {
                str(name): plain(value)
                for name, value in record.items()
                if is_nested(value) or not pd.isna(value)
            }
            found[json.dumps(row, sort_keys=True, default=str)] = row
    return list(found.values())


def write_models(manifest: Manifest) -> list[Note]:
    """Write what all sources say of the models into one table.

    Returns
    -------
    list of Note
        Where sources differ in what is no column of ours, or by rounding, as `load` notes it.

    Raises
    ------
    LoadError
        If two sources contradict each other, naming them; the samples are in place nevertheless.
    """
    rows, places = list[dict[str, Any]](), list[str]()
    for entry in manifest.all():
        rows += entry.models
        places += [entry.source] * len(entry.models)
    differ = list[Note]()
    if not rows:
        return differ
    names = dict.fromkeys(name for row in rows for name in row)
    table = pd.DataFrame({name: [row.get(name) for row in rows] for name in names})
    file = manifest.folder / FILE
    try:
        models = folded_keys(agreed(table, places, differ)).apply(of_one_type)
        with written_whole(file) as part:
            models.to_parquet(part, index=False)
    except TableError as error:
        raise LoadError(f"{file}: {error} The samples are in place.") from None
    except (pa.ArrowException, OverflowError) as error:
        raise LoadError(f"{file}: cannot be written ({error!s:.80}).") from None
    return differ
