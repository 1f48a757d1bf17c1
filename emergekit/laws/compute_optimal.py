"""How the compute-optimal size, or number of tokens, grows with compute."""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line

__all__ = ["optimal_power_law"]

_COEFFICIENTS = {"n_params": 0.1, "n_tokens": 1.5}


def optimum(flops: Array, k: Array, a: Array) -> Array:
    r"""Return the size of least loss at each compute, or its number of tokens.

    .. math:: N^*(C) = k\,C^{a}

    Parameters
    ----------
    flops : array
        Training compute C, FLOPs.
    k, a : array
        Coefficient and exponent; the exponents of size and of tokens sum to 1 where C = 6 N D.

    Returns
    -------
    array
        Counts.

    References
    ----------
    Hoffmann et al. 2022, section 3, approaches 1 and 2; Porian et al. 2024, section 2 (number
    from memory).
    """
    # One exponential: C^a alone is far from the answer, and may overflow where k C^a does not.
    return np.exp(np.log(k) + a * np.log(flops))


def optimum_gradient(flops: Array, k: Array, a: Array) -> tuple[Array, ...]:
    """Return the derivatives of `optimum` by k and a."""
    value = optimum(flops, k, a)
    return value / k, value * np.log(flops)


def flops_at(along: str, response: Array, flops: Array, k: Array, a: Array) -> Array:
    """Return the compute for which `response` is optimal, FLOPs; `flops` is not read."""
    require_variable(along, ("flops",), "optimal power law")
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every response or none
        return np.exp(np.log(response / k) / a)


def optimum_guess(response: Array, flops: Array) -> tuple[float, ...]:
    """Return k and a by a line through the logarithms."""
    log_k, a = line(np.log(flops), np.log(response))
    return float(np.exp(log_k)), float(a)


def optimal_power_law(response: str = "n_params") -> Law:
    """Return the law of the compute-optimal size, N*(C) = k C^a, or of another optimum.

    Fitted to the minima of IsoFLOP curves (approach 2) or to the envelope of training curves
    (approach 1), one row a compute budget.

    Parameters
    ----------
    response : str
        Column of the optimum: n_params, or n_tokens.

    Returns
    -------
    Law
        With parameters k, a.

    Examples
    --------
    >>> law = optimal_power_law("n_tokens")
    >>> law.formula, law.objective
    ('n_tokens = k flops^a', 'least_squares_log')
    """
    arguments = ("flops", "k", "a")
    return Law(
        name=f"optimal_{response}",
        variables=("flops",),
        response=response,
        parameters=(
            Parameter("k", start=_COEFFICIENTS.get(response, 1.0), lower=0.0, scale="log"),
            Parameter("a", start=0.5, lower=-2.0, upper=2.0),
        ),
        function=Formula(optimum, arguments),
        gradient=Formula(optimum_gradient, arguments),
        inverse=Formula(flops_at, ("along", "response", *arguments)),
        objective="least_squares_log",
        reference="Hoffmann et al. 2022, section 3, approaches 1 and 2; Porian et al. 2024",
        formula=f"{response} = k flops^a",
        guess=Formula(optimum_guess, ("response", "flops")),
    )
