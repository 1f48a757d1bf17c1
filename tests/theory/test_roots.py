import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.theory.roots import bisect, peak


@settings(max_examples=20)
@given(root=st.floats(1e-200, 1e200))
def test_bisection_finds_a_root_to_the_last_bit(root):
    assert abs(bisect(lambda x: x - root, 0.0, 2e200) - root) <= np.spacing(root)


def test_bisection_ends_at_the_nearer_end_where_there_is_no_root():
    found = bisect(lambda x: x - [0.5, 2.0], 1.0, [1.5, 1.5])
    np.testing.assert_allclose(found, [1.0, 1.5], rtol=1e-15)


@settings(max_examples=20)
@given(top=st.floats(-5, 5))
def test_the_height_of_a_peak_is_exact(top):
    def hill(x):
        return -np.cosh(x - top)

    found = peak(hill, np.array([top - 1.0]), np.array([top + 3.0]))
    assert hill(found)[0] >= -1 - 1e-15
