import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from emergekit import theory

THETAS, ALPHAS = st.floats(1e-4, 0.999), st.floats(1e-3, 0.999)

# Smallest beta of the union bound; roots of the condition, and * none (computed for this project).
UNION = {
    (0.01, 4): (13.4555, 8.1031, 4.8152, np.inf, np.inf),
    (0.05, 2): (16.3587, 9.4823, np.inf, np.inf, np.inf),
    (0.05, 4): (11.0633, 6.8673, 4.2720, 3.1920, np.inf),
    (0.05, 8): (7.5197, 4.9334, 3.2981, 2.6088, 1.9011),
    (0.10, 8): (6.7560, 4.5019, 3.0672, 2.4591, 1.8334),
    (0.20, 16): (4.2087, 3.0200, 2.2396, 1.9002, 1.5441),
}
EXACT = {(0.1, 8, 0.1): 3.0446, (0.1, 8, 0.2): 2.3, (0.05, 4, 0.2): 3.22, (0.2, 8, 0.3): 1.8015}


@pytest.mark.parametrize(("graph", "betas"), UNION.items())
def test_the_union_bound_has_its_table(graph, betas):
    found = theory.performance_curve([0.05, 0.1, 0.2, 0.3, 0.5], *graph)
    np.testing.assert_allclose(found, betas, atol=5.1e-5)


def test_the_numbers_that_are_asked_for_by_name():
    assert theory.performance_curve(0.2, 0.05, 8) == pytest.approx(3.298110, abs=5e-7)
    assert theory.performance_curve(0.2, 0.05, 8, "exact") == pytest.approx(2.646560, abs=5e-7)
    with pytest.raises(
        ValueError, match=r"guarantees nothing .* max_alpha\(theta, k\) = 0\.370621"
    ):
        theory.performance_curve(0.5, 0.05, 4)
    assert theory.performance_curve([0.5], 0.05, 4).tolist() == [np.inf]
    limits = theory.max_alpha([0.05, 0.05, 0.05, 0.05, 0.1, 0.2], [2, 4, 8, 16, 8, 8])
    known = [0.137360, 0.370621, 0.608786, 0.780248, 0.666075, 0.731432]
    np.testing.assert_allclose(limits, known, atol=5e-7)


def test_both_curves_have_the_reference_grid(reference_files):
    grid = pd.read_csv(reference_files / "theory" / "arora_goyal_performance_curves.csv")
    columns = [grid[name].to_numpy() for name in ("alpha", "theta", "k")]
    bound = theory.performance_curve(*columns)
    np.testing.assert_allclose(bound, grid["beta_union_bound"], rtol=5e-7)
    rate = 1 - theory.competence(columns[1], columns[0], columns[2])
    np.testing.assert_allclose(rate, np.minimum(1, grid["failure_rate_bound"]), rtol=5e-7)
    exact = theory.performance_curve(*columns, method="exact")
    np.testing.assert_allclose(exact, grid["beta_exact_adversary"], rtol=5e-7)


@pytest.mark.parametrize(("case", "beta"), EXACT.items())
def test_the_exact_curve_is_the_mean_of_a_binomial_tail(case, beta):
    theta, k, alpha = case
    assert theory.performance_curve(alpha, theta, k, "exact") == pytest.approx(beta, abs=5e-5)
    u = (np.arange(200_000) + 0.5) / 200_000  # the tail, as quantiles of equal weight
    tail = stats.binom.isf(theta * u, k, alpha).mean()
    assert beta == pytest.approx(tail / (k * alpha), rel=1e-4)


def test_the_condition_is_the_one_that_the_proof_gives_not_its_common_transcription():
    theta, k, alpha, beta = 0.1, 8, 0.2, 1.5

    def entropy(p):
        return float(stats.entropy([p, 1 - p]))

    share = alpha * beta
    proof = entropy(share) - share * np.log(1 / alpha) - (1 - share) * np.log(1 / (1 - alpha))
    assert entropy(theta) + k * theta * proof == pytest.approx(0.302549, abs=5e-7)
    kl = stats.entropy([share, 1 - share], [alpha, 1 - alpha])
    assert entropy(theta) - k * theta * kl == pytest.approx(0.302549, abs=5e-7)
    found = theory.performance_curve(alpha, theta, k)

    def gap(a):
        return k * theta * stats.entropy([a, 1 - a], [alpha, 1 - alpha]) - entropy(theta)

    root = optimize.brentq(gap, alpha + 1e-9, 1, xtol=1e-14)
    assert found == pytest.approx(root / alpha, rel=1e-12)


@settings(max_examples=40)
@given(alpha=ALPHAS, theta=THETAS, k=st.integers(1, 64))
def test_the_worst_case_is_never_worse_than_the_bound(alpha, theta, k):
    exact = theory.performance_curve([alpha], theta, k, "exact")
    bound = theory.performance_curve([alpha], theta, k)
    assert 1 - 1e-9 <= exact[0] <= bound[0] + 1e-9
    assert exact[0] <= min(1 / alpha, 1 / theta) * (1 + 1e-9)


