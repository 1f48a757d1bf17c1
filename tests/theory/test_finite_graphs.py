import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import ndtri

from emergekit.theory import (
    emergence_threshold,
    finite_graphs,
    jump_probability,
    jump_scaling,
    simulate_learning,
    unlearned_at_threshold,
)


@settings(max_examples=20)
@given(c=st.floats(2.75, 12))
def test_the_closed_width_is_the_variance_that_it_was_derived_from(c):
    r, left = float(emergence_threshold(c)), float(unlearned_at_threshold(c))
    hits = c * left * np.exp(-c * left)
    came = integrate.quad(lambda x: c**2 * x * np.exp(-c * x) / x**2, left, 1)[0]
    texts = r * (left**2 * (c * np.exp(-c) + came) - hits**2)
    removed = integrate.quad(lambda x: (c * r * np.exp(-c * x) + np.log(x)) / x**2, left, 1)[0]
    width = np.sqrt(texts + left**2 * removed) / hits
    assert jump_scaling(c).width == pytest.approx(width, rel=1e-7)


def test_width_and_shift_agree_with_decoders():
    # fitted to simulated jumps at 3e3, 1e4, 3e4 and 1e5 skills: widths 1.107, 1.139, 1.137, 1.074
    # and shifts 2.87, 2.89, 2.79, 3.26, all of them rounded by the few graphs of each
    found = jump_scaling(3.0)
    assert found.ratio == pytest.approx(1.037885697, abs=6e-10)
    assert found.width == pytest.approx(1.114, rel=0.06)
    assert found.shift == pytest.approx(2.95, rel=0.03)
    half = found.ratio + found.shift * np.array([3e3, 1e4, 3e4, 1e5]) ** (-2 / 3)
    np.testing.assert_allclose(half, [1.0517, 1.0441, 1.0408, 1.0394], atol=6e-4)


@pytest.mark.slow
def test_the_constant_of_the_shift_is_the_mean_maximum_of_a_random_walk_on_a_parabola():
    rng, step, n = np.random.default_rng(0), 2e-3, 2000
    t = np.arange(1, n + 1) * step
    walks = rng.normal(0, np.sqrt(step), (2, 3000, n)).cumsum(axis=2) - t**2 / 2
    top = np.maximum(walks.max(axis=(0, 2)), 0)
    between = 0.5826 * np.sqrt(step)  # a walk misses what happens between its steps
    error = top.std() / np.sqrt(len(top))
    assert top.mean() + between == pytest.approx(finite_graphs._OMEGA, abs=4 * error)


@pytest.mark.slow
def test_few_skills_jump_as_often_as_predicted():
    size, n = 10_000, 120
    at = jump_scaling(3.0)
    for chance in (0.15, 0.5, 0.85):
        centre = at.ratio + at.shift * size ** (-2 / 3)
        ratio = centre + at.width * ndtri(chance) / np.sqrt(size)
        assert jump_probability(ratio, size, 3.0) == pytest.approx(chance)
        jumped = simulate_learning(size, ratio, 3.0, n_graphs=n, seed=1).learned > 0.7
        assert jumped.mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / n))


@pytest.mark.slow
@pytest.mark.parametrize(("size", "n"), [(3_000, 2_000), (100_000, 150)])
def test_width_and_shift_have_the_exponents_one_half_and_two_thirds(size, n):
    pytest.importorskip("numba")
    at = jump_scaling(3.0)
    for chance in (0.2, 0.5, 0.8):
        ratio = at.ratio + at.shift * size ** (-2 / 3) + at.width * ndtri(chance) / np.sqrt(size)
        found = simulate_learning(size, ratio, 3.0, n_graphs=n, seed=2, compiled=True).learned
        error = np.sqrt(chance * (1 - chance) / n)
        # what the next order leaves is S^(-1/6) of the shift's own size or less
        assert (found > 0.7).mean() == pytest.approx(chance, abs=4 * error + 0.02)


def test_smooth_learning_has_no_jump_to_be_shifted():
    assert np.isnan(jump_scaling([2.0, 3.0]).width).tolist() == [True, False]
    assert np.isnan(jump_probability([1.0], 100, [2.0])).all()
    with pytest.raises(ValueError, match="learning is smooth"):
        jump_probability(1.0, 100, 2.0)
    with pytest.raises(ValueError, match="n_skills must be a whole number"):
        jump_probability(1.0, 0, 3.0)
