"""M3 and M4: power laws that bend where there is much data, or little (M1, M2 are in `power`)."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from emergekit.laws.formula import Formula, require_variable
from emergekit.laws.law import Array, Law, Parameter
from emergekit.laws.lines import line, thinned
from emergekit.laws.power import offset_power_guess

__all__ = ["m3", "m4"]

_NEWTON_STEPS = 100
_BENDS = np.geomspace(1e-4, 1e3, 141)
"""Where M3 may bend, as multiples of 1 over the geometric mean of x."""
_FLOORS = np.array([1e-3, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 0.999])
"""Floors that a guess of M4 tries, as shares of the lowest response."""
_ROOM = np.array([1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 10.0])
"""Ceilings that it tries, by how far they lie above the highest response, as a share of it."""
_STRETCHES = 6
_STEEPEST = 2.0
"""Highest exponent of both laws."""
_FAR = 1e8
_ALPHAS = np.array([1e-2, 0.2, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0])


def bent_power(x: Array, beta: Array, gamma: Array, c: Array) -> Array:
    r"""Return a response that a power law in 1/x + gamma keeps above a floor.

    .. math:: y = \beta\,(1/x + \gamma)^{c}

    Parameters
    ----------
    x : array
        Scale, a count.
    beta, c : array
        Coefficient, in units of the response, and exponent.
    gamma : array
        One over the scale where the curve bends; its floor is beta gamma^c.

    Returns
    -------
    array
        In units of beta.

    References
    ----------
    Alabdulmohsin et al. 2022, section 2, M3.
    """
    return beta * (1 / x + gamma) ** c


def bent_power_gradient(x: Array, beta: Array, gamma: Array, c: Array) -> tuple[Array, ...]:
    """Return the derivatives of `bent_power` by beta, gamma and c."""
    base = 1 / x + gamma
    by_beta = base**c
    return by_beta, beta * c * by_beta / base, beta * by_beta * np.log(base)


def bent_power_scale(
    along: str, response: Array, x: Array, beta: Array, gamma: Array, c: Array, *, variable: str
) -> Array:
    """Return the scale at which `bent_power` gives the response; inf where none does."""
    require_variable(along, (variable,), "M3")
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every response or none
        left = (response / beta) ** np.divide(1.0, c) - gamma
        return np.where(left > 0, 1 / np.where(left > 0, left, 1.0), np.inf)


def bent_power_guess(response: Array, x: Array) -> tuple[Array, ...]:
    """Return beta, gamma and c, the best of a grid of gammas first.

    Given gamma, log y is linear in log beta and c, so a line gives the best of both. The squares
    may be least on either side of a bend, so the best gamma of each stretch of the grid counts.
    """
    log_x, log_y = thinned(response, x)
    if not len(log_x):
        return (np.array([np.nan]),) * 3
    gammas = _BENDS * np.exp(-log_x.mean())
    base = np.log(np.exp(-log_x) + gammas[:, None])
    c = np.clip(line(base, log_y)[1], 0.0, _STEEPEST)
    log_beta = log_y.mean() - c * base.mean(axis=-1)
    missed = ((log_beta[:, None] + c[:, None] * base - log_y) ** 2).sum(axis=-1)
    best = _best_of_stretches(missed)
    return np.exp(log_beta[best]), gammas[best], c[best]


def sigmoidal_power(
    x: Array, beta: Array, c: Array, eps_inf: Array, eps_0: Array, alpha: Array
) -> Array:
    r"""Return the response between a ceiling, before any data, and a floor, after all.

    .. math:: \frac{y - \epsilon_\infty}{(\epsilon_0 - y)^{\alpha}} = \beta\,x^{-c}

    The equation is solved for y. With y = eps_inf + (eps_0 - eps_inf) s and z the logit of s it is

    .. math:: \alpha \log(1 + e^{z}) - \log(1 + e^{-z})
              = \log \beta - c \log x + (\alpha - 1) \log(\epsilon_0 - \epsilon_\infty)

    whose left side rises with one sign of curvature, so Newton's method always converges.

    Parameters
    ----------
    x : array
        Scale, a count.
    beta, c : array
        Coefficient and exponent.
    eps_inf, eps_0 : array
        Floor and ceiling, in units of the response, eps_inf < eps_0.
    alpha : array
        How sharply the curve leaves the ceiling, above 0; M2 as alpha goes to 0.

    Returns
    -------
    array
        Between eps_inf and eps_0; NaN where these are the wrong way round.

    References
    ----------
    Alabdulmohsin et al. 2022, section 2, M4, with -c for their c; solved for y here (derived).
    """
    _, below, _ = _sigmoidal(x, beta, c, eps_inf, eps_0, alpha)
    return eps_0 - below


def sigmoidal_power_gradient(
    x: Array, beta: Array, c: Array, eps_inf: Array, eps_0: Array, alpha: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `sigmoidal_power`, by the implicit function theorem."""
    above, below, by_log = _sigmoidal(x, beta, c, eps_inf, eps_0, alpha)
    total = below + alpha * above
    return (
        by_log / beta,
        -by_log * np.log(x),
        below / total,
        alpha * above / total,
        by_log * np.log(below),
    )


