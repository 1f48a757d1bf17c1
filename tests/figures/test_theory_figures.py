import numpy as np
import pandas as pd
import pytest

from emergekit import theory
from emergekit.figures import learners, mirage_knobs, size_scaling, skill_curves, theories


def test_adversaries_lie_on_the_exact_curve_and_under_the_bound():
    _, table = skill_curves.performance_curves()
    dots = table.dropna(subset=["simulated"])
    assert len(dots) == 35
    assert np.abs(dots["simulated"] / dots["exact"] - 1).max() < 0.03
    bounded = table.dropna(subset=["union_bound"])
    assert (bounded["union_bound"] >= np.minimum(bounded["exact"], 1) - 1e-9).all()
    at = table.query("k == 8 and theta == 0.05 and alpha == 0.2").iloc[0]
    assert at["union_bound"] == pytest.approx(0.05 * 3.298110, abs=1e-6)
    assert at["exact"] == pytest.approx(0.05 * 2.646560, abs=1e-6)


def test_simulated_learners_lie_on_the_curves_away_from_their_jumps():
    _, table = learners.learning(mean_skills=(2.0, 3.0), n_skills=5000)
    dots = table[table["source"] == "simulation"]
    for c, mine in dots.groupby("mean_skills"):
        expected = theory.learning_curve(mine["ratio"], c)
        calm = np.abs(mine["ratio"] - 1.04) > 0.1
        assert np.abs(mine["learned"] - expected.learned)[calm].max() < 0.04
        assert np.abs(mine["giant"] - theory.giant_learned(mine["ratio"], c))[calm].max() < 0.05


def test_better_foundations_let_a_domain_emerge_from_fewer_texts():
    _, table = learners.hierarchy(n_skills=2000)
    thresholds = table.groupby("foundation_ratio")["threshold"].first()
    assert thresholds.is_monotonic_decreasing
    assert thresholds.iloc[-1] == pytest.approx(theory.emergence_threshold(3.0), rel=0.01)


def test_published_sizes_and_losses_are_in_the_table_of_their_figure():
    figure, table = size_scaling.compute_optimal()
    assert len(table) == 140
    near = table.iloc[(np.log(table["flops"] / 5.73e23)).abs().argmin()]
    assert near["n_params"] == pytest.approx(7.145e10, rel=0.15)
    # spec/theory.md 3.3: rows 20 to 50 of every second one fall as N^-2.26
    rows = table.iloc[::2].iloc[20:50]
    slope = np.polyfit(np.log(rows["n_params"]), np.log(rows["excess_bound"]), 1)[0]
    assert slope == pytest.approx(-2.26, abs=0.01)
    assert figure.axes[0].get_xscale() == "log"


def test_plateaus_of_the_figure_lie_on_the_grey_lines():
    _, table = size_scaling.plateaus()
    stairs = table[table["panel"] == "D"].sort_values("n_params")["score"]
    for height in (0.4, 0.8):
        assert (np.abs(stairs - height) < 0.01).sum() > 20
    levels = table[table["panel"] == "B"].groupby("curve")["score"].sum()
    assert levels.to_numpy() == pytest.approx(1, abs=1e-6)


def test_the_overview_tells_smooth_rises_from_jumps():
    figure, table = theories.side_by_side()
    assert len(figure.axes) == table["theory"].nunique() == 8
    width = table.groupby(["theory", "curve"])["width"].first()
    mirage = width["mirage: exact match"]
    assert mirage.to_numpy() == pytest.approx(
        np.full(3, 2 * np.log10(np.log(4) / np.log(4 / 3))), abs=0.01
    )
    assert width["abstract learners", "4"] < 0.02 < width["abstract learners", "2"]
    assert width["quanta", "one quantum"] == 0
    assert width["random energies"].loc[["10", "50", "1000"]].is_monotonic_decreasing
    first = table.groupby("theory").first()["curve"]
    for name, curve in first.items():
        mine = table[(table["theory"] == name) & (table["curve"] == curve)]
        assert np.interp(0.5, mine["score"], mine["decades"]) == pytest.approx(0, abs=0.02)


def test_the_knobs_show_what_was_simulated():
    _, table = mirage_knobs.knobs()
    assert set(table["panel"]) == {"A", "B", "C"}
    few = table[table["curve"] == "4 models"]
    assert few["score"].iloc[-2:].to_numpy() == pytest.approx([0.002, 0.53], abs=0.05)
    pd.testing.assert_frame_equal(table, mirage_knobs.knobs()[1])
