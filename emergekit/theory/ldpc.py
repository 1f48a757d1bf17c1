r"""Codes on sparse random graphs: up to which erasure rate decoding succeeds, and how sharply.

Variable nodes are erased with probability :math:`\epsilon` and recovered by checks that have one
erased neighbour left. A graph is known by its degrees: L and :math:`\lambda` count the edges of a
variable node seen from the node and from an edge, :math:`\rho` those of a check. The tools serve
`compute_optimal`, where concepts are variables and texts are checks.

References
----------
Richardson & Urbanke 2008, "Modern Coding Theory", chapter 3; Amraoui, Montanari, Richardson &
Urbanke 2009, "Finite-length scaling for iteratively decoded LDPC ensembles"; Nayak & Varshney 2024,
arXiv 2410.01243, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from emergekit.errors import unknown
from emergekit.theory.ranges import Array, within

__all__ = [
    "BinomialDegrees",
    "BpThreshold",
    "NodeDegrees",
    "RegularDegrees",
    "bit_error",
    "block_error",
    "bp_threshold",
    "finite_length_alpha",
]

Convention: TypeAlias = Literal["standard", "published"]

_CONVENTIONS = ("standard", "published")
_GRID = 97
_HALVINGS = 48


class NodeDegrees(Protocol):
    """What the functions here ask of a degree distribution; arrays in, arrays out."""

    def node(self, x: Array) -> Array:
        """Return the generating function of a node's degree."""

    def edge(self, x: Array) -> Array:
        """Return the generating function of the degree, less one, of the node at an edge's end."""

    def edge_slope(self, x: Array) -> Array:
        """Return the derivative of `edge`."""

    @property
    def mean(self) -> Array:
        """Return the mean degree of a node."""


@dataclass(frozen=True)
class RegularDegrees:
    """Every node has the same degree.

    Parameters
    ----------
    degree : float or array
        Edges a node, 1 or more.
    """

    degree: ArrayLike

    def __post_init__(self) -> None:
        within(self.degree, "degree", lambda d: d >= 1, "1 or more")

    def node(self, x: Array) -> Array:
        """Return x^d."""
        return np.asarray(x, dtype=float) ** self.mean

    def edge(self, x: Array) -> Array:
        """Return x^(d - 1)."""
        return np.asarray(x, dtype=float) ** (self.mean - 1)

    def edge_slope(self, x: Array) -> Array:
        """Return (d - 1) x^(d - 2)."""
        d = self.mean
        return np.asarray((d - 1) * np.asarray(x, dtype=float) ** np.maximum(d - 2, 0))

    @property
    def mean(self) -> Array:
        """Return the degree."""
        return np.asarray(self.degree, dtype=float)


@dataclass(frozen=True)
class BinomialDegrees:
    r"""Each of n possible edges of a node is there with probability p.

    .. math:: L(x) = \frac{(1 - p + p x)^n - (1 - p)^n}{1 - (1 - p)^n}, \qquad
              \lambda(x) = (1 - p + p x)^{n - 1}

    L is of the nodes that have an edge. The published ensemble keeps the mean of L' at
    n p / (1 - (1 - p)^n), and so does this. Powers are taken as exponentials of
    (n - 1) log1p(-p (1 - x)): for n of 1e10 the plain power has lost half of its digits.

    Parameters
    ----------
    n, p : float or array
        Number of possible edges, above 0, and probability of each, within (0, 1].

    References
    ----------
    Nayak & Varshney 2024, section 3, and their code.
    """

    n: ArrayLike
    p: ArrayLike

    def __post_init__(self) -> None:
        within(self.n, "n", lambda n: n > 0, "positive")
        within(self.p, "p", lambda p: (p > 0) & (p <= 1), "within (0, 1]")

    def node(self, x: Array) -> Array:
        """Return L(x)."""
        bare = self._power(np.asarray(0.0), 0)
        return (self._power(x, 0) - bare) / (1 - bare)

    def edge(self, x: Array) -> Array:
        """Return lambda(x)."""
        return self._power(x, 1)

    def edge_slope(self, x: Array) -> Array:
        """Return the derivative of lambda."""
        n, p = np.asarray(self.n, dtype=float), np.asarray(self.p, dtype=float)
        return np.asarray((n - 1) * p * self._power(x, 2))

    @property
    def mean(self) -> Array:
        """Return the mean degree of the nodes that have an edge."""
        n, p = np.asarray(self.n, dtype=float), np.asarray(self.p, dtype=float)
        return np.asarray(n * p / (1 - self._power(np.asarray(0.0), 0)))

    def _power(self, x: Array, less: int) -> Array:
        n, p = np.asarray(self.n, dtype=float), np.asarray(self.p, dtype=float)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # p = 1 at x = 0
            logarithm = (n - less) * np.log1p(-p * (1 - np.asarray(x, dtype=float)))
        return np.exp(np.where(np.isnan(logarithm), 0.0, logarithm))


