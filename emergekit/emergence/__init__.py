"""Is it emergent? Shapes of curves, and the perspective of loss."""

from __future__ import annotations

from emergekit.emergence.collapse import collapse_test
from emergekit.emergence.curves import curve_shapes
from emergekit.emergence.loss_scale import normalized_performance, scale_at_loss, threshold_size

__all__ = [  # noqa: RUF022  pipeline order: shapes, collapse, and the scale of a loss
    "curve_shapes",
    "collapse_test",
    "normalized_performance",
    "threshold_size",
    "scale_at_loss",
]
