"""The published theories of emergence as pure functions of arrays; no tables here."""

from emergekit.theory import mirage
from emergekit.theory.skills import (
    competence,
    max_alpha,
    performance_curve,
    tuple_coverage_bound,
    tuple_failure,
    tuple_performance_curve,
    unseen_share,
)
from emergekit.theory.slingshot import (
    chinchilla_competence,
    chinchilla_excess,
    failure_from_excess,
)

__all__ = [  # noqa: RUF022  pipeline order says more than the alphabet
    "mirage",
    "max_alpha",
    "performance_curve",
    "tuple_failure",
    "tuple_performance_curve",
    "competence",
    "tuple_coverage_bound",
    "unseen_share",
    "chinchilla_excess",
    "failure_from_excess",
    "chinchilla_competence",
]
