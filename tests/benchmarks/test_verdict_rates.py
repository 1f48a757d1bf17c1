"""How often verdicts are right, and what they cost."""

from functools import partial

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

import emergekit as ek
from emergekit.emergence import confusion_matrix, curve_dictionary, hinge_test, simulate_world
from emergekit.emergence.questions.projections import Projections
from emergekit.emergence.verdicts.rules import VERDICTS
from tests.benchmarks.conftest import TABLES, cpu_seconds
from tests.emergence.simulation.discoveries import discoveries


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


def test_false_discoveries_over_sixty_tasks():
    rows = []
    for n_scales in (8, 12, 20):
        for seed in range(6):
            found, wrong, missed = discoveries(n_scales, seed)
            rows.append(
                (n_scales, wrong / max(found, 1), (found - wrong) / (found - wrong + missed))
            )
    table = pd.DataFrame(rows, columns=["n_scales", "realised FDR", "power"])
    shown = table.groupby("n_scales").mean()
    TABLES.append(("false discoveries, 6 times 60 tasks of which 12 have a threshold", shown))
    assert (shown["realised FDR"] <= 0.05).all()


def test_one_verdict_and_a_thousand_tasks():
    told = {}
    for n_scales in (8, 12, 30):
        one = simulate_world("em hinge K=5", n_scales=n_scales)
        spent = cpu_seconds(partial(ek.mirage_test, one, x="flops"))
        told[f"one verdict, {n_scales} scales"] = (spent, 0.05)
    worlds = ("em K=10", "mc hinge", "em hinge K=5", "mc narrow sigmoid")
    parts = [simulate_world(world, n_tasks=250, seed=place) for place, world in enumerate(worlds)]
    table = pd.concat(parts, ignore_index=True)
    many = cpu_seconds(lambda: ek.mirage_test(table, x="flops"), rounds=1)
    told["1,000 tasks of 12 scales, every one with scales of its own"] = (many, 80)
    bars = pd.DataFrame.from_dict(told, "index", columns=["CPU seconds", "bar"])
    TABLES.append(("verdicts with 199 draws; the bar of many is 40 s on two cores", bars.round(3)))


def test_refits_of_a_bootstrap_against_a_loop_over_draws_and_shapes(ratio):
    x = np.linspace(0, 6, 12)
    parts = Projections.of(curve_dictionary(x), np.ones(12))
    about = parts.centred(np.maximum(x - 3, 0)[None])[0]
    draws = parts.centred(about + 0.05 * np.random.default_rng(0).standard_normal((199, 12)))
    shapes = np.concatenate([parts.smooth, parts.threshold])
    n_smooth = len(parts.smooth)

    def looped():
        for draw in draws:
            reach = shapes @ draw
            reach[:n_smooth].max(), reach[n_smooth:].argmax()

    found = ratio(
        "refits of 199 draws, with the bound, against all shapes a draw",
        1,
        lambda: parts.residuals(draws, about),
        199,
        looped,
        199,
    )
    assert found > 1


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
