import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from emergekit.theory import apparent, collapsing, finite_size, percolation, random_energy

SIZES = np.array([100, 400, 1600])


@pytest.fixture(scope="module")
def transition():
    """Return runs that jump at x = 0.4 with width n^(-1/2): 0 or 1 each, 60 runs."""
    x = np.linspace(0, 0.8, 41)
    chance = norm.cdf((x - 0.4) * np.sqrt(SIZES)[:, None])
    rng = np.random.default_rng(0)
    return x, rng.binomial(1, chance[..., None], (*chance.shape, 60)).astype(float)


@pytest.fixture(scope="module")
def random_graphs():
    """Return giant components of random graphs about mean degree 1."""
    x, sizes = np.linspace(0.7, 1.5, 9), np.array([300, 1500, 7500])
    runs = [
        [[percolation.simulate_random_graph_giant(n, a, seed) for seed in range(40)] for a in x]
        for n in sizes
    ]
    return x, sizes, np.array(runs)


@pytest.fixture(scope="module")
def mirage():
    """Return exact match of five tokens over log size, each score a mean over n examples."""
    x = np.linspace(8, 13, 41)
    runs = [apparent.simulate_exact_match(10**x, 5, n, n_runs=40, seed=n) for n in SIZES]
    return x, np.array(runs)


def test_binder_cumulants_of_known_distributions():
    rng = np.random.default_rng(0)
    noise = finite_size.binder_cumulant(rng.normal(size=200_000))
    assert noise == pytest.approx(0, abs=0.02)
    assert finite_size.binder_cumulant([0.3, -0.3]) == pytest.approx(2 / 3)
    assert finite_size.binder_cumulant([1e-100, -1e-100]) == pytest.approx(2 / 3)
    two_phases = np.r_[np.ones(5), np.zeros(95)]
    assert finite_size.binder_cumulant(two_phases) == pytest.approx(1 - 1 / (3 * 0.05))
    assert np.isnan(finite_size.binder_cumulant([0.0, 0.0]))


@given(scale=st.floats(1e-6, 1e6))
def test_binder_cumulants_have_no_unit(scale):
    m = np.array([0.1, 0.5, -0.2, 0.9])
    assert finite_size.binder_cumulant(scale * m) == pytest.approx(finite_size.binder_cumulant(m))


def test_susceptibility_of_independent_parts_does_not_depend_on_their_number():
    rng = np.random.default_rng(0)
    n = np.array([100, 10_000])
    runs = rng.binomial(n[:, None], 0.3, (2, 4000)) / n[:, None]
    assert finite_size.susceptibility(runs, n) == pytest.approx([0.21, 0.21], rel=0.08)


def test_curves_of_neighbouring_sizes_cross_at_the_transition():
    x = np.linspace(-1, 1, 21)
    curves = np.tanh(np.array([1, 2, 5])[:, None] * (x - 0.13))
    assert finite_size.crossings(x, curves) == pytest.approx([0.13, 0.13], abs=0.01)
    assert np.isnan(finite_size.crossings(x, [x, x + 5])).all()


def test_widths_are_taken_between_the_ends_that_are_given():
    x = np.linspace(0, 1, 101)
    half = np.array([x / 2])  # a curve that is seen up to one half only
    assert finite_size.rise_widths(x, half) == pytest.approx([0.5])
    assert np.isnan(finite_size.rise_widths(x, half, ends=(0, 1))).all()
    assert np.isnan(finite_size.rise_widths(x, 0 * half)).all()


def test_a_transition_sharpens(transition):
    x, runs = transition
    found = finite_size.is_sharpening(x, SIZES, runs)
    assert found.sharpens
    assert found.lower < -0.5 < found.upper
    fluctuating = finite_size.is_sharpening(x, SIZES, runs, by="fluctuations")
    assert fluctuating.sharpens
    assert fluctuating.exponent == pytest.approx(1, abs=0.1)  # variance 1/4 at every size


def test_sizes_may_come_in_any_order(transition):
    x, runs = transition
    there = finite_size.is_sharpening(x, SIZES, runs)
    back = finite_size.is_sharpening(x, SIZES[::-1], runs[::-1])
    assert back.exponent == pytest.approx(there.exponent)
    assert back.measured.tolist() == there.measured[::-1].tolist()


@pytest.mark.parametrize("by", ["rise", "fluctuations"])
def test_a_mirage_does_not_sharpen_with_size(mirage, by):
    x, runs = mirage
    found = finite_size.is_sharpening(x, SIZES, runs, by=by)
    assert not found.sharpens
    assert abs(found.exponent) < 0.12


