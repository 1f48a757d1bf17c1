"""Fits against the way that published analyses make them, written out here."""

import numpy as np
import pytest
from scipy.optimize import minimize

from emergekit.fitting import bootstrap

DELTA = 1e-3
N_DRAWS = 4000


def by_hand(theta, log_n, log_d, log_loss):
    """Return the Huber objective of Hoffmann et al. 2022, eq. 3, and its gradient."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])
    top = terms.max(axis=0)
    shares = np.exp(terms - top)
    total = shares.sum(axis=0)
    shares /= total
    residual = top + np.log(total) - log_loss
    size = np.abs(residual)
    near = np.minimum(size, DELTA)
    score = np.clip(residual, -DELTA, DELTA)
    by_a, by_b, by_e = shares @ score
    by_alpha, by_beta = -(shares[0] * log_n) @ score, -(shares[1] * log_d) @ score
    value = (near * (size - near / 2)).sum()
    return value, np.array([by_a, by_b, by_e, by_alpha, by_beta])


def with_autograd():
    """Return the same and its gradient by `autograd`, called apart as published analyses do."""
    autograd = pytest.importorskip("autograd")
    anp = pytest.importorskip("autograd.numpy")
    special = pytest.importorskip("autograd.scipy.special")

    def value(theta, log_n, log_d, log_loss):
        a, b, e, alpha, beta = theta[0], theta[1], theta[2], theta[3], theta[4]
        terms = anp.stack([a - alpha * log_n, b - beta * log_d, e + 0 * log_n])
        residual = special.logsumexp(terms, axis=0) - log_loss
        size = anp.abs(residual)
        penalty = anp.where(size <= DELTA, residual**2 / 2, DELTA * (size - DELTA / 2))
        return anp.sum(penalty)

    slope = autograd.grad(value)
    return lambda *arguments: (value(*arguments), slope(*arguments))


def refits(fit, objective, draws):
    """Refit each resample by BFGS, started at the full fit."""
    columns = [np.log(fit.data[name].to_numpy()) for name in ("n_params", "n_tokens", "loss")]
    p = fit.params
    start = np.array([np.log(p["A"]), np.log(p["B"]), np.log(p["E"]), p["alpha"], p["beta"]])
    return [
        minimize(objective, start, tuple(c[rows] for c in columns), jac=True, method="BFGS").x
        for rows in draws
    ]


@pytest.mark.parametrize(("gradient", "bar"), [("autograd", 40), ("by hand", 1)])
def test_case_bootstrap_against_a_loop_of_bfgs(ratio, chinchilla_fit, gradient, bar):
    objective = with_autograd() if gradient == "autograd" else by_hand
    few = np.random.default_rng(0).integers(0, 240, (20, 240))
    found = ratio(
        f"case bootstrap, 4,000 draws, against BFGS, gradient {gradient}",
        bar,
        lambda: bootstrap(chinchilla_fit, N_DRAWS),
        N_DRAWS,
        lambda: refits(chinchilla_fit, objective, few),
        len(few),
    )
    assert found > 1
