r"""How many examples stand behind a score, and whether a group's standard error is pooled.

The harness's standard error of a mean is :math:`s = \sqrt{p(1-p)/(n-1)}` where each example scores
0 or 1, so :math:`n = p(1-p)/s^2 + 1`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["pooled_stderr", "recovered_count", "unweighted_stderr"]

_NEAR = 1e-4  # digits that the double precision of both numbers leaves at 1e5 examples


def recovered_count(score: float, stderr: float) -> int | None:
    """Return the examples behind a share, None where the numbers do not tell.

    Both n and the examples that were right must come out whole; so a standard error by bootstrap,
    of a metric that is no share, or a rounded one tells nothing.

    Parameters
    ----------
    score, stderr : float
        A mean of zeros and ones, and its standard error.

    Examples
    --------
    >>> recovered_count(0.57180675049636, 0.01273374279951516)
    1511
    >>> recovered_count(0.57, 0.0127) is None, recovered_count(0.0, 0.0) is None
    (True, True)
    """
    if not (0 < score < 1 and 0 < stderr < 1):
        return None
    n = score * (1 - score) / stderr**2 + 1
    whole = round(n)
    right = score * whole
    tolerance = max(_NEAR, 1e-9 * n)
    if whole < 2 or abs(n - whole) > tolerance or abs(right - round(right)) > tolerance:
        return None
    return whole


def pooled_stderr(stderrs: Sequence[float], counts: Sequence[int]) -> float:
    r"""Return the standard error of a mean over groups of examples put together.

    .. math:: s = \sqrt{\frac{\sum_i (n_i - 1)\, n_i s_i^2}{(N - k) N}}, \quad N = \sum_i n_i

    References
    ----------
    lm-evaluation-harness, pull request 1390; 0.4.13, api/metrics.py, pooled_sample_stderr.
    """
    total, k = sum(counts), len(counts)
    if total <= k:
        return math.nan
    squares = sum((n - 1) * n * s**2 for s, n in zip(stderrs, counts, strict=True))
    return math.sqrt(squares / (total - k) / total)


def unweighted_stderr(stderrs: Sequence[float]) -> float:
    r"""Return the standard error of a plain mean of k scores, :math:`\sqrt{\sum s_i^2}/k`."""
    return math.sqrt(sum(s**2 for s in stderrs)) / len(stderrs)
