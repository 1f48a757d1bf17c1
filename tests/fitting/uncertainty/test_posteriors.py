"""Posteriors by sampling, against those that are known in closed form."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, t

from emergekit import FitError, FitWarning, fit, laws
from emergekit.fitting import posterior
from emergekit.fitting.uncertainty.ensembles import autocorrelation_time, sample_ensemble


def lines(n=12, sd=0.02, seed=0):
    loss = np.linspace(-1, 1, n)  # about 0, where level and slope are told apart
    noise = np.random.default_rng(seed).normal(0, sd, n)
    return pd.DataFrame({"loss": loss, "score": 0.6 - 0.25 * loss + noise})


def test_a_stretched_normal_is_sampled_as_a_round_one():
    cov = np.array([[1.0, 0.999 * 100], [0.999 * 100, 1e4]])
    inverse = np.linalg.inv(cov)
    rng = np.random.default_rng(0)
    path, acceptance = sample_ensemble(
        lambda z: -0.5 * np.einsum("wp,pq,wq->w", z, inverse, z),
        rng.standard_normal((40, 2)) * [1, 100],
        3000,
        rng,
    )
    kept = path[500:].reshape(-1, 2)
    assert 0.3 < acceptance < 0.9
    np.testing.assert_allclose(np.cov(kept.T), cov, rtol=0.1)
    assert (autocorrelation_time(path[500:]) < 60).all()


def test_the_posterior_of_a_line_is_students_t():
    found = fit(laws.linear("loss"), lines())
    drawn = posterior(found, n=8000, n_steps=2000)
    # Gelman et al. 2013, section 14.2: classical standard errors, t with n - 2 degrees.
    x = found.data["loss"].to_numpy()
    sd = np.sqrt(found.stats["rmse"].iloc[0] ** 2 * 12 / 10 / ((x - x.mean()) ** 2).sum())
    lower, upper = np.quantile(drawn.draws["b"], [0.05, 0.95])
    reach = t.ppf(0.95, 10) * sd
    assert lower == pytest.approx(found.params["b"] - reach, abs=0.1 * reach)
    assert upper == pytest.approx(found.params["b"] + reach, abs=0.1 * reach)


def test_counts_have_the_posterior_of_counts():
    # One level for all rows: Beta(hits + 1, misses + 1) under a flat prior.
    table = pd.DataFrame({"loss": [2.0, 3.0, 4.0, 5.0], "score": [0.3, 0.5, 0.4, 0.4], "n": 10})
    flat = fit(laws.linear("loss"), table, objective="binomial", weights="n", fixed={"b": 0.0})
    drawn = posterior(flat, n=8000, n_steps=1500).draws["a"]
    expected = beta(16 + 1, 24 + 1)
    for share in (0.05, 0.5, 0.95):
        assert np.quantile(drawn, share) == pytest.approx(expected.ppf(share), abs=0.01)


def test_draws_are_used_as_those_of_a_bootstrap():
    found = fit(laws.linear("loss"), lines())
    drawn = posterior(found, n=1000, n_steps=1500)
    assert drawn.stats["bootstrap"].iloc[0] == "posterior"
    assert drawn.to_frame()["lower"].lt(drawn.params.to_numpy()).all()
    again = posterior(found, n=1000, n_steps=1500)
    pd.testing.assert_frame_equal(drawn.draws, again.draws)


def test_too_short_a_walk_says_so():
    with pytest.warns(FitWarning, match="autocorrelation times; take more n_steps"):
        posterior(fit(laws.linear("loss"), lines()), n=100, n_steps=40)


def test_what_has_no_posterior_is_refused():
    with pytest.raises(FitError, match="'huber' is none"):
        posterior(fit(laws.linear("loss"), lines(), objective="huber"))
    with (
        pytest.warns(FitWarning),
        pytest.raises(FitError, match="no rows to spare"),
    ):
        posterior(fit(laws.linear("loss"), lines(2)))
