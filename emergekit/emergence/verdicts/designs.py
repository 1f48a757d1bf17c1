"""Judge many curves: design by design, so that curves at the same scales share one dictionary."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.compute import Engine, run
from emergekit.emergence.questions.curve_pairs import LEAST_SCALES, CurvePair, Options
from emergekit.emergence.questions.dictionary import Dictionary, curve_dictionary
from emergekit.emergence.questions.evidence import curve_evidence
from emergekit.emergence.verdicts.pairs import Group

__all__ = ["Evidence", "group_evidence"]

Array: TypeAlias = NDArray[np.float64]
Evidence: TypeAlias = dict[str | None, dict[str, Any]]

_CHUNK = 32
_ROUNDING = 1e-9  # of a scale: what is nearer than this is one scale, printed twice
_NOTHING = CurvePair(np.empty(0), np.empty(0), np.empty(0), 0.0, "em")


class _Job(NamedTuple):
    """Curves of one design, and a root of random numbers for each."""

    options: Options
    pairs: tuple[CurvePair, ...]
    roots: tuple[tuple[int, int], ...]


def group_evidence(
    groups: Sequence[Group], options: Options, engine: Engine, n_workers: int | None
) -> list[Evidence]:
    """Return the numbers of every run of every group.

    The random numbers of a curve come from the seed and its name, so that a verdict does not
    change with what else is in the table, or with the engine.
    """
    designs: dict[bytes, list[tuple[int, str | None]]] = defaultdict(list)
    for place, group in enumerate(groups):
        for name, pair in group.pairs.items():
            designs[pair.x.tobytes()].append((place, name))
    chunks = [
        members[first : first + _CHUNK]
        for members in designs.values()
        for first in range(0, len(members), _CHUNK)
    ]
    jobs = [
        _Job(
            options,
            tuple(groups[place].pairs[name] for place, name in chunk),
            tuple((options.seed, _root(groups[place], name)) for place, name in chunk),
        )
        for chunk in chunks
    ]
    answers = run(_judged, jobs, engine=engine, n_workers=n_workers)
    found: list[Evidence] = [{} for _ in groups]
    for chunk, answer in zip(chunks, answers, strict=True):
        for (place, name), numbers in zip(chunk, answer, strict=True):
            found[place][name] = numbers
    empty = curve_evidence(_NOTHING, None, options, np.random.default_rng(options.seed))
    return [runs or {None: empty} for runs in found]


def _root(group: Group, name: str | None) -> int:
    said = "\x1f".join(f"{key}={value}" for key, value in group.key.items())
    return zlib.crc32(f"{said}\x1f{name}\x1f{group.pairing.sharp}".encode())


def _judged(job: _Job) -> list[dict[str, Any]]:
    shapes = _shapes(job.pairs[0].x, job.options)
    return [
        curve_evidence(pair, shapes, job.options, np.random.default_rng(root))
        for pair, root in zip(job.pairs, job.roots, strict=True)
    ]


def _shapes(x: Array, options: Options) -> Dictionary | None:
    """Return the dictionary of a design, None where it has too few scales or too short a range."""
    if len(np.unique(x)) < LEAST_SCALES or np.ptp(x) <= _ROUNDING * np.abs(x).max():
        return None
    width = options.width
    if options.min_width is not None:
        width = options.min_width / float(np.ptp(x))
    return curve_dictionary(x, width) if width < 1 else None
