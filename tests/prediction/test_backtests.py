"""Back-tests: nobody sees the answer, and everybody is compared with the trivial."""

import numpy as np
import pandas as pd
import pytest

from emergekit import FitError, TableError, backtest
from emergekit.fitting import leave_largest_out, rolling_origin
from emergekit.prediction import (
    beyond,
    families_out,
    linear_trend,
    named_targets,
    score_forecasts,
)


def table(n=10, seed=0):
    rng = np.random.default_rng(seed)
    flops = np.geomspace(1e18, 1e22, n)
    rows = [
        pd.DataFrame(
            {
                "task": task,
                "model": [f"m{i}" for i in range(n)],
                "family": ["one", "two"] * (n // 2),
                "flops": flops,
                "n_params": np.sqrt(flops / 120),
                "n_tokens": 20 * np.sqrt(flops / 120),
                "score": 0.25 + slope * np.log10(flops / 1e18) + rng.normal(0, 0.005, n),
                "chance": 0.25,
            }
        )
        for task, slope in (("a", 0.1), ("b", 0.05))
    ]
    return pd.concat(rows, ignore_index=True)


def test_baselines_are_always_there():
    found = backtest("direct", table(), leave_largest_out(0.2))
    assert found["method"].unique().tolist() == ["constant", "last", "linear", "logistic", "direct"]
    league = score_forecasts(found, against="constant")
    assert league["method"].iloc[0] == "linear"  # the truth is a line
    assert league["n"].unique().tolist() == [4]


def test_rows_are_those_held_out_with_the_distance_they_lie_beyond():
    found = backtest([], table(), beyond(1e20, factor=5))
    one = found[(found["method"] == "last") & (found["task"] == "a")]
    assert (one["flops"] > 5e20).all()
    trained = table()["flops"][lambda x: x <= 1e20].max()
    np.testing.assert_allclose(one["distance"], np.log10(one["flops"] / trained))
    np.testing.assert_allclose(one["observed"], one["score"])


def test_methods_do_not_see_the_answer():
    def peeking(train, targets, level=0.9):
        assert "score" not in targets
        return linear_trend(train, targets, level)

    found = backtest(peeking, table(), rolling_origin(3))
    assert set(found["fold"]) == {0, 1, 2}
    same = found[found["method"] == "peeking"]["predicted"].to_numpy()
    np.testing.assert_allclose(same, found[found["method"] == "linear"]["predicted"].to_numpy())


def test_every_engine_gives_the_same_numbers():
    serial, processes = (
        backtest("direct_flops", table(), rolling_origin(2), engine=engine)
        for engine in ("serial", "processes")
    )
    pd.testing.assert_frame_equal(serial, processes)


def test_splits_without_separation_need_a_word():
    with pytest.raises(FitError, match="say nothing of extrapolation"):
        backtest([], table(), families_out())
    found = backtest([], table(), families_out(), allow_overlap=True)
    assert len(found) == 4 * 20
    found = backtest([], table(), named_targets(["m8", "m9"]))
    assert set(found["model"]) == {"m8", "m9"}


def test_a_run_is_in_one_part_only():
    rows = table().assign(run=["r0", "r1"] * 10)
    with pytest.raises(FitError, match="trains and tests on run 'r0'"):
        backtest([], rows, beyond(1e20), allow_overlap=True)


def test_checkpoints_are_tested_at_the_end_of_their_run():
    small = table()
    big = pd.concat(
        [
            small[small["model"] == "m9"].assign(n_tokens=n, run="big", flops=f)
            for n, f in ((1e11, 2e22), (2e11, 4e22), (3e11, 6e22))
        ]
    )
    rows = pd.concat([small.assign(run=small["model"]), big], ignore_index=True)
    found = backtest([], rows, named_targets(["big"], "run"))
    assert found["flops"].unique().tolist() == [6e22]


@pytest.mark.parametrize(
    ("methods", "split", "error", "said"),
    [
        ("direkt", beyond(1e20), FitError, "did you mean 'direct'"),
        ({"x": 3}, beyond(1e20), FitError, "must be a function, not int"),
        ([3], beyond(1e20), FitError, "a name or a function"),
        ([], None, FitError, "gives pairs of rows"),
        ([], beyond(1e30), TableError, "left to test"),
        ([], beyond(1e3), TableError, "trained on"),
        ([], named_targets(["m99"]), TableError, "m99"),
        ([], families_out("task_"), TableError, "task_"),
    ],
)
def test_what_cannot_be_tested_is_refused(methods, split, error, said):
    with pytest.raises(error, match=said):
        backtest(methods, table(), split)


def test_a_table_with_names_of_the_answer_is_refused():
    with pytest.raises(TableError, match="'predicted'"):
        backtest([], table().assign(predicted=1.0), beyond(1e20))


def test_a_method_answers_on_the_index_it_is_asked_on():
    def careless(train, targets, level=0.9):
        return linear_trend(train, targets, level).reset_index(drop=True)

    with pytest.raises(FitError, match="'careless' must give predicted"):
        backtest(careless, table(), beyond(1e20))
