"""The point of emergence predicted by finetuning, from simulated models."""

import numpy as np
import pandas as pd
import pytest

from emergekit import FitError, bootstrap, fit, laws
from emergekit.fitting import posterior
from emergekit.laws.finetuning import elbow
from emergekit.prediction import leave_out_elbows, point_of_emergence

# The range of fewer amounts makes k and alpha move together; that is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::emergekit.FitWarning")

# A family like those of Snell et al. 2024: eight amounts of finetuning, twelve checkpoints.
TRUTH = {"B": 0.25, "A": 0.6, "k": 0.03, "alpha": 1.3, "C": 1.75}
ELBOW = 1.75 + 0.03 * np.log(5) ** 1.3


def finetuned(seed=None, sd=0.005, law=None, params=TRUTH):
    law = laws.emergence_law() if law is None else law
    amount, loss = np.meshgrid(2.0 ** np.arange(6, 14), np.linspace(1.85, 2.40, 12))
    table = pd.DataFrame({"loss": loss.ravel(), "n_finetune": amount.ravel()})
    noise = 0.0 if seed is None else np.random.default_rng(seed).normal(0, sd, len(table))
    return table.assign(score=law.predict(table, params) + noise)


def test_the_elbow_is_recovered_without_noise():
    point = point_of_emergence(fit(laws.emergence_law(), finetuned())).iloc[0]
    assert point["estimate"] == pytest.approx(ELBOW, abs=1e-6)


def test_the_power_law_is_recovered_and_its_misfit_is_small():
    power = laws.emergence_law("power")
    params = TRUTH | {"k": 0.02, "alpha": 0.3}
    point = point_of_emergence(fit(power, finetuned(law=power, params=params))).iloc[0]
    assert point["estimate"] == pytest.approx(1.75 + 0.02 * 5**0.3, abs=1e-6)
    # The wrong form misses by about a hundredth of a nat (derived by simulation).
    wrong = point_of_emergence(fit(power, finetuned())).iloc[0]
    assert abs(wrong["estimate"] - ELBOW) < 0.02


def test_models_that_were_prompted_have_a_base_of_their_own():
    law = laws.emergence_law(is_few_shot="is_few_shot")
    tuned = finetuned().assign(is_few_shot=0)
    prompted = pd.DataFrame({"loss": np.linspace(1.85, 2.4, 12), "n_finetune": 5, "is_few_shot": 1})
    table = pd.concat([tuned, prompted.assign(score=0.25 + 0.04)], ignore_index=True)
    found = fit(law, table)
    assert found.params["Delta"] == pytest.approx(0.04, abs=1e-6)
    assert point_of_emergence(found)["estimate"].iloc[0] == pytest.approx(ELBOW, abs=1e-5)


def test_every_way_to_be_unsure_names_itself():
    found = fit(laws.emergence_law(), finetuned(0))
    drawn = [found, bootstrap(found, n=200), posterior(found, n=500, n_steps=1500)]
    points = pd.concat([point_of_emergence(one) for one in drawn], ignore_index=True)
    assert points["interval"].tolist() == ["covariance", "case", "posterior"]
    assert (points["lower"] < points["estimate"]).all()
    assert (points["upper"] > points["estimate"]).all()
    widths = points["upper"] - points["lower"]
    assert widths.max() < 3 * widths.min()


@pytest.mark.slow
def test_intervals_of_the_posterior_hold_what_they_say():
    held = 0
    for seed in range(50):
        found = fit(laws.emergence_law(), finetuned(seed))
        found = posterior(found, n=2000, seed=seed, n_steps=4000)
        point = point_of_emergence(found, level=0.9).iloc[0]
        held += bool(point["lower"] <= ELBOW <= point["upper"])
    assert 40 <= held <= 50


def test_leaving_data_out_is_a_table():
    table = finetuned(1)
    found = leave_out_elbows(laws.emergence_law(), table, truth=ELBOW)
    assert found["setting"].iloc[0] == "full data"
    assert len(found) == 1 + 2 * 3 + 4
    assert found.set_index("setting").loc["-2 smallest", "n_rows"] == 72
    assert found.set_index("setting").loc["-4 last checkpoints", "n_rows"] == 64
    assert found["is_success"].iloc[0]
    np.testing.assert_allclose(found["error"], (found["estimate"] - ELBOW).abs())


def test_two_amounts_say_nothing_of_how_an_elbow_moves():
    table = finetuned(1)
    table = table[table["n_finetune"] <= 256]
    found = leave_out_elbows(laws.emergence_law(), table, truth=ELBOW).set_index("setting")
    assert np.isfinite(found.loc["full data", "estimate"])
    assert found.loc["-1 smallest", "reason"].endswith("there are 2.")
    assert found.loc["-2 largest", "reason"].endswith("there is 1.")
    assert found.loc["-1 smallest", ["estimate", "error"]].isna().all()
    assert found.loc["-1 smallest", "is_success"] is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: point_of_emergence(f, 0.5), "1 example or more; it is 0.5"),
        (lambda f: point_of_emergence(fit(laws.hinge("loss"), f.data)), "hinge_in_loss is none"),
        (lambda f: leave_out_elbows(laws.linear("loss"), f.data), "linear_in_loss is none"),
        (lambda f: laws.emergence_law("log_powr"), "did you mean 'log_power'"),
    ],
)
def test_what_has_no_elbow_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call(fit(laws.emergence_law(), finetuned(0)))


def test_elbows_rise_with_finetuning():
    amounts = np.array([1.0, 8.0, 64.0])
    for form in ("log_power", "power"):
        found = elbow(amounts, 0.03, 1.3, 1.75, form=form)
        assert (np.diff(found) > 0).all()


def test_law_errors_are_fit_errors():
    with pytest.raises(FitError):
        point_of_emergence(fit(laws.linear("loss"), finetuned(0)))
