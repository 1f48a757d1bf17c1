"""Kaplan's joint law: size and data share one exponent outside the sum."""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["KAPLAN"]


def loss(
    n_params: Array, n_tokens: Array, N_c: Array, D_c: Array, alpha_N: Array, alpha_D: Array
) -> Array:
    r"""Return the loss of a model of each size trained on each number of tokens until it stops.

    .. math:: L(N, D) = \left[\left(\frac{N_c}{N}\right)^{\alpha_N / \alpha_D}
              + \frac{D_c}{D}\right]^{\alpha_D}

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N without embeddings, and tokens D of the training set, counts.
    N_c, D_c : array
        Size and tokens at which each alone gives a loss of 1 nat, counts.
    alpha_N, alpha_D : array
        Exponents of size and of data.

    Returns
    -------
    array
        Nats per token; (N_c/N)^alpha_N without limit of data, (D_c/D)^alpha_D without limit of
        size.

    References
    ----------
    Kaplan et al. 2020, equation 1.5 (from memory).
    """
    return np.exp(alpha_D * _log_sum(n_params, n_tokens, N_c, D_c, alpha_N / alpha_D))


def loss_gradient(
    n_params: Array, n_tokens: Array, N_c: Array, D_c: Array, alpha_N: Array, alpha_D: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `loss` by N_c, D_c, alpha_N and alpha_D."""
    ratio = alpha_N / alpha_D
    log_sum = _log_sum(n_params, n_tokens, N_c, D_c, ratio)
    value = np.exp(alpha_D * log_sum)
    by_size = np.exp(ratio * np.log(N_c / n_params) - log_sum)  # share of size in the sum
    by_data = np.exp(np.log(D_c / n_tokens) - log_sum)
    size = by_size * np.log(N_c / n_params)
    return (
        value * by_size * alpha_N / N_c,
        value * by_data * alpha_D / D_c,
        value * size,
        value * (log_sum - ratio * size),
    )


def scale_at_loss(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    N_c: Array,
    D_c: Array,
    alpha_N: Array,
    alpha_D: Array,
) -> Array:
    """Return the size (or the tokens) at which the loss is `response`.

    Parameters
    ----------
    along : {"n_params", "n_tokens"}
        The variable to solve for; its own entry is not read.
    response : array
        Loss, nats per token.
    n_params, n_tokens, N_c, D_c, alpha_N, alpha_D : array
        As in `loss`.

    Returns
    -------
    array
        Counts; inf where no scale reaches the loss.
    """
    require_variable(along, ("n_params", "n_tokens"), "kaplan")
    with np.errstate(all="ignore"):
        total, ratio = np.log(response) / alpha_D, alpha_N / alpha_D
        data, size = np.log(D_c / n_tokens), ratio * np.log(N_c / n_params)
        other = data if along == "n_params" else size
        left = total + np.log1p(-np.exp(other - total))
        scale = N_c * np.exp(-left / ratio) if along == "n_params" else D_c * np.exp(-left)
        return np.where(other < total, scale, np.inf)


def _log_sum(n_params: Array, n_tokens: Array, N_c: Array, D_c: Array, ratio: Array) -> Array:
    # (N_c/N)^(alpha_N/alpha_D) alone overflows where alpha_D is small.
    both: Array = np.logaddexp(ratio * np.log(N_c / n_params), np.log(D_c / n_tokens))
    return both


KAPLAN = Law(
    name="kaplan",
    variables=("n_params", "n_tokens"),
    response="loss",
    parameters=(
        Parameter("N_c", start=6.4e13, lower=0.0, scale="log", unit="parameters"),
        Parameter("D_c", start=1.8e13, lower=0.0, scale="log", unit="tokens"),
        Parameter("alpha_N", start=0.076, lower=1e-4, upper=2.0),
        Parameter("alpha_D", start=0.103, lower=1e-4, upper=2.0),
    ),
    function=loss,
    gradient=loss_gradient,
    inverse=scale_at_loss,
    objective="huber_log",
    reference="Kaplan et al. 2020, eq. 1.5 (from memory; starts are its table 2, from memory)",
    formula="loss = ((N_c / n_params)^(alpha_N / alpha_D) + D_c / n_tokens)^alpha_D",
)
