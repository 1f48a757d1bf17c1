"""The scale at which a law reaches a score."""

import numpy as np
import pandas as pd
import pytest

from emergekit import FitError, bootstrap, datasets, fit, laws
from emergekit.emergence import threshold_size
from emergekit.prediction import chain, threshold

# Size and exponent of a power law move together; that is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::emergekit.FitWarning")


def runs(seed=None, n=14, sd=0.02):
    flops = np.geomspace(1e19, 1e23, n)
    noise = 0.0 if seed is None else np.random.default_rng(seed).normal(0, sd, n)
    return pd.DataFrame({"flops": flops, "loss": 60 * flops**-0.07 * np.exp(noise)})


def scale_of(loss):
    """Return where the true law of `runs` reaches a loss."""
    return (60 / loss) ** (1 / 0.07)


def test_the_scale_is_that_of_the_inverse():
    found = threshold(fit(laws.power_law("flops"), runs()), 1.4, "flops").iloc[0]
    assert found["estimate"] == pytest.approx(scale_of(1.4), rel=1e-4)
    assert found["times_data"] == pytest.approx(scale_of(1.4) / 1e23, rel=1e-4)
    assert found["reached_share"] == 1


def test_a_chain_reaches_a_score_where_its_loss_does():
    table = runs().assign(score=lambda t: 1.5 - 0.4 * t["loss"])
    both = chain(fit(laws.power_law("flops"), table), fit(laws.linear("loss"), table))
    found = threshold(both, 1.5 - 0.4 * 1.4, "flops").iloc[0]
    assert (found["response"], found["score"]) == ("score", pytest.approx(0.94))
    assert found["estimate"] == pytest.approx(scale_of(1.4), rel=1e-3)


def test_what_is_never_reached_is_infinitely_far():
    table = runs().assign(loss=lambda t: t["loss"] + 1.0)
    found = threshold(fit(laws.offset_power_law("flops"), table), 0.9, "flops").iloc[0]
    assert found["estimate"] == np.inf
    assert found["reached_share"] < 1


def test_compute_is_split_by_the_ratio():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"n_params": 10 ** rng.uniform(8, 10, 60), "n_tokens": 10 ** rng.uniform(9, 11, 60)}
    )
    params = {"E": 1.7, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}
    table["loss"] = laws.CHINCHILLA.predict(table, params)
    law = fit(laws.CHINCHILLA, table)
    size = threshold(law, 2.2, "n_params", tokens_per_param=20).iloc[0]
    compute = threshold(law, 2.2, "flops", tokens_per_param=20).iloc[0]
    assert compute["estimate"] == pytest.approx(6 * 20 * size["estimate"] ** 2, rel=1e-6)


def test_an_uncertain_goal_makes_the_scale_less_certain():
    law = fit(laws.power_law("flops"), runs(0))
    sure = threshold(law, 1.4, "flops").iloc[0]
    unsure = threshold(law, 1.4, "flops", interval=(1.35, 1.45)).iloc[0]
    assert np.log(unsure["upper"] / unsure["lower"]) > 1.5 * np.log(sure["upper"] / sure["lower"])


@pytest.fixture(scope="module")
def power_fit():
    sizes = np.geomspace(1e7, 1e10, 12)
    noise = 0.004 * np.cos(2.4 * np.arange(12) ** 2)
    runs = pd.DataFrame({"n_params": sizes, "loss": 1.7 + (1e8 / sizes) ** 0.3 + noise})
    return fit(laws.offset_power_law("n_params"), runs, objective="least_squares")


def test_a_fitted_law_leads_to_the_same_size(power_fit):
    e, b, c = (power_fit.params[name] for name in ("E", "b", "c"))
    expected = threshold_size(2.2, e, b ** (1 / c), c)
    row = threshold(power_fit, 2.2).iloc[0]
    assert row["estimate"] == pytest.approx(float(expected), rel=1e-9)
    assert row["lower"] < row["estimate"] < row["upper"]
    assert row["reached_share"] == 1.0
    true = float(threshold_size(2.2, 1.7, 1e8, 0.3))
    assert row["lower"] < true < row["upper"]