def test_a_longer_target_does_not_sharpen_the_rise_over_log_size():
    x, lengths = np.linspace(7, 16, 61), np.array([1, 5, 25, 125])
    runs = [apparent.simulate_exact_match(10**x, K, 1000, n_runs=20, seed=K) for K in lengths]
    found = finite_size.is_sharpening(x, lengths, np.array(runs), ends=(0, 1))
    assert not found.sharpens
    assert found.measured == pytest.approx(np.full(4, 1.366), abs=0.05)  # 2 log10(ln 4 / ln 4/3)


def test_random_energies_sharpen():
    x, bits = np.linspace(0.3, 1.4, 45), np.array([20.0, 80.0, 320.0])
    chance = random_energy.random_energy_success(x, bits[:, None], fixed=False)
    rng = np.random.default_rng(0)
    runs = rng.binomial(100, chance[..., None], (*chance.shape, 20)) / 100
    found = finite_size.is_sharpening(x, bits, runs)
    assert found.sharpens
    assert found.exponent == pytest.approx(-0.5, abs=0.05)


def test_a_continuous_transition_shows_in_its_fluctuations_alone(random_graphs):
    x, sizes, runs = random_graphs
    assert not finite_size.is_sharpening(x, sizes, runs).sharpens
    found = finite_size.is_sharpening(x, sizes, runs, by="fluctuations")
    assert found.lower > 0
    # gamma / nu of random graphs, within three standard errors of two that the interval spans
    assert found.exponent == pytest.approx(1 / 3, abs=1.5 * (found.upper - found.exponent))


def test_random_graphs_collapse_at_mean_degree_one(random_graphs):
    x, sizes, runs = random_graphs
    near = slice(1, 6)
    found = collapsing.data_collapse(
        x[near], sizes, runs[:, near], start=(1.1, 0.4, 0.3), n_draws=5
    )
    assert found.x_c == pytest.approx(1, abs=0.06)
    assert found.a == pytest.approx(1 / 3, abs=0.1)
    assert found.b == pytest.approx(1 / 3, abs=0.1)
    assert found.quality < 4


def test_a_jump_collapses_with_its_place_and_exponent_within_their_errors(transition):
    x, runs = transition
    found = collapsing.data_collapse(x, SIZES, runs, start=(0.5, 0.4, 0.0), hold_b=True)
    assert found.b == 0
    assert found.b_error == 0
    assert found.x_c == pytest.approx(0.4, abs=4 * found.x_c_error)
    assert found.a == pytest.approx(0.5, abs=4 * found.a_error)
    assert 0 < found.x_c_error < 0.02
    assert found.quality < 2
    again = collapsing.data_collapse(x, SIZES, runs, start=(0.5, 0.4, 0.0), hold_b=True)
    assert again == found


def test_wrong_exponents_leave_curves_apart(transition):
    x, runs = transition
    mean, error = runs.mean(axis=-1), runs.std(axis=-1) / np.sqrt(60) + 0.01
    right = collapsing.collapse_quality(x, SIZES, mean, error, 0.4, 0.5)
    wrong = collapsing.collapse_quality(x, SIZES, mean, error, 0.4, 0.0)
    assert wrong > 5 * right
    assert collapsing.collapse_quality(x, SIZES, mean, error, 30.0, 0.5) == np.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, m: finite_size.is_sharpening(x, SIZES, m[:2]), r"\(sizes, places, runs\)"),
        (lambda x, m: finite_size.is_sharpening(x, [5, 5, 5], m), "two different sizes"),
        (lambda x, m: finite_size.is_sharpening(x, SIZES, 0 * m), "curve that rises"),
        (lambda x, m: finite_size.is_sharpening(x, SIZES, m, by="ris"), "did you mean 'rise'"),
        (lambda x, m: finite_size.is_sharpening(x, SIZES, m, level=2), "level must lie"),
        (lambda x, m: finite_size.is_sharpening(x[::-1], SIZES, m), "x must hold"),
        (lambda x, m: finite_size.is_sharpening(x, SIZES, m * np.nan), "finite; entry 0 is nan"),
        (lambda x, m: finite_size.susceptibility(m[..., :1], 5), "two runs"),
        (lambda x, m: finite_size.binder_cumulant([]), "at least one run"),
        (lambda x, m: finite_size.crossings(x, m[0]), "shape"),
        (lambda x, m: finite_size.rise_widths(x, m[..., 0], (0.8, 0.2)), "in order"),
        (
            lambda x, m: collapsing.data_collapse(x, SIZES, m, start=(50, 1, 0)),
            "do not overlap",
        ),
    ],
)
def test_what_cannot_be_analysed_is_named(transition, call, message):
    with pytest.raises(ValueError, match=message):
        call(*transition)
