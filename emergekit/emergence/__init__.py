"""Is it emergent? Shapes of curves."""

from __future__ import annotations

from emergekit.emergence.curves import curve_shapes

__all__ = ["curve_shapes"]
