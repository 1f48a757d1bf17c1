"""Write tables as Every Eval Ever 0.3.0: one file a model, its samples beside it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from emergekit.errors import LoadError, TableError, kind_of, unknown
from emergekit.loaders.every_eval_ever.details import is_given
from emergekit.loaders.every_eval_ever.records import (
    VERSION,
    library_record,
    model_record,
    result_record,
    sample_record,
)
from emergekit.metrics import score_samples
from emergekit.tables import MODELS, RESULTS, SAMPLES, Tables, validate
from emergekit.tables.keys import as_text

__all__ = ["write_every_eval_ever"]

Relationship = Literal["first_party", "third_party", "collaborative", "other"]
_OF_ONE_MODEL = tuple(name for name in MODELS.keys if name != "model")


@dataclass(frozen=True)
class _Origin:
    """Who says so, and since when."""

    source: str
    organisation: str
    relationship: Relationship
    retrieved: float


def write_every_eval_ever(
    tables: Tables,
    folder: str | Path,
    *,
    source: str = "emergekit",
    organisation: str = "unknown",
    relationship: Relationship = "other",
    retrieved: float | None = None,
) -> list[Path]:
    """Write tables in the community's format, and return the files.

    Parameters
    ----------
    tables : Tables
        What was loaded: each model (and run, step, seed) becomes
        ``data/<source>/<developer>/<model>/<uuid>.json``, and its answers ``<uuid>_samples.jsonl``.
        The same model has the same name each time, so that writing again replaces it.
    folder : str or Path
        Where to write.
    source : str
        Name of the collection that the results belong to.
    organisation : str
        Who provides them.
    relationship : {"first_party", "third_party", "collaborative", "other"}
        What they have to do with those who made the models.
    retrieved : float, optional
        When they were retrieved, in seconds since 1970; now if None.

    Returns
    -------
    list of Path
        The files, each of which `load` reads back.

    Raises
    ------
    TableError
        If a table breaks its schema.
    LoadError
        If there is nothing to write, or a file cannot be written.

    Notes
    -----
    The standard has no field for sizes, tokens, losses, runs, shots and log-probabilities: they
    stand in its details as JSON, under names that begin with "emergekit.". It wants a direction of
    each metric and a score of each answer. A direction that is not known is written as higher is
    better, and the details say so. Answers are scored by `acc` where they have choices, else by
    `exact_match`; one that has neither is written as 0, with the error "not scored".

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from emergekit.loaders import load
    >>> results = pd.DataFrame({"model": ["a/b"], "task": "t", "metric": "acc", "score": 0.5})
    >>> with TemporaryDirectory() as folder:
    ...     files = write_every_eval_ever(Tables(results=results), folder)
    ...     load(folder).results[["model", "score"]].values.tolist()
    [['a/b', 0.5]]
    """
    _check(tables, relationship)
    origin = _Origin(source, organisation, relationship, retrieved or time.time())
    files = list[Path]()
    for part in _parts(tables):
        files += _written(part, Path(folder), origin)
    if not files:
        raise LoadError(f"{folder}: not written, since the tables have no rows.")
    return files


def _check(tables: Tables, relationship: str) -> None:
    if not isinstance(tables, Tables):
        raise TableError(f"expected Tables, as load returns them, not {kind_of(tables)}.")
    if relationship not in get_args(Relationship):
        raise ValueError(unknown("relationship", relationship, get_args(Relationship)))
    for schema in (MODELS, RESULTS, SAMPLES):
        table: pd.DataFrame = getattr(tables, schema.name)
        if len(table):
            validate(table, schema, where=schema.name)


@dataclass(frozen=True)
class _Part:
    """What there is of one model, or one checkpoint of one run of it."""

    model: Mapping[str, Any]
    results: pd.DataFrame
    samples: pd.DataFrame


def _parts(tables: Tables) -> Iterator[_Part]:
    models, results, samples = map(_by_model, (tables.models, tables.results, tables.samples))
    for key in dict.fromkeys((*models, *results, *samples)):
        rows = models.get(key)
        some = next(part[key] for part in (models, results, samples) if key in part)
        first = {str(name): value for name, value in some.iloc[0].items()}
        keys = {name: first[name] for name in MODELS.keys if is_given(first.get(name))}
        yield _Part(
            first if rows is not None else keys, results.get(key, _NONE), samples.get(key, _NONE)
        )


_NONE = pd.DataFrame()


def _by_model(table: pd.DataFrame) -> dict[tuple[str, ...], pd.DataFrame]:
    """Return the rows of each model, run, step and seed, gaps of these as nothing."""
    if table.empty:
        return {}
    # Each as one type, so that a row does not turn counts into numbers with a point.
    table = table.astype(object)
    absent = pd.Series("", index=table.index)
    text = [as_text(table[k]).fillna("") if k in table else absent for k in MODELS.keys]
    places = dict[tuple[str, ...], list[int]]()
    for place, key in enumerate(zip(*text, strict=True)):
        places.setdefault(key, []).append(place)
    return {key: table.iloc[rows] for key, rows in places.items()}


def _written(part: _Part, folder: Path, origin: _Origin) -> list[Path]:
    model = str(part.model["model"])
    developer, slash, name = model.partition("/")
    parts = (origin.source, developer if slash else "unknown", name if slash else model)
    place = Path("data", *map(_as_name, parts))
    identity = [origin.source, *(str(part.model.get(name, "")) for name in MODELS.keys)]
    number = _number(identity)
    evaluation = f"{origin.source}/{model.replace('/', '_')}/{number}"
    record: dict[str, Any] = {
        "schema_version": VERSION,
        "evaluation_id": evaluation,
        "retrieved_timestamp": repr(origin.retrieved),
        "source_metadata": {
            "source_name": origin.source,
            "source_type": "evaluation_run",
            "source_organization_name": origin.organisation,
            "evaluator_relationship": origin.relationship,
        },
        "eval_library": library_record(part.results),
        "model_info": model_record(part.model),
        "evaluation_results": [
            result_record(row, _result_id(row)) for row in _rows(part.results, ("model",))
        ],
    }
    files = [place / f"{number}.json"]
    if len(part.samples):
        lines = [_json(sample_record(row, evaluation)) for row in _rows(_scored(part.samples))]
        content = "".join(f"{line}\n" for line in lines).encode()
        files.append(place / f"{number}_samples.jsonl")
        _write(folder / files[1], content)
        record["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": files[1].as_posix(),
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(content).hexdigest(),
            "total_rows": len(lines),
        }
    _write(folder / files[0], json.dumps(record, indent=2, allow_nan=False).encode())
    return [folder / file for file in files]


def _rows(table: pd.DataFrame, more: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the rows as mappings, without what the model's own record says."""
    kept = table.drop(columns=[name for name in (*_OF_ONE_MODEL, *more) if name in table])
    for record in kept.to_dict("records"):
        yield {str(name): value for name, value in record.items()}


def _result_id(row: Mapping[str, Any]) -> str:
    """Return a name of the score that no other score of the model has."""
    keys = [name for name in RESULTS.keys if is_given(row.get(name))]
    return "/".join(
        str(row[name]) if name in RESULTS.required else f"{name}={row[name]}" for name in keys
    )


def _scored(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the samples with a score of each, where there is something to score."""
    if "score" in samples:
        return samples
    score = pd.Series(float("nan"), index=samples.index)
    for metric in ("acc", "exact_match"):
        try:
            found = score_samples(samples.infer_objects(), metric)[metric]
        except TableError:  # a column that it reads is absent, or of another kind
            continue
        score = score.fillna(found)
    return samples.assign(score=score, is_correct=score.ge(1).where(score.notna(), None))


def _number(identity: Sequence[str]) -> str:
    """Return the UUID of a model: made from what tells it apart, so that it stays the same."""
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "replace")).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _as_name(text: str) -> str:
    """Return text as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip(".")[:100] or "unknown"


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, allow_nan=False)


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, file)
    except OSError as error:
        raise LoadError(f"{file}: cannot be written ({error.strerror}).") from None
