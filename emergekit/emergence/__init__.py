"""Is it emergent? Shapes of curves, and the perspective of loss."""

from __future__ import annotations

from emergekit.emergence.breaks import break_test
from emergekit.emergence.collapse import collapse_test
from emergekit.emergence.curves import curve_shapes
from emergekit.emergence.loss_scale import normalized_performance, scale_at_loss, threshold_size
from emergekit.emergence.threshold_result import Threshold
from emergekit.emergence.thresholds import fit_threshold

__all__ = [  # noqa: RUF022  pipeline order: shapes, collapse, breaks, thresholds, their scale
    "curve_shapes",
    "collapse_test",
    "break_test",
    "Threshold",
    "fit_threshold",
    "normalized_performance",
    "threshold_size",
    "scale_at_loss",
]
