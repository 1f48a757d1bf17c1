r"""Giant clusters of random graphs: when knowledge of single pairs joins up.

Two graphs: of equal nodes (Erdos-Renyi), and of entities and properties whose edges are the facts
a model has learned. In both, the largest cluster holds a share of all nodes past a threshold, and
nothing below it.

References
----------
Erdos & Renyi 1960; Lubana, Kawaguchi, Dick & Tanaka 2024, "A Percolation Model of Emergence",
arXiv 2408.12578 (read in abstract; the formulas of the bipartite graph are derived here).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import lambertw

from emergekit.theory.ranges import Array, counts, positive, shares, single, within

__all__ = [
    "bipartite_giant",
    "bipartite_threshold",
    "random_graph_giant",
    "simulate_bipartite_giant",
    "simulate_random_graph_giant",
]

_HALVINGS = 64


def random_graph_giant(mean_degree: ArrayLike) -> Array:
    r"""Return the share of the nodes of a random graph that its giant component holds.

    .. math:: \gamma = 1 - e^{-a \gamma} = 1 + \frac{W(-a e^{-a})}{a}

    Parameters
    ----------
    mean_degree : array
        Mean degree a, 0 or more.

    Returns
    -------
    array
        0 up to a = 1, then a continuous rise: 2 (a - 1) to first order.

    Raises
    ------
    ValueError
        If a degree is negative.

    References
    ----------
    Erdos & Renyi 1960, theorem 9b; Nayak & Varshney 2024, section 5.

    Examples
    --------
    >>> random_graph_giant([0.5, 1.5, 2.0]).round(6)
    array([0.      , 0.582812, 0.796812])
    """
    a = within(mean_degree, "mean_degree", lambda a: a >= 0, "0 or more")
    above = np.where((a > 1) & np.isfinite(a), a, 2.0)
    share = 1 + lambertw(-above * np.exp(-above)).real / above
    # W has no digits left at its branch point, where the share is 2 (a - 1) to first order.
    share = np.where(above - 1 < 1e-7, 2 * (above - 1), share)
    return np.where(np.isinf(a), 1.0, np.where(a > 1, share, 0.0))


def bipartite_threshold(n_entities: ArrayLike, n_properties: ArrayLike) -> Array:
    r"""Return the share of learned facts at which a giant cluster appears.

    .. math:: p_c = \frac{1}{\sqrt{n_1 n_2}}

    Derived: from an entity one reaches n2 p properties and from each of those n1 p entities, so a
    cluster grows without end once their product exceeds 1.

    Parameters
    ----------
    n_entities, n_properties : array
        Numbers of nodes of either kind, positive.

    Returns
    -------
    array
        Probability of an edge; the transition moves as the root of the product, and curves of all
        sizes fall onto one when drawn over p sqrt(n1 n2).

    Raises
    ------
    ValueError
        If a number is not positive.

    References
    ----------
    Lubana et al. 2024, abstract and section on the scaling of the transition point.

    Examples
    --------
    >>> float(bipartite_threshold(2000, 5000).round(9))
    0.000316228
    """
    n1, n2 = positive(n_entities, "n_entities"), positive(n_properties, "n_properties")
    return 1 / np.sqrt(n1 * n2)


def bipartite_giant(
    n_entities: ArrayLike, n_properties: ArrayLike, p: ArrayLike
) -> tuple[Array, Array]:
    r"""Return the shares of entities and of properties in the giant cluster of a bipartite graph.

    .. math:: a = 1 - e^{-n_2 p\, b}, \qquad b = 1 - e^{-n_1 p\, a}

    Parameters
    ----------
    n_entities, n_properties : array
        Numbers of nodes n1 and n2, positive.
    p : array
        Probability that an edge is there, within [0, 1].

    Returns
    -------
    entities, properties : array
        a and b; both 0 up to `bipartite_threshold`. The number of nodes is taken as large.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Derived; compare Lubana et al. 2024.

    Examples
    --------
    >>> entities, properties = bipartite_giant(2000, 5000, 1.2 * bipartite_threshold(2000, 5000))
    >>> float(entities.round(4)), float(properties.round(4))
    (0.3749, 0.2476)
    """
    n1, n2 = positive(n_entities, "n_entities"), positive(n_properties, "n_properties")
    density = shares(p, "p")
    out, back = n2 * density, n1 * density
    # The excess of the right-hand side over a falls through 0 once, at the root, if it ever rises.
    low, high = np.zeros_like(out * back), np.ones_like(out * back)
    supercritical = out * back > 1
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = -np.expm1(out * np.expm1(-back * middle)) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    entities = np.where(supercritical, (low + high) / 2, 0.0)
    return entities, -np.expm1(-back * entities)


def simulate_random_graph_giant(n_nodes: int, mean_degree: float, seed: int = 0) -> float:
    """Return the share of the nodes in the largest component of one random graph.

    Parameters
    ----------
    n_nodes : int
        Nodes, 1 or more.
    mean_degree : float
        Mean degree, 0 or more.
    seed : int
        Seed; the same graph every time.

    Returns
    -------
    float
        At least 1 / n_nodes.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    The model of Erdos & Renyi 1960.

    Examples
    --------
    >>> round(simulate_random_graph_giant(100_000, 2.0), 2)
    0.8
    """
    size = int(single(counts(n_nodes, "n_nodes"), "n_nodes"))
    finite = within(
        mean_degree, "mean_degree", lambda a: (a >= 0) & np.isfinite(a), "finite and 0 or more"
    )
    rng = np.random.default_rng(seed)
    n_edges = rng.poisson(single(finite, "mean_degree") * size / 2)
    ends = rng.integers(size, size=(2, n_edges))
    return float(np.bincount(_labels(ends, size)).max() / size)


def simulate_bipartite_giant(
    n_entities: int, n_properties: int, p: float, seed: int = 0
) -> tuple[float, float]:
    """Return the shares of either kind of node in the largest cluster of one random graph.

    Parameters
    ----------
    n_entities, n_properties : int
        Nodes of either kind, 1 or more.
    p : float
        Probability of an edge, within [0, 1]. Edges are drawn with their number binomial and their
        ends at random, so that a few may coincide.
    seed : int
        Seed; the same graph every time.

    Returns
    -------
    entities, properties : float

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    The graph of Lubana et al. 2024, evenly at random.
    """
    n1 = int(single(counts(n_entities, "n_entities"), "n_entities"))
    n2 = int(single(counts(n_properties, "n_properties"), "n_properties"))
    rng = np.random.default_rng(seed)
    n_edges = rng.binomial(n1 * n2, single(shares(p, "p"), "p"))
    ends = np.stack([rng.integers(n1, size=n_edges), n1 + rng.integers(n2, size=n_edges)])
    labels = _labels(ends, n1 + n2)
    largest = np.bincount(labels).argmax()
    inside = labels == largest
    return float(inside[:n1].mean()), float(inside[n1:].mean())


def _labels(ends: np.ndarray, n_nodes: int) -> np.ndarray:
    graph = coo_array((np.ones(ends.shape[1], dtype=np.int8), tuple(ends)), shape=(n_nodes,) * 2)
    return np.asarray(connected_components(graph.tocsr(), directed=False)[1])
