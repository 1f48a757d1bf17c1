"""Laws of nature for one task: mirages of the metric, smooth rises, nothing at all, thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.emergence.questions.links import Kind
from emergekit.errors import unknown

__all__ = ["FIRST", "LAST", "N_CHOICES", "WORLDS", "World", "known_world"]

Array: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = Literal["mirage", "smooth", "flat", "genuine"]

FIRST, LAST = 18.0, 24.0
"""Smallest and largest scale, log10 FLOPs."""
N_CHOICES = 4
_THRESHOLD = 21.0


@dataclass(frozen=True)
class World:
    """A law of nature for one task.

    Parameters
    ----------
    truth : {"mirage", "smooth", "flat", "genuine"}
        What a perfect judge would say: a smooth cause that looks sharp, one that looks smooth,
        none, or a threshold.
    kind : {"em", "mc"}
        Exact match of `n_tokens` tokens, or a choice among four.
    level : callable
        From log10 FLOPs to the loss per token ("em", nats) or to the margin of the right choice
        ("mc", in units of the logits).
    n_tokens : int
        Target length K.
    """

    truth: Truth
    kind: Kind
    level: Callable[[Array], Array]
    n_tokens: int = 1


def _power_law(x: Array, *, loss: float, exponent: float) -> Array:
    return loss * 10.0 ** (-exponent * (x - FIRST))


def _flat_then_falling(x: Array, *, rate: float, power: float) -> Array:
    return 2.5 * np.exp(-rate * _past(x) ** power)


def _sigmoid(x: Array, *, scale: float) -> Array:
    return 2.5 / (1 + np.exp(-(x - 22.0) / scale))


def _rising_line(x: Array) -> Array:
    return 0.5 + 0.35 * (x - FIRST)


def _nothing(x: Array) -> Array:
    return np.zeros_like(x)


def _hinge(x: Array, *, height: float, power: float) -> Array:
    return height * (_past(x) / (LAST - FIRST)) ** power


def _past(x: Array) -> Array:
    return np.asarray(np.maximum(x - _THRESHOLD, 0.0))


def _mirage(n_tokens: int, exponent: float = 0.25) -> World:
    level = partial(_power_law, loss=3.0, exponent=exponent)
    return World("smooth" if n_tokens == 1 else "mirage", "em", level, n_tokens)


def _broken_loss(n_tokens: int, rate: float, power: float) -> World:
    return World("genuine", "em", partial(_flat_then_falling, rate=rate, power=power), n_tokens)


def _broken_margin(height: float, power: float) -> World:
    return World("genuine", "mc", partial(_hinge, height=height, power=power))


WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "em K=1": _mirage(1),
        "em K=2": _mirage(2),
        "em K=5": _mirage(5),
        "em K=10": _mirage(10),
        "em K=10, slow": _mirage(10, 0.15),
        "em K=10, fast": _mirage(10, 0.40),
        "mc sigmoid": World("mirage", "mc", partial(_sigmoid, scale=1.0)),
        "mc narrow sigmoid": World("mirage", "mc", partial(_sigmoid, scale=0.6)),
        "em smooth": World("smooth", "em", partial(_power_law, loss=1.6, exponent=0.25)),
        "mc smooth": World("smooth", "mc", _rising_line),
        "mc flat": World("flat", "mc", _nothing),
        "em hinge K=1": _broken_loss(1, 0.6, 1.0),
        "em hinge K=5": _broken_loss(5, 1.2, 1.0),
        "em root hinge K=3": _broken_loss(3, 1.5, 0.5),
        "mc hinge": _broken_margin(6.0, 1.0),
        "mc root hinge": _broken_margin(3.0, 0.5),
        "mc steep hinge": _broken_margin(2.5, 0.35),
    }
)
"""The worlds that the rates of this page were measured on, by name."""


def known_world(name: str) -> World:
    """Return a world by name, or say which ones there are."""
    if name not in WORLDS:
        raise ValueError(unknown("world", name, WORLDS))
    return WORLDS[name]
