import numpy as np
import pytest

from emergekit import theory


@pytest.mark.parametrize(
    ("n_params", "n_tokens", "ratio"),
    [(7e10, 1.4e12, 0.50189), (1e9, 2e10, 0.49788), (1e12, 2e13, 0.50424)],
)
def test_ten_times_parameters_and_tokens_halve_the_excess(n_params, n_tokens, ratio):
    # constants of Hoffmann et al. 2022, eq. 10; ratios by hand
    before = theory.chinchilla_excess(n_params, n_tokens)
    after = theory.chinchilla_excess(10 * n_params, 10 * n_tokens)
    assert after / before == pytest.approx(ratio, abs=5e-6)


def test_ten_times_the_compute_does_not_halve_it():
    step = np.sqrt(10)
    before = theory.chinchilla_excess(7e10, 1.4e12)
    after = theory.chinchilla_excess(step * 7e10, step * 1.4e12)
    assert after / before == pytest.approx(0.708, abs=5e-4)


def test_pinsker_bounds_the_failures_of_two_choices():
    excess = np.array([0.0, 1e-4, 0.05, 0.5, 2.0])
    np.testing.assert_allclose(
        theory.failure_from_excess(excess), np.minimum(1, np.sqrt(2 * excess))
    )
    # An entropy-free answer that gets 1 - p loses -ln(1 - p), and errs with probability p.
    p = np.linspace(0.01, 0.6, 20)
    assert (theory.failure_from_excess(-np.log1p(-p)) >= p).all()
    assert theory.failure_from_excess(0.02, factor=1.1) == pytest.approx(np.sqrt(0.044))
    assert theory.failure_from_excess(0.02, "proportional", 1.1) == pytest.approx(0.022)


def test_scale_gives_pairs_what_single_skills_had():
    theta, later = (theory.chinchilla_excess(n, 20 * n) for n in (7e10, 7e11))
    assert theory.tuple_failure(later, 2) == pytest.approx(theta, rel=0.06)  # 1 - (1 - x)^2 < 2x
    single = theory.chinchilla_competence(7e10, 1.4e12, 0.2, 8)
    pairs = theory.chinchilla_competence(7e11, 1.4e13, 0.2, 8, 2)
    assert single == theory.competence(theta, 0.2, 8)
    assert single < pairs < single + 0.04


def test_competence_rises_with_scale_and_falls_with_the_tuple():
    sizes = np.geomspace(1e8, 1e14, 30)
    found = theory.chinchilla_competence(sizes[:, None], 20 * sizes[:, None], 0.2, 8, [1, 2, 4])
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.diff(found, axis=1) <= 0).all()
    theta = theory.failure_from_excess(theory.chinchilla_excess(sizes, 20 * sizes), "proportional")
    np.testing.assert_array_equal(found[:, 1], theory.competence(theta, 0.2, 8, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.chinchilla_excess(0, 1e9), "n_params must be positive; entry 0 is 0"),
        (lambda: theory.chinchilla_excess(1e9, 1e9, beta=-1), "beta must be positive"),
        (lambda: theory.failure_from_excess([0.1, -0.1]), "excess must be 0 or more; entry 1"),
        (lambda: theory.failure_from_excess(0.1, "linear"), "Unknown link 'linear'"),
        (lambda: theory.failure_from_excess(0.1, factor=0), "factor must be positive"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
