"""Gadre's law: how much loss training past the compute-optimal point costs."""

from __future__ import annotations

import numpy as np

from emergekit.laws.formula import require_variable
from emergekit.laws.law import Array, Law, Parameter

__all__ = ["OVERTRAINING"]

_FLOPS_PER_PARAM_TOKEN = 6.0


def loss(n_params: Array, n_tokens: Array, E: Array, a: Array, b: Array, eta: Array) -> Array:
    r"""Return the loss at each size and number of tokens, by compute and tokens per parameter.

    .. math:: L(C, M) = E + (a\,M^{\eta} + b\,M^{-\eta})\,C^{-\eta}, \qquad
              C = 6 N D, \quad M = D / N

    At a fixed M the loss falls with one exponent, whatever M is, so over-training moves the curve
    up and leaves its slope. It is the Chinchilla law with both exponents equal to 2 eta, since
    C/M = 6 N^2 and C M = 6 D^2 (derived).

    Parameters
    ----------
    n_params, n_tokens : array
        Parameters N and training tokens D, counts.
    E : array
        Loss that no scale removes, nats per token.
    a, b : array
        Coefficients of size (M^eta C^-eta) and of data (M^-eta C^-eta).
    eta : array
        Exponent of compute.

    Returns
    -------
    array
        Nats per token.

    References
    ----------
    Gadre et al. 2024, equation 4 (number from memory; the form is that of their code).
    """
    by_a, by_b = _parts(n_params, n_tokens, eta)
    return E + a * by_a + b * by_b


def loss_gradient(
    n_params: Array, n_tokens: Array, E: Array, a: Array, b: Array, eta: Array
) -> tuple[Array, ...]:
    """Return the derivatives of `loss` by E, a, b and eta."""
    by_a, by_b = _parts(n_params, n_tokens, eta)
    size, data = _log_squared(n_params), _log_squared(n_tokens)
    return np.ones_like(by_a * by_b), by_a, by_b, -a * by_a * size - b * by_b * data


def scale_at_loss(
    along: str,
    response: Array,
    n_params: Array,
    n_tokens: Array,
    E: Array,
    a: Array,
    b: Array,
    eta: Array,
) -> Array:
    """Return the size (or the tokens) at which the loss is `response`.

    Parameters
    ----------
    along : {"n_params", "n_tokens"}
        The variable to solve for; its own entry is not read.
    response : array
        Loss, nats per token.
    n_params, n_tokens, E, a, b, eta : array
        As in `loss`.

    Returns
    -------
    array
        Counts; inf where no scale reaches the loss.
    """
    require_variable(along, ("n_params", "n_tokens"), "overtraining")
    with np.errstate(all="ignore"):  # an exponent of 0 reaches every loss or none
        by_a, by_b = _parts(n_params, n_tokens, eta)
        if along == "n_params":
            left, coefficient = response - E - b * by_b, a
        else:
            left, coefficient = response - E - a * by_a, b
        squared = (coefficient / np.where(left > 0, left, 1.0)) ** np.divide(1.0, eta)
        return np.where(left > 0, np.sqrt(squared / _FLOPS_PER_PARAM_TOKEN), np.inf)


def _parts(n_params: Array, n_tokens: Array, eta: Array) -> tuple[Array, Array]:
    """Return (C/M)^-eta and (C M)^-eta."""
    return np.exp(-eta * _log_squared(n_params)), np.exp(-eta * _log_squared(n_tokens))


def _log_squared(count: Array) -> Array:
    """Return the logarithm of 6 x^2, which is C/M for parameters and C M for tokens."""
    log_squared: Array = np.log(_FLOPS_PER_PARAM_TOKEN) + 2 * np.log(count)
    return log_squared


OVERTRAINING = Law(
    name="overtraining",
    variables=("n_params", "n_tokens"),
    response="loss",
    parameters=(
        Parameter("E", start=1.5, lower=0.0, scale="log", unit="nats/token"),
        Parameter("a", start=150.0, lower=0.0, scale="log"),
        Parameter("b", start=200.0, lower=0.0, scale="log"),
        Parameter("eta", start=0.125, lower=0.0, upper=1.0),
    ),
    function=loss,
    gradient=loss_gradient,
    inverse=scale_at_loss,
    objective="huber_log",
    reference="Gadre et al. 2024, eq. 4 (number from memory)",
    formula="loss = E + (a M^eta + b M^-eta) / C^eta, C = 6 n_params n_tokens, "
    "M = n_tokens / n_params",
)
