"""Muennighoff's law: repeated tokens, and parameters beyond what the data feed, count for less."""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import bisected, require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["REPETITION"]

_VARIABLES = ("n_params", "n_tokens", "n_unique_tokens")


def loss(
    n_params: Array,
    n_tokens: Array,
    n_unique_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
    beta: Array,
    R_D_star: Array,
    R_N_star: Array,
) -> Array:
    r"""Return the loss of models trained on so many tokens, of which so many are different.

    .. math:: L = E + \frac{A}{N'^{\alpha}} + \frac{B}{D'^{\beta}}
    .. math:: D' = U_D + U_D R_D^* (1 - e^{-R_D / R_D^*}), \quad R_D = D / U_D - 1
    .. math:: N' = U_N + U_N R_N^* (1 - e^{-R_N / R_N^*}), \quad R_N = N / U_N - 1
    .. math:: U_N = \min(N, N_{opt}), \quad
              \alpha A N_{opt}^{-\alpha} = \beta B U_D^{-\beta}

    As in the paper, U_N is the compute-optimal size for U_D tokens under the Chinchilla law with
    these A, B, alpha and beta, or N if that is less; it is no variable and no parameter. Tokens
    that do not reach one epoch (D < U_D) are all different, so U_D counts as D there.

    Parameters
    ----------
    n_params, n_tokens, n_unique_tokens : array
        Parameters N, training tokens D (repetitions included), different tokens U_D, counts.
    E : array
        Loss that no scale removes, nats per token.
    A, B, alpha, beta : array
        Coefficients and exponents of size and of data.
    R_D_star, R_N_star : array
        How many repetitions of data, and how many times the optimal size, still pay; at that many
        all but 1/e of what they can give has been had.

    Returns
    -------
    array
        Nats per token; the Chinchilla law where no token is repeated and N <= N_opt.

    References
    ----------
    Muennighoff et al. 2023, section 3, equations 5 and 6 (numbers from memory).
    """
    size, data = _effective_scales(
        n_params, n_tokens, n_unique_tokens, A, B, alpha, beta, R_D_star, R_N_star
    )
    return E + A * size**-alpha + B * data**-beta


def loss_gradient(
    n_params: Array,
    n_tokens: Array,
    n_unique_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
    beta: Array,
    R_D_star: Array,
    R_N_star: Array,
) -> tuple[Array, ...]:
    """Return the derivatives of `loss` by its parameters, in their order."""
    size, data = _effective_scales(
        n_params, n_tokens, n_unique_tokens, A, B, alpha, beta, R_D_star, R_N_star
    )
    by_A, by_B = size**-alpha, data**-beta
    by_size, by_data = -alpha * A * by_A / size, -beta * B * by_B / data
    log_opt = _log_optimal_size(n_unique_tokens, A, B, alpha, beta)
    by_log_opt, by_R_N_star = _effective_gradient(n_params, np.exp(log_opt), R_N_star)
    _, by_R_D_star = _effective_gradient(n_tokens, n_unique_tokens, R_D_star)
    through = by_size * by_log_opt  # A, B, alpha and beta move N_opt too
    return (
        np.ones_like(by_A * by_B),
        by_A + through / (alpha * A),
        by_B - through / (alpha * B),
        -A * by_A * np.log(size) + through * (1 / alpha - log_opt) / alpha,
        -B * by_B * np.log(data) + through * (np.log(n_unique_tokens) - 1 / beta) / alpha,
        by_data * by_R_D_star,
        by_size * by_R_N_star,
    )


def scale_at_loss(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    n_unique_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
    beta: Array,
    R_D_star: Array,
    R_N_star: Array,
) -> Array:
    """Return the size, the tokens or the different tokens at which the loss is `response`.

    Parameters
    ----------
    along : {"n_params", "n_tokens", "n_unique_tokens"}
        The variable to solve for; its own entry is not read.
    response : array
        Loss, nats per token.
    n_params, n_tokens, n_unique_tokens, E, A, B, alpha, beta, R_D_star, R_N_star : array
        As in `loss`.

    Returns
    -------
    array
        Counts; inf where no scale reaches the loss. Of different tokens the fewest that do.
    """
    require_variable(along, _VARIABLES, "repetition")
    constants = (E, A, B, alpha, beta, R_D_star, R_N_star)
    with np.errstate(all="ignore"):
        if along == "n_unique_tokens":
            return _unique_at_loss(response, n_params, n_tokens, constants)
        known = n_tokens if along == "n_params" else n_params
        size, data = _effective_scales(known, known, n_unique_tokens, *constants[1:])
        if along == "n_params":
            left, coefficient, exponent = response - E - B * data**-beta, A, alpha
            unique = np.exp(_log_optimal_size(n_unique_tokens, A, B, alpha, beta))
            decay = R_N_star
        else:
            left, coefficient, exponent = response - E - A * size**-alpha, B, beta
            unique, decay = n_unique_tokens, R_D_star
        scale = (coefficient / np.where(left > 0, left, 1.0)) ** np.divide(1.0, exponent)
        return np.where(left > 0, _actual(scale, unique, decay), np.inf)


