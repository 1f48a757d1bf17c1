"""One budget of compute, split between model size and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emergekit.errors import FitError
from emergekit.fitting.allocation.surface import Surface
from emergekit.laws import Law

__all__ = ["HELD", "Split", "is_optimal"]

Array = NDArray[np.float64]

HELD = ("n_params", "n_tokens", "tokens_per_param")
"""What may be held of a split; the budget settles the rest."""
_COUNTS = 1e3
"""FLOPs per token and parameter above which these are in other units than counts."""
_FLAT = 1e-9
_N_LOOKS = 65
_STEP = 1e-3
"""In ln C, over which the exponent of an optimal law is measured."""


@dataclass(frozen=True)
class Split:
    """One budget, and what is held of how it is split.

    Parameters
    ----------
    law : Law
        A loss in n_params and n_tokens, or an optimum in flops.
    flops : float
        The budget C, FLOPs.
    flops_per_token_param : float
        k in C = k N D.
    given : mapping
        Values of the law's other variables.
    held : (str, float), optional
        One of `HELD` and its value; None for the best split.
    """

    law: Law
    flops: float
    flops_per_token_param: float
    given: Mapping[str, float]
    held: tuple[str, float] | None

    def quantities(self, params: Mapping[str, Array]) -> dict[str, Array]:
        """Return the terms of the table at B parameter vectors, each of shape (B,)."""
        if is_optimal(self.law):
            return self._of_optimal_law(params)
        surface = self._surface(params)
        best = surface.optimum(self.flops)
        log_n = best if self.held is None else self._held_log_n(surface)
        terms = self._terms(log_n) | {"loss": surface.loss_at(log_n, self.flops)}
        if self.held is None:
            exponent = surface.exponent(self.flops)
            terms |= {"a": exponent, "b": 1 - exponent}
        elif np.isfinite(best[0]) and surface.is_inside(best, self.flops)[0]:
            terms["loss_excess"] = terms["loss"] - surface.loss_at(best, self.flops)
            terms["flops_needed"] = surface.flops_needed(terms["loss"], self.flops)
        return terms | ({"E": np.asarray(params["E"])} if "E" in params else {})

    def at_end(self, params: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return which parameter vectors have no optimum inside the budget, shape (B,)."""
        if self.held is not None or is_optimal(self.law):
            return np.zeros(len(next(iter(params.values()))), dtype=bool)
        surface = self._surface(params)
        return ~surface.is_inside(surface.optimum(self.flops), self.flops)

    def require_inside(self, params: Mapping[str, float]) -> None:
        """Raise a `FitError` unless these parameters have an optimum, or none is sought."""
        rows = {name: np.array([value]) for name, value in params.items()}
        if self.held is not None:
            self._require_counts(self._held_log_n(self._surface(rows))[0])
        if not self.at_end(rows)[0]:
            return
        raise FitError(
            f"{self.law.name} has no best split of {self.flops:g} FLOPs: at these parameters its "
            f"loss {self._why_no_best(rows)}. Hold one of {', '.join(HELD)}, or fit a law in which "
            f"both matter, such as laws.CHINCHILLA."
        )

    def _require_counts(self, log_n: float) -> None:
        """Raise a `FitError` where what is held leaves less than one token or parameter."""
        if is_optimal(self.law) or self.flops_per_token_param > _COUNTS:
            return
        name, value = self.held or ("", np.nan)
        terms = self._terms(np.array(log_n))
        for left in HELD[:2]:
            if terms[left] < 1 - 1e-9:
                raise FitError(
                    f"{name}={value:g} leaves {self.flops:g} FLOPs less than one of {left}, "
                    f"{float(terms[left]):.3g}; hold another value, or give units with "
                    f"flops_per_token_param=."
                )

    def _why_no_best(self, params: Mapping[str, Array]) -> str:
        """Return in words how the loss goes along the budget where it has no minimum inside."""
        surface = self._surface(params)
        end = float(surface.log_end(self.flops)[0])
        along = surface.loss(np.linspace(0.0, end, _N_LOOKS), self.flops)[0]
        if not np.isfinite(along).all():
            return "has no finite value along the budget"
        if np.ptp(along) <= _FLAT * np.abs(along).max():
            return "is the same however the budget is split"
        if 0 < int(along.argmax()) < _N_LOOKS - 1:
            return "is highest inside the budget and falls towards both of its ends"
        if 0 < int(along.argmin()) < _N_LOOKS - 1:
            return "rises with more parameters and tokens"  # or there would be a best split
        larger = "parameters" if along[-1] < along[0] else "tokens"
        return f"is lower the more of the budget goes into {larger}"

    def _surface(self, params: Mapping[str, Array]) -> Surface:
        return Surface(self.law, params, self.flops_per_token_param, self.given)

    def _held_log_n(self, surface: Surface) -> Array:
        name, value = self.held or ("n_params", np.nan)
        end, log_value = surface.log_end(self.flops), np.log(value)
        if name == "n_params":
            return np.full_like(end, log_value)
        log_n: Array = end - log_value
        return log_n if name == "n_tokens" else log_n / 2

    def _terms(self, log_n: Array) -> dict[str, Array]:
        log_d = np.log(self.flops / self.flops_per_token_param) - log_n
        return {
            "n_params": np.exp(log_n),
            "n_tokens": np.exp(log_d),
            "tokens_per_param": np.exp(log_d - log_n),
        }

    def _of_optimal_law(self, params: Mapping[str, Array]) -> dict[str, Array]:
        columns = {name: value[:, None] for name, value in params.items()}
        around = self.flops * np.exp(np.array([-_STEP, 0.0, _STEP]))
        low, log_count, high = np.log(self.law.predict({"flops": around}, columns)).T
        exponent = (high - low) / (2 * _STEP)
        if self.law.response == "n_tokens":
            log_count = np.log(self.flops / self.flops_per_token_param) - log_count
            exponent = 1 - exponent
        return self._terms(log_count) | {"a": exponent, "b": 1 - exponent}


def is_optimal(law: Law) -> bool:
    """Return whether a law gives an optimum by compute, rather than a loss."""
    return law.variables == ("flops",) and law.response in ("n_params", "n_tokens")