def test_uncertainty_of_the_threshold_goes_into_the_size(power_fit):
    alone = threshold(power_fit, 2.2).iloc[0]
    both = threshold(power_fit, 2.2, interval=(2.15, 2.25)).iloc[0]
    assert both["estimate"] == alone["estimate"]
    assert both["upper"] / both["lower"] > 1.5 * alone["upper"] / alone["lower"]
    drawn = threshold(bootstrap(power_fit, n=200), 2.2).iloc[0]
    assert drawn["upper"] / drawn["lower"] == pytest.approx(
        alone["upper"] / alone["lower"], rel=0.7
    )


def test_a_threshold_below_the_law_is_never_reached(power_fit):
    row = threshold(power_fit, 1.2).iloc[0]
    assert row["estimate"] == np.inf
    near = threshold(power_fit, 1.7, interval=(1.6, 1.8)).iloc[0]
    assert near["upper"] == np.inf
    assert 0.2 < near["reached_share"] < 0.8


def test_tokens_are_given_or_grow_with_the_size(chinchilla_fit):
    tied = threshold(chinchilla_fit, 2.2, tokens_per_param=20).iloc[0]
    at = pd.DataFrame({"n_params": [tied["estimate"]], "n_tokens": [20 * tied["estimate"]]})
    assert chinchilla_fit.predict(at)["predicted"].iloc[0] == pytest.approx(2.2, rel=1e-9)
    given_tokens = threshold(chinchilla_fit, 2.2, given={"n_tokens": 1e12}).iloc[0]
    at = pd.DataFrame({"n_params": [given_tokens["estimate"]], "n_tokens": [1e12]})
    assert chinchilla_fit.predict(at)["predicted"].iloc[0] == pytest.approx(2.2, rel=1e-9)
    tokens = threshold(chinchilla_fit, 2.2, "n_tokens", given={"n_params": 1e10}).iloc[0]
    assert tokens["along"] == "n_tokens"
    assert tied["lower"] < tied["estimate"] < tied["upper"]


def test_a_law_of_small_runs_says_when_the_large_ones_reach_the_threshold_of_letters():
    # MMLU by letters rises at 2.70 nats (test_thresholds.py). A law of the 30 ladder runs of up to
    # 3.2B says after how many tokens 7B and 13B get there; what they did is in the same table.
    models = datasets.load_olmo_ladder().models
    finals = models[models["family"].eq("OLMo ladder") & models["is_final"]]
    law = fit(laws.CHINCHILLA, finals)
    for run, within in (("peteish7", 1.5), ("peteish13", 1.2)):
        mine = models[(models["run"] == run) & models["loss"].lt(2.70)]
        seen, size = mine["n_tokens"].min(), mine["n_params"].iloc[0]
        row = threshold(law, 2.70, "n_tokens", given={"n_params": size}).iloc[0]
        assert seen / within < row["estimate"] < seen * within
        assert row["upper"] > seen


@pytest.mark.slow
def test_intervals_hold_what_they_say():
    n_repeats = 400
    held = sum(
        bool(row["lower"] <= scale_of(1.4) <= row["upper"])
        for row in (
            threshold(
                fit(laws.power_law("flops"), runs(seed), objective="least_squares_log"),
                1.4,
                "flops",
                level=0.9,
                n_draws=600,
            ).iloc[0]
            for seed in range(n_repeats)
        )
    )
    assert held / n_repeats == pytest.approx(0.9, abs=0.045)  # 3 standard errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"along": "flop"}, "did you mean 'flops'"),
        ({"along": "flops", "given": {"n_tokens": 1.0}}, "variable in given="),
        ({"along": "flops", "tokens_per_param": 20}, "for laws in n_params"),
        ({"along": "flops", "score": np.nan}, "score must be a number"),
        ({"along": "flops", "reach": 0.5}, "factor above 1"),
        ({"along": "flops", "interval": (2, 1)}, "must be .lower, upper."),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(FitError, match=said):
        threshold(fit(laws.power_law("flops"), runs()), **({"score": 1.4} | options))


def test_another_variable_must_be_known():
    law = laws.CHINCHILLA
    table = pd.DataFrame({"n_params": np.geomspace(1e8, 1e10, 9), "n_tokens": 1e11})
    table["n_tokens"] = table["n_tokens"] * np.tile([1.0, 3.0, 9.0], 3)
    params = {"E": 1.7, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}
    found = fit(law, table.assign(loss=law.predict(table, params)))
    with pytest.raises(FitError, match=r"also needs n_tokens; .*tokens_per_param=20"):
        threshold(found, 2.0, "n_params")
