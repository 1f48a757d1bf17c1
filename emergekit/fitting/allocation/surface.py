"""A loss in model size and tokens, followed along budgets of compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.errors import FitError, shown
from emergekit.fitting.allocation.minima import lowest_point
from emergekit.fitting.result import Fit
from emergekit.laws import CHINCHILLA, Law

__all__ = [
    "FLOPS_PER_TOKEN_PARAM",
    "Source",
    "Surface",
    "law_and_params",
    "require_scales",
    "surface_of",
]

Array = NDArray[np.float64]
Source: TypeAlias = "Fit | tuple[Law, Mapping[str, float]]"

FLOPS_PER_TOKEN_PARAM = 6.0
"""Of training, k in C = k N D: 2 forward, 4 backward (Kaplan et al. 2020; from memory)."""

_FLAT = 1e-9
"""A loss that rises by less than this share towards an end of a budget has no minimum there."""
_BEYOND = 12 * np.log(10.0)
"""In ln N, how far below one parameter and below one token the search goes: n_params may be in
billions, and n_tokens in trillions."""
_STEP = 0.05
"""In ln C, to either side, over which a local exponent is measured."""
_N_NEWTON = 20


@dataclass(frozen=True)
class Surface:
    """The losses of a law at B parameter vectors, along budgets C = k N D.

    Budgets are of shape (), one for all vectors, or (B,).

    Parameters
    ----------
    law : Law
        Of n_params and n_tokens, and maybe more.
    params : mapping
        Parameters by name, each of shape (B,).
    flops_per_token_param : float
        k, FLOPs per token and parameter.
    given : mapping
        Values of the law's other variables, such as n_unique_tokens.
    """

    law: Law
    params: Mapping[str, Array]
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM
    given: Mapping[str, float] = field(default_factory=dict)

    def log_end(self, flops: Array | float) -> Array:
        """Return ln N of the size that leaves a budget one token, shape (B,)."""
        end = np.log(np.asarray(flops) / self.flops_per_token_param)
        return np.broadcast_to(end, self._n_vectors).astype(float)

    def loss(self, log_n: Array, flops: Array | float) -> Array:
        """Return the loss at sizes exp(log_n), shape (n,) or (B, n), as (B, n)."""
        log_n = np.broadcast_to(log_n, (self._n_vectors, np.shape(log_n)[-1]))
        log_d = self.log_end(flops)[:, None] - log_n
        with np.errstate(over="ignore"):
            columns = {
                "n_params": np.exp(log_n),
                "n_tokens": np.exp(log_d),
                "tokens_per_param": np.exp(log_d - log_n),
                "flops": np.broadcast_to(np.reshape(flops, (-1, 1)), log_n.shape),
                **self.given,
            }
        params = {name: np.asarray(value)[:, None] for name, value in self.params.items()}
        return np.broadcast_to(self.law.predict(columns, params), log_n.shape)

    def loss_at(self, log_n: Array, flops: Array | float) -> Array:
        """Return the loss at one size per parameter vector, shape (B,)."""
        return self.loss(log_n[:, None], flops)[:, 0]

    def optimum(self, flops: Array | float) -> Array:
        """Return ln N of least loss at a budget, shape (B,).

        Where the loss falls all the way, that is an end of the search. NaN where the loss does not
        depend on the split of the budget, or has no value.
        """
        if self.law.function is CHINCHILLA.function:
            return self._chinchilla_optimum(flops)
        low, high = self._ends(flops)
        log_n = lowest_point(lambda x: self.loss(x, flops), low, high)
        rise = self.loss(np.stack([low, high], axis=1), flops).max(axis=1)
        least = self.loss_at(log_n, flops)
        return np.where(rise - least > _FLAT * np.abs(least), log_n, np.nan)

    def _ends(self, flops: Array | float) -> tuple[Array, Array]:
        end = self.log_end(flops)
        return np.full_like(end, -_BEYOND), end + _BEYOND

    def _chinchilla_optimum(self, flops: Array | float) -> Array:
        # Hoffmann et al. 2022, equation 4: both terms of the loss fall equally fast.
        A, B, alpha, beta = (np.asarray(self.params[p]) for p in ("A", "B", "alpha", "beta"))
        with np.errstate(all="ignore"):
            balance = np.log(alpha * A) - np.log(beta * B)
            log_n = (balance + beta * self.log_end(flops)) / (alpha + beta)
            best: Array = np.clip(log_n, *self._ends(flops))
        return best

    def is_inside(self, log_n: Array, flops: Array | float) -> NDArray[np.bool_]:
        """Return whether sizes are no end of the search."""
        low, high = self._ends(flops)
        inside: NDArray[np.bool_] = (log_n > low + 1e-6) & (log_n < high - 1e-6)
        return inside

    def exponent(self, flops: Array | float) -> Array:
        """Return a = d ln N* / d ln C at a budget, shape (B,)."""
        if self.law.function is CHINCHILLA.function:
            alpha, beta = (np.asarray(self.params[p]) for p in ("alpha", "beta"))
            with np.errstate(all="ignore"):
                return np.asarray(beta / (alpha + beta))
        above, below = (self.optimum(flops * np.exp(step)) for step in (_STEP, -_STEP))
        slope: Array = (above - below) / (2 * _STEP)
        return slope

    def flops_needed(self, loss: Array, flops: float) -> Array:
        """Return the compute whose best split reaches a loss, shape (B,), sought from `flops`."""
        log_c = np.full(self._n_vectors, np.log(flops))
        for _ in range(_N_NEWTON):
            least, slope = self._least(np.exp(log_c))
            with np.errstate(all="ignore"):
                step = np.clip((least - loss) / -slope, -3.0, 3.0)
            log_c = log_c + step
            if not (np.abs(step) > 1e-9).any():
                break
        found: Array = np.exp(log_c)
        return found

    def _least(self, flops: Array) -> tuple[Array, Array]:
        """Return the least loss at each budget, and its slope in ln C.

        The slope is that at a fixed N, since a shift of N around its optimum changes nothing.
        """
        log_n, h = self.optimum(flops), 1e-4
        low, least, high = (self.loss_at(log_n, flops * np.exp(step)) for step in (-h, 0.0, h))
        return least, (high - low) / (2 * h)

    @property
    def _n_vectors(self) -> int:
        return len(next(iter(self.params.values())))


def law_and_params(source: Source) -> tuple[Law, Mapping[str, float]]:
    """Return the law and the parameters of a fit, or of a pair of both.

    Raises
    ------
    FitError
        If it is neither, or a parameter is absent or no number.
    """
    if isinstance(source, Fit):
        return source.law, {name: float(source.params[name]) for name in source.law.names}
    pair = source if isinstance(source, tuple) and len(source) == 2 else (None, None)
    law, params = pair
    if not isinstance(law, Law):
        raise FitError(
            f"expected a Fit, or a pair (law, params) such as (laws.CHINCHILLA, {{'E': 1.69, "
            f"...}}), not {shown(source) if isinstance(source, str) else type(source).__name__}."
        )
    try:
        return law, {name: float(params[name]) for name in law.names}
    except (KeyError, TypeError, ValueError):
        raise FitError(
            f"params of {law.name} must give a number for each of {', '.join(law.names)}."
        ) from None


def surface_of(
    source: Source,
    flops_per_token_param: float = FLOPS_PER_TOKEN_PARAM,
    given: Mapping[str, float] | None = None,
) -> Surface:
    """Return the loss surface of a fit, or of a law and its parameters, with B = 1.

    Raises
    ------
    FitError
        If the law has no n_params or n_tokens, or a variable that is not given.
    """
    law, params = law_and_params(source)
    given = {} if given is None else dict(given)
    require_scales(law, given)
    rows = {name: np.array([value]) for name, value in params.items()}
    return Surface(law, rows, flops_per_token_param, given)


def require_scales(law: Law, given: Mapping[str, object]) -> None:
    """Raise a `FitError` unless a budget and what is given settle all variables of the law."""
    absent = [name for name in ("n_params", "n_tokens") if name not in law.variables]
    if absent:
        raise FitError(
            f"a budget is split between n_params and n_tokens, but {law.name} is a law of "
            f"{', '.join(law.variables)}; fit one of both, such as laws.CHINCHILLA."
        )
    settled = ("n_params", "n_tokens", "flops", "tokens_per_param")
    needed = [name for name in law.variables if name not in settled]
    missing = [name for name in needed if name not in given]
    if missing:
        raise FitError(
            f"{law.name} also depends on {', '.join(missing)}; "
            f"say at which value, with given={{'{missing[0]}': ...}}."
        )
    extra = [name for name in given if name not in needed]
    if extra:
        raise FitError(
            f"given names {', '.join(extra)}, which {law.name} does not read or a budget settles; "
            f"its other variables are {', '.join(needed) or 'none'}."
        )
