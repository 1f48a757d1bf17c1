"""Bootstraps of every kind: against published numbers, against each other, against nonsense."""

import numpy as np
import pandas as pd
import pytest

from emergekit import fit, laws
from emergekit.errors import FitError, FitWarning
from emergekit.fitting import bootstrap
from tests.contracts import check_fit

KINDS = ["case", "cluster", "residual", "wild", "parametric"]


def drawn(result, n=100, kind="case", **options):
    cluster = np.arange(len(result.data)) if kind == "cluster" else None
    return bootstrap(result, n, kind, cluster, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_with_draws_is_a_fit(chinchilla_fit, kind):
    result = drawn(chinchilla_fit, kind=kind)
    assert result.draws.shape == (100, 5)
    assert list(result.draws) == list(laws.CHINCHILLA.names)
    stats = result.stats.iloc[0]
    assert (stats["bootstrap"], stats["n_draws"], stats["n_draws_failed"]) == (kind, 100, 0)
    assert chinchilla_fit.draws is None
    assert f"100 draws ({kind} bootstrap)" in result.summary()
    check_fit(result, result.data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_errors_of_the_size_of_the_sandwich(chinchilla_fit, kind):
    result = drawn(chinchilla_fit, n=400, kind=kind)
    sandwich = chinchilla_fit.to_frame().set_index("term")["stderr"]
    for name, row in result.to_frame().set_index("term").iterrows():
        # The scatter falls with scale, which residuals put back anywhere and normal errors miss.
        assert 0.4 < row["stderr"] / sandwich[name] < 2, name
        assert row["lower"] < row["estimate"] < row["upper"]


def test_intervals_are_percentiles_of_the_draws(chinchilla_fit, chinchilla_runs):
    result = drawn(chinchilla_fit, n=200)
    frame = result.to_frame(level=0.8).set_index("term")
    np.testing.assert_allclose(frame["lower"], result.draws.quantile(0.1))
    np.testing.assert_allclose(frame["stderr"], result.draws.std())
    few = chinchilla_runs.head(3)
    band = result.predict(few, level=0.8, interval="mean")
    by_hand = [laws.CHINCHILLA.predict(few, draw) for _, draw in result.draws.iterrows()]
    np.testing.assert_allclose(band["upper"], np.quantile(by_hand, 0.9, axis=0), rtol=1e-6)


def test_one_seed_gives_one_set_of_draws_and_they_are_minima(chinchilla_fit):
    one, again, other = (drawn(chinchilla_fit, n=3, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.draws, again.draws)
    assert (one.draws != other.draws).all(axis=None)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_a_draw_is_the_fit_to_its_rows(chinchilla_fit, chinchilla_runs):
    rows = np.random.default_rng(0).integers(0, 240, (2, 240))
    result = bootstrap(chinchilla_fit, rows=rows)
    for draw, positions in zip(result.draws.to_numpy(), rows, strict=True):
        alone = fit(laws.CHINCHILLA, chinchilla_runs.iloc[positions].reset_index(drop=True))
        np.testing.assert_allclose(draw, alone.params, rtol=1e-7)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_fixed_parameters_and_bounds_hold_in_every_draw(chinchilla_runs):
    options = {"fixed": {"beta": 0.37}, "bounds": {"alpha": (0.0, 0.345)}}
    result = drawn(fit(laws.CHINCHILLA, chinchilla_runs, **options))
    assert (result.draws["beta"] == 0.37).all()
    assert 0.3 < result.draws["alpha"].min() < result.draws["alpha"].max() == 0.345
    assert result.to_frame().set_index("term").loc["beta"].iloc[1:].isna().all()


def test_whole_clusters_are_drawn(chinchilla_fit):
    # Twins of a row in one cluster tell nothing new; as rows of their own they seem to.
    twice = chinchilla_fit.data.loc[np.repeat(chinchilla_fit.data.index, 2)].reset_index(drop=True)
    with pytest.warns(FitWarning, match="correlated"):
        result = fit(laws.CHINCHILLA, twice)
    runs = np.repeat(np.arange(240), 2)
    whole = bootstrap(result, 300, "cluster", runs).draws.std()
    single = bootstrap(result, 300, "case").draws.std()
    assert whole["E"] / single["E"] == pytest.approx(np.sqrt(2), rel=0.15)
    series = pd.Series(runs, index=result.data.index).sample(frac=1, random_state=0)
    pd.testing.assert_series_equal(bootstrap(result, 300, "cluster", series).draws.std(), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cases"}, "Unknown kind of bootstrap 'cases'; did you mean 'case'"),
        ({"n": 0}, "n must be a whole number of draws, 2 or more; it is 0"),
        ({"n": 2.5}, "n must be a whole number of draws"),
        ({"kind": "cluster"}, r"go together: .* cluster=table\['run'\]"),
        ({"cluster": np.zeros(240)}, "go together"),
        ({"kind": "cluster", "cluster": [1, 2]}, "one label for each of the 240 rows"),
        ({"kind": "cluster", "cluster": np.zeros(240)}, "at least two clusters"),
        ({"kind": "cluster", "cluster": pd.Series([1.0])}, "the index of cluster is not that"),
        ({"rows": [[0, 240], [0, 1]]}, "positions from 0 to 239"),
        ({"rows": [[0.5], [1]]}, "rows must be whole numbers, one line a draw"),
        ({"rows": [[0], [1]], "kind": "wild"}, "does not go with kind='wild'"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(chinchilla_fit, options, message):
    with pytest.raises(FitError, match=message):
        bootstrap(chinchilla_fit, **options)


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_symmetric_errors_are_not_drawn_for_a_fit_that_expects_others(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs, objective="quantile_log", tau=0.2)
    with pytest.raises(FitError, match="use 'case', 'cluster' or 'residual'"):
        bootstrap(result, 10, "wild")


@pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")
def test_draws_that_tell_nothing_are_left_out_and_counted(chinchilla_runs):
    result = fit(laws.CHINCHILLA, chinchilla_runs.head(12), objective="least_squares")
    rows = np.vstack([np.zeros((2, 12), dtype=int), np.tile(np.arange(12), (30, 1))])
    drawn = bootstrap(result, rows=rows)
    stats = drawn.stats.iloc[0]
    assert stats["n_draws"] - stats["n_draws_failed"] == len(drawn.draws) >= 30


@pytest.mark.slow
def test_legacy_draws_give_the_published_standard_errors(chinchilla_fit):
    # spec/scaling.md 2.1: 4,000 resamples of Besiroglu et al. 2024, each converged
    legacy = np.random.RandomState(42)
    rows = np.array([legacy.choice(240, 240, replace=True) for _ in range(4000)])
    result = bootstrap(chinchilla_fit, rows=rows)
    assert result.stats["n_draws_failed"].iloc[0] == 0
    # One resample has two minima; the worse one gives 1293.3 for B, the number they printed.
    stderr = result.to_frame().set_index("term")["stderr"]
    published = {"A": 124.475, "B": 1312.12, "E": 0.0256773, "alpha": 0.0153961, "beta": 0.0206287}
    for name, value in published.items():
        assert stderr[name] == pytest.approx(value, rel=5e-6), name
    frame = result.to_frame().set_index("term")
    assert frame.loc["B", ["lower", "upper"]].tolist() == pytest.approx(
        [1042.366, 5810.359], rel=1e-6
    )


def test_residual_draws_centre_on_a_fit_that_has_no_constant():
    # Held at the wrong constant, a power law leaves residuals that are above 0 on average.
    rng = np.random.default_rng(1)
    n = np.repeat([1.0, np.e], 20)
    loss = np.exp(0.3 - 0.5 * np.log(n) + 0.1 * rng.standard_normal(40))
    table = pd.DataFrame({"n": n, "loss": loss})
    held = fit(laws.power_law("n"), table, objective="least_squares_log", fixed={"b": 1.0})
    drawn = bootstrap(held, 1000, "residual").draws["c"]
    error = drawn.std() / np.sqrt(len(drawn))
    assert drawn.mean() == pytest.approx(held.params["c"], abs=4 * error)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("held", [{}, {"b": np.exp(0.35)}])
def test_residual_draws_centre_on_a_robust_fit_to_skewed_residuals(held, uneven):
    # Exponential errors: where a Huber penalty balances them is neither 0 nor their mean. Draws
    # that are not centred, or on the mean, shift by more than one standard deviation.
    rng = np.random.default_rng(1)
    n, delta = np.repeat([1.0, np.e], 200), 0.05
    weight = rng.choice([0.01, 1.0], 400, p=[0.9, 0.1]) if uneven else np.ones(400)
    error = 0.1 * rng.exponential(size=400) / np.sqrt(weight)
    table = pd.DataFrame({"n": n, "loss": np.exp(0.3 - 0.5 * np.log(n) + error), "weight": weight})
    options = {"objective": "huber_log", "delta": delta, "weights": "weight", "fixed": held}
    result = fit(laws.power_law("n"), table, **options)
    draws = bootstrap(result, 1000, "residual").draws
    for name in set(draws) - set(held):
        shift = draws[name].mean() - result.params[name]
        assert abs(shift) < 0.25 * draws[name].std(), name
