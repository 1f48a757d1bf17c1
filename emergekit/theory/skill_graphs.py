"""Random graphs of skills and texts, kept as plain arrays that fit ten million skills.

A text draws each of its skills anew, as in the models, so that it may draw one twice; on large
graphs this befalls next to no text.

References
----------
Arora & Goyal 2023, arXiv 2307.15936, definition 4; Liao, Chang & Hong 2024, arXiv 2404.07009.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from emergekit.theory.degrees import DegreeDistribution, Degrees, as_degrees
from emergekit.theory.ranges import counts, positive

__all__ = ["SkillTextGraph", "graph_from_edges", "random_graph", "spread"]

_MOST = 2**31 - 1  # nodes are numbered in 32 bits


@dataclass(frozen=True, eq=False)
class SkillTextGraph:
    """Which skills stand in which texts.

    Parameters
    ----------
    n_skills, n_texts : int
        Nodes on either side.
    offsets : array of int, shape (n_skills + 1,)
        Where the texts of each skill begin in `texts`.
    texts : array of int32, shape (n_edges,)
        Texts of the first skill, then of the second, and so on.
    """

    n_skills: int
    n_texts: int
    offsets: NDArray[np.signedinteger[Any]]
    texts: NDArray[np.int32]

    @property
    def n_edges(self) -> int:
        """Number of places that skills have in texts."""
        return len(self.texts)

    def skills(self) -> NDArray[np.int32]:
        """Return the skill of each edge, in the order of `texts`."""
        every = np.arange(self.n_skills, dtype=np.int32)
        return np.repeat(every, np.diff(self.offsets))

    def by_text(self) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.int32]]:
        """Return the same edges text by text: where each text begins, and skills."""
        return _turned(self.offsets, self.texts, (self.n_skills, self.n_texts))

    def __repr__(self) -> str:
        return f"SkillTextGraph({self.n_skills} skills, {self.n_texts} texts, {self.n_edges} edges)"


def random_graph(
    n_skills: int, ratio: float, degrees: Degrees, seed: int | np.random.Generator = 0
) -> SkillTextGraph:
    """Return a random graph with so many texts per skill.

    Parameters
    ----------
    n_skills : int
        Skills S.
    ratio : float
        Texts per skill R; there are R S texts, rounded.
    degrees : float or DegreeDistribution
        Mean skills per text, or as in `learning_curve`.
    seed : int or numpy.random.Generator
        Equal seeds give equal graphs.

    Returns
    -------
    SkillTextGraph

    Raises
    ------
    ValueError
        If a number is out of range, or so few texts per skill make no text at all.

    References
    ----------
    Liao, Chang & Hong 2024; with texts of fixed size, Arora & Goyal 2023.

    Examples
    --------
    >>> random_graph(1000, 1.2, 3.0, seed=0)
    SkillTextGraph(1000 skills, 1200 texts, 3584 edges)
    """
    size, rng = int(counts(n_skills, "n_skills")), np.random.default_rng(seed)
    kind = as_degrees(degrees)
    n_texts = round(float(positive(ratio, "ratio")) * size)
    if n_texts == 0:
        raise ValueError(f"ratio = {ratio:g} makes no text for {size} skills; 1 / n_skills is one.")
    _require_numbered(size, n_texts)
    if kind.side == "texts" and kind.shares is not None:
        per_text = _drawn(kind, n_texts, rng)
        skills = rng.integers(0, size, per_text[-1], dtype=np.int32)
        return SkillTextGraph(size, n_texts, *_turned(per_text, skills, (n_texts, size)))
    if kind.side == "texts":  # Poisson on one side of even draws is Poisson on the other
        kind = DegreeDistribution("skills", kind.mean * n_texts / size)
    offsets = _drawn(kind, size, rng)
    return SkillTextGraph(
        size, n_texts, offsets, rng.integers(0, n_texts, offsets[-1], dtype=np.int32)
    )


def graph_from_edges(
    skills: ArrayLike, texts: ArrayLike, n_skills: int | None = None, n_texts: int | None = None
) -> SkillTextGraph:
    """Return the graph of given pairs of skill and text; a pair that comes twice counts once.

    Parameters
    ----------
    skills, texts : array of int, shape (n_edges,)
        Numbers of the skill and of the text, from 0.
    n_skills, n_texts : int, optional
        How many there are; one more than the largest number if not given.

    Returns
    -------
    SkillTextGraph

    Raises
    ------
    ValueError
        If a number is no whole number within its range, or nothing says how many there are.

    Examples
    --------
    >>> graph_from_edges([0, 0, 1, 1], [0, 1, 1, 1])
    SkillTextGraph(2 skills, 2 texts, 3 edges)
    """
    ends = [_numbered(values, name) for values, name in ((skills, "skills"), (texts, "texts"))]
    if len(ends[0]) != len(ends[1]):
        raise ValueError(
            f"There must be as many skills as texts, one pair an edge; there are {len(ends[0])} "
            f"and {len(ends[1])}."
        )
    size = _size(ends[0], n_skills, "n_skills")
    n = _size(ends[1], n_texts, "n_texts")
    _require_numbered(size, n)
    pairs = np.unique(ends[0].astype(np.int64) * n + ends[1])
    offsets = np.searchsorted(pairs, np.arange(size + 1, dtype=np.int64) * n)
    return SkillTextGraph(size, n, offsets, (pairs % n).astype(np.int32))


def spread(
    offsets: NDArray[Any], values: NDArray[np.int32], nodes: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.signedinteger[Any]]]:
    """Return the neighbours of some nodes, one node after the other, and how many each has."""
    first = offsets[nodes].astype(np.int64)
    degrees = offsets[nodes + 1] - first
    ends = np.cumsum(degrees)
    places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + degrees, degrees)
    return values[places], degrees


def _drawn(kind: DegreeDistribution, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return where the edges of each of n nodes begin, with degrees drawn anew."""
    if kind.shares is None:
        degrees = rng.poisson(kind.mean, n)
    else:
        degrees = rng.choice(len(kind.shares), size=n, p=kind.shares)
    n_edges = int(degrees.sum())
    narrow = np.int32 if n_edges <= _MOST else np.int64
    offsets = np.zeros(n + 1, dtype=narrow)
    np.cumsum(degrees, out=offsets[1:])
    return offsets


def _turned(
    offsets: NDArray[Any], values: NDArray[Any], shape: tuple[int, int]
) -> tuple[NDArray[np.signedinteger[Any]], NDArray[np.int32]]:
    """Return edges that are listed row by row column by column."""
    ones = np.ones(len(values), dtype=np.int8)
    turned = sparse.csr_array((ones, values, offsets), shape=shape).tocsc()
    return turned.indptr, turned.indices.astype(np.int32, copy=False)


def _numbered(values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.atleast_1d(counts(values, name, least=0)).ravel()
    return array.astype(np.int64)


def _size(ends: NDArray[Any], given: int | None, name: str) -> int:
    largest = int(ends.max(initial=-1))
    if given is None and largest < 0:
        raise ValueError(f"A graph without edges needs {name}: nothing else says how many.")
    size = largest + 1 if given is None else int(counts(given, name))
    if largest >= size:
        raise ValueError(f"{name} is {size}, but an edge has number {largest}; numbers start at 0.")
    return size


def _require_numbered(n_skills: int, n_texts: int) -> None:
    if max(n_skills, n_texts) > _MOST:
        raise ValueError(f"A graph has at most {_MOST} skills and as many texts.")
