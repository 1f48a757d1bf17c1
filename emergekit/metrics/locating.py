"""Find the parquet files of samples that a path, a folder or a pattern means."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from emergekit.errors import LoadError
from emergekit.files import Note, files_inside, files_matching, fixed_folder, is_beside_data
from emergekit.tables import MODELS, RESULTS

__all__ = ["parquet_dataset"]

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_OF_RESULTS = frozenset({*MODELS.names, *RESULTS.names})


def parquet_dataset(path: str | Path, reads: Iterable[str]) -> tuple[ds.Dataset, list[Note]]:
    """Return the parquet files of samples as one dataset, and notes on what was passed over.

    Parameters
    ----------
    path : str or Path
        A file, a folder, or a pattern. Folders such as ``model=a`` state a column.
    reads : iterable of str
        Columns that the metrics read: with `example_id`, they tell samples from other tables.

    Raises
    ------
    LoadError
        If nothing is there, or nothing of it is parquet with samples.
    """
    path = _place(path)
    reads = {"example_id", *reads} - _OF_RESULTS
    files, notes, base = _files(path)
    if path.is_file():
        _schema(path)
    else:
        files, passed_over = _of_samples(files, reads)
        notes += passed_over
    if not files:
        errors = [message for severity, *_, message in notes if severity == "error"]
        said = f"{path}: no parquet file here holds samples, with {_any_of(reads)}."
        raise LoadError(errors[0] if errors else said)
    stated = _stated(files, base)
    dataset = ds.dataset(
        [str(file) for file in files],
        schema=stated,
        format="parquet",
        partitioning=ds.partitioning(stated, flavor="hive"),
        partition_base_dir=str(base),
    )
    return dataset, notes


def _stated(files: Iterable[Path], base: Path) -> pa.Schema:
    """Return the columns that folders state, as in ``n_shots=5``: whole numbers, or text.

    Given to Arrow, since it would hold the files against each other: a column of numbers in one
    and of text in the next is no dataset to it, but samples to us.
    """
    values: dict[str, set[str]] = {}
    for file in files:
        for part in file.parent.relative_to(base).parts:
            name, mark, value = part.partition("=")
            if mark:
                values.setdefault(unquote(name), set()).add(unquote(value))
    is_whole = {
        name: all(re.fullmatch(r"-?\d{1,18}", value) for value in given - {_NO_VALUE})
        for name, given in values.items()
    }
    return pa.schema([(n, pa.int64() if whole else pa.string()) for n, whole in is_whole.items()])


def _files(path: Path) -> tuple[list[Path], list[Note], Path]:
    """Return the parquet files of a path, notes on other files, and the folder to start from."""
    if path.is_file():
        return [path], [], _base(path.parent)
    if path.is_dir():
        found, notes = files_inside(path)
        base, what = _base(path), "the folder holds no parquet file"
    elif glob.has_magic(str(path)):
        found, notes = files_matching(path)
        base, what = _base(fixed_folder(path)), "no parquet file matches this pattern"
    else:
        raise LoadError(f"{path}: there is no such file or folder.")
    files = [file for file in found if file.suffix.lower() == ".parquet"]
    if not files:
        more = "; load what it holds, and give the samples" if found else ""
        raise LoadError(f"{path}: {what}{more}.")
    others = [f for f in found if f.suffix.lower() != ".parquet" and not is_beside_data(f)]
    said = "not parquet; passed over (what emergekit.load reads of it can be given as a table)"
    return files, [*notes, *(("warning", str(file), "", said) for file in others)], base


def _base(folder: Path) -> Path:
    """Return the folder above those that state a column, as in ``model=a/n_shots=5``."""
    return next(above for above in (folder, *folder.parents) if "=" not in above.name)


def _of_samples(files: Iterable[Path], reads: Collection[str]) -> tuple[list[Path], list[Note]]:
    """Return the files that hold samples, and notes on those that do not or cannot be read."""
    kept, notes = list[Path](), list[Note]()
    for file in files:
        try:
            names = _schema(file).names
        except LoadError as error:
            notes.append(("error", str(file), "", str(error)))
            continue
        if set(reads).isdisjoint(names):
            said = f"holds no samples, with {_any_of(reads)}; passed over"
            notes.append(("info", str(file), "", said))
        else:
            kept.append(file)
    return kept, notes


def _any_of(names: Collection[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} or {last}" if most else last


def _schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise LoadError(f"{file}: not a readable parquet file ({error!s:.80}).") from None


def _place(path: str | Path) -> Path:
    """Return where a path points, or say that it can point nowhere."""
    if not str(path):
        raise LoadError("the path is empty; name a file, a folder ('.' is this one) or a pattern.")
    try:
        place = Path(path).expanduser()
        place.exists()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{str(path)[:120]}: cannot be looked up ({reason}).") from None
    return place
