"""How many skills a text has, or how many texts a skill: one side is chosen, the other is Poisson.

References
----------
Liao, Chang & Hong 2024, "Modeling Language Learning as Iterative Decoding", arXiv 2404.07009, for
Poisson texts. Liva 2011, "Graph-based analysis and optimization of contention resolution diversity
slotted ALOHA", for skills of regular and irregular degree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from emergekit.theory.ranges import Array, counts, positive, shares, single

__all__ = [
    "DegreeDistribution",
    "Degrees",
    "as_degrees",
    "fixed_texts",
    "irregular_skills",
    "irregular_texts",
    "poisson_texts",
    "regular_skills",
]


@dataclass(frozen=True)
class DegreeDistribution:
    """The degrees of one side of a random skill-text graph; degrees of the other are Poisson.

    Parameters
    ----------
    side : {"texts", "skills"}
        Whose degrees: skills per text, or texts per skill.
    mean : float
        Their mean.
    shares : tuple of float, optional
        Share of the nodes with degree 0, 1, 2, ...; without them the degrees are Poisson.
    """

    side: Literal["texts", "skills"]
    mean: float
    shares: tuple[float, ...] | None = None

    def mean_skills(self, ratio: ArrayLike) -> Array:
        """Return the mean number of skills per text, at so many texts per skill."""
        given = positive(ratio, "ratio")
        return np.full_like(given, self.mean) if self.side == "texts" else self.mean / given

    def mean_texts(self, ratio: ArrayLike) -> Array:
        """Return the mean number of texts per skill, at so many texts per skill in all."""
        return positive(ratio, "ratio") * self.mean_skills(ratio)

    @property
    def edge_shares(self) -> tuple[float, ...]:
        """Share of the edges whose node has 0, 1, 2, ... *other* edges; empty if Poisson."""
        if self.shares is None:
            return ()
        return tuple(i * share / self.mean for i, share in enumerate(self.shares))[1:]

    @property
    def most_others(self) -> float:
        """Most other edges of a node, or their mean if Poisson: they bound slopes of chances."""
        return self.mean if self.shares is None else float(max(len(self.shares) - 2, 1))


Degrees: TypeAlias = DegreeDistribution | float


def poisson_texts(mean_skills: float) -> DegreeDistribution:
    """Return texts with a Poisson number of skills, as in the paper; a bare number means the same.

    Raises
    ------
    ValueError
        If the mean is not positive.

    References
    ----------
    Liao, Chang & Hong 2024, abstract learners.
    """
    mean = single(positive(mean_skills, "mean_skills"), "mean_skills")
    return DegreeDistribution("texts", mean)


def fixed_texts(n_skills: int) -> DegreeDistribution:
    """Return texts of exactly so many skills, as Arora & Goyal take them.

    Raises
    ------
    ValueError
        If the number is no whole number of 1 or more.

    References
    ----------
    Arora & Goyal 2023, definition of skill graphs.
    """
    return irregular_texts({n_skills: 1.0})


def irregular_texts(share_by_degree: Mapping[int, float]) -> DegreeDistribution:
    """Return texts of which a given share has so many skills.

    Raises
    ------
    ValueError
        If a degree is no whole number, a share lies outside [0, 1], or they do not sum to 1.

    References
    ----------
    Derived: the mixture of texts of fixed size.
    """
    return _irregular("texts", share_by_degree)


def regular_skills(n_texts: int) -> DegreeDistribution:
    """Return skills that each stand in exactly so many texts.

    Raises
    ------
    ValueError
        If the number is no whole number of 1 or more.

    References
    ----------
    Liva 2011, slotted ALOHA with copies (from memory), of which skills are the packets.
    """
    return irregular_skills({n_texts: 1.0})


def irregular_skills(share_by_degree: Mapping[int, float]) -> DegreeDistribution:
    """Return skills of which a given share stands in so many texts.

    Raises
    ------
    ValueError
        If a degree is no whole number, a share lies outside [0, 1], or they do not sum to 1.

    References
    ----------
    Liva 2011 (from memory), the mixture of numbers of copies.

    Examples
    --------
    >>> irregular_skills({2: 0.5, 3: 0.28, 8: 0.22}).mean
    3.6
    """
    return _irregular("skills", share_by_degree)


def as_degrees(degrees: Degrees) -> DegreeDistribution:
    """Return a distribution; a bare number is the mean of Poisson texts."""
    return degrees if isinstance(degrees, DegreeDistribution) else poisson_texts(degrees)


def _irregular(
    side: Literal["texts", "skills"], share_by_degree: Mapping[int, float]
) -> DegreeDistribution:
    degrees = counts(list(share_by_degree), "degree", least=0).astype(int)
    parts = shares(list(share_by_degree.values()), "share")
    if abs(parts.sum() - 1) > 1e-9:
        raise ValueError(f"The shares of all degrees must sum to 1; they sum to {parts.sum():g}.")
    held = np.zeros(max(degrees, default=0) + 1)
    held[degrees] = parts
    mean = float(positive(degrees @ parts, "mean degree"))
    return DegreeDistribution(side, round(mean, 12), tuple(held.tolist()))
