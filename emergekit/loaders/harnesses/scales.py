"""The scale of a metric: its bounds and its direction, as columns of results."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["LOSS_SHARE", "SHARE", "UNKNOWN", "Scale", "columns_of"]


class Scale(NamedTuple):
    """Bounds and direction of a metric, None where nothing tells.

    Parameters
    ----------
    low, high : float, optional
        Lowest and highest score there can be.
    higher_is_better : bool, optional
        Whether more is better.
    """

    low: float | None = None
    high: float | None = None
    higher_is_better: bool | None = None


SHARE = Scale(0.0, 1.0, True)
"""A share of what is right."""

LOSS_SHARE = Scale(0.0, 1.0, False)
"""A share of what is wrong."""

UNKNOWN = Scale()
"""Nothing tells; what is not known is not guessed."""


def columns_of(scale: Scale, score: float) -> dict[str, Any]:
    """Return bounds and direction as columns; bounds that the score breaks are none.

    Examples
    --------
    >>> columns_of(SHARE, 0.5)
    {'low': 0.0, 'high': 1.0, 'higher_is_better': True}
    >>> columns_of(SHARE, 7.0)
    {'low': None, 'high': None, 'higher_is_better': True}
    """
    low = -float("inf") if scale.low is None else scale.low
    high = float("inf") if scale.high is None else scale.high
    if low <= score <= high:
        return scale._asdict()
    return Scale(higher_is_better=scale.higher_is_better)._asdict()