def sigmoidal_power_scale(
    along: str,
    response: Array,
    x: Array,
    beta: Array,
    c: Array,
    eps_inf: Array,
    eps_0: Array,
    alpha: Array,
    *,
    variable: str,
) -> Array:
    """Return the scale at which `sigmoidal_power` gives the response.

    Counts; inf at and below the floor, 0 at and above the ceiling.
    """
    require_variable(along, (variable,), "M4")
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every response or none
        above = np.maximum(response - eps_inf, 0.0)
        below = np.maximum(eps_0 - response, 0.0)
        return np.asarray((beta * below**alpha / above) ** np.divide(1.0, c))


def sigmoidal_power_guess(response: Array, x: Array) -> tuple[Array, ...]:
    """Return beta, c, eps_inf, eps_0 and alpha, the best of a grid first, and M2 as the last.

    Given floor, ceiling and alpha, the paper's transformed response is linear in log beta and c. It
    only proposes; what counts is the residual of log y. The best of each alpha is a rival start:
    the squares have minima at a corner (alpha near 0) and in a bend far below the ceiling. Where
    the rows show no ceiling, the law is M2 under a far one, to which the search would crawl.
    """
    log_x, log_y = thinned(response, x)
    if not len(log_x):
        return (np.array([np.nan]),) * 5
    y = np.exp(log_y)
    floor, ceiling, alpha = (
        part.ravel()[:, None]
        for part in np.meshgrid(_FLOORS * y.min(), (1 + _ROOM) * y.max(), _ALPHAS, indexing="ij")
    )
    left = np.log(y - floor) - alpha * np.log(ceiling - y)
    c = np.clip(-line(log_x, left)[1], 0.0, _STEEPEST)[:, None]
    beta = np.exp(left.mean(axis=-1, keepdims=True) + c * log_x.mean())
    predicted = sigmoidal_power(np.exp(log_x), beta, c, floor, ceiling, alpha)
    missed = ((np.log(predicted) - log_y) ** 2).sum(axis=-1)
    missed = np.where(np.isfinite(missed), missed, np.inf)
    of_alpha = missed.reshape(-1, len(_ALPHAS))
    best = of_alpha.argmin(axis=0) * len(_ALPHAS) + np.arange(len(_ALPHAS))
    best = best[np.argsort(missed[best], kind="stable")]
    best_of_grid = (part[best, 0] for part in (beta, c, floor, ceiling, alpha))
    plain = _as_power(float(y.max()), *offset_power_guess(response, x))
    return tuple(np.append(part, other) for part, other in zip(best_of_grid, plain, strict=True))


def _as_power(highest: float, floor: float, b: float, c: float) -> tuple[float, ...]:
    """Return the parameters of M4 that give the power law with offset, under a far ceiling."""
    ceiling, alpha = _FAR * highest, 1.0
    return b * ceiling**-alpha, c, floor, ceiling, alpha


def _best_of_stretches(missed: Array) -> Array:
    """Return the place of the least entry in each stretch, the least of all first."""
    missed = np.where(np.isfinite(missed), missed, np.inf)
    stretches = np.array_split(np.arange(len(missed)), _STRETCHES)
    best = np.array([stretch[missed[stretch].argmin()] for stretch in stretches])
    return best[np.argsort(missed[best], kind="stable")]


