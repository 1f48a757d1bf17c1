"""Chains: what one fit predicts, the next one reads."""

import numpy as np
import pandas as pd
import pytest

from emergekit import FitError, TableError, fit, laws
from emergekit.prediction import Chain, chain

# Size and exponent of a power law move together; that is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::emergekit.FitWarning")

TARGET = pd.DataFrame({"n_params": [1e11]}, index=["next"])


def family(seed=None, n=12, sd=0.01):
    """Return runs whose loss is a power law in size and whose score is a line in loss."""
    n_params = np.geomspace(1e8, 3e10, n)
    noise = np.zeros((2, n)) if seed is None else np.random.default_rng(seed).normal(0, sd, (2, n))
    loss = 20 * n_params**-0.1 * np.exp(noise[0])
    return pd.DataFrame(
        {"n_params": n_params, "loss": loss, "score": 1.2 - 0.3 * loss + noise[1]},
    )


def fitted(runs, **options):
    steps = fit(laws.power_law("n_params"), runs), fit(laws.linear("loss"), runs)
    return chain(*steps, **options)


def true_score(n_params):
    return 1.2 - 0.3 * 20 * n_params**-0.1


def test_a_chain_is_its_laws_one_after_the_other():
    found = fitted(family())
    assert (found.variables, found.response) == (("n_params",), "score")
    band = found.predict(TARGET)
    assert band.index.tolist() == ["next"]
    assert band["predicted"].iloc[0] == pytest.approx(true_score(1e11), abs=1e-6)


def test_a_chain_answers_as_a_fit_does():
    found = fitted(family(0))
    frame = found.to_frame()
    assert frame.columns.tolist() == ["step", "term", "estimate", "stderr", "lower", "upper"]
    assert frame["step"].unique().tolist() == ["loss", "score"]
    assert found.params["loss"].tolist() == found.fits[0].params.tolist()
    assert len(found.stats) == 2
    assert repr(found).startswith("Chain n_params -> loss -> score (power_in_n_params")
    assert "step 2: Fit of" in found.summary()
    assert "<table" in found._repr_html_()


def test_draws_of_a_bootstrap_go_through_the_chain():
    from emergekit import bootstrap

    runs = family(3)
    size, score = fit(laws.power_law("n_params"), runs), fit(laws.linear("loss"), runs)
    drawn = chain(bootstrap(size, n=400), bootstrap(score, n=400), n_draws=400)
    plain = chain(size, score)
    widths = [
        (band["upper"] - band["lower"]).iloc[0]
        for band in (c.predict(TARGET, interval="mean") for c in (drawn, plain))
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.5)


def test_equal_seeds_give_equal_bands_and_more_rows_change_nothing():
    found = fitted(family(1), seed=4)
    many = pd.DataFrame({"n_params": np.geomspace(1e10, 1e12, 5)})
    band = found.predict(many, interval="mean")
    pd.testing.assert_frame_equal(band, found.predict(many, interval="mean"))
    pd.testing.assert_frame_equal(band.iloc[2:3], found.predict(many.iloc[2:3], interval="mean"))


def test_scatter_widens_the_band_of_a_new_row():
    found = fitted(family(2))
    mean, new = (found.predict(TARGET, interval=kind).iloc[0] for kind in ("mean", "observation"))
    assert new["upper"] - new["lower"] > mean["upper"] - mean["lower"]
    assert mean["predicted"] == new["predicted"]


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["mean", "observation"])
def test_bands_hold_what_they_say(interval):
    n_repeats, held = 400, 0
    for seed in range(n_repeats):
        band = fitted(family(seed), n_draws=600).predict(TARGET, 0.9, interval=interval).iloc[0]
        truth = true_score(1e11)
        if interval == "observation":
            noise = np.random.default_rng([seed, 9]).normal(0, 0.01, 2)
            truth = 1.2 - 0.3 * 20 * 1e11**-0.1 * np.exp(noise[0]) + noise[1]
        held += band["lower"] <= truth <= band["upper"]
    assert held / n_repeats == pytest.approx(0.9, abs=0.045)  # 3 standard errors


def test_what_does_not_follow_is_no_chain():
    runs = family()
    size, score = fit(laws.power_law("n_params"), runs), fit(laws.linear("loss"), runs)
    with pytest.raises(FitError, match=r"reads n_params, none of which .* gives \(score\)"):
        chain(score, size)
    with pytest.raises(FitError, match="two fits or more; there is 1"):
        chain(size)
    with pytest.raises(FitError, match="takes fits, not str"):
        chain(size, "score")
    with pytest.raises(TableError, match="n_params"):
        chain(size, score).predict(pd.DataFrame({"loss": [2.0]}))
    with pytest.raises(ValueError, match="'observation' or 'mean', not 'new'"):
        chain(size, score).predict(TARGET, interval="new")


def test_a_step_that_cannot_tell_how_sure_it_is_gives_no_bounds():
    runs = family()
    size = fit(laws.power_law("n_params"), runs)
    score = fit(laws.linear("loss"), runs.iloc[[0, -1]])
    band = Chain((size, score)).predict(TARGET).iloc[0]
    assert np.isfinite(band["predicted"])
    assert np.isnan([band["lower"], band["upper"]]).all()
