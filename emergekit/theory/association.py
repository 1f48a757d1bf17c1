r"""Do skills hang together: the giant component of the skill association graph.

Skills are joined where they share a text. The giant component of *learned* skills is what a learner
can walk through. If skills were occupied by chance it would follow the formula of site percolation;
learned skills are not: they are learned from texts they share, and so hang together far more.

References
----------
Liao, Chang & Hong 2024, arXiv 2404.07009, skill association graph and its site percolation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from emergekit.errors import unknown
from emergekit.theory.density_evolution import learned_fraction, learning_curve
from emergekit.theory.peeling import understood_texts
from emergekit.theory.ranges import Array, positive, shares, single
from emergekit.theory.roots import bisect
from emergekit.theory.skill_graphs import SkillTextGraph

__all__ = ["Joined", "association_threshold", "giant_component", "giant_fraction", "giant_learned"]

Joined: TypeAlias = Literal["all", "understood"]

_MOST_TEXTS = 1e290  # per skill; beyond, products of it overflow
_LEAST = 1e-300  # a mean of 0, where ratios of it keep their limits


def giant_fraction(
    ratio: ArrayLike, mean_skills: float, occupied: ArrayLike, texts: Joined = "all"
) -> Array:
    r"""Return the giant component if skills are occupied independently of the graph.

    Site percolation on Poisson texts, derived: with z and y the chances that a text of a skill, and
    a skill of a text, lead nowhere far,

    .. math:: z = e^{-c R (1 - y)}, \qquad y = e^{-c \phi (1 - z)}, \qquad
              \text{giant} = \phi (1 - z),

    above 0 if :math:`c^2 R \phi > 1`. Where only texts join whose skills are all occupied,
    :math:`1 - y` has the factor :math:`e^{-c (1 - \phi)}`.

    Parameters
    ----------
    ratio : array
        Texts per skill R.
    mean_skills : float
        Mean number of skills per text c, Poisson.
    occupied : array
        Share of skills that is occupied, phi.
    texts : {"all", "understood"}
        Which texts join skills.

    Returns
    -------
    array
        Skills in the giant component, as a share of all skills.

    Raises
    ------
    ValueError
        If an entry is out of range.

    Examples
    --------
    >>> giant_fraction(0.8, 2.0, 0.35788).round(4)
    np.float64(0.0545)
    """
    c, r, phi = (
        positive(mean_skills, "mean_skills"),
        positive(ratio, "ratio"),
        shares(occupied, "occupied"),
    )
    all_known = np.exp(-c * (1 - phi)) if _joined(texts) == "understood" else 1.0

    def too_large(reach: Array) -> Array:
        """Return a chance 1 - z of going far, less what it would be one step on."""
        found: Array = reach + np.expm1(c * r * all_known * np.expm1(-c * phi * reach))
        return found

    grows = c**2 * r * phi * all_known > 1
    whole = np.ones(np.shape(grows))
    return np.where(grows, phi * bisect(too_large, 1e-16 * whole, whole), 0.0)[()]


def giant_learned(ratio: ArrayLike, mean_skills: float, texts: Joined = "all") -> Array:
    r"""Return the giant component of the skills that a 1-skill learner has learned.

    Derived. A skill is *known to* a text if another of its texts teaches it, with chance 1 - q; a
    text teaches a skill if all its others are known to it, :math:`p = e^{-c q}`. A text with at
    most one skill unknown to it is understood; in others the unknown ones stay so. Let a walk come
    by a text to a skill that is known to it and (t) taught or (n) not taught by it, or unknown and
    taught (u). The walk goes on by the skill's other texts: those that teach it, Poisson of mean
    :math:`\lambda = c R p`, and those that do not, :math:`c R (1 - p)`. With F the chances that it
    ends, and :math:`E = e^{-c (1 - q)(1 - F_n)}`, :math:`\mu = c q`,

    .. math:: F_t &= \frac{e^{\lambda A} - 1}{e^\lambda - 1} F_u, \qquad
              A = e^{-c (1 - q)(1 - F_t)}, \\
              F_n &= \frac{e^{\lambda A} - 1 - \lambda A + \lambda E}{e^\lambda - 1} F_u, \\
              F_u &= e^{-c R (1 - p)(1 - B)}, \qquad
              B = E \, \frac{\mu F_u + e^\mu - 1 - \mu}{e^\mu - 1}:

    the only text that teaches a skill finds it unknown (E), and in a text that does not teach, one
    unknown skill is taught and several are not. If only understood texts join, several unknown
    skills end the walk, and E multiplies the first term only. The giant component has
    :math:`(1 - q)(1 - F_n)` of all skills.

    Parameters
    ----------
    ratio : array
        Texts per skill R.
    mean_skills : float
        Mean number of skills per text c, Poisson.
    texts : {"all", "understood"}
        Which texts join skills.

    Returns
    -------
    array
        Learned skills in the giant component, as a share of all skills.

    Raises
    ------
    ValueError
        If an entry is out of range.

    Examples
    --------
    >>> giant_learned([0.8, 1.0], 2.0).round(4)
    array([0.2512, 0.5107])
    >>> giant_learned([0.8, 1.0], 2.0, "understood").round(4)
    array([0.1784, 0.4808])
    """
    c = single(positive(mean_skills, "mean_skills"), "mean_skills")
    q = np.atleast_1d(learning_curve(ratio, c).unlearned_edge)
    step = partial(
        _walk_ends,
        r=np.broadcast_to(positive(ratio, "ratio"), q.shape).ravel(),
        c=c,
        q=q.ravel(),
        understood=_joined(texts) == "understood",
    )
    ends = _least_fixed_point(step, np.zeros((3, q.size)))[1].reshape(q.shape)
    giant: Array = (1 - q) * np.maximum(1 - ends, 0.0)
    return giant.reshape(np.shape(ratio))[()]


def association_threshold(
    mean_skills: float, occupation: Literal["iid", "learned"] = "iid", texts: Joined = "all"
) -> float:
    r"""Return the texts per skill from which learned skills hang together.

    For "iid" where :math:`c^2 R \, \phi(R) = 1` (times the factor of `giant_fraction` if only
    understood texts join), phi being the learned fraction of a 1-skill learner; for "learned" where
    the walk of `giant_learned` begins to grow: the largest eigenvalue of its mean offspring is 1.

    Parameters
    ----------
    mean_skills : float
        Mean number of skills per text c, Poisson.
    occupation : {"iid", "learned"}
        Whether as many skills are occupied by chance, or the learned ones.
    texts : {"all", "understood"}
        Which texts join skills.

    Returns
    -------
    float
        Texts per skill; inf where the number is beyond floating point, from some 600 skills a text.

    Raises
    ------
    ValueError
        If c is not positive or an option is unknown.

    References
    ----------
    Derived from `giant_fraction` and `giant_learned`.

    Examples
    --------
    >>> round(association_threshold(2.0), 6)
    0.762116
    """
    c = single(positive(mean_skills, "mean_skills"), "mean_skills")
    understood = _joined(texts) == "understood"

    def growth(r: Array) -> Array:
        phi = learned_fraction(r, c)
        if occupation == "iid":
            return c**2 * r * phi * (np.exp(-c * (1 - phi)) if understood else 1.0) - 1
        q = np.atleast_1d(1 - phi)
        step = partial(_walk_ends, r=np.atleast_1d(r), c=c, q=q, understood=understood)
        slopes = np.moveaxis(_slopes(step, np.ones((3, 1))), -1, 0)
        return np.array(np.abs(np.linalg.eigvals(slopes)).max() - 1)

    if occupation not in ("iid", "learned"):
        raise ValueError(unknown("occupation", occupation, ("iid", "learned")))
    lower, upper = 1e-6 / c, 1e3 * (1 + 1 / c**2)
    while upper < _MOST_TEXTS and growth(np.array(upper)) < 0:  # long texts: exponentially many
        lower, upper = upper, 1e3 * upper
    return float(bisect(growth, lower, upper)) if upper < _MOST_TEXTS else np.inf


def giant_component(
    graph: SkillTextGraph, occupied: ArrayLike | None = None, texts: Joined = "all"
) -> float:
    """Return the largest component of the occupied skills of one graph.

    Parameters
    ----------
    graph : SkillTextGraph
        From `random_graph` or `graph_from_edges`.
    occupied : array of bool, shape (n_skills,), optional
        Learned skills, say, from `peel`; all by default.
    texts : {"all", "understood"}
        Whether any text joins its occupied skills, or only one whose skills are all occupied.

    Returns
    -------
    float
        Its skills, as a share of all skills; 0 if none is occupied.

    Raises
    ------
    ValueError
        If `occupied` does not fit the graph, or `texts` is unknown.

    References
    ----------
    Liao, Chang & Hong 2024, skill association graph.

    Examples
    --------
    >>> from emergekit.theory import graph_from_edges
    >>> pairs = graph_from_edges([0, 1, 2, 3], [0, 0, 1, 1])
    >>> giant_component(pairs), giant_component(pairs, [True, False, True, False])
    (0.5, 0.25)
    """
    flags = np.ones(graph.n_skills, dtype=bool) if occupied is None else np.array(occupied)
    understood = understood_texts(graph, flags)
    kept = np.repeat(flags, np.diff(graph.offsets))
    if _joined(texts) == "understood":
        kept &= understood[graph.texts]
    if not flags.any():
        return 0.0
    labels = _components(graph, kept)
    return float(np.bincount(labels[: graph.n_skills][flags]).max() / graph.n_skills)


def _components(graph: SkillTextGraph, kept: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the component of each skill, then of each text, joined by the edges that are kept."""
    n = graph.n_skills + graph.n_texts
    ends = np.zeros(n + 1, dtype=np.int64)
    ends[1 : graph.n_skills + 1] = np.concatenate([[0], np.cumsum(kept)])[graph.offsets[1:]]
    ends[graph.n_skills + 1 :] = ends[graph.n_skills]
    texts = graph.texts[kept] + np.int32(graph.n_skills)
    edges = sparse.csr_array((np.ones(len(texts), dtype=np.int8), texts, ends), shape=(n, n))
    labels: NDArray[np.int32] = csgraph.connected_components(edges, directed=False)[1]
    return labels