def _unique_at_loss(
    response: Array, n_params: Array, n_tokens: Array, constants: tuple[Array, ...]
) -> Array:
    """Return the fewest different tokens with which the loss is `response`, at least one."""
    _, A, B, alpha, beta, _, _ = constants
    fed = (alpha * np.log(n_params) - np.log(alpha * A / (beta * B))) / beta
    enough = np.maximum(np.log(n_tokens), fed)

    def excess(log_unique: Array) -> Array:
        return loss(n_params, n_tokens, np.exp(log_unique), *constants) - response

    shape = np.zeros(np.broadcast_shapes(np.shape(enough), np.shape(response)))
    found = np.exp(bisected(excess, shape, shape + enough))
    return np.where(np.isnan(found), np.inf, found)


def _effective_scales(
    n_params: Array,
    n_tokens: Array,
    n_unique_tokens: Array,
    A: Array,
    B: Array,
    alpha: Array,
    beta: Array,
    R_D_star: Array,
    R_N_star: Array,
) -> tuple[Array, Array]:
    """Return N' and D'."""
    optimal = np.exp(_log_optimal_size(n_unique_tokens, A, B, alpha, beta))
    return (
        _effective(n_params, optimal, R_N_star),
        _effective(n_tokens, n_unique_tokens, R_D_star),
    )


def _effective(scale: Array, unique: Array, decay: Array) -> Array:
    unique = np.minimum(scale, unique)
    gained: Array = -np.expm1(-(scale / unique - 1) / decay)
    return unique * (1 + decay * gained)


def _effective_gradient(scale: Array, unique: Array, decay: Array) -> tuple[Array, Array]:
    """Return the derivatives of `_effective` by the logarithm of unique, and by decay."""
    unique = np.minimum(scale, unique)
    repeats = scale / unique - 1
    gained, remaining = -np.expm1(-repeats / decay), np.exp(-repeats / decay)
    by_log_unique = unique * (1 + decay * gained - (1 + repeats) * remaining)
    return by_log_unique, unique * (gained - repeats / decay * remaining)


def _actual(effective: Array, unique: Array, decay: Array) -> Array:
    """Return the scale that counts as `effective`: the inverse of `_effective`."""
    excess = (effective / unique - 1) / decay
    repeats = -decay * np.log1p(-np.clip(excess, 0.0, 1.0))
    return np.where(effective <= unique, effective, unique * (1 + repeats))


def _log_optimal_size(
    n_unique_tokens: Array, A: Array, B: Array, alpha: Array, beta: Array
) -> Array:
    # Least loss at fixed N D: the two terms fall equally fast (Hoffmann et al. 2022, eq. 4).
    return (np.log(alpha * A / (beta * B)) + beta * np.log(n_unique_tokens)) / alpha


REPETITION = Law(
    name="repetition",
    variables=_VARIABLES,
    response="loss",
    parameters=(
        Parameter("E", start=1.87, lower=0.0, scale="log", unit="nats/token"),
        Parameter("A", start=521.0, lower=0.0, scale="log"),
        Parameter("B", start=1488.0, lower=0.0, scale="log"),
        Parameter("alpha", start=0.353, lower=1e-3, upper=2.0),
        Parameter("beta", start=0.353, lower=1e-3, upper=2.0),
        Parameter("R_D_star", start=15.4, lower=1e-3, upper=1e4, scale="log", unit="repetitions"),
        Parameter("R_N_star", start=5.3, lower=1e-3, upper=1e4, scale="log"),
    ),
    function=loss,
    gradient=loss_gradient,
    inverse=scale_at_loss,
    objective="huber_log",
    reference="Muennighoff et al. 2023, section 3, eqs. 5-6 (numbers from memory)",
    formula="loss = E + A / N'^alpha + B / D'^beta, "
    "D' = U_D (1 + R_D_star (1 - exp(-(n_tokens / U_D - 1) / R_D_star))), "
    "U_D = n_unique_tokens, N' alike",
)
