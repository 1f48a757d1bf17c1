import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit.theory import apparent, compositions, mirage, quanta, random_energy


def test_excess_loss_of_quanta_to_the_digits_of_the_specification():
    # Hurwitz zeta, spec/theory.md section 4
    assert quanta.quanta_loss([10, 100, 1000], 0.34) == pytest.approx(
        [0.373184, 0.173167, 0.079273], abs=5e-7
    )
    assert quanta.quanta_loss([10, 100, 1000], 0.5) == pytest.approx(
        [0.236198, 0.076368, 0.024204], abs=5e-7
    )


@given(a=st.floats(0.1, 3), n=st.integers(0, 200))
def test_learning_one_more_quantum_saves_its_frequency(a, n):
    saved = quanta.quanta_loss(n, a) - quanta.quanta_loss(n + 1, a)
    assert saved == pytest.approx(quanta.quanta_frequencies(n + 1, a), rel=1e-6, abs=1e-14)


@pytest.mark.parametrize("a", [0.34, 0.5, 1.0])
def test_loss_falls_with_the_exponents_of_parameters_and_of_data(a):
    exponents = quanta.quanta_exponents(a)
    n, D = np.array([1e6, 1e7]), np.array([1e12, 1e13])
    by_size = np.diff(np.log10(quanta.quanta_loss(n, a)))[0]
    by_data = np.diff(np.log10(quanta.quanta_loss(quanta.quanta_by_data(D, a), a)))[0]
    assert (-by_size, -by_data) == pytest.approx(exponents, rel=1e-3)
    assert exponents.data == pytest.approx(exponents.params / (1 + exponents.params))


def test_a_token_of_one_quantum_jumps_and_one_of_many_falls_smoothly():
    n = np.arange(1, 1001)
    ranks = np.arange(10, 1000, 10)
    jump = quanta.token_loss(n, [300], [2.0])
    smooth = quanta.token_loss(n, ranks, np.full(ranks.size, 2.0 / ranks.size))
    assert np.unique(jump).tolist() == [0, 2]
    assert np.abs(np.diff(smooth)).max() < 0.03
    assert smooth[0] == pytest.approx(2)


def test_simulated_learners_err_on_features_they_never_saw():
    rng = np.random.default_rng(0)
    a, n, features = 0.5, 300, 20_000
    p = quanta.quanta_frequencies(np.arange(1, features + 1), a)
    p = np.append(p, 1 - p.sum())  # the rest, hardly ever seen twice
    errors = []
    for _ in range(40):
        seen = rng.choice(features + 1, size=n, p=p)
        unknown = np.ones(features + 1, dtype=bool)
        unknown[seen[seen < features]] = False
        errors.append(p[unknown].sum())
    expected = float(quanta.hutter_error(n, a))
    assert np.mean(errors) == pytest.approx(expected, abs=4 * np.std(errors) / np.sqrt(40))


def test_errors_of_unseen_features_agree_with_the_sum_to_2e7_and_with_the_power_law():
    # summed to 2e7 features, spec/theory.md section 4: .202233, .093964, .043531, plus the mass
    # that the sum leaves out, 1.7e-4
    found = quanta.hutter_error([100, 1000, 10_000], 0.5)
    assert found == pytest.approx([0.202404, 0.094135, 0.043702], abs=1e-6)
    assert found == pytest.approx(quanta.hutter_error([100, 1000, 10_000], 0.5, 1000), rel=1e-6)
    power = quanta.hutter_error_asymptotic([1e6, 1e9, 1e12], 0.5)
    assert quanta.hutter_error([1e6, 1e9, 1e12], 0.5) == pytest.approx(power, rel=1e-4)
    assert quanta.hutter_error(0, 0.5) == pytest.approx(1)


@given(n=st.integers(1, 500))
def test_a_composition_is_one_half_after_its_delay_with_its_steepness(n):
    delay = compositions.composition_delay(n)
    h = 1e-4
    before, at, after = compositions.concept_success(delay + np.array([-h, 0, h])) ** n
    assert at == pytest.approx(0.5, rel=1e-9)
    steepness = compositions.composition_steepness(n)
    assert (after - before) / (2 * h) / 0.25 == pytest.approx(steepness, rel=1e-5)
    assert 1 <= steepness <= 2 * np.log(2)


def test_delays_of_compositions():
    # ln(1 / (2^(1/n) - 1)), by hand
    assert compositions.composition_delay([1, 2, 4, 8]) == pytest.approx(
        [0, 0.8814, 1.6649, 2.4023], abs=5e-5
    )


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_composition_never_succeeds_more_often_than_its_rarest_concept(p):
    assert 0 <= compositions.composed_success(p) <= min(p)


def test_equal_concepts_are_tokens_of_the_mirage_model():
    assert compositions.composed_success(np.full(5, 0.9)) == pytest.approx(
        mirage.expected_exact_match(0.9, 5)
    )


