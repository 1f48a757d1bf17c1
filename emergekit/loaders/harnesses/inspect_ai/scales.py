"""On which scale Inspect AI states a metric: that depends on its scorer.

``accuracy`` is a share whoever scored, and ``mean`` where a scorer of Inspect AI's own gave the
scores, which are letters or shares. The mean of another scorer may run from anywhere to anywhere.
"""

from __future__ import annotations

from emergekit.loaders.harnesses.scales import SHARE, UNKNOWN, Scale

__all__ = ["scale_of"]

_OWN_SCORERS = frozenset(
    {"answer", "choice", "exact", "f1", "includes", "match", "math", "model_graded_fact"}
    | {"model_graded_qa", "pattern"}
)


def scale_of(metric: str, scorer: str | None) -> Scale:
    """Return bounds and direction of a metric of a scorer.

    Examples
    --------
    >>> scale_of("accuracy", "poll") == scale_of("mean", "f1") == SHARE
    True
    >>> scale_of("mean", "judge") == UNKNOWN
    True
    """
    if metric == "accuracy":
        return SHARE
    return SHARE if metric == "mean" and scorer in _OWN_SCORERS else UNKNOWN
