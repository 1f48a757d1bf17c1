"""Laws of tasks that need several things right at once: tokens of a target, or concepts.

References
----------
Schaeffer, Miranda & Koyejo 2023, for tokens; Okawa et al. 2023, arXiv 2310.09336, for concepts.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from emergekit.laws.axis import Kind, ahead, axis_of, direction, variable_at
from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line
from emergekit.laws.searching import rise_starts, rising_law

__all__ = ["composition_law", "exact_match_law"]


def exact_match(n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array) -> Array:
    r"""Return the exact match of targets of K tokens by models of N parameters.

    .. math:: s = \exp\left(-K (N / N_c)^{-\alpha}\right)

    Parameters
    ----------
    n_params, n_target_tokens : array
        Parameters N and target length K, counts.
    N_c : array
        Size at which the loss on the target is 1 nat per token.
    alpha : array
        Exponent of the loss.

    Returns
    -------
    array
        Between 0 and 1.

    References
    ----------
    Schaeffer et al. 2023, section 2 (there with the opposite sign of alpha).
    """
    return np.exp(-n_target_tokens * np.exp(-alpha * np.log(n_params / N_c)))


def exact_match_gradient(
    n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `exact_match` by N_c and alpha."""
    log = np.log(n_params / N_c)
    nats = n_target_tokens * np.exp(-alpha * log)
    # One exponential: the score underflows where the nats are many, and their product is 0.
    steep = np.exp(np.minimum(np.log(nats) - nats, 0.0))
    return -steep * alpha / N_c, steep * log


def exact_match_scale(
    along: str, response: Array, n_params: Array, n_target_tokens: Array, N_c: Array, alpha: Array
) -> Array:
    """Return the size, or the target length, at which `exact_match` gives the response."""
    require_variable(along, ("n_params", "n_target_tokens"), "exact_match")
    with np.errstate(all="ignore"):
        nats = -np.log(np.clip(response, 0.0, 1.0))
        if along == "n_target_tokens":
            return np.asarray(nats * np.exp(alpha * np.log(n_params / N_c)))
        return np.asarray(N_c * (nats / n_target_tokens) ** np.divide(-1.0, alpha))


def exact_match_guess(
    response: Array, n_params: Array, n_target_tokens: Array
) -> tuple[float, float]:
    """Return N_c and alpha by a line through the logarithms of the loss that scores imply."""
    inside = (response > 0) & (response < 1) & (n_target_tokens > 0) & (n_params > 0)
    nats = -np.log(response[inside]) / n_target_tokens[inside]
    intercept, slope = line(np.log(n_params[inside]), np.log(nats))
    return float(np.exp(-intercept / slope)), float(-slope)


def composition(
    x: Array, x0: Array, k: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> Array:
    r"""Return the success with n concepts at once, each a logistic curve.

    .. math:: s = c + (1 - c) \left(1 + e^{-k u}\right)^{-n}

    Parameters
    ----------
    x : array
        Variable; u is its distance past x0 (see `Axis`).
    x0, k : array
        Place and slope of one concept.
    n : array
        Number of concepts.
    axis : {"log10", "falling", "falling_log10", "rising"}
        How the variable counts.
    chance : float
        Score of guessing c.

    Returns
    -------
    array
        Between chance and 1.

    References
    ----------
    Okawa et al. 2023 (from memory): compositions succeed with the product of their concepts.
    """
    success = np.exp(-n * np.logaddexp(0.0, -k * ahead(x, x0, axis)))
    return np.asarray(chance + (1 - chance) * success)


def composition_gradient(
    x: Array, x0: Array, k: Array, n: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the derivatives of `composition` by x0, k and n."""
    u = ahead(x, x0, axis)
    failing = np.logaddexp(0.0, -k * u)
    success = (1 - chance) * np.exp(-n * failing)
    steep = n * success * expit(-k * u)
    return -direction(axis) * k * steep, u * steep, -failing * success


def composition_place(
    along: str,
    response: Array,
    x: Array,
    x0: Array,
    k: Array,
    n: Array,
    *,
    variable: str,
    axis: Kind = "log10",
    chance: float = 0.0,
) -> Array:
    """Return the value of the variable at which `composition` gives the response."""
    require_variable(along, (variable,), "composition")
    with np.errstate(all="ignore"):
        share = np.clip((response - chance) / (1 - chance), 0.0, 1.0)
        # -ln(s^(-1/n) - 1), by expm1 for shares near 1
        return variable_at(-np.log(np.expm1(-np.log(share) / n)) / k, x0, axis)


def composition_guess(
    response: Array, x: Array, *, axis: Kind = "log10", chance: float = 0.0
) -> tuple[Array, ...]:
    """Return the best of a grid of places, slopes and numbers of concepts."""
    slopes, counts = np.array([2.0, 5, 10, 20, 40]), np.array([1.0, 2, 4, 8, 20])
    options = (("axis", axis), ("chance", chance))
    return rise_starts(composition, response, x, (0.5, 0.5, 25), (slopes, counts), options)


def exact_match_law(response: str = "score") -> Law:
    """Return the law of the Mirage model: exact match by model size and target length.

    Parameters
    ----------
    response : str
        Column.

    Returns
    -------
    Law
        With parameters N_c and alpha, in the columns n_params and n_target_tokens.

    Examples
    --------
    >>> exact_match_law().formula
    'score = exp(-n_target_tokens (n_params / N_c)^-alpha)'
    """
    return Law(
        name="exact_match",
        variables=("n_params", "n_target_tokens"),
        response=response,
        parameters=(
            Parameter("N_c", start=1e9, lower=1.0, upper=1e15, scale="log", unit="parameters"),
            Parameter("alpha", start=0.4, lower=0.0, upper=3.0),
        ),
        function=exact_match,
        gradient=exact_match_gradient,
        inverse=exact_match_scale,
        reference="Schaeffer, Miranda & Koyejo 2023, section 2, figure 2C",
        formula=f"{response} = exp(-n_target_tokens (n_params / N_c)^-alpha)",
        guess=Formula(exact_match_guess, ("response", "n_params", "n_target_tokens")),
    )


def composition_law(
    variable: str = "flops", response: str = "score", axis: Kind | None = None, chance: float = 0.0
) -> Law:
    """Return the law of multiplicative emergence: n concepts at once.

    Parameters
    ----------
    variable, response : str
        Columns.
    axis : {"log10", "falling", "falling_log10", "rising"}, optional
        How the variable counts (see `Axis`); by its name if None.
    chance : float
        Score of guessing, from 0 to below 1.

    Returns
    -------
    Law
        With parameters x0, k (of one concept) and n. One curve hardly tells n from x0; several
        compositions of one set of concepts do.

    Raises
    ------
    ValueError
        If chance is out of range.

    Examples
    --------
    >>> composition_law("n_params").formula
    'score = (1 + exp(-k (log10(n_params) - x0)))^-n'
    """
    where = axis_of(variable, axis)
    rise = f"(1 + exp(-k ({where.past('x0')})))^-n"
    parameters = (
        where.place("x0"),
        Parameter("k", start=2.0, lower=1e-3, upper=1e3, scale="log", unit=where.slope_unit),
        Parameter("n", start=3.0, lower=0.1, upper=1e3, scale="log", unit="concepts"),
    )
    parts = (composition, composition_gradient, composition_place, composition_guess)
    reference = "Okawa et al. 2023 (from memory)"
    return rising_law("composition", where, response, chance, parameters, parts, rise, reference)
