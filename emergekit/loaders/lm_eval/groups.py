"""Groups of tasks in a results file, and what their standard errors are worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emergekit.files import Note
from emergekit.loaders.documents import Place, as_list, given
from emergekit.loaders.lm_eval.counts import pooled_stderr, unweighted_stderr

__all__ = ["groups_of", "with_groups_checked"]

_SAME = 1e-3  # bootstraps differ by more, and are pooled from the same numbers

Row = dict[str, Any]


def groups_of(content: Mapping[str, Any], place: Place) -> dict[str, list[str]]:
    """Return the groups of a results file with the tasks right below them.

    A task may stand among the groups with nothing below it. Files of 0.4.0 name the groups without
    their tasks: those are told by the indented aliases that follow.

    Raises
    ------
    LoadError
        If a field is of the wrong type.
    """
    results = given(content, "results", dict, place) or {}
    below = given(content, "group_subtasks", dict, place)
    if below is not None:
        inside = place.at("group_subtasks")
        listed = {name: as_list(leaves, inside.at(name)) for name, leaves in below.items()}
        return {
            str(name): [leaf for leaf in leaves if isinstance(leaf, str)]
            for name, leaves in listed.items()
            if leaves
        }
    groups = given(content, "groups", dict, place) or {}
    return _by_alias(results, groups)


def _by_alias(results: Mapping[str, Any], groups: Iterable[str]) -> dict[str, list[str]]:
    found = {name: list[str]() for name in groups}
    above = list[tuple[int, str]]()  # the groups that the current task may stand below
    for task, said in results.items():
        alias = said.get("alias") if isinstance(said, dict) else None
        depth = len(alias) - len(alias.lstrip(" ")) if isinstance(alias, str) else 0
        above = [(other, name) for other, name in above if other < depth]
        if above:
            found[above[-1][1]].append(task)
        if task in found:
            above.append((depth, task))
    return found


def with_groups_checked(
    rows: Sequence[Row], groups: Mapping[str, Sequence[str]], path: Path, notes: list[Note]
) -> list[Row]:
    """Return the rows of results, those of groups with their examples and a pooled error.

    Parameters
    ----------
    rows : sequence of dict
        Rows of results, one for each task, metric and filter.
    groups : mapping
        Groups, with the tasks below them.
    path : Path
        The file.
    notes : list
        Takes a note on each group whose standard error is not pooled, or cannot be checked.
    """
    known = {(row["task"], row["metric"], row["filter"]): row for row in rows}
    return [
        _checked(row, _leaves(row, groups, known), path, notes) if row["task"] in groups else row
        for row in rows
    ]


def _leaves(
    row: Row, groups: Mapping[str, Sequence[str]], known: Mapping[Any, Row]
) -> list[Row] | None:
    """Return the rows of the tasks below a group, to the bottom; None if one is not there."""
    found, todo, seen = list[Row](), list(groups[row["task"]]), {row["task"]}
    while todo:
        task = todo.pop()
        if task in seen:
            continue
        seen.add(task)
        if task in groups:
            todo += groups[task]
            continue
        leaf = known.get((task, row["metric"], row["filter"]))
        if leaf is None:
            return None
        found.append(leaf)
    return found or None


def _checked(row: Row, leaves: list[Row] | None, path: Path, notes: list[Note]) -> Row:
    if leaves is None or any(leaf["n_examples"] is None for leaf in leaves):
        if row["stderr"] is not None:
            notes.append(_uncheckable(row, leaves, path))
        return row
    counts = [leaf["n_examples"] for leaf in leaves]
    row = row | {"n_examples": sum(counts), "n_examples_source": leaves[0]["n_examples_source"]}
    stderrs = [leaf["stderr"] for leaf in leaves]
    stated = row["stderr"]
    if stated is None:
        return row
    if any(stderr is None for stderr in stderrs):
        notes.append(_uncheckable(row, leaves, path))
        return row
    pooled = pooled_stderr(stderrs, counts)
    right = (pooled, unweighted_stderr(stderrs))
    if any(abs(stated - one) <= _SAME * one for one in right) or math.isnan(pooled):
        return row
    mean = sum(n * leaf["score"] for n, leaf in zip(counts, leaves, strict=True)) / sum(counts)
    is_weighted = abs(mean - row["score"]) < 1e-9
    taken = pooled if is_weighted else right[1]
    said = (
        f"the standard error of group '{row['task']}' ({row['metric']}) is {stated:.4g}, which is "
        f"not pooled from its {len(leaves)} tasks; {taken:.4g} was taken"
    )
    notes.append(("warning", str(path), "stderr", said))
    return row | {"stderr": taken, "stderr_reported": stated}


def _uncheckable(row: Row, leaves: list[Row] | None, path: Path) -> Note:
    """Return the note on a group whose standard error may be off, as that of older versions is."""
    lack = "some of its tasks are not in the file"
    if leaves is not None:
        counts = [leaf["task"] for leaf in leaves if leaf["n_examples"] is None]
        names = counts or [leaf["task"] for leaf in leaves if leaf["stderr"] is None]
        what = "count of examples" if counts else "standard error"
        lack = f"{len(names)} of its {len(leaves)} tasks have no {what}, such as '{names[0]}'"
    said = (
        f"the standard error of group '{row['task']}' ({row['metric']}) is not checkable: {lack}; "
        f"the file's {row['stderr']:.4g} was kept"
    )
    return ("warning", str(path), "stderr", said)
