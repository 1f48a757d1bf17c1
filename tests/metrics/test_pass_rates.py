import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emergekit.errors import FitError
from emergekit.metrics.pass_rates import beta_binomial_posterior, fit_beta_binomial

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.fixture(scope="module")
def intervals(reference_files):
    return pd.read_csv(reference_files / "metrics_reference" / "intervals.csv")


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_posteriors_are_the_reference_ones(intervals, alpha):
    rows = intervals[intervals["alpha"] == alpha]
    posterior = beta_binomial_posterior(rows["k"], rows["n"], level=1 - alpha)
    for bound, column in ((posterior.lower, "lo"), (posterior.upper, "hi")):
        expected = rows[f"betabinom_uniform_prior_{column}"]
        np.testing.assert_allclose(bound, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_prior_of_jeffreys_gives_the_interval_of_jeffreys(intervals, alpha):
    rows = intervals[intervals["alpha"] == alpha]
    posterior = beta_binomial_posterior(rows["k"], rows["n"], (0.5, 0.5), 1 - alpha)
    np.testing.assert_allclose(posterior.lower, rows["jeffreys_lo"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(posterior.upper, rows["jeffreys_hi"], rtol=1e-9, atol=1e-9)


@given(counts, st.floats(0.1, 50), st.floats(0.1, 50))
def test_the_posterior_mean_lies_between_prior_and_share(k_of_n, a, b):
    k, n = k_of_n
    posterior = beta_binomial_posterior(k, n, (a, b))
    low, high = sorted((a / (a + b), k / n))
    assert low - 1e-12 <= posterior.mean <= high + 1e-12
    assert posterior.lower <= posterior.upper


@pytest.mark.parametrize("prior", [(0, 1), (1, -1), (1, np.nan)])
def test_priors_are_above_zero(prior):
    with pytest.raises(ValueError, match="prior must be finite and above 0; entry"):
        beta_binomial_posterior(1, 10, prior)


def test_a_prior_is_two_numbers():
    with pytest.raises(ValueError, match=r"prior must be two numbers, a and b; it is \(1, 2, 3\)"):
        beta_binomial_posterior(1, 10, (1, 2, 3))


@pytest.mark.parametrize(("a", "b"), [(0.5, 3.0), (2.0, 2.0), (8.0, 1.0)])
def test_the_spread_of_pass_rates_is_recovered(a, b):
    rng = np.random.default_rng(0)
    fit = fit_beta_binomial(rng.binomial(50, rng.beta(a, b, size=4000)), 50)
    assert (fit.a, fit.b) == pytest.approx((a, b), rel=0.07)
    assert fit.overdispersion == pytest.approx(1 / (a + b + 1), rel=0.06)


def test_the_fit_has_the_highest_likelihood():
    successes, trials = np.array([0, 0, 1, 3, 8, 10, 2]), np.array([10, 10, 10, 10, 10, 10, 5])
    fit = fit_beta_binomial(successes, trials)
    assert fit.mean == pytest.approx(fit.a / (fit.a + fit.b))
    best = stats.betabinom.logpmf(successes, trials, fit.a, fit.b).sum()
    assert fit.log_likelihood == pytest.approx(best)
    for scale in ([1.01, 1], [0.99, 1], [1, 1.01], [1, 0.99]):
        beside = stats.betabinom.logpmf(successes, trials, fit.a * scale[0], fit.b * scale[1])
        assert beside.sum() < best


def test_counts_of_equal_problems_show_no_overdispersion():
    fit = fit_beta_binomial([5, 5, 4, 6, 5, 5], 10)
    assert (fit.mean, fit.overdispersion) == (0.5, 0)
    assert np.isinf([fit.a, fit.b]).all()
    expected = stats.binom.logpmf([5, 5, 4, 6, 5, 5], 10, 0.5).sum()
    assert fit.log_likelihood == pytest.approx(expected)


def test_problems_that_always_or_never_pass_are_all_overdispersion():
    fit = fit_beta_binomial([0, 10, 10, 20], [10, 10, 10, 20])
    assert (fit.a, fit.b, fit.mean, fit.overdispersion) == (0, 0, 0.75, 1)
    nearly = stats.betabinom.logpmf([0, 10, 10, 20], [10, 10, 10, 20], 0.75e-7, 0.25e-7).sum()
    assert fit.log_likelihood == pytest.approx(nearly, abs=1e-5)


def test_pass_rates_without_a_fit_say_why():
    with pytest.raises(FitError, match="n_trials must exceed 1 somewhere"):
        fit_beta_binomial([0, 1, 1], 1)
    with pytest.raises(FitError, match="n_trials must exceed 1 somewhere"):
        fit_beta_binomial([], 10)
    with pytest.raises(FitError, match="a success and a failure, but the rate is 0 throughout"):
        fit_beta_binomial([0, 0], 10)
    with pytest.raises(FitError, match="the rate is 1 throughout"):
        fit_beta_binomial([10, 10], 10)
