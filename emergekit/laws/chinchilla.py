"""The Chinchilla law: loss as a sum of what model size and what data leave over."""

from __future__ import annotations

import numpy as np

from emergekit.errors import unknown
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["CHINCHILLA"]


def loss(
    n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array, beta: Array
) -> Array:
    r"""Return the loss of a model of each size trained on each number of tokens.

    .. math:: L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D, counts.
    E : array
        Loss that no scale removes, nats per token.
    A, B, alpha, beta : array
        Coefficients and exponents of size and of data.

    Returns
    -------
    array
        Nats per token.

    References
    ----------
    Hoffmann et al. 2022, section 3.3, equation 2.
    """
    # The exponential of a logarithm takes a third of the time of a power.
    return E + A * np.exp(-alpha * np.log(n_params)) + B * np.exp(-beta * np.log(n_tokens))


def loss_gradient(
    n_params: Array, n_tokens: Array, E: Array, A: Array, B: Array, alpha: Array, beta: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `loss` by E, A, B, alpha and beta."""
    log_size, log_data = np.log(n_params), np.log(n_tokens)
    by_A, by_B = np.exp(-alpha * log_size), np.exp(-beta * log_data)
    return np.ones_like(by_A * by_B), by_A, by_B, -A * by_A * log_size, -B * by_B * log_data


def scale_at_loss(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    E: Array,
    A: Array,
    B: Array,
    alpha: Array,
    beta: Array,
) -> Array:
    """Return the size (or the tokens) at which the loss is `response`.

    Parameters
    ----------
    along : {"n_params", "n_tokens"}
        The variable to solve for; its own entry is not read.
    response : array
        Loss, nats per token.
    n_params, n_tokens, E, A, B, alpha, beta : array
        As in `loss`.

    Returns
    -------
    array
        Counts; inf where no scale reaches the loss.

    Raises
    ------
    ValueError
        If `along` is no variable of the law.
    """
    if along not in ("n_params", "n_tokens"):
        raise ValueError(unknown("variable of chinchilla", along, ("n_params", "n_tokens")))
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every loss or none
        if along == "n_params":
            left, coefficient, exponent = response - E - B * n_tokens**-beta, A, alpha
        else:
            left, coefficient, exponent = response - E - A * n_params**-alpha, B, beta
        scale = (coefficient / np.where(left > 0, left, 1.0)) ** np.divide(1.0, exponent)
        return np.where(left > 0, scale, np.inf)


CHINCHILLA = Law(
    name="chinchilla",
    variables=("n_params", "n_tokens"),
    response="loss",
    parameters=(
        Parameter("E", start=1.5, lower=0.0, scale="log", unit="nats/token"),
        Parameter("A", start=400.0, lower=0.0, scale="log"),
        Parameter("B", start=1000.0, lower=0.0, scale="log"),
        Parameter("alpha", start=0.35, lower=0.0, upper=2.0),
        Parameter("beta", start=0.35, lower=0.0, upper=2.0),
    ),
    function=loss,
    gradient=loss_gradient,
    inverse=scale_at_loss,
    objective="huber_log",
    reference="Hoffmann et al. 2022, section 3.3, eq. 2",
    formula="loss = E + A / n_params^alpha + B / n_tokens^beta",
)
