import numpy as np
import pytest

from emergekit.fitting.solving.matrices import solve_definite


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_systems_are_solved_as_lapack_does(size):
    rng = np.random.default_rng(size)
    roots, right = rng.standard_normal((40, size, size)), rng.standard_normal((40, size))
    matrices = roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(size)
    x, definite = solve_definite(matrices, right)
    assert definite.all()
    np.testing.assert_allclose(x, np.linalg.solve(matrices, right[..., None])[..., 0], rtol=1e-8)


def test_indefinite_and_broken_matrices_are_told_and_leave_their_neighbours_alone():
    matrices = np.array([np.eye(2), [[1, 2], [2, 1]], np.full((2, 2), np.nan), 2 * np.eye(2)])
    x, definite = solve_definite(matrices, np.ones((4, 2)))
    assert definite.tolist() == [True, False, False, True]
    np.testing.assert_allclose(x[[0, 3]], [[1, 1], [0.5, 0.5]])
