"""The guarantee of Arora & Goyal as a law: which competence on skills a loss implies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.theory.skill_tuples import competence

__all__ = ["skill_guarantee_law"]


def guaranteed(loss: Array, E: Array, f: Array, *, alpha: float, k: float, k_prime: float) -> Array:
    r"""Return the success rate that all but a share alpha of the k'-tuples are sure to have.

    .. math:: \theta = \sqrt{2 f (L - E)}, \qquad \theta' = 1 - (1 - \theta)^{k'}, \qquad
              s = 1 - \frac{a \theta'}{\alpha}, \qquad
              k \theta' \mathrm{KL}(a \,\|\, \alpha) = H(\theta')

    Parameters
    ----------
    loss : array
        Cross-entropy L, nats per token.
    E : array
        Entropy of text, nats per token.
    f : array
        How many times the excess loss per token counts at the places that are asked about.
    alpha, k, k_prime : float
        Share of tuples left out, skills per text, skills per tuple.

    Returns
    -------
    array
        Between 0 and 1; 0 where nothing is guaranteed.

    References
    ----------
    Arora & Goyal 2023, theorem 3 (Pinsker) and the theorem on performance curves.
    """
    theta, failing, a, told = _solved(loss, E, f, alpha, k, k_prime)
    # One step of Newton's method from the real root, for derivatives by complex step.
    a = a - _condition(a, failing, alpha, k) / _steepness(a, failing, alpha, k)
    sure = np.where(theta == 0, 1.0, 0.0)
    return np.where(told, 1 - a * failing / alpha, sure)


def guaranteed_gradient(
    loss: Array, E: Array, f: Array, *, alpha: float, k: float, k_prime: float
) -> tuple[Array, ...]:
    """Return the derivatives of `guaranteed` by E and f; 0 where it is all or nothing."""
    theta, failing, a, told = _solved(loss, E, f, alpha, k, k_prime)
    odds = np.log((1 - failing) / failing)
    by_failing = (odds - k * _divergence(a, alpha)) / _steepness(a, failing, alpha, k)
    by_theta = -(a + failing * by_failing) / alpha * k_prime * (1 - theta) ** (k_prime - 1)
    by_theta = np.where(told, by_theta, 0.0)
    some = np.where(theta > 0, theta, 1.0)
    return -by_theta * f / some, by_theta * np.maximum(loss - E, 0.0) / some


def guaranteed_loss(
    along: str,
    response: Array,
    loss: Array,
    E: Array,
    f: Array,
    *,
    alpha: float,
    k: float,
    k_prime: float,
) -> Array:
    """Return the loss at which `guaranteed` gives the response; NaN where none does."""
    require_variable(along, ("loss",), "skill_guarantee")
    response, E, f = np.broadcast_arrays(response, E, f)
    low, high = np.zeros(response.shape), np.full(response.shape, 1 / 2)  # f times the excess
    for _ in range(60):
        middle = (low + high) / 2
        more = competence(np.minimum(np.sqrt(2 * middle), 1.0), alpha, k, k_prime) > response
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    with np.errstate(all="ignore"):
        return np.where((response > 0) & (response <= 1), E + (low + high) / 2 / f, np.nan)


def guaranteed_guess(response: Array, loss: Array) -> tuple[float, float]:
    """Return a floor below the data and a factor that brings the middle of them to one tenth."""
    lowest, span = float(loss.min()), float(np.ptp(loss))
    floor = max(lowest - 0.1 * span, 0.5 * lowest)
    middle = float(np.median(loss)) - floor
    return floor, 0.005 / max(middle, 1e-9)


def skill_guarantee_law(
    alpha: float = 0.2, k: int = 8, k_prime: int = 1, response: str = "score"
) -> Law:
    """Return the law of guaranteed competence on skills, by loss.

    Parameters
    ----------
    alpha : float
        Share of the tuples that may be worse, strictly between 0 and 1.
    k, k_prime : int
        Skills per text and per tuple, 1 or more.
    response : str
        Column.

    Returns
    -------
    Law
        With parameters E and f. Scores above it say that models do better than the worst case.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> skill_guarantee_law(k_prime=2).name
    'skill_guarantee_k8_tuples2'
    """
    competence(0.1, alpha, k, k_prime)  # holds the numbers to their ranges
    options = (("alpha", alpha), ("k", k), ("k_prime", k_prime))
    arguments = ("loss", "E", "f")
    return Law(
        name=f"skill_guarantee_k{k}_tuples{k_prime}",
        variables=("loss",),
        response=response,
        parameters=(
            Parameter("E", start=1.5, lower=0.0, unit="nats/token"),
            Parameter("f", start=0.01, lower=1e-9, upper=10.0, scale="log"),
        ),
        function=Formula(guaranteed, arguments, options),
        gradient=Formula(guaranteed_gradient, arguments, options),
        inverse=Formula(guaranteed_loss, ("along", "response", *arguments), options),
        reference="Arora & Goyal 2023, theorem 3 and theorem on performance curves",
        formula=(
            f"{response} = 1 - beta({alpha:g}, t, {k}) t, "
            f"t = 1 - (1 - sqrt(2 f (loss - E)))^{k_prime}"
        ),
        guess=Formula(guaranteed_guess, ("response", "loss")),
    )


def _solved(
    loss: Array, E: Array, f: Array, alpha: float, k: float, k_prime: float
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return theta, theta', the real root a, and where there is a guarantee above 0."""
    excess = f * (loss - E)
    some = np.real(excess) > 0
    theta = np.where(some, np.sqrt(2 * np.where(some, excess, 1.0)), 0.0)
    below = np.real(theta) < 1
    inside = np.where(some & below, theta, 0.5)
    failing = -np.expm1(k_prime * np.log1p(-inside))
    sure = competence(np.real(inside), alpha, k, k_prime)
    told = some & below & (sure > 0) & (sure < 1)
    a = np.where(told, alpha * (1 - sure) / np.real(failing), (1 + alpha) / 2)
    return theta, np.where(told, failing, 0.5), a, told


def _divergence(a: Array, alpha: float) -> Array:
    return np.asarray(a * np.log(a / alpha) + (1 - a) * np.log((1 - a) / (1 - alpha)))


def _condition(a: Array, failing: Array, alpha: float, k: float) -> Array:
    entropy = -failing * np.log(failing) - (1 - failing) * np.log(1 - failing)
    return np.asarray(k * failing * _divergence(a, alpha) - entropy)


def _steepness(a: Array, failing: Array, alpha: float, k: float) -> Array:
    return np.asarray(k * failing * np.log(a * (1 - alpha) / ((1 - a) * alpha)))
