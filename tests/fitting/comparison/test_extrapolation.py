"""Predictions of rows held out, their errors, and the law that these choose."""

import numpy as np
import pandas as pd
import pytest

from emergekit import datasets, fit, laws
from emergekit.errors import FitError, TableError
from emergekit.fitting import extrapolate, extrapolation_errors, select_law
from emergekit.fitting.comparison.holdout import (
    blocked_folds,
    flagged,
    leave_largest_out,
    rolling_origin,
)

pytestmark = pytest.mark.filterwarnings("ignore::emergekit.errors.FitWarning")

POWER = laws.power_law("x", "y")
OFFSET = laws.offset_power_law("x", "y")
BROKEN = {
    0: {"a": 0.3, "b": 8.0, "c0": 0.15},
    1: {"a": 0.3, "b": 8.0, "c0": 0.05, "c1": 0.25, "d1": 1e5, "f1": 0.3},
    2: {
        **{"a": 0.3, "b": 4.0, "c0": 0.05, "c1": 0.5, "d1": 1e4, "f1": 0.3},
        **{"c2": -0.4, "d2": 1e6, "f2": 0.5},
    },
}


def rows(n=40, noise=0.02, seed=0):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e3, 1e9, n)
    y = (1.5 + 40 * x**-0.35) * np.exp(noise * rng.standard_normal(n))
    return pd.DataFrame({"x": x, "y": y, "source": "here"})


def broken_rows(n_breaks, seed=0):
    law = laws.broken_power_law(n_breaks, "x", "y")
    table = pd.DataFrame({"x": np.geomspace(1e2, 1e9, 60)})
    noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal(60))
    return table.assign(y=law.predict(table, BROKEN[n_breaks]) * noise)


def test_the_chinchilla_law_extrapolates_to_the_largest_fifth_as_published(chinchilla_runs):
    # spec/scaling.md, section 5
    split = leave_largest_out(0.2)
    held_out = extrapolate(laws.CHINCHILLA, chinchilla_runs, split)
    (errors,) = extrapolation_errors(held_out).to_dict("records")
    assert errors["log_rmse"] == pytest.approx(0.0127, abs=5e-5)
    assert (errors["n_rows"], errors["n_failed"]) == (48, 0)
    [(train, _)] = split(chinchilla_runs)
    known = fit(laws.CHINCHILLA, train)
    published = {"A": 322.7, "B": 8649.9, "E": 1.85657, "alpha": 0.32348, "beta": 0.43644}
    for name, value in published.items():
        assert known.params[name] == pytest.approx(value, rel=2e-5), name
    miss = np.log(known.predict(train)["predicted"] / train["loss"])
    assert np.sqrt((miss**2).mean()) == pytest.approx(0.0060, abs=5e-5)


def test_one_break_extrapolates_addition_as_published():
    # spec/scaling.md, section 2.5: root mean square of log errors on the last three points
    points = datasets.load_bnsl_addition()
    law = laws.broken_power_law(1, "x")
    held_out = extrapolate(law, points, flagged(), objective="least_squares_log1p")
    assert extrapolation_errors(held_out)["log_rmse"].iloc[0] <= 0.0110


def test_predictions_are_those_of_a_fit_to_the_rows_kept():
    table = rows()
    split = rolling_origin(2, by="x")
    held_out = extrapolate([POWER, OFFSET], table, split, level=0.8, objective="huber_log")
    assert len(held_out) == 2 * 20
    for fold, (train, test) in enumerate(split(table)):
        part = held_out[(held_out["law"] == OFFSET.name) & (held_out["fold"] == fold)]
        alone = fit(OFFSET, train, objective="huber_log").predict(test, level=0.8)
        np.testing.assert_array_equal(part[["predicted", "lower", "upper"]], alone)
        assert part["row"].tolist() == test.index.tolist()
        assert (part["n_train"] == len(train)).all()
        assert part["source"].eq("here").all()


