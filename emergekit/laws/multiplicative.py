"""The multiplicative law: scales that help only together."""

from __future__ import annotations

from typing import Any

import numpy as np

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["multiplicative_law"]


def product(*arguments: Array) -> Array:
    r"""Return a floor plus a product of powers of the variables.

    .. math:: y = E + A \prod_i x_i^{-a_i}

    Parameters
    ----------
    *arguments : array
        The k variables x_i (counts), then E, A and the k exponents a_i.

    Returns
    -------
    array
        In units of E.

    References
    ----------
    The form called multiplicative by Choshen et al. 2024 and, as multiplicative-power, by
    simple-scaling-laws; neither equation was at hand (spec/scaling.md, section 1).
    """
    variables, E, A, exponents = _split(arguments)
    return E + A * _powers(variables, exponents)


def product_gradient(*arguments: Array) -> tuple[Array, ...]:
    """Return the derivatives of `product` by E, A and each exponent."""
    variables, _, A, exponents = _split(arguments)
    by_A = _powers(variables, exponents)
    return np.ones_like(by_A), by_A, *(-A * by_A * np.log(x) for x in variables)


def product_scale(along: str, response: Array, *arguments: Array, names: tuple[str, ...]) -> Array:
    """Return the value of one variable at which `product` gives the response.

    Counts; inf where no scale reaches it.
    """
    require_variable(along, names, "multiplicative")
    variables, E, A, exponents = _split(arguments)
    place = names.index(along)
    others = [x if i != place else np.ones_like(x) for i, x in enumerate(variables)]
    left = np.asarray(response - E)
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every response or none
        base = A * _powers(others, exponents) / np.where(left > 0, left, 1.0)
        return np.where(left > 0, base ** np.divide(1.0, exponents[place]), np.inf)


def _split(arguments: tuple[Array, ...]) -> tuple[list[Array], Array, Array, list[Array]]:
    k = (len(arguments) - 2) // 2
    return list(arguments[:k]), arguments[k], arguments[k + 1], list(arguments[k + 2 :])


def _powers(variables: list[Array], exponents: list[Array]) -> Array:
    # One exponential of a sum: single powers may overflow where their product does not.
    log_power: Any = sum(-a * np.log(x) for a, x in zip(exponents, variables, strict=True))
    return np.asarray(np.exp(log_power))


def multiplicative_law(
    variables: tuple[str, ...] = ("n_params", "n_tokens"), response: str = "loss"
) -> Law:
    """Return the multiplicative law in these variables, y = E + A prod x_i^-a_i.

    Parameters
    ----------
    variables : tuple of str
        Columns, at least one.
    response : str
        Column.

    Returns
    -------
    Law
        With parameters E, A, and an exponent ``a_<variable>`` for each variable.

    Raises
    ------
    ValueError
        If there is no variable, or one is there twice.

    Examples
    --------
    >>> multiplicative_law(("n_params", "n_tokens")).formula
    'loss = E + A / (n_params^a_n_params n_tokens^a_n_tokens)'
    """
    variables = tuple(variables)
    if not variables or len(set(variables)) < len(variables):
        raise ValueError(
            f"a multiplicative law needs different variables, at least one; "
            f"it was given {', '.join(variables) or 'none'}."
        )
    exponents = tuple(f"a_{variable}" for variable in variables)
    arguments = (*variables, "E", "A", *exponents)
    powers = " ".join(f"{x}^{a}" for x, a in zip(variables, exponents, strict=True))
    return Law(
        name="multiplicative",
        variables=variables,
        response=response,
        parameters=(
            Parameter("E", start=1.5, lower=0.0, scale="log"),
            Parameter("A", start=100.0, lower=0.0, scale="log"),
            *(Parameter(a, start=0.1, lower=0.0, upper=2.0) for a in exponents),
        ),
        function=Formula(product, arguments),
        gradient=Formula(product_gradient, arguments),
        inverse=Formula(product_scale, ("along", "response", *arguments), (("names", variables),)),
        objective="huber_log",
        reference="Choshen et al. 2024 (from the spec's table of peers, equation not at hand)",
        formula=f"{response} = E + A / ({powers})",
    )
