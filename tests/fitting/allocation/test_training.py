"""The envelope of training curves: what simulated runs must give back, and nonsense."""

import numpy as np
import pandas as pd
import pytest

from emergekit import laws
from emergekit.errors import FitError, FitWarning, TableError
from emergekit.fitting import allocate, bootstrap, envelope, fit_optima

TRUTH = {"E": 1.8172, "A": 477.83, "B": 2143.4, "alpha": 0.34731, "beta": 0.36717}
EXPONENT = 0.36717 / (0.36717 + 0.34731)


def curves(n_sizes=24, noise=0.0, n_steps=300, seed=0):
    """Return training curves of runs whose loss at any step is that of a run that ends there."""
    rng = np.random.default_rng(seed)
    parts = []
    for place, size in enumerate(np.geomspace(3e7, 3e10, n_sizes)):
        tokens = np.geomspace(size, 400 * size, n_steps)
        part = pd.DataFrame({"run": f"run-{place}", "n_params": size, "n_tokens": tokens})
        loss = laws.CHINCHILLA.predict(part, TRUTH)
        parts.append(part.assign(loss=loss * np.exp(noise * rng.standard_normal(n_steps))))
    return pd.concat(parts, ignore_index=True)


def test_the_envelope_of_simulated_curves_recovers_the_optimum_and_its_exponent():
    optima = envelope(curves())
    inside = optima[optima["inside"]]
    assert len(optima) == 1500
    assert len(inside) > 800
    truth = allocate((laws.CHINCHILLA, TRUTH), inside["flops"])
    best = truth.loc[truth["term"] == "n_params", "estimate"].to_numpy()
    # Sizes are 1.35 apart: none can be nearer to the optimum than half of that, on a log scale.
    off = np.log(inside["n_params"] / best)
    assert off.abs().max() < 1.1 * np.log(1000) / 23 / 2
    assert abs(off.mean()) < 0.02
    least = truth.loc[truth["term"] == "loss", "estimate"].to_numpy()
    assert (inside["loss"] / least - 1).between(-1e-4, 1e-3).all()
    with pytest.warns(FitWarning):
        law = fit_optima(optima)
    assert law.params["a"] == pytest.approx(EXPONENT, abs=0.005)
    with pytest.warns(FitWarning):
        tokens = fit_optima(optima, "n_tokens")
    assert tokens.params["a"] == pytest.approx(1 - law.params["a"], abs=1e-8)
    rows = allocate(law, 5.76e23).set_index("term")
    size = allocate((laws.CHINCHILLA, TRUTH), 5.76e23).set_index("term").loc["n_params", "estimate"]
    assert rows.loc["n_params", "estimate"] == pytest.approx(size, rel=0.07)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_drawing_whole_runs_tells_how_sure_the_exponent_is():
    # Seeds that differ by 0.3 % move a run's whole curve, and with it every optimum it wins.
    table, budgets = curves(n_steps=80), np.geomspace(1e18, 3e22, 200)
    found, naive, drawn = [], [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        luck = dict(zip(table["run"].unique(), rng.normal(1, 0.003, 24), strict=True))
        optima = envelope(table.assign(loss=table["loss"] * table["run"].map(luck)), budgets)
        law = fit_optima(optima)
        by_run = bootstrap(law, 100, "cluster", optima.loc[law.data.index, "run"])
        found.append(law.params["a"])
        naive.append(np.sqrt(law.cov.loc["a", "a"]))
        drawn.append(np.sqrt(by_run.cov.loc["a", "a"]))
    spread = np.std(found)
    assert np.mean(naive) < 0.6 * spread
    assert 0.7 * spread < np.mean(drawn) < 1.5 * spread
    assert np.mean(found) == pytest.approx(EXPONENT, abs=3 * spread / np.sqrt(30))


def test_smoothing_undoes_most_of_what_choosing_the_luckiest_run_does():
    clean, noisy = envelope(curves()), curves(noise=0.01)
    raw, smooth = envelope(noisy), envelope(noisy, window=0.2)
    both = clean["inside"]
    lucky, even = (np.log(e["loss"] / clean["loss"])[both].mean() for e in (raw, smooth))
    assert lucky < -0.005
    assert abs(even) < abs(lucky) / 3
    with pytest.warns(FitWarning):
        exponents = [fit_optima(e).params["a"] for e in (raw, smooth)]
    assert abs(exponents[1] - EXPONENT) < abs(exponents[0] - EXPONENT)
    assert exponents[1] == pytest.approx(EXPONENT, abs=0.03)


def test_smoothing_leaves_a_power_law_as_it_is():
    tokens = np.geomspace(1e9, 1e12, 200)
    table = pd.DataFrame({"run": 1, "n_params": 1e9, "n_tokens": tokens, "loss": tokens**-0.1 * 40})
    budgets = 6e9 * np.array([1e9, 3e10, 1e12]) * [1 + 1e-9, 1, 1 - 1e-9]
    plain, smooth = envelope(table, budgets), envelope(table, budgets, window=0.5)
    np.testing.assert_allclose(plain["loss"], 40 * (budgets / 6e9) ** -0.1)
    np.testing.assert_allclose(smooth["loss"], plain["loss"])
    assert (plain["reason"] == "all runs here have one size").all()


def test_budgets_say_why_they_have_no_optimum():
    low, inside, high, beyond = 1e17, 1e21, 2e23, 1e26
    optima = envelope(curves(), [low, inside, high, beyond]).set_index("flops")
    assert optima.loc[low, "reason"] == "the smallest size here is the best"
    assert pd.isna(optima.loc[inside, "reason"])
    assert optima.loc[inside, "inside"]
    assert optima.loc[high, "reason"] == "the largest size here is the best"
    assert optima.loc[beyond, "reason"] == "no run has a checkpoint before and after"
    assert optima.loc[beyond, "n_runs"] == 0
    assert optima.loc[beyond, ["n_params", "n_tokens", "loss"]].isna().all()
    assert pd.isna(optima.loc[beyond, "run"])


def test_compute_is_taken_as_it_is_counted():
    table = curves(n_sizes=6)
    counted = table.assign(flops=7 * table["n_params"] * table["n_tokens"])
    by_column = envelope(counted, [1e21], flops_per_token_param=7)
    by_product = envelope(table, [1e21], flops_per_token_param=7)
    pd.testing.assert_frame_equal(by_column, by_product)


def test_tables_that_cannot_be_used_are_refused_by_row():
    table = curves(n_sizes=3, n_steps=5)
    with pytest.raises(TableError, match="needs column 'run', 'loss'"):
        envelope(table[["n_params", "n_tokens"]])
    bad = table.copy()
    bad.loc[7, "loss"] = np.nan
    with pytest.raises(TableError, match="'loss' must be a positive number, but row 7 holds nan"):
        envelope(bad)
    mixed = table.copy()
    mixed.loc[3, "n_params"] = 5.0
    with pytest.raises(TableError, match=r"run 'run-0' has several n_params \(row 0\)"):
        envelope(mixed)
    seeds = pd.concat([table, table], ignore_index=True)
    with pytest.raises(TableError, match=r"has two checkpoints at once \(row 15\); .* name of its"):
        envelope(seeds)
    with pytest.raises(TableError, match="the table names no run"):
        envelope(table.head(0))
    nameless = table.copy()
    nameless.loc[2, "run"] = None
    with pytest.raises(TableError, match="row 2 names no run in 'run'"):
        envelope(nameless)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 2}, "window must be a share of compute from 0 to 1; it is 2"),
        ({"flops": [1e20, -1]}, "flops must be positive and finite"),
        ({"flops": []}, "flops must be positive and finite"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(FitError, match=message):
        envelope(curves(n_sizes=3, n_steps=5), **options)
