"""How often verdicts are right, and what they cost."""

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

import emergekit as ek
from emergekit.emergence import confusion_matrix, hinge_test, simulate_world
from emergekit.emergence.verdicts.rules import VERDICTS
from tests.benchmarks.conftest import TABLES, cpu_seconds


def test_confusion_matrix_over_all_worlds():
    cells = confusion_matrix(engine="processes")
    pooled = cells.groupby(["world", "n_scales"], sort=False)[["n_tasks", *VERDICTS]].sum()
    shares = 100 * pooled[list(VERDICTS)].div(pooled["n_tasks"], axis=0)
    TABLES.append(("verdicts in percent, by world and number of scales", shares.round(0)))
    smooth = cells[cells["truth"] != "genuine"]
    by_scales = smooth.groupby("n_scales")[["n_tasks", "genuine"]].sum()
    TABLES.append(("false 'genuine' among worlds without a threshold", by_scales))
    enough = smooth[smooth["n_scales"] >= 8]
    assert enough["genuine"].sum() / enough["n_tasks"].sum() <= 0.05
    assert cells.loc[cells["n_scales"] < 8, "genuine"].sum() == 0


def test_one_verdict_and_a_thousand_tasks():
    one = simulate_world("em hinge K=5", n_scales=30)
    spent = cpu_seconds(lambda: ek.mirage_test(one, x="flops"))
    worlds = ("em K=10", "mc hinge", "em hinge K=5", "mc narrow sigmoid")
    parts = [simulate_world(world, n_tasks=250, seed=place) for place, world in enumerate(worlds)]
    table = pd.concat(parts, ignore_index=True)
    many = cpu_seconds(lambda: ek.mirage_test(table, x="flops"), rounds=1)
    told = {"one verdict, 30 scales (bar 0.05)": spent, "1,000 tasks of 12 scales": many}
    TABLES.append(("CPU seconds; 1,000 tasks have 80 on two cores", pd.Series(told).round(3)))


def logistic(x, low, rise, middle, scale):
    return low + rise / (1 + np.exp(-(x - middle) / scale))


def hinge(x, low, slope, eta):
    return low + slope * np.maximum(x - eta, 0)


def test_break_test_against_a_bootstrap_of_nonlinear_fits(ratio):
    x = np.linspace(0, 6, 12)
    y = np.maximum(x - 3, 0) + 0.05 * np.random.default_rng(0).standard_normal(12)

    def refits(n=20):
        rng = np.random.default_rng(0)
        for _ in range(n):
            drawn = y + 0.05 * rng.standard_normal(12)
            curve_fit(logistic, x, drawn, p0=(0, 3, 4, 1), maxfev=20_000)
            curve_fit(hinge, x, drawn, p0=(0, 1, 3), maxfev=20_000)

    found = ratio(
        "break test, 2 x 199 draws, against two curve_fit a draw",
        1,
        lambda: hinge_test(x, y),
        2 * 199,
        refits,
        20,
    )
    assert found > 1
