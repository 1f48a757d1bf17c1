"""Is it emergent? Shapes of curves, and the perspective of loss."""

from __future__ import annotations

from emergekit.emergence.collapse import collapse_test
from emergekit.emergence.curves import curve_shapes

__all__ = ["collapse_test", "curve_shapes"]
