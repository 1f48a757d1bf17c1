import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergekit.emergence import curve_dictionary
from emergekit.emergence.questions.projections import Projections


def brute(parts, curves):
    """Return the residual sums and the place of the best threshold, shape by shape."""
    total = (curves**2).sum(axis=1)
    reach = [curves @ shapes.T for shapes in (parts.smooth, parts.threshold)]
    best = [np.maximum(part.max(axis=1), 0) ** 2 for part in reach]
    bent = ((curves @ parts.quadratic) ** 2).sum(axis=1)
    left = total - np.maximum(best[0], bent), total - best[1]
    return *(np.maximum(part, 0) for part in left), reach[1].argmax(axis=1)


@settings(max_examples=25, deadline=None)
@given(
    m=st.integers(6, 20),
    scatter=st.sampled_from([1e-6, 0.02, 0.3, 5.0]),
    seed=st.integers(0, 9),
    falls=st.booleans(),
)
def test_shapes_left_out_by_the_bound_are_never_the_best(m, scatter, seed, falls):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 1, m))
    parts = Projections.of(curve_dictionary(x), rng.uniform(0.5, 2, m))
    known = (-1 if falls else 1) * np.maximum(x - 0.5, 0)
    about = parts.centred((known * parts.weight)[None])[0]
    curves = parts.centred(about + scatter * rng.standard_normal((120, m)))
    smooth, threshold, place = brute(parts, curves)
    found = parts.residuals(curves, about)
    size = (curves**2).sum(axis=1)
    assert np.abs(found.smooth - smooth).max() <= 1e-12 * size.max()
    assert np.abs(found.threshold - threshold).max() <= 1e-12 * size.max()
    reach = curves @ parts.threshold.T
    rows = np.arange(len(curves))
    assert np.allclose(reach[rows, found.place], reach[rows, place], rtol=0, atol=1e-12)
    everywhere = parts.residuals(curves)
    assert np.abs(found.smooth - everywhere.smooth).max() <= 1e-12 * size.max()


def test_the_bound_leaves_out_most_shapes_of_a_clear_curve():
    x = np.linspace(0, 1, 12)
    parts = Projections.of(curve_dictionary(x), np.ones(12))
    about = parts.centred(np.maximum(x - 0.5, 0)[None])[0]
    near = about + 0.01 * np.random.default_rng(0).standard_normal((50, 12))
    known = parts.threshold @ about
    far = np.sqrt(((near - about) ** 2).sum(axis=1).max())
    apart = np.sqrt(np.maximum(2 - 2 * parts.threshold @ parts.threshold[known.argmax()], 0))
    assert (known.max() - known > apart * far).mean() > 0.5


def test_dictionaries_of_one_design_are_built_once_and_cannot_be_changed():
    one, other = curve_dictionary(range(12)), curve_dictionary(range(3, 15))
    assert one is other
    assert curve_dictionary(range(12), width=0.3) is not one
    with pytest.raises(ValueError, match="read-only"):
        one.smooth[0, 0] = 1.0
