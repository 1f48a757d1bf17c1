"""From fits to what they promise: competence by the theories of emergence."""

from __future__ import annotations

from emergekit.prediction.competence import (
    composable_tuples,
    exact_match_by_loss,
    guaranteed_competence,
    through_theory,
)

__all__ = [  # noqa: RUF022  any theory, then one after another
    "through_theory",
    "guaranteed_competence",
    "composable_tuples",
    "exact_match_by_loss",
]
