r"""One right answer among exponentially many wrong ones: a transition in closed form.

A query of n bits has 2^n wrong answers, whose scores are Gaussian with variance n s^2 / 2; the
right one scores n mu. The largest of the wrong scores is n s sqrt(ln 2), so retrieval succeeds from
mu = s sqrt(ln 2) on, the more sharply the larger n. It is a cheap test for whatever claims to tell
a transition from a smooth rise.

References
----------
Derrida 1981, "Random-energy model" (the picture from memory); the success curve is derived.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from emergekit.theory.ranges import Array, positive, single, within

__all__ = ["random_energy_success", "random_energy_threshold"]

_NODES = 61
_FAR = 5.0  # standard deviations from which -log(1 - q) is q to 13 digits


def random_energy_threshold(spread: ArrayLike = 1.0) -> Array:
    r"""Return the score from which the right answer is found.

    .. math:: \mu_c = s \sqrt{\ln 2}

    Parameters
    ----------
    spread : array
        s, positive.

    Returns
    -------
    array
        Score per bit.

    Raises
    ------
    ValueError
        If a spread is not positive.

    References
    ----------
    Derrida 1981.

    Examples
    --------
    >>> float(random_energy_threshold().round(6))
    0.832555
    """
    s = within(spread, "spread", lambda s: s > 0, "positive")
    return np.asarray(s * np.sqrt(np.log(2)))


def random_energy_success(
    score: ArrayLike, n_bits: ArrayLike, spread: float = 1.0, *, fixed: bool = True
) -> Array:
    r"""Return the chance that the right answer beats 2^n wrong ones.

    .. math:: P = E\!\left[\Phi(z)^{2^n}\right], \qquad z = \frac{n \mu + g}{s \sqrt{n / 2}}

    Parameters
    ----------
    score : array
        mu, per bit.
    n_bits : array
        n, positive.
    spread : float
        s, positive.
    fixed : bool
        Whether the right answer's score is n mu exactly (g = 0): the transition's width is then of
        order 1/n. Otherwise g scatters like the wrong scores, and the width is of order n^(-1/2).

    Returns
    -------
    array
        Within [0, 1]; the power is taken through logarithms, for any n.

    Raises
    ------
    ValueError
        If a number is outside its range.

    References
    ----------
    Derived.

    Examples
    --------
    >>> random_energy_success([0.7, 1.0], 1000).round(3)
    array([0., 1.])
    """
    n = within(n_bits, "n_bits", lambda n: n > 0, "positive")
    mu = within(score, "score", np.isfinite, "finite")
    z = mu * np.sqrt(2 * n) / single(positive(spread, "spread"), "spread")
    if fixed:
        return _beats(z, n)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    values = _beats(z[..., None] + nodes, np.asarray(n)[..., None])
    return np.asarray(np.clip(values @ weights / weights.sum(), 0.0, 1.0))


def _beats(z: Array, n: Array) -> Array:
    """Return Phi(z) to the power 2^n."""
    exact = log_ndtr(np.minimum(z, _FAR))
    with np.errstate(over="ignore"):
        logarithm = n * np.log(2) + np.where(z < _FAR, np.log(-exact), log_ndtr(-z))
        return np.asarray(np.exp(-np.exp(logarithm)))
