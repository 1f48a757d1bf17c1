"""The law of facts that join up: entities and their properties, in one cluster past a threshold.

Both shares of the cluster solve an equation that has them on both sides; one step of Newton's
method carries the root over to derivatives.

References
----------
Lubana, Kawaguchi, Dick & Tanaka 2024, "A Percolation Model of Emergence", arXiv 2408.12578 (read in
abstract; the equations are derived).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.laws.axis import Kind, ahead, axis_of, direction, power_of_ten, variable_at
from emergekit.laws.formula import bisected, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.searching import rise_starts, rising_law
from emergekit.theory.ranges import positive, single

__all__ = ["bipartite_law"]

_STEPS = 40
_LEAST_EXCESS = 1e-7
_MOST_DEGREE = 1e6


def bipartite(
    x: Array,
    x0: Array,
    b: Array,
    *,
    properties_per_entity: float = 1.0,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    r"""Return how often an entity and a property are both in the giant cluster of known facts.

    .. math:: e = 1 - e^{-d \sqrt{r} f}, \qquad f = 1 - e^{-d e / \sqrt{r}}, \qquad
              d = 10^{b u}, \qquad s = e f

    Parameters
    ----------
    x : array
        Variable; u is its distance past x0.
    x0 : array
        Where the share of known facts is `theory.bipartite_threshold`, and the cluster appears.
    b : array
        Power by which that share grows with the variable.
    properties_per_entity : float
        Properties over entities r.
    axis, chance
        As in `composition_law`.

    Returns
    -------
    array
        Chance up to x0, then a continuous rise.

    References
    ----------
    Lubana et al. 2024 (read in abstract); the equations, and that a fact can be inferred where both
    its ends are in the cluster, are derived.
    """
    entities, properties, _, above = _clusters(x, x0, b, properties_per_entity, axis)
    return chance + (1 - chance) * np.where(above, entities * properties, 0.0)


def bipartite_gradient(
    x: Array,
    x0: Array,
    b: Array,
    *,
    properties_per_entity: float = 1.0,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> tuple[Array, ...]:
    """Return the derivatives of `bipartite` by x0 and b, 0 up to the threshold."""
    entities, properties, degree, above = _clusters(x, x0, b, properties_per_entity, axis)
    root = np.sqrt(properties_per_entity)
    out, back = degree * root, degree / root
    alone, bare = np.exp(-out * properties), np.exp(-back * entities)
    # By the logarithm of the degree.
    more = alone * out * (properties + bare * back * entities) / (1 - out * back * alone * bare)
    by_log = more * properties + entities * bare * back * (entities + more)
    steep = (1 - chance) * np.log(10) * np.where(above, by_log, 0.0)
    return -direction(axis) * b * steep, ahead(x, x0, axis) * steep


def bipartite_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    b: Array,
    *,
    variable: str,
    properties_per_entity: float = 1.0,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `bipartite` gives the response."""
    require_variable(along, (variable,), "bipartite_component")
    share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)

    def missing(log_degree: Array) -> Array:
        entities, properties = bipartite_shares(np.exp(log_degree), properties_per_entity)
        return entities * properties - share

    found = bisected(missing, np.zeros_like(share), np.full_like(share, np.log(_MOST_DEGREE)))
    with np.errstate(all="ignore"):
        decades = np.where(share < 1, found / np.log(10), np.inf)
        return variable_at(decades / b, x0, axis)


def bipartite_guess(
    response: Array,
    x: Array,
    *,
    properties_per_entity: float = 1.0,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> tuple[Array, ...]:
    """Return the best of a grid of thresholds and powers."""
    powers = np.array([0.25, 0.5, 1, 2, 4, 8])
    options = (
        ("properties_per_entity", properties_per_entity),
        ("axis", axis),
        ("chance", chance),
    )
    return rise_starts(bipartite, response, x, (0.3, 0.0, 60), (powers,), options)


def bipartite_shares(degree: Array, properties_per_entity: float) -> tuple[Array, Array]:
    """Return the shares of entities and of properties in the giant cluster, real numbers.

    `degree` is the share of facts known over its threshold. By Newton's method from 1, which never
    steps across the root, as what a share falls short of its own neighbours' is convex.
    """
    root = np.sqrt(properties_per_entity)
    above = degree > 1 + _LEAST_EXCESS
    known = np.where(above, degree, 2.0)
    entities = np.ones_like(known)
    for _ in range(_STEPS):
        entities = np.maximum(_nearer(entities, known, root), 0.0)
    properties = -np.expm1(-known / root * entities)
    return np.where(above, entities, 0.0), np.where(above, properties, 0.0)


def _nearer(entities: Array, degree: Array, root: float) -> Array:
    """Return the share of entities after one step of Newton's method."""
    out, back = degree * root, degree / root
    bare = np.exp(-back * entities)
    alone = np.exp(-out * (1 - bare))
    return np.asarray(entities - (entities - 1 + alone) / (1 - out * back * alone * bare))


def _clusters(
    x: Array, x0: Array, b: Array, properties_per_entity: float, axis: Kind
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return both shares and the degree, any number where there is no cluster, and where it is."""
    root = np.sqrt(properties_per_entity)
    degree = power_of_ten(b * ahead(x, x0, axis))
    share = bipartite_shares(np.real(degree), properties_per_entity)[0]
    above = share > 0
    known = np.where(above, degree, 2.0)
    entities = _nearer(np.where(above, share, 0.5), known, root)
    return entities, np.asarray(1 - np.exp(-known / root * entities)), known, above


def bipartite_law(
    variable: str = "n_tokens",
    response: str = "score",
    properties_per_entity: float = 1.0,
    axis: Kind | None = None,
    chance: float = 0.0,
) -> Law:
    """Return the law of facts that join up: entities and their properties.

    Parameters
    ----------
    variable, response : str
        Columns.
    properties_per_entity : float
        Properties over entities, positive; known of the data, as a curve does not tell it.
    axis, chance
        As in `composition_law`.

    Returns
    -------
    Law
        With parameters x0 (the corner) and b (power by which the share of known facts grows).

    Raises
    ------
    ValueError
        If chance is out of range, or the ratio is not positive.

    Examples
    --------
    >>> bipartite_law().formula
    'score = e f, e = 1 - exp(-d f), f = 1 - exp(-d e), d = 10^(b (log10(n_tokens) - x0))'
    """
    ratio = single(
        positive(properties_per_entity, "properties_per_entity"), "properties_per_entity"
    )
    where, root = axis_of(variable, axis), f"{np.sqrt(ratio):.6g}"
    out, back = ("d f", "d e") if ratio == 1 else (f"{root} d f", f"d e / {root}")
    rise = f"e f, e = 1 - exp(-{out}), f = 1 - exp(-{back}), d = 10^(b ({where.past('x0')}))"
    return rising_law(
        "bipartite_component",
        where,
        response,
        chance,
        (
            where.place("x0"),
            Parameter("b", start=0.5, lower=1e-2, upper=1e2, scale="log", unit=where.slope_unit),
        ),
        (bipartite, bipartite_gradient, bipartite_place, bipartite_guess),
        rise,
        "Lubana et al. 2024; derived",
        (("properties_per_entity", ratio),),
    )
