"""The 92 curves of the extrapolation benchmark: published errors, who wins, and the figure."""

import numpy as np
import pandas as pd
import pytest

from emergekit import datasets, figures, laws
from emergekit.figures import benchmark
from emergekit.fitting import extrapolate, extrapolation_errors, flagged

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

CURVE = ["domain", "task", "model"]

# spec/scaling.md, section 2.5: M1 has a closed form, so its errors are exact.
M1_BY_CURVE = {
    "NMT": [0.1708, 0.2340, 0.2619, 0.2520, 0.1899],
    "LM": [0.0171, 0.0143, 0.0064, 0.0155, 0.0165],
}
M1_MEAN = {"IC": 0.1046, "NMT": 0.2217, "LM": 0.0140, "BB": 0.0148}
M3_MEAN = {"IC": 0.0592, "NMT": 0.0133, "LM": 0.0033, "BB": 0.0105}


@pytest.fixture(scope="module")
def errors_of_m1():
    curves = datasets.load_extrapolation_benchmark()
    curves = curves[curves["domain"].isin(["NMT", "LM", "BB"])]
    held_out = extrapolate(laws.m1("x"), curves, flagged(), by=CURVE)
    return extrapolation_errors(held_out, CURVE)


@pytest.mark.parametrize("domain", M1_BY_CURVE)
def test_m1_misses_each_curve_as_published(errors_of_m1, domain):
    found = errors_of_m1.loc[errors_of_m1["domain"] == domain, "log_rmse"]
    np.testing.assert_allclose(sorted(found), sorted(M1_BY_CURVE[domain]), atol=5.1e-5)


def test_m1_misses_big_bench_as_published(errors_of_m1):
    found = errors_of_m1.loc[errors_of_m1["domain"] == "BB", "log_rmse"]
    assert found.mean() == pytest.approx(M1_MEAN["BB"], abs=5.1e-5)


def test_errors_are_cut_before_a_winner_is_named():
    errors = pd.DataFrame(
        {
            "domain": "IC",
            "task": ["a"] * 3 + ["b"] * 3,
            "model": "m",
            "law": ["M1", "M2", "M3"] * 2,
            "log_rmse": [0.0129, 0.0121, 0.0130, 0.5, 0.4, 0.3],
        }
    )
    won = benchmark.wins(errors)
    assert won["win"].tolist() == [0.5, 0.5, 0, 0, 0, 1]
    assert won.groupby(["task", "model"])["win"].sum().tolist() == [1, 1]


def test_an_unknown_domain_comes_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'NMT'"):
        benchmark.curve_errors(["NM"])


@pytest.mark.slow
def test_five_laws_and_the_chosen_one_on_translation():
    figure, table = benchmark.extrapolation(["NMT"])
    figure.canvas.draw()
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == list(table["law"])
    assert table["win_share"].sum() == pytest.approx(1)
    by_law = table.set_index("law")
    assert by_law.loc["M3", "mean_error"] == pytest.approx(M3_MEAN["NMT"], abs=5.1e-5)
    assert np.isnan(by_law.loc["chosen", "win_share"])


@pytest.mark.slow
def test_the_whole_benchmark_has_the_errors_of_the_global_minima():
    _, table = figures.get("extrapolation")(engine="processes")
    means = table.pivot_table(index="domain", columns="law", values="mean_error")
    assert table.drop_duplicates("domain")["n_curves"].tolist() == [72, 5, 5, 10]
    for domain, value in M1_MEAN.items():
        assert means.loc[domain, "M1"] == pytest.approx(value, abs=5.1e-5)
    for domain, value in M3_MEAN.items():
        assert means.loc[domain, "M3"] == pytest.approx(value, abs=5.1e-5)
    # Laws that contain M1 and are searched to their minima extrapolate no worse on average.
    assert (means["M4"] < means["M1"]).all()
    assert (means["BNSL"] < means["M1"]).all()