def _joined(texts: Joined) -> Joined:
    if texts not in get_args(Joined):
        raise ValueError(unknown("choice of texts", texts, get_args(Joined)))
    return texts


def _walk_ends(ends: Any, *, r: Array, c: float, q: Array, understood: bool) -> Any:
    """Return the chances F_t, F_n, F_u one step on; analytic, so that complex steps see through."""
    taught, untaught, new = ends
    p, mu = np.exp(-c * q), np.maximum(c * q, _LEAST)
    many = np.maximum(c * r * p, _LEAST)  # texts that teach
    far = np.exp(-c * (1 - q) * (1 - untaught))
    near = np.exp(-c * (1 - q) * (1 - taught))
    one = mu * np.exp(-mu) / -np.expm1(-mu)
    other = far * one * new + (1 - one) * (1.0 if understood else far)
    back = np.exp(-c * r * (1 - p) * (1 - other))
    some = -np.expm1(-many)
    known = (np.exp(many * (near - 1)) - np.exp(-many)) / some
    alone = many * np.exp(-many) / some * (far - near)
    return np.array([known * back, (known + alone) * back, back])


def _slopes(step: Callable[[Any], Any], at: Array) -> Array:
    """Return the derivatives of the three chances by the three, shape (3, 3, n)."""
    h = 1e-30
    nudged = [at + 1j * h * np.eye(3)[:, [i]] for i in range(3)]
    return np.stack([np.imag(step(point)) / h for point in nudged], axis=1)


def _least_fixed_point(step: Callable[[Any], Any], at: Array) -> Array:
    """Return the least fixed point by Newton's method from 0, which never steps across it.

    Chances of extinction are power series with positive coefficients: convex, and monotone.
    """
    for _ in range(200):
        gap = np.real(step(at)) - at
        slopes = np.moveaxis(np.eye(3)[:, :, None] - _slopes(step, at), -1, 0)
        change = np.linalg.solve(slopes, gap.T[:, :, None])[:, :, 0].T
        at = np.minimum(at + change, 1.0)
        if (np.abs(change) < 1e-14).all():
            break
    return at
