"""Which model, at which step, an evaluation says that it ran: by its config, not its file's name.

Shots are told by the config as well; a label in the path that says otherwise is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, given

__all__ = ["arguments", "keys_of", "model_row", "shot_conflict"]

_NAMED_BY = ("pretrained", "model", "model_name", "engine", "path")
_STEP = re.compile(r"(?:^|[-_/])(?:global[-_]?)?step[-_]?(\d+)(?:$|[-_])", re.IGNORECASE)
_SHOTS = re.compile(r"(\d+|zero|one|two|three|five|ten)[-_ ]?shot", re.IGNORECASE)
_WORDS = MappingProxyType({"zero": 0, "one": 1, "two": 2, "three": 3, "five": 5, "ten": 10})


def arguments(config: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return `model_args` by name: an object, or text such as ``pretrained=a/b,revision=step512``.

    Raises
    ------
    LoadError
        If it is neither.
    """
    value = config.get("model_args")
    if value is None or isinstance(value, dict):
        return dict(value or {})
    text = given(config, "model_args", str, place) or ""
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip(): said.strip() for name, _, said in pairs}


def model_row(
    config: Mapping[str, Any], place: Place, notes: list[Note], name: str | None = None
) -> dict[str, Any]:
    """Return the row of the model that a config speaks of.

    Parameters
    ----------
    config : mapping
        The field `config` of a results file.
    place : Place
        Where it stands.
    notes : list
        Takes a note where the model had to be named by a folder or a file.
    name : str, optional
        The model's name where the file states it outside of the config.

    Returns
    -------
    dict
        `model`, `step` and `revision` where they are stated, and `n_params` with its source
        "reported", which only lm-evaluation-harness 0.4 states.

    Raises
    ------
    LoadError
        If a field is of the wrong type.
    """
    stated = arguments(config, place.at("model_args"))
    named = name or next((str(stated[key]) for key in _NAMED_BY if stated.get(key)), None)
    revision = stated.get("revision") or config.get("model_revision")
    revision = None if revision in (None, "", "main") else str(revision)
    step = _step(stated, revision)
    row: dict[str, Any] = {"model": named or _fallback(stated, place.path, notes), "step": step}
    if revision is not None and step is None:  # another model under the same name
        row["model"] += f"@{revision}"
    row["revision"] = revision
    n_params = given(config, "model_num_parameters", int, place)
    if n_params is not None and n_params > 0:
        row |= {"n_params": n_params, "n_params_kind": "total", "n_params_source": "reported"}
    return row


def keys_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result or a sample says of its model."""
    return {"model": row["model"], "step": row.get("step")}


def shot_conflict(path: Path, n_shots: set[int]) -> Note | None:
    """Return a note if the path's label of shots is not what the file states.

    Examples
    --------
    >>> shot_conflict(Path("five-shot/a.json"), {0})[3]
    "the path says 5 shots, and the file 0; the file's number was taken"
    """
    found = [match for part in path.parts[-2:] for match in _SHOTS.findall(part)]
    labels = {_WORDS[word.lower()] if word.isalpha() else int(word[:9]) for word in found}
    if not labels or not n_shots or n_shots & labels == labels:
        return None
    one, other = (" and ".join(map(str, sorted(said))) for said in (labels, n_shots))
    said = f"the path says {one} shots, and the file {other}; the file's number was taken"
    return ("warning", str(path), "n_shots", said)


def _step(stated: Mapping[str, Any], revision: str | None) -> int | None:
    iteration = stated.get("iteration")
    if isinstance(iteration, int) and not isinstance(iteration, bool) and iteration >= 0:
        return iteration
    match = _STEP.search(revision or "")
    return int(match[1][:18]) if match else None


def _fallback(stated: Mapping[str, Any], path: Path, notes: list[Note]) -> str:
    """Return a name where the config has none: the checkpoints' folder, or that of the file."""
    folder = next((stated[k] for k in ("load", "save") if isinstance(stated.get(k), str)), "")
    name = PurePosixPath(folder).name
    said = "the folder of its checkpoints"
    if not name:
        is_results = path.stem.startswith(("results_", "samples_"))
        name = path.parent.name.replace("__", "/") if is_results else path.stem.split(".")[0]
        name = name or path.stem
        said = "its folder" if is_results else "its file"
    notes.append(("warning", str(path), "model", f"'{name}' is named by {said}; no config does"))
    return name
