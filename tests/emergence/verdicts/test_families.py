import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, combine_pvalues

import emergekit as ek
from emergekit.emergence import simulate_world


def family(world, n_runs, seed, n_scales=16, n_items=200, scatter=0.03):
    """Return a family whose runs are courses of training, each with checkpoints of its own."""
    table = simulate_world(world, n_scales, n_items, scatter, n_runs, seed)
    run = "r" + table["task"].str.split().str[-1]
    step = table["model"].str[1:].astype(int)
    return table.assign(model="m", run=run, step=step, task=f"{world} {seed}")


def families(world, n, **options):
    return pd.concat([family(world, 3, seed, **options) for seed in range(n)], ignore_index=True)


def judged(table, **options):
    return ek.mirage_test(table, x="flops", fdr=None, n_boot=99, **options)


def test_a_family_has_fishers_p_value_over_runs_and_the_spread_of_their_thresholds():
    table = families("em hinge K=5", 2)
    rows, runs = judged(table), judged(table, by_run=True)
    assert rows["n_runs"].tolist() == [3, 3]
    for task, row in rows.set_index("task").iterrows():
        mine = runs[runs["task"] == task]
        assert (mine["scope"] == "run").all()
        fisher = combine_pvalues(mine["p_break"], method="fisher").pvalue
        assert row["p_break"] == pytest.approx(fisher)
        assert row["eta_lower"] == pytest.approx(mine["eta"].min())
        assert row["eta_upper"] == pytest.approx(mine["eta"].max())
        assert row["eta_lower"] <= row["eta"] <= row["eta_upper"]
    assert (rows["verdict"] == "genuine").all()


@pytest.mark.slow
def test_families_without_a_threshold_are_rejected_no_more_often_than_the_level_says():
    worlds = ("mc smooth", "mc sigmoid", "em K=2", "em smooth")
    rows = pd.concat([judged(families(world, 40)) for world in worlds])
    n = len(rows)
    assert n == 160
    assert (rows["p_break"] <= 0.05).sum() <= binom.ppf(0.999, n, 0.05)
    assert (rows["verdict"] == "genuine").sum() <= binom.ppf(0.999, n, 0.05)


@pytest.mark.slow
def test_the_spread_over_three_runs_holds_the_threshold_three_times_in_four():
    # All three on one side of it: 2 / 2^3. The spread is what it says, no 95 % interval.
    rows = judged(families("em hinge K=5", 40))
    held = (rows["eta_lower"] <= 1e21) & (rows["eta_upper"] >= 1e21)
    assert held.mean() == pytest.approx(0.75, abs=0.2)
    assert (rows["verdict"] == "genuine").mean() > 0.9
    apart = np.log10(rows["eta_upper"] / rows["eta_lower"])
    assert apart.median() < 0.6