def test_groups_are_split_and_fitted_on_their_own():
    table = pd.concat([rows(seed=1).assign(curve="a"), rows(seed=2).assign(curve="b")])
    split = leave_largest_out(by="x")
    held_out = extrapolate(POWER, table, split, by="curve")
    alone = extrapolate(POWER, table[table["curve"] == "b"], split)
    both = held_out[held_out["curve"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, alone)
    errors = extrapolation_errors(held_out, ["curve", "law"])
    assert errors["curve"].tolist() == ["a", "b"]


@pytest.mark.slow
def test_engines_give_equal_numbers():
    table, split = rows(), blocked_folds(2, by="x")
    serial, spread = (
        extrapolate([POWER, OFFSET], table, split, engine=engine)
        for engine in ("serial", "processes")
    )
    pd.testing.assert_frame_equal(serial, spread)


def test_a_law_that_cannot_be_fitted_has_a_reason_and_no_errors():
    table = rows(8)
    large = laws.broken_power_law(2, "x", "y")
    held_out = extrapolate([POWER, large], table, leave_largest_out(0.25, by="x"))
    failed = held_out[held_out["law"] == large.name]
    assert failed["predicted"].isna().all()
    assert failed["reason"].str.contains("9 free parameters, but the table has 6 rows").all()
    assert not failed["converged"].any()
    errors = extrapolation_errors(held_out).set_index("law")
    assert errors.loc[large.name, ["n_rows", "n_failed"]].tolist() == [2, 2]
    assert np.isnan(errors.loc[large.name, "log_rmse"])
    assert errors.index[0] == POWER.name


def test_errors_are_those_of_their_formulas():
    held_out = extrapolate([POWER], rows(), leave_largest_out(by="x"))
    (errors,) = extrapolation_errors(held_out).to_dict("records")
    miss = np.log(held_out["predicted"]) - np.log(held_out["observed"])
    assert errors["log_rmse"] == pytest.approx(np.sqrt(np.mean(miss**2)))
    assert errors["log_bias"] == pytest.approx(miss.mean())
    raw = held_out["predicted"] - held_out["observed"]
    assert errors["rmse"] == pytest.approx(np.sqrt(np.mean(raw**2)))
    within = held_out["observed"].between(held_out["lower"], held_out["upper"])
    assert errors["coverage"] == within.mean()


def test_responses_that_have_no_logarithm_have_raw_errors_only():
    table = rows().assign(y=lambda t: t["y"] - 2)
    line = laws.hinge("x", "y", axis="log10")
    split = leave_largest_out(by="x")
    errors = extrapolation_errors(extrapolate([line], table, split)).iloc[0]
    assert np.isnan(errors["log_rmse"])
    assert errors["rmse"] > 0
    chosen = select_law([line], table, split, scale="raw")
    assert chosen["chosen"].tolist() == [True]


@pytest.mark.parametrize("n_breaks", [0, 1])
def test_the_number_of_breaks_that_made_the_rows_is_chosen(n_breaks):
    known = [laws.broken_power_law(n, "x", "y") for n in range(2)]
    found = select_law(known, broken_rows(n_breaks), leave_largest_out(by="x"))
    assert found.loc[found["chosen"], "law"].tolist() == [known[n_breaks].name]
    assert found["error"].is_monotonic_increasing
    assert found["excess"].iloc[0] == 0


def test_the_best_law_is_chosen_by_rows_held_out_before_bic():
    # Up to 1e6 a power law is enough; only what comes next tells the floor.
    table = rows(60, noise=0.005)
    found = select_law([POWER, OFFSET], table, rolling_origin(3, by="x"))
    assert found["law"].tolist() == [OFFSET.name, POWER.name]
    assert found["chosen"].tolist() == [True, False]
    assert (found["error"].iloc[1] ** 2 - found["error"].iloc[0] ** 2) == pytest.approx(
        found["excess"].iloc[1]
    )


def test_laws_that_predict_nothing_are_no_choice():
    with pytest.raises(FitError, match=r"no law predicts the rows held out; .*9 free parameters"):
        select_law([laws.broken_power_law(2, "x", "y")], rows(8), leave_largest_out(0.25, by="x"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"laws": []}, "laws of different names; there is none"),
        ({"laws": [POWER, POWER]}, "power_in_x is there twice"),
        ({"laws": ["power"]}, "law must be a Law, not the text 'power'"),
        ({"split": 0.2}, "split must be a function"),
        ({"split": lambda table: []}, "split must be a function"),
        ({"table": rows().drop(columns="x")}, "needs column 'x'"),
        ({"table": rows().assign(law="mine", fold=1)}, "columns 'law', 'fold', which are names"),
        ({"table": [1, 2]}, "expected a pandas DataFrame, not list"),
        ({"by": "curve"}, "needs column 'curve'"),
        ({"level": 2}, "level must lie between 0 and 1; it is 2"),
        ({"objective": "lsq"}, "Unknown objective 'lsq'"),
        ({"delta": 0}, "delta must be positive"),
        ({"weights": np.ones(40)}, "weights must be a column of the table"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    arguments = {"laws": [POWER], "table": rows(), "split": leave_largest_out(by="x")}
    with pytest.raises((FitError, TableError), match=message):
        extrapolate(**(arguments | change))


def test_an_unknown_scale_and_options_of_no_fit_are_refused():
    with pytest.raises(FitError, match="did you mean 'log'"):
        select_law([POWER], rows(), leave_largest_out(by="x"), scale="lo")
    with pytest.raises(FitError, match="Unknown option of fit 'deltas'; did you mean 'delta'"):
        extrapolate(POWER, rows(), leave_largest_out(by="x"), deltas=1)


@pytest.mark.slow
@pytest.mark.parametrize("n_breaks", [0, 1, 2])
def test_breaks_are_counted_right_in_most_simulations(n_breaks):
    known = [laws.broken_power_law(n, "x", "y") for n in range(n_breaks + 2)]
    right = 0
    for seed in range(5):
        found = select_law(known, broken_rows(n_breaks, seed), blocked_folds(5, by="x"))
        right += found.loc[found["chosen"], "law"].item() == known[n_breaks].name
    assert right >= 4


def test_options_and_groups_that_cannot_be_are_named():
    flops = np.geomspace(1e18, 1e24, 12)
    table = pd.DataFrame({"flops": flops, "loss": 40 * flops**-0.06, "task": ["a"] * 11 + ["b"]})
    split = leave_largest_out(0.25)
    with pytest.raises(FitError, match="Unknown option of fit 'wieghts'; did you mean 'weights'"):
        extrapolate(laws.power_law(), table, split, wieghts="n")
    with pytest.raises(TableError, match="needs column 'n'"):
        extrapolate(laws.power_law(), table, split, weights="n")
    with pytest.raises(TableError, match="split by 'flops'"):
        extrapolate(laws.power_law(), table.tail(1), split, by="task")


def test_a_group_that_cannot_be_split_costs_nobody_else():
    flops = np.geomspace(1e18, 1e24, 12)
    table = pd.DataFrame({"flops": flops, "loss": 40 * flops**-0.06, "task": ["a"] * 11 + ["b"]})
    found = extrapolate(laws.power_law(), table, leave_largest_out(0.25), by="task")
    good, bad = (part for _, part in found.groupby("task"))
    assert good["predicted"].notna().all()
    assert good["reason"].isna().all()
    assert bad[["row", "n_train"]].to_numpy().tolist() == [[11, 0]]
    assert bad["predicted"].isna().all()
    assert bad["reason"].str.match("the group cannot be split: split by 'flops': 1 folds").all()


def test_a_law_that_fails_on_a_fold_is_out_with_its_reason():
    x = np.geomspace(1e2, 1e7, 12)
    y = (1.7 + 60 * x**-0.5) * (1 + 0.01 * np.random.default_rng(0).standard_normal(12))
    table = pd.DataFrame({"x": x, "y": y})
    many = [POWER, laws.broken_power_law(2, "x", "y")]
    found = select_law(many, table, rolling_origin(3, 0.5, by="x")).set_index("law")
    assert found.loc["broken2_in_x", ["error", "excess"]].isna().all()
    assert "9 free parameters" in found.loc["broken2_in_x", "reason"]
    assert pd.isna(found.loc["power_in_x", "reason"])
    falling = table.assign(y=table["y"] - 60)
    with pytest.raises(FitError, match=r"no logarithm; give scale='raw'"):
        select_law(OFFSET, falling, leave_largest_out(by="x"), objective="least_squares")
