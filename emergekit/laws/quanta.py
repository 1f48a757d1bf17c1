"""Laws of knowledge in pieces of unequal use: quanta that are learned, features that are seen.

Both tie exponents that other laws leave free: what is used with frequencies that fall as the power
-(1 + a) of their rank leaves N^-a to size, and D^(-a / (1 + a)) to data.

References
----------
Michaud et al. 2023, arXiv 2303.13506; Hutter 2021, arXiv 2102.04074 (both from memory).
"""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line, thinned

__all__ = ["QUANTA", "hutter_law"]


def quanta(n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array) -> Array:
    r"""Return the loss of models that learn quanta of use in the order of their frequency.

    .. math:: L = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\alpha / (1 + \alpha)}}

    The Chinchilla law, but with one exponent: what data teach falls more slowly than what
    parameters hold, in a proportion that the theory fixes.

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D, counts.
    E, A, B, alpha : array
        Floor, coefficients and exponent of size.

    Returns
    -------
    array
        Nats per token.

    References
    ----------
    Michaud et al. 2023, section 2 (from memory), for each resource alone; that the two add up is
    the form of Hoffmann et al. 2022.
    """
    beta = alpha / (1 + alpha)
    return E + A * np.exp(-alpha * np.log(n_params)) + B * np.exp(-beta * np.log(n_tokens))


def quanta_gradient(
    n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `quanta` by E, A, B and alpha."""
    log_size, log_data = np.log(n_params), np.log(n_tokens)
    by_A, by_B = np.exp(-alpha * log_size), np.exp(-alpha / (1 + alpha) * log_data)
    by_alpha = -A * by_A * log_size - B * by_B * log_data / (1 + alpha) ** 2
    return np.ones_like(by_A * by_B), by_A, by_B, by_alpha


def quanta_scale(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
) -> Array:
    """Return the size, or the tokens, at which `quanta` gives the response; inf where none does."""
    require_variable(along, ("n_params", "n_tokens"), "quanta")
    with np.errstate(all="ignore"):
        beta = alpha / (1 + alpha)
        if along == "n_params":
            left, coefficient, exponent = response - E - B * n_tokens**-beta, A, alpha
        else:
            left, coefficient, exponent = response - E - A * n_params**-alpha, B, beta
        scale = (coefficient / np.where(left > 0, left, 1.0)) ** np.divide(1.0, exponent)
        return np.where(left > 0, scale, np.inf)


QUANTA = Law(
    name="quanta",
    variables=("n_params", "n_tokens"),
    response="loss",
    parameters=(
        Parameter("E", start=1.5, lower=0.0, scale="log", unit="nats/token"),
        Parameter("A", start=400.0, lower=0.0, scale="log"),
        Parameter("B", start=400.0, lower=0.0, scale="log"),
        Parameter("alpha", start=0.35, lower=0.0, upper=2.0),
    ),
    function=quanta,
    gradient=quanta_gradient,
    inverse=quanta_scale,
    objective="huber_log",
    reference="Michaud et al. 2023, section 2 (from memory), in the form of Hoffmann et al. 2022",
    formula="loss = E + A / n_params^alpha + B / n_tokens^(alpha / (1 + alpha))",
)


def hutter(x: Array, A: Array, a: Array) -> Array:
    r"""Return the error of a learner that knows just the features it has seen.

    .. math:: y = A\, x^{-a / (1 + a)}

    Parameters
    ----------
    x : array
        Training samples, or what is in proportion to them; a count.
    A : array
        Coefficient, in units of the response at x = 1; for x in samples the theory has
        :math:`\zeta(1 + a)^{-1 / (1 + a)} \, \Gamma(a / (1 + a)) / (1 + a)`.
    a : array
        Exponent by which the frequencies of features fall with their rank, less 1.

    Returns
    -------
    array
        In units of A. No a makes it fall faster than 1 / x.

    References
    ----------
    Hutter 2021, theorem on power-law data (from memory), as `theory.hutter_error_asymptotic`.
    """
    return A * np.exp(-a / (1 + a) * np.log(x))


def hutter_gradient(x: Array, A: Array, a: Array) -> tuple[Array, ...]:
    """Return the derivatives of `hutter` by A and a."""
    by_A = np.exp(-a / (1 + a) * np.log(x))
    return by_A, -A * by_A * np.log(x) / (1 + a) ** 2


def hutter_scale(
    along: str, response: Array, x: Array, A: Array, a: Array, *, variable: str
) -> Array:
    """Return the scale at which `hutter` gives the response; inf where none does."""
    require_variable(along, (variable,), "hutter")
    with np.errstate(all="ignore"):
        scale = (A / np.where(response > 0, response, 1.0)) ** ((1 + a) / a)
        return np.where(response > 0, scale, np.inf)


def hutter_guess(response: Array, x: Array) -> tuple[float, float]:
    """Return A and a by a line through the logarithms, whose slope is held below 1."""
    intercept, slope = line(*thinned(response, x))
    share = float(np.clip(-slope, 1e-3, 0.95))
    return float(np.exp(intercept)), share / (1 - share)


def hutter_law(variable: str = "n_tokens", response: str = "error") -> Law:
    """Return the law of Hutter's learning curve: a power of data whose exponent stays below 1.

    Parameters
    ----------
    variable, response : str
        Columns; the variable is in proportion to the number of samples.

    Returns
    -------
    Law
        With parameters A and a, which is also the exponent of size of `QUANTA`.

    Examples
    --------
    >>> hutter_law().formula
    'error = A / n_tokens^(a / (1 + a))'
    """
    arguments = (variable, "A", "a")
    return Law(
        name=f"hutter_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("A", start=10.0, lower=0.0, scale="log"),
            Parameter("a", start=0.5, lower=1e-3, upper=20.0, scale="log"),
        ),
        function=Formula(hutter, arguments),
        gradient=Formula(hutter_gradient, arguments),
        inverse=Formula(hutter_scale, ("along", "response", *arguments), (("variable", variable),)),
        objective="least_squares_log",
        reference="Hutter 2021, theorem on power-law data (from memory)",
        formula=f"{response} = A / {variable}^(a / (1 + a))",
        guess=Formula(hutter_guess, ("response", variable)),
    )
