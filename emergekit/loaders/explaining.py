"""Say which reader takes which file, and why, without reading any."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from emergekit.loaders.finding import found_in
from emergekit.loaders.readers import known_readers

__all__ = ["explain"]


def explain(path: str | Path, format: str | None = None) -> pd.DataFrame:
    """Return which reader `load` would choose for each file, how sure it is, and who came next.

    Parameters
    ----------
    path : str or Path
        A file, a folder or a pattern, as `load` takes it.
    format : str, optional
        The one reader that is meant.

    Returns
    -------
    DataFrame
        One row a file: `file`, `format` (the reader), `score` (how sure it is, 0 to 1), `about`
        (the files it knows, and by what), `next` and `next_score` (the reader that would have come
        next). Files that are read with another, or by nobody, have no format; `about` says why.

    Examples
    --------
    >>> from emergekit.datasets import data_folder
    >>> explain(data_folder() / "chinchilla" / "runs.csv")[["format", "score"]].values.tolist()
    [['table', 0.5]]
    """
    readers = known_readers()
    found = found_in(path, format, readers)
    rows = []
    for file, reader in found.choices:
        scores = {name: other.score(file) for name, other in readers.items() if other != reader}
        best = max(scores, key=lambda name: scores[name], default=None)
        runner_up = best if best is not None and scores[best] > 0 else None
        rows.append(
            {
                "file": str(file),
                "format": reader.name,
                "score": reader.score(file),
                "about": reader.about,
                "next": runner_up,
                "next_score": scores[runner_up] if runner_up else None,
            }
        )
    rows += [{"file": str(file), "about": "read with another file"} for file in found.beside]
    rows += [{"file": file, "about": message} for _, file, _, message in found.notes]
    names = ["file", "format", "score", "about", "next", "next_score"]
    return pd.DataFrame(rows, columns=names).sort_values("file", ignore_index=True)
