"""Is it emergent? Shapes of curves, verdicts on them, and the perspective of loss."""

from __future__ import annotations

from emergekit.emergence.collapse.offsets import collapse_test
from emergekit.emergence.loss_scale import normalized_performance, threshold_size
from emergekit.emergence.questions.dictionary import curve_dictionary
from emergekit.emergence.questions.hinges import hinge_test
from emergekit.emergence.questions.lengths import length_link_test
from emergekit.emergence.questions.links import link_test
from emergekit.emergence.questions.resolution import items_needed, resolution_test
from emergekit.emergence.shapes.curves import curve_shapes
from emergekit.emergence.simulation.drawing import simulate_world
from emergekit.emergence.simulation.power import power_table
from emergekit.emergence.simulation.rates import confusion_matrix
from emergekit.emergence.simulation.worlds import WORLDS, World
from emergekit.emergence.thresholds.breaks import break_test
from emergekit.emergence.thresholds.by_run import run_thresholds
from emergekit.emergence.thresholds.finding import fit_threshold
from emergekit.emergence.verdicts.judging import mirage_test
from emergekit.emergence.verdicts.words import verdict_in_words

__all__ = [  # noqa: RUF022  pipeline order: shapes, verdicts, collapse, breaks, thresholds, scale
    "curve_shapes",
    "curve_dictionary",
    "hinge_test",
    "link_test",
    "length_link_test",
    "resolution_test",
    "items_needed",
    "mirage_test",
    "verdict_in_words",
    "WORLDS",
    "World",
    "simulate_world",
    "confusion_matrix",
    "power_table",
    "collapse_test",
    "break_test",
    "fit_threshold",
    "run_thresholds",
    "normalized_performance",
    "threshold_size",
]
