"""What the continuous metric gained while the sharp one sat on its plateau."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t as student

from emergekit.emergence.questions.comparison import Comparison
from emergekit.emergence.questions.curve_pairs import CurvePair
from emergekit.emergence.questions.plateaus import SharpCurve

__all__ = ["early_progress"]


def early_progress(test: Comparison, pair: CurvePair, curve: SharpCurve) -> dict[str, Any]:
    """Return the gain as a share (pre_share), its p-value, and that of a mirage."""
    told = {"pre_share": np.nan, "p_pre": np.nan, "p_mirage": np.nan}
    gain = float(test.smooth[-1] - test.smooth[0])
    if curve.plateau > 0 and gain > 0:
        told["pre_share"] = float(test.smooth[curve.plateau - 1] - test.smooth[0]) / gain
    if curve.plateau >= 4:
        told["p_pre"] = _slope_p_value(test, pair, max(3, -(-curve.plateau // 2)))
        # The evidence is looked for in two places, so each counts for half.
        told["p_mirage"] = min(1.0, 2 * min(told["p_pre"], test.p_rev))
    return told


def _slope_p_value(test: Comparison, pair: CurvePair, length: int) -> float:
    """Return the one-sided p-value of a rise over the first scales, at the whole curve's noise.

    Only the first half of the plateau is looked at: a threshold near its end must not count.
    """
    x, z = pair.x[:length], np.asarray(pair.z)[:length]
    v = np.ones_like(z) if pair.z_variance is None else pair.z_variance[:length]
    centred = x - (x / v).sum() / (1 / v).sum()
    spread = float((centred**2 / v).sum())
    if not (spread > 0 and test.noise > 0):
        return 1.0
    slope = float((centred * z / v).sum()) / spread
    # Correlated noise makes a slope look surer than it is.
    noise = test.noise * (1 + test.correlation) / (1 - test.correlation)
    freedom = max(len(pair.x) - 4, 1)
    return float(student.sf(slope / np.sqrt(noise / spread), freedom))
