"""Many small symmetric systems at once, each with the word whether it is positive definite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve_definite"]

Array = NDArray[np.float64]

_PIVOT = 1e-14
"""A pivot below this share of its diagonal entry is rounding: the matrix is not definite."""


def solve_definite(matrices: Array, right: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the solutions of symmetric systems by Cholesky, and which matrices are definite.

    Parameters
    ----------
    matrices : array, shape (b, p, p)
        Only the lower triangles are read.
    right : array, shape (b, p)
        Right-hand sides.

    Returns
    -------
    array, shape (b, p)
        Solutions; without meaning where the matrix is not positive definite.
    array of bool, shape (b,)
        Whether it is.

    Examples
    --------
    >>> x, definite = solve_definite(np.array([[[4.0, 0], [2, 2]], [[1, 0], [2, 1]]]), np.eye(2))
    >>> x[0].tolist(), definite.tolist()
    ([0.5, -0.5], [True, False])
    """
    # LAPACK is called once a matrix; loops over p with the batch innermost beat it for small p.
    lower = np.array(matrices.transpose(1, 2, 0), order="C")
    x = np.array(right.T, order="C")
    definite = np.ones(lower.shape[-1], dtype=bool)
    size = len(lower)
    for j in range(size):
        row = lower[j, :j]
        pivot = lower[j, j] - (row * row).sum(axis=0)
        good = pivot > _PIVOT * lower[j, j]
        definite &= good
        root = np.sqrt(np.where(good, pivot, 1.0))
        lower[j, j] = root
        if j + 1 < size:
            below = lower[j + 1 :, j]
            below -= (lower[j + 1 :, :j] * row).sum(axis=1)
            below /= root
        x[j] = (x[j] - (row * x[:j]).sum(axis=0)) / root
    for j in reversed(range(size)):
        x[j] = (x[j] - (lower[j + 1 :, j] * x[j + 1 :]).sum(axis=0)) / lower[j, j]
    return x.T, definite