class BpThreshold(NamedTuple):
    """Where decoding begins to fail.

    Parameters
    ----------
    erasure : array
        Threshold, within [0, 1]; NaN where the unrecovered share grows without a jump.
    x : array
        Erased share of the messages at which decoding just gets stuck; 0 where it fails little by
        little from the threshold on.
    """

    erasure: Array
    x: Array


def bp_threshold(variables: NodeDegrees, checks: NodeDegrees) -> BpThreshold:
    r"""Return the largest erasure rate that belief propagation decodes.

    .. math:: \epsilon^* = \min_x f(x), \qquad f(x) = \frac{x}{\lambda(1 - \rho(1 - x))}

    Where every variable has two edges or more, f has a limit at x = 0, the stability condition
    :math:`1 / (\lambda'(0) \rho'(1))`, which counts as a minimum. Where some have one edge or none,
    f(0) = 0 and a few variables are never recovered: then the threshold is that of the jump, the
    least *local* minimum, and there is none if f only rises.

    Parameters
    ----------
    variables, checks : NodeDegrees
        Degree distributions; their arrays give one threshold each.

    Returns
    -------
    BpThreshold
        To 1e-12, by bisection of the derivative of f, never by iterating.

    References
    ----------
    Richardson & Urbanke 2008, section 3.12; Nayak & Varshney 2024, who search x in [0.1, 1].

    Examples
    --------
    >>> round(float(bp_threshold(RegularDegrees(3), RegularDegrees(6)).erasure), 6)
    0.42944
    """
    shape = np.broadcast_shapes(variables.mean.shape, checks.mean.shape)
    # Closer near 0, where codes of many edges a check get stuck.
    grid = (np.linspace(0.0, 1.0, _GRID)[1:] ** 3).reshape(-1, *([1] * len(shape)))
    grid = np.broadcast_to(grid, (_GRID - 1, *shape))
    slopes = _slope(grid, variables, checks)
    ends = (slopes[:-1] < 0) & (slopes[1:] >= 0)  # f turns from falling to rising
    values = np.where(ends, _ratio(grid[:-1], variables, checks), np.inf)
    place = values.argmin(axis=0)[None]
    low = np.take_along_axis(grid, place, 0)[0]
    high = np.take_along_axis(grid, place + 1, 0)[0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        falls = _slope(middle, variables, checks) < 0
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    x = (low + high) / 2
    found = np.where(ends.any(axis=0), _ratio(x, variables, checks), np.nan)
    erasure, x = _with_ends(found, x, variables, checks, slopes)
    return BpThreshold(np.minimum(erasure, 1.0), x)


def _with_ends(
    found: Array, x: Array, variables: NodeDegrees, checks: NodeDegrees, slopes: Array
) -> tuple[Array, Array]:
    """Return the threshold with the ends of the range, x = 0 and x = 1, among the minima."""
    zero, one = np.zeros_like(x), np.ones_like(x)
    with np.errstate(divide="ignore", over="ignore"):
        limit = 1 / (variables.edge_slope(zero) * checks.edge_slope(one))
    stuck = variables.edge(zero) > 0  # f(0) = 0 is no threshold of a jump
    candidates = np.stack(
        [
            np.where(np.isnan(found), np.inf, found),
            np.where(stuck, np.inf, limit),
            np.where(slopes[-1] < 0, _ratio(one, variables, checks), np.inf),
        ]
    )
    best = candidates.argmin(axis=0)[None]
    erasure = np.take_along_axis(candidates, best, 0)[0]
    at = np.take_along_axis(np.stack([x, zero, one]), best, 0)[0]
    none = np.isinf(erasure)
    return np.where(none, np.nan, erasure), np.where(none, np.nan, at)


def _ratio(x: Array, variables: NodeDegrees, checks: NodeDegrees) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        return x / variables.edge(1 - checks.edge(1 - x))


def _slope(x: Array, variables: NodeDegrees, checks: NodeDegrees) -> Array:
    """Return the derivative of ln f, times x: below 0 where f falls."""
    y = 1 - checks.edge(1 - x)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return 1 - x * variables.edge_slope(y) * checks.edge_slope(1 - x) / variables.edge(y)


def finite_length_alpha(
    variables: NodeDegrees,
    checks: NodeDegrees,
    threshold: BpThreshold | None = None,
    *,
    convention: Convention = "standard",
) -> Array:
    r"""Return the scaling parameter of the block error of codes of finite length.

    .. math::

        \alpha^2 = \frac{\rho(\bar x)^2 - \rho(\bar x^2) + \rho'(\bar x)(1 - 2 x \rho(\bar x))
                   \mp \bar x^2 \rho'(\bar x^2)}{L'(1) \lambda(y)^2 \rho'(\bar x)^2}
                 + \epsilon^2 \frac{\lambda(y)^2 \mp \lambda(y^2) \mp y^2 \lambda'(y^2)}
                   {L'(1) \lambda(y)^2}

    with :math:`\bar x = 1 - x` and :math:`y = 1 - \rho(\bar x)` at the threshold.

    Parameters
    ----------
    variables, checks : NodeDegrees
        Degree distributions.
    threshold : BpThreshold, optional
        What `bp_threshold` gave, if it is at hand.
    convention : {"standard", "published"}
        The three signs: minus in the source, plus in the code behind the figures of Nayak &
        Varshney, which gives .9403 for .5905 in the limit of their ensemble.

    Returns
    -------
    array
        Standard deviation, times the root of the length; NaN without a threshold of a jump.

    Raises
    ------
    ValueError
        If the convention is unknown.

    References
    ----------
    Amraoui et al. 2009, theorem 1; Nayak & Varshney 2024, appendix, and their code.

    Examples
    --------
    >>> round(float(finite_length_alpha(RegularDegrees(3), RegularDegrees(6))), 4)
    0.5604
    """
    if convention not in _CONVENTIONS:
        raise ValueError(unknown("convention", convention, _CONVENTIONS))
    sign = -1.0 if convention == "standard" else 1.0
    eps, x = bp_threshold(variables, checks) if threshold is None else threshold
    bar = 1 - x
    rho, slope = checks.edge(bar), checks.edge_slope(bar)
    y = 1 - rho
    through = variables.edge(y)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # no jump, no scaling
        of_checks = rho**2 - checks.edge(bar**2) + slope * (1 - 2 * x * rho)
        of_checks = of_checks + sign * bar**2 * checks.edge_slope(bar**2)
        of_variables = through**2 + sign * variables.edge(y**2)
        of_variables = of_variables + sign * y**2 * variables.edge_slope(y**2)
        squared = (of_checks / slope**2 + eps**2 * of_variables) / (variables.mean * through**2)
        return np.where(x > 0, np.sqrt(squared), np.nan)


def block_error(
    erasure: ArrayLike, length: ArrayLike, threshold: ArrayLike, alpha: ArrayLike
) -> Array:
    r"""Return the chance that decoding gets stuck with a macroscopic share unrecovered.

    .. math:: P_B = Q\left(\frac{\sqrt n (\epsilon^* - \epsilon)}{\alpha}\right)

    Parameters
    ----------
    erasure : array
        Erasure rate, within [0, 1].
    length : array
        Number of variables n, positive.
    threshold : array
        Threshold of the ensemble, within [0, 1]; NaN without one.
    alpha : array
        What `finite_length_alpha` gives, 0 or more or NaN.

    Returns
    -------
    array
        Within [0, 1]; one half at the threshold. The shift of order n^(-2/3) is left out, as
        Nayak & Varshney do.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Amraoui et al. 2009, eq. 3; Nayak & Varshney 2024, section 3.
    """
    eps = within(erasure, "erasure", lambda e: (e >= 0) & (e <= 1), "within [0, 1]")
    n = within(length, "length", lambda n: n > 0, "positive")
    # NaN stands for ensembles without a threshold.
    limit = within(threshold, "threshold", lambda t: ~((t < 0) | (t > 1)), "within [0, 1]")
    scale = within(alpha, "alpha", lambda a: ~(a < 0), "0 or more")
    return np.asarray(norm.sf(np.sqrt(n) * (limit - eps) / scale))


def bit_error(
    block: ArrayLike, variables: NodeDegrees, checks: NodeDegrees, threshold: BpThreshold
) -> Array:
    r"""Return the share of all variables that stay erased, for a chance of getting stuck.

    .. math:: P_b = \gamma P_B, \qquad \gamma = \epsilon^* L(1 - \rho(1 - x^*))

    Parameters
    ----------
    block : array
        Chance that decoding gets stuck.
    variables, checks : NodeDegrees
        Degree distributions.
    threshold : BpThreshold
        Of these degrees.

    Returns
    -------
    array
        Within [0, 1]. What stays erased is taken as at the threshold, so far above it the formula
        promises too little.

    References
    ----------
    Amraoui et al. 2009; Nayak & Varshney 2024, section 3.
    """
    eps, x = threshold
    return np.asarray(block) * eps * variables.node(1 - checks.edge(1 - x))
