import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergekit import bootstrap, datasets, fit, laws
from emergekit.emergence import normalized_performance, scale_at_loss, threshold_size
from emergekit.errors import FitError, FitWarning
from emergekit.metrics import METRICS


@pytest.fixture(scope="module")
def power_fit():
    sizes = np.geomspace(1e7, 1e10, 12)
    noise = 0.004 * np.cos(2.4 * np.arange(12) ** 2)
    runs = pd.DataFrame({"n_params": sizes, "loss": 1.7 + (1e8 / sizes) ** 0.3 + noise})
    with pytest.warns(FitWarning, match="b and c are correlated"):
        return fit(laws.offset_power_law("n_params"), runs, objective="least_squares")


def test_guessing_is_0_and_the_ceiling_1():
    assert normalized_performance([0.25, 1.0, 0.2], 0.25) == pytest.approx([0, 1, -1 / 15])
    assert normalized_performance(np.array([0.5]), 0.25, 0.75) == pytest.approx([0.5])
    for chance, ceiling in ((0.5, 0.5), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="two different numbers"):
            normalized_performance([0.5], chance, ceiling)


def test_both_conventions_of_brier_scores_are_normalised_by_their_own_chance():
    # Du et al. sum over options, the Mirage paper takes their mean: uniform over four options
    for name, uniform in (("brier_sum", 0.75), ("brier_mean", 0.1875)):
        table = pd.DataFrame({"choice_logprobs": [[np.log(0.25)] * 4], "gold": [0]})
        [score] = METRICS[name].score(table)
        assert score == pytest.approx(uniform)
        assert normalized_performance([score], uniform, 0.0) == pytest.approx([0])


@given(
    eta=st.floats(1.8, 5),
    n0=st.floats(1e6, 1e12),
    alpha=st.floats(0.05, 1),
)
def test_the_threshold_size_reaches_the_threshold_and_no_smaller_one_does(eta, n0, alpha):
    size = threshold_size(eta, 1.7, n0, alpha)
    assert 1.7 + (n0 / size) ** alpha == pytest.approx(eta, rel=1e-9)
    assert 1.7 + (n0 / (size * 0.9)) ** alpha > eta


def test_no_size_gets_below_what_is_left_in_the_end():
    assert threshold_size([1.6, 1.7, 2.7], 1.7, 1e8, 0.3) == pytest.approx([np.inf, np.inf, 1e8])
    with pytest.raises(ValueError, match="must be positive"):
        threshold_size(2.0, 1.7, -1.0, 0.3)


def test_a_fitted_law_leads_to_the_same_size(power_fit):
    e, b, c = (power_fit.params[name] for name in ("E", "b", "c"))
    expected = threshold_size(2.2, e, b ** (1 / c), c)
    row = scale_at_loss(power_fit, 2.2).iloc[0]
    assert row["scale"] == pytest.approx(float(expected), rel=1e-9)
    assert row["lower"] < row["scale"] < row["upper"]
    assert row["reached_share"] == 1.0
    true = float(threshold_size(2.2, 1.7, 1e8, 0.3))
    assert row["lower"] < true < row["upper"]


def test_uncertainty_of_the_threshold_goes_into_the_size(power_fit):
    alone = scale_at_loss(power_fit, 2.2).iloc[0]
    both = scale_at_loss(power_fit, 2.2, interval=(2.15, 2.25)).iloc[0]
    assert both["scale"] == alone["scale"]
    assert both["upper"] / both["lower"] > 1.5 * alone["upper"] / alone["lower"]
    drawn = scale_at_loss(bootstrap(power_fit, n=200), 2.2).iloc[0]
    assert drawn["upper"] / drawn["lower"] == pytest.approx(
        alone["upper"] / alone["lower"], rel=0.7
    )


def test_a_threshold_below_the_law_is_never_reached(power_fit):
    row = scale_at_loss(power_fit, 1.2).iloc[0]
    assert row["scale"] == np.inf
    near = scale_at_loss(power_fit, 1.7, interval=(1.6, 1.8)).iloc[0]
    assert near["upper"] == np.inf
    assert 0.2 < near["reached_share"] < 0.8


def test_tokens_are_given_or_grow_with_the_size(chinchilla_fit):
    tied = scale_at_loss(chinchilla_fit, 2.2, tokens_per_param=20).iloc[0]
    at = pd.DataFrame({"n_params": [tied["scale"]], "n_tokens": [20 * tied["scale"]]})
    assert chinchilla_fit.predict(at)["predicted"].iloc[0] == pytest.approx(2.2, rel=1e-9)
    given_tokens = scale_at_loss(chinchilla_fit, 2.2, given={"n_tokens": 1e12}).iloc[0]
    at = pd.DataFrame({"n_params": [given_tokens["scale"]], "n_tokens": [1e12]})
    assert chinchilla_fit.predict(at)["predicted"].iloc[0] == pytest.approx(2.2, rel=1e-9)
    tokens = scale_at_loss(chinchilla_fit, 2.2, "n_tokens", given={"n_params": 1e10}).iloc[0]
    assert tokens["along"] == "n_tokens"
    assert tied["lower"] < tied["scale"] < tied["upper"]


def test_a_law_of_small_runs_says_when_the_large_ones_reach_the_threshold_of_letters():
    # MMLU by letters rises at 2.70 nats (test_thresholds.py). A law of the 30 ladder runs of up to
    # 3.2B says after how many tokens 7B and 13B get there; what they did is in the same table.
    models = datasets.load_olmo_ladder().models
    finals = models[models["family"].eq("OLMo ladder") & models["is_final"]]
    with pytest.warns(FitWarning, match="A and alpha are correlated"):
        law = fit(laws.CHINCHILLA, finals)
    for run, within in (("peteish7", 1.5), ("peteish13", 1.2)):
        mine = models[(models["run"] == run) & models["loss"].lt(2.70)]
        seen, size = mine["n_tokens"].min(), mine["n_params"].iloc[0]
        row = scale_at_loss(law, 2.70, "n_tokens", given={"n_params": size}).iloc[0]
        assert seen / within < row["scale"] < seen * within
        assert row["upper"] > seen


def test_what_cannot_be_meant_is_refused(chinchilla_fit):
    for options, said in (
        ({}, "also needs n_tokens"),
        ({"along": "flops"}, "Unknown variable 'flops'"),
        ({"along": "n_tokens", "tokens_per_param": 20}, "ties n_tokens to along='n_params'"),
        ({"given": {"n_tokens": 1e12}, "interval": (3, 2)}, r"must be \(lower, upper\)"),
    ):
        with pytest.raises(FitError, match=said):
            scale_at_loss(chinchilla_fit, 2.2, **options)
    runs = datasets.load_chinchilla().assign(score=lambda t: 1 / t["loss"])
    with pytest.raises(FitError, match="needs a law of loss"):
        scale_at_loss(fit(laws.power_law("loss", response="score"), runs), 2.2)