@pytest.mark.parametrize("fixed", [True, False])
def test_the_right_answer_wins_as_often_as_in_simulation(fixed):
    rng = np.random.default_rng(1)
    n, runs = 10, 2000
    sd = np.sqrt(n / 2)
    for mu in (0.6, 0.8, 1.1):
        wrong = (rng.normal(size=(runs, 2**n)) * sd).max(axis=1)
        right = n * mu + (0 if fixed else sd) * rng.normal(size=runs)
        expected = random_energy.random_energy_success(mu, n, fixed=fixed)
        error = np.sqrt(expected * (1 - expected) / runs)
        assert (right > wrong).mean() == pytest.approx(expected, abs=4 * error + 1e-3)


@pytest.mark.parametrize(("fixed", "exponent"), [(True, -1.0), (False, -0.5)])
def test_random_energies_sharpen_about_their_threshold(fixed, exponent):
    mu = np.linspace(0.2, 1.6, 100_001) if fixed else np.linspace(0.2, 1.6, 2001)
    bits = np.array([100.0, 1000.0])
    widths, middles = [], []
    for n in bits:
        chance = random_energy.random_energy_success(mu, n, fixed=fixed)
        low, middle, high = np.interp([0.25, 0.5, 0.75], chance, mu)
        widths.append(high - low)
        middles.append(middle)
    assert np.log10(widths[1] / widths[0]) == pytest.approx(exponent, abs=0.05)
    assert middles[1] == pytest.approx(random_energy.random_energy_threshold(), abs=0.005)


def test_huge_systems_neither_overflow_nor_leave_the_unit_interval():
    with np.errstate(all="raise", under="ignore"):
        found = random_energy.random_energy_success([-2.0, 0.0, 0.83, 0.84, 5.0], 1e5)
    assert found.tolist() == [0, 0, 0, 1, 1]


@given(s=st.floats(0.001, 0.999), K=st.integers(1, 100))
def test_sizes_at_a_score_have_that_score(s, K):
    size = apparent.size_at_score(s, K)
    p = mirage.p_token(mirage.power_law_loss(size))
    assert mirage.expected_exact_match(p, K) == pytest.approx(s, rel=1e-9)


def test_more_examples_move_the_apparent_threshold_to_smaller_models():
    few, many = apparent.apparent_threshold([100, 10_000], 5)
    assert few == pytest.approx(4 * many)  # ln m is twice as large, and 1 / alpha is -2
    scores = apparent.simulate_exact_match([many, few], 5, 100, n_runs=400)
    none = (scores == 0).mean(axis=1)
    assert none[0] > 0.98
    assert none[1] == pytest.approx(np.exp(-1), abs=0.1)  # one right answer is expected


def test_sparse_models_leave_the_rise_between_two_of_them():
    dense, sparse = np.geomspace(1e8, 1e12, 41), np.array([1e8, 1e15])
    assert apparent.models_in_rise(dense, 100, 5).sum() > 10
    assert not apparent.models_in_rise(sparse, 50, 5).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quanta.quanta_loss(10, 0.0), "a must be positive"),
        (lambda: quanta.quanta_loss(-1, 0.5), "n_quanta must be 0 or more"),
        (lambda: quanta.quanta_frequencies([1, 0], 0.5), "entry 1 is 0"),
        (lambda: quanta.quanta_by_data(1e9, 0.5, 0), "samples_needed must be positive"),
        (lambda: quanta.token_loss(1, [1, 2], [1.0]), "2 and 1"),
        (lambda: quanta.hutter_error(1, 0.5, 0), "n_features must be a whole number"),
        (lambda: quanta.hutter_error(1, 0.5, 10**8), "n_features must lie from 1"),
        (lambda: quanta.quanta_loss(10, np.inf), "a must be positive"),
        (lambda: quanta.quanta_loss(10, 0.5, -1), "gap must be positive"),
        (lambda: compositions.composition_delay(0), "n_concepts must be 1 or more"),
        (lambda: compositions.concept_success(1, width=0), "width must be positive"),
        (
            lambda: compositions.composed_success([0.5, 1.1]),
            "p_concepts must be within .* entry 1 is 1.1",
        ),
        (lambda: random_energy.random_energy_success(1, 0), "n_bits must be positive"),
        (lambda: random_energy.random_energy_success(np.nan, 10), "score must be finite"),
        (lambda: random_energy.random_energy_success(1, 5, 0), "spread must be positive"),
        (lambda: random_energy.random_energy_threshold(-1), "spread must be positive"),
        (lambda: apparent.size_at_score(0, 5), "score must be between 0 and 1"),
        (lambda: apparent.size_at_score(0.5, 5, alpha=1), "alpha negative"),
        (lambda: apparent.apparent_threshold(1, 5), "n_examples must be 2 or more"),
        (lambda: apparent.simulate_exact_match([1e9], 5, 0), "must be 1 or more"),
        (lambda: apparent.models_in_rise([0.0], 10, 5), "n_params must be positive"),
    ],
)
def test_numbers_outside_their_range_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
