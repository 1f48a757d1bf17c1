"""Direct laws: accuracy by scale with no loss between, as a failure that powers of scale shrink."""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["direct_law"]

_EXPONENT = 0.3


def unfailed(*arguments: Array, chance: float = 0.0) -> Array:
    r"""Return a score that falls short of 1 by failures, each a power law in one scale.

    .. math:: y = c + (1 - c)\, \exp\left(-\sum_i A_i\, x_i^{-a_i}\right)

    Parameters
    ----------
    *arguments : array
        The k variables x_i (counts), then the k coefficients A_i and the k exponents a_i.
    chance : float
        Score of guessing, c.

    Returns
    -------
    array
        Between c and 1.

    References
    ----------
    Krajewski et al. 2025 for one scale and c = 0, -ln y = A C^-a (from memory, abstract only); two
    scales and chance are ours.
    """
    variables, coefficients, exponents = _split(arguments)
    failure = sum(_failures(variables, coefficients, exponents))
    return np.asarray(chance + (1 - chance) * np.exp(-failure))


def unfailed_gradient(*arguments: Array, chance: float = 0.0) -> tuple[Array, ...]:
    """Return the derivatives of `unfailed` by each coefficient, then by each exponent."""
    variables, coefficients, exponents = _split(arguments)
    powers = _failures(variables, [np.ones(())] * len(variables), exponents)
    failures = [A * power for A, power in zip(coefficients, powers, strict=True)]
    share = (1 - chance) * np.exp(-np.asarray(sum(failures)))
    by_coefficient = [-share * power for power in powers]
    by_exponent = [share * f * np.log(x) for f, x in zip(failures, variables, strict=True)]
    return (*by_coefficient, *by_exponent)


def unfailed_scale(
    along: str, response: Array, *arguments: Array, names: tuple[str, ...], chance: float = 0.0
) -> Array:
    """Return the value of one variable at which `unfailed` gives the response.

    Counts; inf where no scale reaches it, 0 at chance and below.
    """
    require_variable(along, names, "direct")
    variables, coefficients, exponents = _split(arguments)
    place = names.index(along)
    kept = [i for i in range(len(names)) if i != place]
    with np.errstate(all="ignore"):
        share = np.maximum((np.asarray(response, dtype=float) - chance) / (1 - chance), 0.0)
        others = sum(
            _failures(
                [variables[i] for i in kept],
                [coefficients[i] for i in kept],
                [exponents[i] for i in kept],
            )
        )
        left = -np.log(share) - others
        ratio = coefficients[place] / np.where(left > 0, left, 1.0)
        return np.where(left > 0, ratio ** np.divide(1.0, exponents[place]), np.inf)


def unfailed_guess(response: Array, *variables: Array, chance: float = 0.0) -> tuple[float, ...]:
    """Return equal failures from each scale at its middle, and a common exponent."""
    share = np.clip((response - chance) / (1 - chance), 1e-3, 1 - 1e-6)
    failure = float(np.exp(np.mean(np.log(-np.log(share))))) / len(variables)
    middles = [float(np.exp(np.mean(np.log(x)))) for x in variables]
    return (*(failure * m**_EXPONENT for m in middles), *([_EXPONENT] * len(variables)))


def _split(arguments: tuple[Array, ...]) -> tuple[list[Array], list[Array], list[Array]]:
    k = len(arguments) // 3
    return list(arguments[:k]), list(arguments[k : 2 * k]), list(arguments[2 * k :])


def _failures(
    variables: list[Array], coefficients: list[Array], exponents: list[Array]
) -> list[Array]:
    return [
        np.asarray(A * np.exp(-a * np.log(x)))
        for x, A, a in zip(variables, coefficients, exponents, strict=True)
    ]


def direct_law(
    variables: tuple[str, ...] = ("n_params", "n_tokens"),
    response: str = "score",
    chance: float = 0.0,
) -> Law:
    """Return the direct law in these scales, y = c + (1 - c) exp(-sum A_i x_i^-a_i).

    Parameters
    ----------
    variables : tuple of str
        Columns of scale, at least one.
    response : str
        Column.
    chance : float
        Score of guessing, from 0 to below 1.

    Returns
    -------
    Law
        With a coefficient ``A_<variable>`` and an exponent ``a_<variable>`` for each variable.

    Raises
    ------
    ValueError
        If there is no variable, one is there twice, or chance lies outside [0, 1).

    Examples
    --------
    >>> direct_law(("flops",), chance=0.25).formula
    'score = 0.25 + 0.75 exp(-(A_flops flops^-a_flops))'
    """
    variables = tuple(variables)
    if not variables or len(set(variables)) < len(variables):
        raise ValueError(
            f"a direct law needs different variables, at least one; it was given "
            f"{', '.join(variables) or 'none'}."
        )
    if not 0 <= chance < 1:
        raise ValueError(f"chance must be a share from 0 to below 1; it is {chance:g}.")
    coefficients = tuple(f"A_{variable}" for variable in variables)
    exponents = tuple(f"a_{variable}" for variable in variables)
    arguments = (*variables, *coefficients, *exponents)
    options = (("chance", float(chance)),)
    terms = (f"{A} {x}^-{a}" for A, x, a in zip(coefficients, variables, exponents, strict=True))
    return Law(
        name=f"direct_in_{'_and_'.join(variables)}",
        variables=variables,
        response=response,
        parameters=(
            *(Parameter(A, start=400.0, lower=0.0, scale="log") for A in coefficients),
            *(Parameter(a, start=_EXPONENT, lower=0.0, upper=3.0) for a in exponents),
        ),
        function=Formula(unfailed, arguments, options),
        gradient=Formula(unfailed_gradient, arguments, options),
        inverse=Formula(
            unfailed_scale, ("along", "response", *arguments), (("names", variables), *options)
        ),
        reference="Krajewski et al. 2025 for one scale without chance (from memory); else ours",
        formula=f"{response} = {chance:g} + {1 - chance:g} exp(-({' + '.join(terms)}))",
        guess=Formula(unfailed_guess, ("response", *variables), options),
    )