def _sigmoidal(
    x: Array, beta: Array, c: Array, eps_inf: Array, eps_0: Array, alpha: Array
) -> tuple[Array, Array, Array]:
    """Return y - eps_inf, eps_0 - y, and the derivative of y by log(beta x^-c)."""
    span = eps_0 - eps_inf
    right = np.log(beta) - c * np.log(x) + (alpha - 1) * np.log(np.where(span > 0, span, np.nan))
    z = _logit_share(right, alpha)
    above, below = span * expit(z), span * expit(-z)
    return above, below, above * expit(-z) / (expit(-z) + alpha * expit(z))


def _logit_share(right: Array, alpha: Array) -> Array:
    """Return z with alpha softplus(z) - softplus(-z) = right, by Newton's method."""
    z = np.minimum(right, 0.0) + np.maximum(right, 0.0) / alpha
    for _ in range(_NEWTON_STEPS):
        miss = alpha * np.logaddexp(0.0, z) - np.logaddexp(0.0, -z) - right
        step = miss / (expit(-z) + alpha * expit(z))
        z = z - step
        if not np.any(np.abs(step) > 1e-14 * (1 + np.abs(z))):
            break
    return z


def m3(variable: str = "n_tokens", response: str = "loss") -> Law:
    """Return M3, the power law that bends to a floor, y = beta (1/x + gamma)^c.

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        With parameters beta, gamma, c.
    """
    arguments = (variable, "beta", "gamma", "c")
    return Law(
        name=f"m3_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("beta", start=10.0, lower=0.0, scale="log"),
            Parameter("gamma", start=1e-9, lower=0.0, scale="log", unit=f"1/{variable}"),
            Parameter("c", start=0.15, lower=0.0, upper=_STEEPEST),
        ),
        function=Formula(bent_power, arguments),
        gradient=Formula(bent_power_gradient, arguments),
        inverse=Formula(
            bent_power_scale, ("along", "response", *arguments), (("variable", variable),)
        ),
        objective="least_squares_log",
        reference="Alabdulmohsin et al. 2022, section 2, M3",
        formula=f"{response} = beta (1 / {variable} + gamma)^c",
        guess=Formula(bent_power_guess, ("response", variable)),
    )


def m4(variable: str = "n_tokens", response: str = "loss") -> Law:
    """Return M4, a sigmoid in log x: (y - eps_inf) / (eps_0 - y)^alpha = beta x^-c.

    The law gives y itself and is fitted by the residual of log y. The paper fits the logarithm of
    the left side, a transformed response whose least squares favour eps_inf = 0, so estimates
    differ from published ones (spec/scaling.md, section 2.5).

    Parameters
    ----------
    variable, response : str
        Columns.

    Returns
    -------
    Law
        With parameters beta, c, eps_inf, eps_0, alpha.
    """
    arguments = (variable, "beta", "c", "eps_inf", "eps_0", "alpha")
    return Law(
        name=f"m4_in_{variable}",
        variables=(variable,),
        response=response,
        parameters=(
            Parameter("beta", start=10.0, lower=0.0, scale="log"),
            Parameter("c", start=0.15, lower=0.0, upper=_STEEPEST),
            Parameter("eps_inf", start=1.5, lower=0.0, scale="log"),
            Parameter("eps_0", start=11.0, lower=0.0, scale="log"),
            Parameter("alpha", start=1.0, lower=1e-3, upper=20.0, scale="log"),
        ),
        function=Formula(sigmoidal_power, arguments),
        gradient=Formula(sigmoidal_power_gradient, arguments),
        inverse=Formula(
            sigmoidal_power_scale, ("along", "response", *arguments), (("variable", variable),)
        ),
        objective="least_squares_log",
        reference="Alabdulmohsin et al. 2022, section 2, M4, solved for y (derived)",
        formula=f"({response} - eps_inf) / (eps_0 - {response})^alpha = beta / {variable}^c",
        guess=Formula(sigmoidal_power_guess, ("response", variable)),
    )
