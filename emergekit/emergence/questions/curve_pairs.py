"""One curve as it comes to the questions, and how it is to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emergekit.emergence.questions.dictionary import DEFAULT_WIDTH
from emergekit.emergence.questions.links import Kind

__all__ = ["LEAST_SCALES", "CurvePair", "Options"]

Array: TypeAlias = NDArray[np.float64]

LEAST_SCALES = 5


@dataclass(frozen=True)
class CurvePair:
    """One curve as arrays: sharp counts, and the continuous metric where there is one.

    Parameters
    ----------
    x : array, shape (m,)
        Scales on the axis of the analysis, rising.
    correct, n : array, shape (m,)
        Right answers and test size at each scale; n is NaN where it is unknown.
    chance : float
        Score of guessing.
    kind : {"em", "mc"}
        Exact match or multiple choice.
    z : array, shape (m,), optional
        Continuous metric, up is better; minus the log of a loss.
    z_variance : array, shape (m,), optional
        Its sampling variance.
    loss : bool
        Whether z is minus the log of a loss.
    predicted, predicted_variance : array, shape (m,), optional
        Sharp score by composition of each item's own token probabilities.
    trajectory : bool
        Whether the points are checkpoints of one run.
    share_covariance, z_covariance : array, shape (m, m), optional
        How the scores of all scales move together over the items that they share.
    n_checkpoints : int
        Of a trajectory, places of its checkpoints before they were averaged in stretches.
    """

    x: Array
    correct: Array
    n: Array
    chance: float
    kind: Kind
    z: Array | None = None
    z_variance: Array | None = None
    loss: bool = False
    predicted: Array | None = None
    predicted_variance: Array | None = None
    trajectory: bool = False
    share_covariance: Array | None = None
    z_covariance: Array | None = None
    n_checkpoints: int = 0


@dataclass(frozen=True)
class Options:
    """How a curve is judged; the same for all curves of a call."""

    width: float = DEFAULT_WIDTH
    min_width: float | None = None
    alpha: float = 0.05
    n_boot: int = 199
    fine: bool = False
    seed: int = 0