@given(theta=THETAS, k=st.integers(1, 64))
def test_the_bound_exists_just_below_its_limit_and_not_above(theta, k):
    limit = float(theory.max_alpha(theta, k))
    if 1e-6 < limit < 1 - 1e-6:
        below, above = theory.performance_curve([limit * (1 - 1e-7), limit * (1 + 1e-7)], theta, k)
        assert below == pytest.approx(1 / limit, rel=1e-3)
        assert above == np.inf


def test_more_skills_per_text_and_fewer_failures_help():
    by_k = theory.performance_curve(0.1, 0.05, [2, 4, 8, 16])
    assert (np.diff(by_k) < 0).all()
    by_theta = theory.competence([0.01, 0.05, 0.1, 0.2], 0.2, 8)
    assert (np.diff(by_theta) < 0).all()
    assert theory.performance_curve(0.3, 1.0, 4) == pytest.approx(1.0)
    assert theory.performance_curve(0.3, 1.0, 4, "exact") == pytest.approx(1.0)


def test_tuples_behave_as_skills_of_bundles():
    assert theory.tuple_failure(0.05, 2) == pytest.approx(0.0975, abs=1e-12)
    assert theory.tuple_failure(0.05, 4) == pytest.approx(0.18549, abs=5e-6)
    assert theory.tuple_failure([0.0, 1.0], 3).tolist() == [0.0, 1.0]
    pairs = theory.tuple_performance_curve(0.2, 0.05, 8, 2)
    expected = theory.performance_curve(0.2, 0.0975, 8) * 0.0975 / 0.05
    assert pairs == pytest.approx(expected, rel=1e-12)
    split = theory.tuple_performance_curve(0.1, 0.05, 8, 3, by="split")
    assert split == theory.performance_curve(0.1, 0.05, 2)


@given(theta=st.floats(1e-4, 0.5), tuples=st.integers(1, 50))
def test_a_bundle_fails_less_often_than_its_texts_together(theta, tuples):
    assert theory.tuple_failure(theta, tuples) <= tuples * theta * (1 + 1e-12)


def test_half_the_failures_give_pairs_what_single_skills_had():
    single = theory.competence(0.1, [0.1, 0.2, 0.3], 8)
    pairs = theory.competence(1 - np.sqrt(0.9), [0.1, 0.2, 0.3], 8, 2)
    np.testing.assert_allclose(single, pairs, rtol=1e-12)


def test_competence_is_none_without_a_guarantee_and_whole_without_failures():
    assert theory.competence(0.05, 0.5, 4) == 0.0
    assert theory.competence(0.0, 0.5, 4) == 1.0
    assert theory.competence(0.05, 0.5, 4, method="exact") == pytest.approx(0.9)
    assert theory.competence(1.0, 0.5, 4) == 0.0
    assert np.shape(theory.competence(0.05, 0.5, 4)) == ()
    assert np.shape(theory.competence(0.05, 0.5, 4, [1, 2])) == (2,)


def test_tuples_outnumber_what_a_corpus_can_show():
    share = theory.tuple_coverage_bound(1000, 1_000_000, 8, [1, 2, 3, 4, 9])
    np.testing.assert_allclose(share, [1, 1, 56e6 / 166_167_000, 70e6 / 41_417_124_750, 0])
    assert theory.unseen_share(0.8, share[3]) == pytest.approx(1 - share[3] / 0.8)
    assert theory.unseen_share([0.0, 0.5], [0.5, 0.5]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.performance_curve([0.2, 1.2], 0.1, 8), "alpha .* entry 1 is 1.2"),
        (lambda: theory.performance_curve(0.2, [0.1, 0.0], 8), "theta .* entry 1 is 0"),
        (lambda: theory.performance_curve(0.2, np.nan, 8), "theta must be .* entry 0 is nan"),
        (lambda: theory.performance_curve(0.2, 0.1, 0.5), "k must be 1 or more"),
        (lambda: theory.performance_curve(0.2, 0.1, 2.5, "exact"), "k must be a whole number"),
        (lambda: theory.performance_curve(0.2, 0.1, 8, "exakt"), "did you mean 'exact'"),
        (lambda: theory.tuple_failure(0.1, 0), "k_prime must be a whole number, 1 or more"),
        (lambda: theory.tuple_performance_curve(0.2, 0.1, 8, 9, by="split"), "k / k_prime"),
        (lambda: theory.tuple_performance_curve(0.2, 0.1, 8, 2, by="tensors"), "'tensor'"),
        (lambda: theory.tuple_coverage_bound(3, 10, 8, 4), "n_skills - k_prime"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
